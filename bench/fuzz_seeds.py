"""What fuzzing begins with: the repository's samples and damaged files, bodies of messages, and the trade's tokens."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from bench.fuzz_targets import TIERED
from gateway.edi import reading
from gateway.edi.library import standard
from gateway.edi.tree import Message

ROOT = Path(__file__).parents[1]
LONGEST = 620
"""Bytes of a seed; longer ones are cut, for speed is what finds things."""

TOKENS: tuple[bytes, ...] = (
    *(
        b"~ * > ^ ' + : ? \n \r \r\n \x1a \x00 \t \xef\xbb\xbf \xff \xc3\xbc \xef\xb7\x90 \xed\xa0\x80 ?? ?' ?+".split(
            b" "
        )
    ),
    *(b"ISA* GS* ST* SE* GE* IEA* TA1* BIN* BDS* UNA:+.?_' UNB+ UNG+ UNH+ UNT+ UNE+ UNZ+ UNS+ HL* CPS+".split()),
    *(b"~ST*850*0001~ ~SE*3*0001~ ~GE*1*1~ ~IEA*1*000000009~ ~BIN*5*a~b*c~ ~BDS*ASC*3*~~~~ ~BIN*99999999*".split()),
    *(b"'UNT+3+1' 'UNZ+1+9' 'UNE+1+1' 'UNH+1+ORDERS:D:96A:UN' UNOA:1 UNOB:2 UNOC:3 UNOY:4 UNOX:4 00501 00401".split()),
    *(b"20260229 20240229 2460 235959 -1 1.5 .5 5. 1,5 -.5 99999999999999999999 000000001 004010 005010".split()),
    *(b"PO1* N1* PID* CTP* SN1* LIN* MAN* AK1* AK2* AK3* AK4* AK5* AK9* IK3* IK4* CTX* IK5* CTT*".split()),
    *(b"BGM+ DTM+ NAD+ LIN+ QTY+ PRI+ RFF+ UCI+ UCM+ UCS+ UCD+ UCF+ PIA+ IMD+ MEA+".split()),
)
"""Also the entries of the fuzzer's dictionary."""

YAML: tuple[bytes, ...] = tuple(
    b"message: label: segments: group: nests: levels: extends: composites: elements: notes: open: lengths: * & !! - [ "
    b"] { } 10x: SG1 M C x5 ..35 an n a AN ID DT R N0 1/1 P0102 C0102 : # | > <<: 99999999999 -1 0 ? ~ &a *a".split()
)


def seeds(target: str) -> Iterator[bytes]:
    """The first inputs of a target."""
    yield b""
    match target:
        case "read" | "answer":
            yield from _files()
        case "theirs":
            yield from _acknowledgments()
        case "guide":
            yield from _guides()
        case "directory":
            yield from _directories()
        case _:
            yield from _bodies()


def tokens(target: str) -> tuple[bytes, ...]:
    """What its inputs are made of."""
    return YAML if target == "guide" else TOKENS


def _files() -> Iterator[bytes]:
    for file in sorted((ROOT / "samples").rglob("*.edi")):
        data = file.read_bytes()
        yield data if len(data) <= LONGEST else data[:LONGEST]
    yield (
        b"UNA:+.? 'UNB+UNOA:1+A:14+B:14+260105:0930+R1++++1'"
        b"UNG+ORDERS+A+B+260105:0930+1+UN+D:96A'UNH+1+ORDERS:D:96A:UN'"
    )
    yield b"ISA*00*          *00*          *ZZ*A*ZZ*B*260105*0930*U*00401*000000001*0*T*>~IEA*0*000000001~"


def _messages() -> Iterator[tuple[bytes, Message]]:
    for data in _files():
        for interchange in reading.read_whole(data, guides=standard()).interchanges:
            for group in interchange.groups:
                for message in group.messages:
                    yield data[message.offset : message.end], message


def _body(raw: bytes, message: Message) -> bytes:
    """Without its first and its last segment."""
    terminator = b"~" if message.standard == "x12" else b"'"
    return terminator.join(raw.split(terminator)[1:-2]).strip(b"\r\n") + terminator


def _bodies() -> Iterator[bytes]:
    numbers = {key: number for number, key in enumerate(TIERED)}
    for raw, message in _messages():
        for (_, type_), number in numbers.items():
            if type_ == message.type:
                yield bytes([number]) + _body(raw, message)
    for (_, type_), number in numbers.items():
        yield bytes([number]) + b"A*1~" * (len(type_) > 0)


def _acknowledgments() -> Iterator[bytes]:
    kinds = {"997": (0, 1), "999": (2,), "CONTRL": (3, 4)}
    for raw, message in _messages():
        for number in kinds.get(message.type, ()):
            yield bytes([number]) + _body(raw, message)
    yield b"\x00AK1*PO*7~AK2*850*0001~AK3*PO1*5**8~AK4*2:1*330*7*X~AK5*R*5~AK9*R*1*1*0*1~"
    yield (
        b"\x02AK1*PO*7*005010~AK2*850*0001~IK3*PO1*5**8~CTX*SITUATIONAL TRIGGER*PO1*5~"
        b"IK4*2:1:3*330*7*X~IK5*R*5~AK9*R*1*1*0~"
    )
    yield b"\x03UCI+R1+A:14+B:14+4+21+UNB+3:1'UCM+1+ORDERS:D:96A:UN+4+12'UCS+3+12'UCD+12+2:1'"
    yield b"\x05000000001*260105*0930*A*000"


def _guides() -> Iterator[bytes]:
    for folder in resources.files("gateway.edi").joinpath("guides/edifact").iterdir():
        for file in folder.iterdir():
            data = file.read_bytes()
            yield (b"\xff" if file.name == "segments.yaml" else b"\x00") + data[:6_000]
    yield b"\x00message: ZZZZZZ\nlabel: x\nsegments:\n- BGM M\n- DTM C 9\n- NAD M 9:\n  - LOC 25\n"
    yield (
        b"\xffcomposites:\n  C507: [M an..3 2005 a]\n"
        b"segments:\n  DTM:\n    label: d\n    elements: [M C507 x, 3x: [C an..3 1234 z]]\n"
    )


def _directories() -> Iterator[bytes]:
    for folder in sorted((ROOT / "tests" / "edi" / "directories").iterdir()):
        files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
        yield b"".join(b"\n=%b\n%b" % (file.name.encode(), file.read_bytes()[:3000]) for file in files)[2:]
