"""Reading a partner's files for observation: once to survey them, then as often as the guides change.

A survey says who talks to whom, in which versions, and what it takes to read the files at all: tolerances that lessen
what is refused, and a charset where the text is not what the standard says.
"""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace

from gateway.edi.interchange import GroupEnd, GroupStart, InterchangeEnd, InterchangeStart
from gateway.edi.library import Guides
from gateway.edi.reading import read
from gateway.edi.tolerances import Tolerances
from gateway.edi.tree import Message
from gateway.errors import PartnerFault
from gateway.findings import Finding, Severity
from gateway.onboarding.observe import Observer

FALLBACK = "windows-1252"
"""What text is read in that is not UTF-8: it holds every letter of iso-8859-1."""
LOST = 1_000
"""How grave it is that the rest of a file cannot be read, in findings."""
MAX_PAIRS = 1_000
"""Senders and receivers, and versions of one, that are told apart."""
HEAD = 4_096
"""Bytes of a file in which its line breaks are looked for."""
ENVELOPE: tuple[str, ...] = (
    "edi.segment.line_break",
    "edi.segment.indented",
    "edi.isa.",
    "edi.file.",
    "edi.interchange.",
    "edi.group.",
    "edi.message.control_number",
    "edi.una.",
    "edi.unb.",
)
"""Findings that a tolerance may lessen."""

Identity = tuple[str, str]
"""Qualifier and id of an interchange."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One file: its name, and its bytes as often as they are asked for."""

    name: str
    blocks: Callable[[], Iterable[bytes]]


@dataclass(frozen=True, kw_only=True, slots=True)
class How:
    """What it takes to read the files."""

    guides: Guides
    tolerances: tuple[str, ...] = ()
    charset: str | None = None


@dataclass(slots=True)
class Survey:
    """Who sends what to whom."""

    pairs: Counter[tuple[Identity, Identity]] = field(default_factory=Counter)
    """Sender and receiver."""
    versions: dict[tuple[Identity, Identity], set[tuple[str, str, str]]] = field(default_factory=dict)
    """Standard, version and type, by sender and receiver."""
    refused: int = 0
    """Findings that refuse something, those of the envelope only; what is lost counts more."""
    odd_text: int = 0
    """Findings of bytes that are not in the charset."""
    unread: dict[str, Finding] = field(default_factory=dict)
    """Files that could not be read to their end, with the reason."""


def survey(samples: list[Sample], how: How) -> Survey:
    """One look at all files."""
    found = Survey()
    tolerances = Tolerances.named(*how.tolerances)
    for sample in samples:
        pair: tuple[Identity, Identity] = (("", ""), ("", ""))
        try:
            for event in read(sample.blocks(), guides=how.guides, tolerances=tolerances, charset=how.charset):
                if isinstance(event, InterchangeStart):
                    pair = (event.sender_qualifier, event.sender), (event.receiver_qualifier, event.receiver)
                    if pair in found.pairs or len(found.pairs) < MAX_PAIRS:
                        found.pairs[pair] += 1
                elif isinstance(event, Message):
                    what = (event.standard, event.version, event.type)
                    if pair in found.pairs and len(mine := found.versions.setdefault(pair, set())) < MAX_PAIRS:
                        mine.add(what)
                    found.odd_text += sum(one.rule == "edi.element.charset" for one in event.findings)
                if isinstance(event, Message | GroupEnd | InterchangeEnd):
                    found.refused += sum(
                        one.severity is not Severity.ACCEPT and one.rule.startswith(ENVELOPE) for one in event.findings
                    )
        except PartnerFault as fault:
            found.refused += LOST
            found.unread[sample.name] = fault.findings[0]
    return found


def best(samples: list[Sample], guides: Guides) -> tuple[How, Survey]:
    """What it takes to read the files, switched on only where it lessens what is refused; and the survey."""
    how = How(guides=guides)
    found = survey(samples, how)
    for one in fields(Tolerances):
        if not found.refused:
            break
        wider = replace(how, tolerances=(*how.tolerances, one.name))
        again = survey(samples, wider)
        if again.refused < found.refused:
            how, found = wider, again
    if found.odd_text and not all(map(is_utf8, samples)):
        wider = replace(how, charset=FALLBACK)
        again = survey(samples, wider)
        if again.odd_text < found.odd_text:
            how, found = wider, again
    return how, found


def observe(samples: list[Sample], how: How, observer: Observer, wrong: Callable[[str, Finding], None]) -> None:
    """Show all files to an observer; `wrong` is told of what envelopes and unreadable files have, with the file."""
    tolerances = Tolerances.named(*how.tolerances)
    for sample in samples:
        observer.file(sample.name)
        ours = False
        head = _Head()
        try:
            events = read(head.through(sample.blocks()), guides=how.guides, tolerances=tolerances, charset=how.charset)
            for event in events:
                match event:
                    case InterchangeStart():
                        ours = observer.interchange(event)
                        if ours:
                            observer.habit("line_break", head.line_break(event.delimiters.segment))
                            observer.habit("charset", event.charset)
                    case GroupStart() if ours:
                        observer.group(event)
                    case Message() if ours:
                        observer.message(event)
                    case GroupEnd() | InterchangeEnd() if ours:
                        for one in event.findings:
                            wrong(sample.name, one)
                    case _:
                        pass
        except PartnerFault as fault:
            for one in fault.findings:
                wrong(sample.name, one)


def is_utf8(sample: Sample) -> bool:
    """Whether all of a file is UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in sample.blocks():
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


class _Head:
    """The beginning of a file, kept while it is read."""

    def __init__(self) -> None:
        self._bytes = b""

    def through(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        for block in blocks:
            if len(self._bytes) < HEAD:
                self._bytes += block[: HEAD - len(self._bytes)]
            yield block

    def line_break(self, terminator: str) -> str:
        """What follows the segments: nothing, LF or CRLF; by the first one behind the interchange's header."""
        rest = self._bytes.split(terminator.encode(), 2)
        following = rest[-1][:2] if len(rest) > 1 else b""
        return "crlf" if following == b"\r\n" else "lf" if following[:1] == b"\n" else "none"
