"""What is fuzzed: laws over any bytes. A target takes bytes and raises where its law does not hold.

The laws: reading gives findings or a PartnerFault and nothing else, alike for a whole file and for chunks; whatever
came, its acknowledgments can be written and read back without a finding; acknowledgments of the far side are read or
refused; a guide file is read or refused with OurFault; the pattern of a whole message never passes what the slow path
would not, and both hang the same tree.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping

from gateway.edi import acknowledge, reading, segments
from gateway.edi.acknowledge import Acknowledgment, Choices
from gateway.edi.body import Piece, pieces
from gateway.edi.check import check_message
from gateway.edi.delimiters import EDIFACT, EDIFACT_4, STANDARD, Delimiters
from gateway.edi.directory import convert
from gateway.edi.guide import Guide
from gateway.edi.hang import hang
from gateway.edi.hierarchy import sound
from gateway.edi.interchange import Event
from gateway.edi.library import Guides, standard
from gateway.edi.structure import Structure, structure_of
from gateway.edi.syntax import Syntax
from gateway.edi.tolerances import Limits, Tolerances
from gateway.edi.tree import Message, walk
from gateway.edi.walk import Walk
from gateway.edi.writing import Writer
from gateway.errors import OurFault, PartnerFault
from gateway.findings import EdiPlace

ISA = "ISA*00*          *00*          *ZZ*B              *ZZ*A              *260105*0930*{}*{}*000000009*0*T*>~"
UNB = b"UNB+UNOC:3+A+B+260105:0930+9'"
TOLERANT = Tolerances(collapsed_isa=True, wrapped_lines=True, indented_segments=True, control_number_zeros=True)
CHOICES = (
    Choices(),
    Choices(implementation=True, contrl=True),
    Choices(contrl=True, every_message=True, partial="group"),
    Choices(version="004010", contrl=True, receipt=True),
    Choices(partial="interchange", contrl=True),
)
SMALL = Limits(segment=600, message=3000, findings=5, depth=3)
BLOCK = segments.BLOCK


def _complete(fault: PartnerFault | OurFault) -> None:
    """What is raised says what is wrong, or what to do."""
    assert fault.findings if isinstance(fault, PartnerFault) else fault.remedy, "a fault that does not explain itself"


def _events(data: bytes, chunks: int, **options: object) -> tuple[list[Event], tuple[object, ...]]:
    """Everything read, and the findings of the fault that ended it. `chunks` is their size, 0 for none."""
    source = data if not chunks else (data[at : at + chunks] for at in range(0, len(data), chunks))
    # Chunks are gathered into blocks; here each is taken as it comes, as at the end of every block of a large file.
    segments.BLOCK = chunks or BLOCK
    events: list[Event] = []
    try:
        for event in reading.read(source, guides=standard(), **options):  # type: ignore[arg-type]
            events.append(event)
            if isinstance(event, Message) and chunks:
                # A loop that came without its first segment is given an empty one, in a message that is refused.
                begun = sum(one.rule == "edi.segment.loop_start_missing" for one in event.findings)
                assert sum(1 for _ in walk(event.root)) <= event.segments + begun
    except PartnerFault as fault:
        _complete(fault)
        return events, fault.findings
    return events, ()


def read(data: bytes) -> None:
    """Any bytes: events, each finding with a rule and a place; the same in chunks of any size."""
    lot = zlib.crc32(data)
    options: dict[str, object] = {}
    if lot % 7 == 1:
        options["tolerances"] = TOLERANT
    if lot % 11 == 2:
        options["limits"] = SMALL
    if lot % 13 == 3:
        options["charset"] = ("utf-8", "iso-8859-1", "windows-1252", "ascii")[lot // 13 % 4]
    whole = _events(data, 0, **options)
    if lot % 8 == 0 and "limits" not in options:
        size = (1, 2, 7, 64, 333)[lot // 8 % 5]
        assert _events(data, size, **options) == whole, f"chunks of {size} bytes are read otherwise"


def answer(data: bytes) -> None:
    """Whatever came, the answers are written and read back clean."""
    choices = CHOICES[zlib.crc32(data) % len(CHOICES)]
    answers = acknowledge.stream(reading.read(data, guides=standard()), guides=standard(), choices=choices)
    while (one := _following(answers)) is not None:
        raw = _written(one)
        if one.kind != "TA1" and standard().find(one.version, one.kind) is None:
            continue
        (back,) = reading.read_all(raw, guides=standard())
        found = [*back.findings, *(each for group in back.groups for each in group.findings)]
        found += [each for group in back.groups for message in group.messages for each in message.findings]
        assert not found, f"{one.kind}: {found[0].rule} {found[0].text} {raw[106:400]!r}"


def _following(answers: Iterator[Acknowledgment]) -> Acknowledgment | None:
    try:
        return next(answers, None)
    except PartnerFault:
        return None


def _written(one: Acknowledgment) -> bytes:
    contrl = one.kind == "CONTRL"
    writer = Syntax(version=3).writer() if contrl else Writer(delimiters=STANDARD)
    pieces = acknowledge.written(acknowledge.enclosed(one, "0001"), lambda piece: writer.write(piece, EdiPlace()))
    body = b"".join(pieces)
    if contrl:
        return UNB + body + b"UNZ+1+9'"
    new = one.version >= "005010"
    head = ISA.format("^" if new else "U", "00501" if new else "00401").encode()
    if one.kind == "TA1":
        return head + body + b"IEA*0*000000009~"
    group = f"GS*FA*BB*AA*20260105*0930*1*X*{one.version}~".encode()
    return head + group + body + b"GE*1*1~IEA*1*000000009~"


_THEIRS: tuple[tuple[str, str, Callable[[Message], object]], ...] = (
    ("997", "004010", acknowledge.read_997),
    ("997", "005010", acknowledge.read_997),
    ("999", "005010", acknowledge.read_999),
    ("CONTRL", "D:3", acknowledge.read_contrl),
    ("CONTRL", "4:1", acknowledge.read_contrl),
    ("TA1", "", acknowledge.read_997),
)


def theirs(data: bytes) -> None:
    """An acknowledgment of theirs, its first byte the kind: read, or a PartnerFault with a finding."""
    kind, version, take = _THEIRS[data[0] % len(_THEIRS)] if data else _THEIRS[0]
    body = data[1:]
    if kind == "CONTRL":
        file = b"%bUNH+1+CONTRL:%b:UN'%bUNT+3+1'UNZ+1+9'" % (UNB, version.encode(), body)
    elif kind == "TA1":
        file = b"%bTA1*%b~IEA*0*000000009~" % (ISA.format("U", "00401").encode(), body)
    else:
        head = ISA.format("^", "00501").encode()
        file = b"%bGS*FA*BB*AA*20260105*0930*1*X*%b~ST*%b*0001~%bSE*3*0001~GE*1*1~IEA*1*000000009~" % (
            head,
            version.encode(),
            kind.encode(),
            body,
        )
    for event in _events(file, 0)[0]:
        try:
            if isinstance(event, Message):
                take(event)
            elif event.__class__.__name__ == "Ta1":
                acknowledge.read_ta1(event.segment)  # type: ignore[union-attr]
        except PartnerFault as fault:
            _complete(fault)


def guide(data: bytes) -> None:
    """A guide file (first byte even) or a version's segments: read, or OurFault."""
    files = {"ZZZZZZ.yaml": data[1:]} if data[:1] < b"\x80" else {"segments.yaml": data[1:]}
    try:
        own = standard().adding("edifact", "D96A", files)
        found = own.find("D96A", "ZZZZZZ")
        own.knows_segment("D96A", "LIN")
        if found is not None:
            _use(found)
    except OurFault as fault:
        _complete(fault)


