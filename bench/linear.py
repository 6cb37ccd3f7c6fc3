"""`python -m bench.linear [SHAPE …] [--most MB]`: whether reading takes time in proportion to size, whatever the file.

Each shape is made in doubling sizes and read as chunks of 64 KiB (and as few bytes at a time where that is the shape);
CPU time of this process. A ratio is that of the time for twice the size: 2 is linear, 4 is quadratic. What is over 2.3,
or takes more than 20 µs a byte, is marked.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count, pairwise, repeat

from bench.edi import order_file
from gateway.edi import reading
from gateway.edi.library import standard
from gateway.edi.tolerances import Tolerances
from gateway.errors import PartnerFault

Chunks = Iterator[bytes]
MIB = 1 << 20
RATIO, WORST = 2.3, 20e-6
SOON = 0.05
"""Seconds below which a time says nothing about a ratio."""

ISA = b"ISA*00*          *00*          *ZZ*SUPPLIER       *ZZ*GATEWAY        *260101*1200*%b*%b*000000001*0*P*>~"
OLD, NEW = ISA % (b"U", b"00401"), ISA % (b"^", b"00501")
UNB = b"UNB+UNOC:3+SUPPLIER+GATEWAY+260101:1200+R1'"


def _group(
    type_: bytes, code: bytes, body: Iterable[bytes], *, head: bytes = OLD, version: bytes = b"004010"
) -> Chunks:
    """One set around a body; its counts are wrong, which costs one finding."""
    yield head + b"GS*%b*SUPPLIER*GATEWAY*20260101*1200*1*X*%b~ST*%b*0001~" % (code, version, type_)
    yield from body
    yield b"SE*9*0001~GE*1*1~IEA*1*000000001~"


def _message(type_: bytes, body: Iterable[bytes], una: bytes = b"") -> Chunks:
    yield una + UNB + b"UNH+1+%b:D:96A:UN'" % type_
    yield from body
    yield b"UNT+9+1'UNZ+1+R1'"


def _sized(size: int, pieces: Iterable[bytes]) -> Chunks:
    """Pieces until so many bytes have come."""
    for piece in pieces:
        yield piece
        size -= len(piece)
        if size <= 0:
            return


def _sets(size: int, one: bytes, kind: bytes, code: bytes) -> Chunks:
    """Sets with the same body, all of them valid as far as the body is."""
    yield OLD + b"GS*%b*SUPPLIER*GATEWAY*20260101*1200*1*X*004010~" % code
    segments = one.count(b"~") + 2
    number = 0
    for number in count(1):
        piece = b"ST*%b*%04d~%bSE*%d*%04d~" % (kind, number, one, segments, number)
        yield piece
        size -= len(piece)
        if size <= 0:
            break
    yield b"GE*%d*1~IEA*1*000000001~" % number


def _ship_notices(size: int) -> Chunks:
    packs = b"".join(
        b"HL*%d*2*P~MAN*GM*00000715670002152360~HL*%d*%d*I~LIN**BP*BOLT-8~SN1**6*EA~" % (at, at + 1, at)
        for at in range(3, 103, 2)
    )
    head = b"BSN*00*SH-900*20260110*1200*0001~HL*1**S~HL*2*1*O~PRF*PO-7001~"
    return _sets(size, head + packs + b"CTT*102~", b"856", b"SH")


def _orders(size: int) -> Chunks:
    line = b"LIN+%d++4000001000005:EN'IMD+F++:::O?'NEILL RULE 50 CM'QTY+21:10'PRI+AAA:9.25'"
    body = b"BGM+220+PO1+9'DTM+137:20260105:102'NAD+BY+4012345000009::9'"
    body += b"".join(line % at for at in range(1, 41)) + b"UNS+S'CNT+2:40'"
    segments = body.replace(b"?'", b"").count(b"'") + 2
    yield UNB
    number = 0
    for number in count(1):
        piece = b"UNH+%d+ORDERS:D:96A:UN'%bUNT+%d+%d'" % (number, body, segments, number)
        yield piece
        size -= len(piece)
        if size <= 0:
            break
    yield b"UNZ+%d+R1'" % number


def _levels(size: int, parent: Callable[[int, int], int]) -> Chunks:
    """HLs only; `parent` of an HL, from its number and how many there are."""
    many = max(2, size // 16)
    body = (b"HL*%d*%d*P~" % (at, parent(at, many)) for at in range(1, many + 1))
    return _group(b"856", b"SH", chain([b"BSN*00*SH-1*20260110*1200~"], body))


def _numbered(size: int) -> Chunks:
    """Control numbers that never count upwards."""
    chance = random.Random(5)
    yield OLD + b"GS*PO*SUPPLIER*GATEWAY*20260101*1200*1*X*004010~"
    yield from _sized(size, (b"ST*850*%09d~SE*2*1~" % chance.randrange(10**9) for _ in repeat(0)))
    yield b"GE*1*1~IEA*1*000000001~"


def _groups(size: int) -> Chunks:
    yield OLD
    one = b"GS*PO*SUPPLIER*GATEWAY*20260101*1200*%d*X*004010~ST*850*0001~BEG*00*SA*1**20260101~SE*3*0001~GE*1*%d~"
    yield from _sized(size, (one % (at, at) for at in count(1)))
    yield b"IEA*1*000000001~"


def _order(size: int, segment: bytes) -> Chunks:
    """One valid head, then one segment over and over."""
    return _group(b"850", b"PO", chain([b"BEG*00*SA*1**20260101~PO1*1*1*EA~"], _sized(size, repeat(segment))))


def _line(size: int, segment: bytes) -> Chunks:
    return _message(b"ORDERS", chain([b"BGM+220+1+9'DTM+137:20260105:102'"], _sized(size, repeat(segment))))


BAD = b"BEG*99*SA***X~" + b"PO1*1*X*EA*1.2.3~" * 12 + b"QQ*1~" * 6
SHAPES: dict[str, tuple[Callable[[int], Chunks], int]] = {
    "850, clean": (lambda size: iter([order_file(size)]), 64),
    "856 with HL, clean": (_ship_notices, 64),
    "ORDERS D96A, clean": (_orders, 64),
    "sets with nothing right": (lambda size: _sets(size, BAD, b"850", b"PO"), 16),
    "one set with nothing right": (lambda size: _order(size, b"PO1*1*X*EA*1.2.3~"), 16),
    "unknown segments": (lambda size: _order(size, b"QQ*1~"), 16),
    "sets of unknown segments": (lambda size: _sets(size, b"QQ*1~" * 90, b"850", b"PO"), 8),
    "noted segments (N9, dates of leap days)": (lambda size: _order(size, b"DTM*002*20240229~"), 16),
    "short BIN": (lambda size: _order(size, b"BIN*3*~*~~"), 4),
    "BIN with a length that is a lie": (lambda size: _order(size, b"BIN*60000000*~"), 4),
    "BIN of 1 MiB": (lambda size: _order(size, b"BIN*1048576*" + b"~" * MIB + b"~"), 16),
    "HL, each below the last": (lambda size: _levels(size, lambda at, _: at - 1), 16),
    "HL, all below the last": (lambda size: _levels(size, lambda _, many: many), 16),
    "HL, one cycle": (lambda size: _levels(size, lambda at, many: at % many + 1), 16),
    "HL, cycles of two": (lambda size: _levels(size, lambda at, _: at + 1 - 2 * (at % 2 == 0)), 16),
    "tiny sets": (lambda size: _sets(size, b"", b"850", b"PO"), 8),
    "control numbers at random": (_numbered, 8),
    "sets under one number": (lambda size: _group(b"850", b"PO", _sized(size, repeat(b"SE*2*1~ST*850*0001~"))), 8),
    "groups": (_groups, 8),
    "interchanges": (lambda size: _sized(size, repeat(OLD + b"IEA*0*000000001~")), 8),
    "TA1s": (lambda size: chain([OLD], _sized(size, repeat(b"TA1*000000001*260101*1200*A*000~"))), 8),
    "ST outside any group": (lambda size: chain([OLD], _sized(size, repeat(b"ST*850*1~PO1~SE*2*1~"))), 8),
    "one line without a terminator": (lambda size: _order(size, b"A" * 65536), 64),
    "empty segments": (lambda size: _order(size, b"~" * 100), 16),
    "line breaks": (lambda size: _order(size, b"\r\n" * 100), 16),
    "long text": (lambda size: _order(size, b"MSG*" + b"A" * 900_000 + b"~"), 32),
    "long numbers": (lambda size: _order(size, b"PO1*1*" + b"1" * 900_000 + b"*EA~"), 32),
    "many elements": (lambda size: _order(size, b"PO1" + b"*1" * 400_000 + b"~"), 32),
    "many components": (lambda size: _order(size, b"CTP****" + b"1>" * 400_000 + b"~"), 32),
    "wrong bytes": (lambda size: _order(size, b"MSG*" + b"\xff" * 900 + b"~"), 16),
    "release characters": (lambda size: _line(size, b"?" * 900_001 + b"'"), 32),
    "released terminators": (lambda size: _line(size, b"FTX+AAI+++" + b"?'" * 400_000 + b"'"), 32),
    "released terminators, no other": (lambda size: _line(size, b"?'" * 32768), 32),
    "needless releases": (lambda size: _line(size, b"FTX+AAI+++?A?B?C'"), 8),
    "deep composites": (lambda size: _line(size, b"NAD+BY+" + b":" * 2000 + b"'"), 16),
    "repeats": (
        lambda size: _group(
            b"850", b"PO", _sized(size, repeat(b"PO1*" + b"1^" * 2000 + b"~")), head=NEW, version=b"005010"
        ),
        16,
    ),
    "UNOA, letters outside": (
        lambda size: (piece.replace(b"UNOC", b"UNOA", 1) for piece in _line(size, b"FTX+AAI+++abc'")),
        8,
    ),
    "wrapped lines": (
        lambda size: (
            b"".join(piece[at : at + 80] + b"\r\n" for at in range(0, len(piece), 80)) for piece in [order_file(size)]
        ),
        32,
    ),
    "ISA over and over": (lambda size: chain([OLD], _sized(size, repeat(b"ISA*\n~"))), 8),
    "UNA over and over": (
        lambda size: chain([UNB], _sized(size, repeat(b"UNA:+.? 'UNB+UNOC:3+A+B+260101:1200+1'"))),
        8,
    ),
}


def cut(pieces: Iterable[bytes], size: int = 65_536) -> Iterator[bytes]:
    """The same bytes in chunks of one size."""
    rest = bytearray()
    for piece in pieces:
        rest += piece
        if len(rest) >= size:
            whole = bytes(rest)
            end = len(whole) - len(whole) % size
            for at in range(0, end, size):
                yield whole[at : at + size]
            rest = bytearray(whole[end:])
    if rest:
        yield bytes(rest)


def seconds(shape: str, size: int, chunk: int = 65_536) -> tuple[float, int]:
    """CPU time to read a file of this shape, and its size in bytes."""
    chunks = list(cut(SHAPES[shape][0](size), chunk))
    tolerances = Tolerances(wrapped_lines=True) if shape == "wrapped lines" else None
    started = time.process_time()
    try:
        for _ in reading.read(iter(chunks), guides=standard(), tolerances=tolerances):
            pass
    except PartnerFault:
        pass
    return time.process_time() - started, sum(map(len, chunks))


def _row(shape: str, most: float, limit: float, chunk: int) -> bool:
    """Measure and print one shape; whether it is linear and fast enough."""
    size = min(SHAPES[shape][1], most) * MIB
    times: list[tuple[float, int]] = []
    step = size / 16 if size > 4 * MIB else size / 8
    while step <= size:
        times.append(seconds(shape, int(step), chunk))
        step *= 2
        if times[-1][0] > limit:
            break
    ratios = [later / sooner for (sooner, _), (later, _) in pairwise(times) if sooner > SOON]
    each = max(taken / length for taken, length in times[-2:])
    wrong = (max(ratios[-2:], default=0) > RATIO and each > 1e-8) or each > WORST
    figures = " ".join(f"{one:5.2f}" for one in ratios)
    taken, length = times[-1]
    print(
        f"{shape:42} {length / 1e6:6.1f} MB {taken:7.2f} s {each * 1e6:7.3f} us/B  {figures}{'  <<<' if wrong else ''}"
    )
    sys.stdout.flush()
    return not wrong


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 1 when a shape is not linear."""
    parser = argparse.ArgumentParser(prog="bench.linear", description=__doc__)
    parser.add_argument("shapes", nargs="*", help=f"some of: {', '.join(SHAPES)}")
    parser.add_argument("--most", type=float, default=64, help="MB of the largest file")
    parser.add_argument("--limit", type=float, default=60, help="seconds after which no larger file is tried")
    parser.add_argument("--chunk", type=int, default=65_536, help="bytes of a chunk")
    options = parser.parse_args(arguments)
    for one in standard():
        assert one.root.items
    seconds("850, clean", MIB * 3)
    right = [
        _row(shape, options.most, options.limit, options.chunk)
        for shape in SHAPES
        if not options.shapes or any(word in shape for word in options.shapes)
    ]
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
