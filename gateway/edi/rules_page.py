"""The page of all rules, `docs/rules.md`: what each says, what to do, its codes, and the files that break it.

Printed by `gateway edi rules` from the table in `rules`; nothing here judges anything.
"""

from __future__ import annotations

from gateway.edi.rules import RULES, Rule
from gateway.findings import Codes, Severity

X12_ONLY = frozenset(
    (
        "edi.element.component_separator",
        "edi.element.condition",
        "edi.element.date",
        "edi.element.exclusion",
        "edi.element.time",
        "edi.file.not_x12",
        "edi.group.version",
        "edi.hl.level",
        "edi.interchange.acknowledgment",
        "edi.isa.delimiter",
        "edi.isa.element",
        "edi.isa.truncated",
        "edi.isa.widths",
        "edi.message.type_invalid",
        "edi.segment.binary_length",
    )
)
"""Rules that only X12 can break."""

EDIFACT_ONLY = frozenset(
    (
        "edi.element.decimal",
        "edi.element.needless_release",
        "edi.element.release_at_end",
        "edi.element.repertoire",
        "edi.file.not_edifact",
        "edi.file.unreadable",
        "edi.group.mixed",
        "edi.interchange.empty",
        "edi.message.header",
        "edi.una.delimiters",
        "edi.una.truncated",
        "edi.unb.charset",
        "edi.unb.element",
        "edi.unb.syntax",
    )
)
"""Rules that only EDIFACT can break."""

WITHOUT_FILE = {
    "edi.file.not_edifact": "comes with an agreement on EDIFACT alone",
    "edi.message.too_large": "depends on the limit that is set",
    "edi.segment.too_long": "depends on the limit that is set",
    "edi.write.delimiter": "ours: refuses what we are asked to write",
    "edi.write.characters": "ours: refuses what we are asked to write",
    "edi.write.envelope": "ours: refuses what we are asked to write",
    "edi.write.repertoire": "ours: refuses what we are asked to write",
    "edi.write.repetition": "ours: refuses what we are asked to write",
    "edi.acknowledgment.unreadable": "found when an acknowledgment is matched with what we sent",
    "edi.element.not_used": "comes with a partner's guide only",
    "edi.message.partial": "comes with an agreement on partial acceptance only",
    "edi.group.partial": "comes with an agreement on partial acceptance only",
    "edi.interchange.partial": "comes with an agreement on partial acceptance only",
}
"""Rules that no file breaks by itself, and why."""

SECTIONS = {
    "file": "The file",
    "isa": "ISA",
    "una": "UNA",
    "unb": "UNB",
    "interchange": "The interchange",
    "group": "The group",
    "message": "The transaction set, the message",
    "segment": "Segments",
    "element": "Elements",
    "hl": "Hierarchy: HL and CPS",
    "write": "What we write",
    "acknowledgment": "Acknowledgments",
}
"""The second part of an id, and its heading."""

SEVERITIES = {
    Severity.ACCEPT: "a note: taken as it is",
    Severity.ACCEPT_WITH_ERRORS: "taken, and reported",
    Severity.REJECT: "refused",
}

_HEAD = """\
# Rules of the syntax engine

Printed by `gateway edi rules`; do not edit. Every finding names its rule, and every rule has an anchor here. A rule
that refuses refuses the set, the group or the interchange that it stands in. Codes: the TA1's TA105, the 997's AK304,
AK403, AK502 and AK905, the 999's IK304, IK403 and IK502 (those of the 997 where it has none of its own), and 0085 of
the CONTRL; in syntax 3, whose list is shorter, 45 is told as 16, 46 as 2, 47 as 15, 48 as 13, in syntax 4 19 as 12. A
single finding can have a code of its own where the standard tells cases apart: each ISA element has its TA105, and an
EDIFACT value that is missing is 13 rather than 12. Notes are not reported to the sender.

The examples break exactly that rule where it can be broken alone; beside each stands what the gateway answers
(`.ack`). What is answered to many more damages: `tests/edi/mutations/`.
"""


def markdown() -> str:
    """The text of `docs/rules.md`."""
    parts = [_HEAD]
    for key, heading in SECTIONS.items():
        parts.append(f"## {heading}\n")
        parts += [_rule(rule) for rule in RULES.values() if rule.id.split(".")[1] == key]
    return "\n".join(parts)


def examples(rule: str) -> list[str]:
    """The files that break a rule, by their paths in the repository."""
    if rule in WITHOUT_FILE:
        return []
    kinds = ["x12"] * (rule not in EDIFACT_ONLY) + ["edifact"] * (rule not in X12_ONLY)
    return [f"samples/{kind}/broken/{rule}.edi" for kind in kinds]


def _rule(rule: Rule) -> str:
    files = [f"[{file.split('/')[1]}](../{file})" for file in examples(rule.id)]
    shown = ", ".join(files) if files else f"none: {WITHOUT_FILE[rule.id]}"
    return f"""\
<a id="{rule.id}"></a>

### `{rule.id}`

{rule.text} {rule.fix}

- Severity: `{rule.severity.value}`, {SEVERITIES[rule.severity]}.
- Codes: {_codes(rule.codes)}.
- Examples: {shown}.
"""


def _codes(codes: Codes) -> str:
    rows = (
        ("TA1", (("TA105", codes.ta105),)),
        ("997", (("AK304", codes.ak304), ("AK403", codes.ak403), ("AK502", codes.ak502), ("AK905", codes.ak905))),
        ("999, where it differs", (("IK304", codes.ik304), ("IK403", codes.ik403), ("IK502", codes.ik502))),
        ("CONTRL", (("0085", codes.contrl),)),
    )
    told = [
        f"{kind} " + ", ".join(f"{name} {code}" for name, code in named if code)
        for kind, named in rows
        if any(code for _, code in named)
    ]
    return "; ".join(told) or "none"