def _use(found: Guide) -> None:
    """A guide that could be read can be used."""
    body = "BGM+220+1+9'DTM+137:20260105:102'"
    walk_ = Walk(Structure(found, EDIFACT), standard(), EdiPlace())
    check_message(walk_, [Piece(body, 0, 1, "utf-8", EDIFACT)], len(body))


def directory(data: bytes) -> None:
    """Files of a directory, each behind a line `=name`: converted, or OurFault."""
    texts: Mapping[str, bytes] = {
        name.decode("latin-1"): text
        for name, _, text in (part.partition(b"\n") for part in data.split(b"\n="))
        if name and text
    }
    try:
        made = convert(texts, codes=len(data) % 2 == 0)
    except OurFault as fault:
        _complete(fault)
        return
    own = standard().adding("edifact", made.version, made.files)
    for type_ in made.messages:
        assert own.find(made.version, type_) is not None


TIERED = tuple(
    (version, type_)
    for version, type_ in (
        ("004010", "850"),
        ("004010", "856"),
        ("005010", "855"),
        ("005010", "999"),
        ("D96A", "ORDERS"),
        ("D96A", "DESADV"),
        ("D01B", "ORDRSP"),
        ("41", "CONTRL"),
    )
    if standard().find(version, type_) is not None
)


def _delimiters(found: Guide) -> Delimiters:
    if found.standard == "x12":
        return Delimiters(repetition="^") if found.version >= "005010" else STANDARD
    return EDIFACT_4 if found.version == "41" else EDIFACT


def tiers(data: bytes) -> None:
    """A body, its first byte the guide: the pattern passes only what the slow path passes, and hangs the same tree."""
    found = standard().find(*TIERED[data[0] % len(TIERED)]) if data else None
    if found is None:
        return
    chars = _delimiters(found)
    structure = structure_of(found, chars)
    # As the reader gives it: decoded, releases told apart, the last terminator supplied, no service segment in it.
    terminator = chars.segment.encode()
    raw = data[1:].rstrip(terminator) + terminator
    piece = _piece(raw, chars)
    if not piece.decodable or structure.grammar(piece.text) is None:
        return
    if found.nests and not sound(piece.text, found, chars, Limits().depth):
        return
    slow = Walk(structure, standard(), EdiPlace())
    count = check_message(slow, [piece], len(raw))
    assert not slow.findings, f"the pattern passes what is wrong: {slow.findings[0].text} {piece.text!r}"
    assert count == piece.number + 2, "segments are counted otherwise"
    flat = [(depth, one.tag, one.elements, one.offset, first) for depth, one, first in walk(slow.root)]
    slow.root.children = hang(structure, piece)
    fast = [(depth, one.tag, one.elements, one.offset, first) for depth, one, first in walk(slow.root)]
    assert fast == flat, "the two tiers hang different trees"


def _piece(raw: bytes, chars: Delimiters) -> Piece:
    (piece,) = pieces([segments.Run(raw, 0)], "utf-8", chars)
    return piece


TARGETS: dict[str, Callable[[bytes], None]] = {
    "read": read,
    "answer": answer,
    "theirs": theirs,
    "guide": guide,
    "directory": directory,
    "tiers": tiers,
}


def warm() -> Guides:
    """Everything that is loaded once."""
    guides = standard()
    for one in guides:
        assert one.root.items
    return guides
