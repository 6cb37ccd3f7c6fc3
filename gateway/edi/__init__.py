"""The X12 engine, without I/O: bytes and frozen values in and out; time, numbers and limits are parameters.

Read        `x12.read_all(data, guides=library.standard())` → list[Interchange]; `x12.read(chunks, …)` streams sets
Check       is part of reading: every `Message` has its tree, its findings and its outcome
Acknowledge `acknowledge.compose_997(group, guides=…)`, `wants_ta1(interchange)`, `compose_ta1(interchange)`,
            `read_997(message)`, `read_ta1(segment)`
Write       `write.write_message(type, number, root, delimiters)`, `write.write_interchange(envelope, messages)`;
            `edifact_write.write_message(message, syntax)`, `edifact_write.write_interchange(envelope, messages)`
Show        `outline.lines(message, guide)`; every rule stands in `rules.RULES`, every guide in `guides/`

`tree` is the border to `mapping`. Importing this package imports nothing.
"""
