"""Whatever came, the answer is one: it can be written, and the engine finds nothing wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.edi import acknowledge
from gateway.edi.acknowledge import Acknowledgment, Choices
from gateway.edi.delimiters import STANDARD
from gateway.edi.interchange import Event
from gateway.edi.library import standard
from gateway.edi.reading import read, read_all
from gateway.edi.syntax import Syntax
from gateway.edi.writing import Writer
from gateway.errors import PartnerFault
from gateway.findings import EdiPlace

ISA = "ISA*00*          *00*          *ZZ*B              *ZZ*A              *260105*0930*{}*{}*000000009*0*T*>~"
CONTRL = b"UNB+UNOC:3+A+B+260105:0930+9'"
ORDERS = (
    b"UNB+UNOC:3+4012345000009:14+5412345000013:14+260105:0930+R1++++1'UNG+ORDERS+A+B+260105:0930+1+UN+D:96A'"
    b"UNH+1+ORDERS:D:96A:UN:EAN008'BGM+220+PO1+9'DTM+137:20260105:102'NAD+BY+4012345000009::9'"
    b"LIN+1++4000001000005:EN'QTY+21:10'UNS+S'UNT+8+1'UNE+1+1'UNZ+1+R1'"
)
PIECES = [
    b"",
    b"*",
    b"+",
    b"~",
    b"'",
    b":",
    b"?",
    b"\n",
    b"\x00",
    b"\xff",
    b" ",
    b"0",
    b"99999999999",
    b"ZZ",
    b"SE*",
    b"UNT+",
]
# A place in the file (in thousandths), how many bytes go there, and what comes instead.
CHANGES = st.lists(st.tuples(st.integers(0, 999), st.integers(0, 12), st.sampled_from(PIECES)), min_size=1, max_size=6)


def changed(data: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """The file with these changes; its first bytes stay, so that it is an interchange."""
    start = 106 if data.startswith(b"ISA") else 29
    for place, width, piece in changes:
        at = start + (len(data) - start) * place // 1000
        data = data[:at] + piece + data[at + width :]
    return data


def events(data: bytes) -> Iterator[Event]:
    """What is read of it, up to what cannot be."""
    return read(data, guides=standard())


def written(one: Acknowledgment) -> bytes:
    """An answer in an interchange of its own."""
    contrl = one.kind == "CONTRL"
    writer = Syntax(version=3).writer() if contrl else Writer(delimiters=STANDARD)
    pieces = acknowledge.written(acknowledge.enclosed(one, "0001"), lambda piece: writer.write(piece, EdiPlace()))
    body = b"".join(pieces)
    if contrl:
        return CONTRL + body + b"UNZ+1+9'"
    new = one.version >= "005010"
    head = ISA.format("^" if new else "U", "00501" if new else "00401").encode()
    if one.kind == "TA1":
        return head + body + b"IEA*0*000000009~"
    group = f"GS*FA*BB*AA*20260105*0930*1*X*{one.version}~".encode()
    return head + group + body + b"GE*1*1~IEA*1*000000009~"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES, implementation=st.booleans(), version=st.sampled_from(["004010", "005010"]))
def test_whatever_x12_came_the_answers_are_valid(
    wrap: Callable[..., bytes], changes: list[tuple[int, int, bytes]], version: str, *, implementation: bool
) -> None:
    """TA1, 997, 999."""
    choices = Choices(implementation=implementation, version=version if implementation else "004010")
    check(changed(wrap("855", version=version), changes), choices)


@settings(max_examples=150, deadline=None)
@given(changes=CHANGES, every=st.booleans())
def test_whatever_edifact_came_the_answers_are_valid(changes: list[tuple[int, int, bytes]], *, every: bool) -> None:
    """CONTRL."""
    check(changed(ORDERS, changes), Choices(contrl=True, every_message=every))


def check(data: bytes, choices: Choices) -> None:
    """Every answer is written, and read back without a finding. What the reader raises comes after all of them."""
    answers = acknowledge.stream(events(data), guides=standard(), choices=choices)
    while (one := following(answers)) is not None:
        if one.kind == "TA1" or standard().find(one.version, one.kind) is not None:
            (back,) = read_all(written(one), guides=standard())
            found = [*back.findings, *(each for group in back.groups for each in group.findings)]
            found += [each for group in back.groups for message in group.messages for each in message.findings]
            assert found == []


def following(answers: Iterator[Acknowledgment]) -> Acknowledgment | None:
    """The next answer; none where the reader gave up."""
    try:
        return next(answers, None)
    except PartnerFault:
        return None
