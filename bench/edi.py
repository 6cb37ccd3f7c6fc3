"""What reading, checking and hanging into a tree costs, against a bare split of the same bytes in the same run.

Bare split: the file is cut into segments and each segment into elements (in EDIFACT into components too, release
characters heeded), in blocks, and everything is thrown away. CPU time of this process, in alternating turns; the best
of several, because the machine is shared. `python -m bench edi --size 50` takes the file size in MB.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from gateway.edi import reading
from gateway.edi.library import standard
from gateway.edi.tree import Message, walk

BLOCK = 1 << 18
ISA = b"ISA*00*          *00*          *ZZ*SUPPLIER       *ZZ*GATEWAY        *260101*1200*U*00401*000000001*0*P*>~"
LINE = (
    b"PO1*%d*120*EA*9.25*TE*CB*065322-117*PR*RO*VN*AB3542~PID*F****SMALL WIDGET~PO4*4*4*EA*PLT94**3*LR*15*CT~"
    b"DTM*002*20260214~SCH*60*EA***002*20260215~SCH*60*EA***002*20260222~"
)
HEAD = (
    b"BEG*00*SA*08292233294**20260101*610385385~CUR*BY*USD~REF*DP*038~REF*PS*R~ITD*14*3*2**45**46~DTM*002*20260214~"
    b"TD5*A*92*P3**SEE XYZ RETAIL ROUTING GUIDE~N9*ZZ*NOTE~MSG*PLEASE CALL BEFORE DELIVERY~"
    b"N1*ST*XYZ RETAIL*9*0003947268292~N3*31875 SOLON RD~N4*SOLON*OH*44139~"
)
PACK = (
    b"HL*%d*2*P~MAN*GM*0000071567000215%04d~"  # a carton
    b"HL*%d*%d*I~LIN**UP*012345678905*VN*AB3542~SN1**12*EA~PO4*12~PID*F****WIDGET~"  # and what is in it
)
NOTICE = (
    b"BSN*00*SH-900*20260110*1200*0001~HL*1**S~TD1*CTN25*20****G*400*LB~TD5*O*2*ABCD~REF*BM*BL-77812~DTM*011*20260110~"
    b"N1*ST*MAIN WAREHOUSE*92*W01~HL*2*1*O~PRF*PO-7001***20260102~"
)
UNB = b"UNA:+.? 'UNB+UNOC:3+4009999100001:14+5419999200004:14+260101:1200+1'"
ITEM = (
    b"LIN+%d++4009999100%03d:EN'PIA+1+AB-3542:SA'IMD+F++:::SMALL WIDGET'QTY+21:120:PCE'DTM+2:20260215:102'"
    b"PRI+AAA:9.25:CA'RFF+CT:RV-2026-17'"
)
ORDER = (
    b"BGM+220+4500021001+9'DTM+137:20260101:102'DTM+2:20260214:102'FTX+ZZZ+++PLEASE CALL BEFORE DELIVERY'"
    b"RFF+CT:RV-2026-17'NAD+BY+4009999100001::9'NAD+SU+5419999200004::9'NAD+DP+4009999100070::9'CUX+2:EUR:9'"
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A document to be measured: one message's bytes, and how peers fared in MB/s of CPU (docs/benchmarks.md)."""

    name: str
    head: bytes
    message: Callable[[int], bytes]
    tail: Callable[[int], bytes]
    split: Callable[[bytes], None]
    unknown: tuple[bytes, bytes]
    peers: str


def bare_split(data: bytes) -> None:
    """Cut X12 into segments and elements, block by block; keep nothing."""
    rest = b""
    for start in range(0, len(data), BLOCK):
        *segments, rest = (rest + data[start : start + BLOCK]).split(b"~")
        for segment in segments:
            segment.split(b"*")


_ENDS, _ELEMENTS, _COMPONENTS = (re.compile(rb"(?<!\?)" + re.escape(one)) for one in (b"'", b"+", b":"))


def three_level_split(data: bytes) -> None:
    """Cut EDIFACT into segments, elements and components, heeding release characters as naively as it is often done."""
    rest = b""
    for start in range(0, len(data), BLOCK):
        *segments, rest = _ENDS.split(rest + data[start : start + BLOCK])
        for segment in segments:
            for element in _ELEMENTS.split(segment):
                _COMPONENTS.split(element)


def _order(number: int, lines: int = 20) -> bytes:
    body = HEAD + b"".join(LINE % line for line in range(1, lines + 1)) + b"CTT*%d~" % lines
    return b"ST*850*%04d~%sSE*%d*%04d~" % (number, body, body.count(b"~") + 2, number)


def _notice(number: int, packs: int = 20) -> bytes:
    parts = (PACK % (2 * pack + 1, pack, 2 * pack + 2, 2 * pack + 1) for pack in range(1, packs + 1))
    body = NOTICE + b"".join(parts) + b"CTT*%d~" % (2 * packs + 2)
    return b"ST*856*%04d~%sSE*%d*%04d~" % (number, body, body.count(b"~") + 2, number)


def _orders(number: int, lines: int = 20) -> bytes:
    body = ORDER + b"".join(ITEM % (line, line) for line in range(1, lines + 1)) + b"UNS+S'CNT+2:%d'" % lines
    return b"UNH+%d+ORDERS:D:96A:UN'%sUNT+%d+%d'" % (number, body, body.count(b"'") + 2, number)


KINDS = (
    Kind(
        "850",
        ISA + b"GS*PO*SUPPLIER*GATEWAY*20260101*1200*1*X*004010~",
        _order,
        lambda count: b"GE*%d*1~IEA*1*000000001~" % count,
        bare_split,
        (b"*X*004010~", b"*X*009999~"),
        "split 155; staedi 10.5 envelope, 2.3 guide; bots 1.27; pyx12 0.31",
    ),
    Kind(
        "856",
        ISA + b"GS*SH*SUPPLIER*GATEWAY*20260101*1200*1*X*004010~",
        _notice,
        lambda count: b"GE*%d*1~IEA*1*000000001~" % count,
        bare_split,
        (b"*X*004010~", b"*X*009999~"),
        "split 122; staedi 12.2 envelope; pyx12 3.3 envelope",
    ),
    Kind(
        "ORDERS D96A",
        UNB,
        _orders,
        lambda count: b"UNZ+%d+1'" % count,
        three_level_split,
        (b"ORDERS:D:96A", b"ORDERS:D:99Z"),
        "split 18; staedi 8.4 envelope; bots 1.08; pydifact 1.0 to 1.3",
    ),
)


def file_of(kind: Kind, size: int) -> bytes:
    """One interchange with so many messages of 20 lines that it has about `size` bytes; at least one."""
    count = max(1, size // len(kind.message(1)))
    return b"".join([kind.head, *(kind.message(number) for number in range(1, count + 1)), kind.tail(count)])


def order_file(size: int, lines: int = 20) -> bytes:
    """One interchange of 850s with so many lines each."""
    return file_of(replace(KINDS[0], message=lambda number: _order(number, lines)), size)


def blocks(data: bytes) -> Iterator[bytes]:
    """The bytes as a file gives them."""
    return (data[start : start + BLOCK] for start in range(0, len(data), BLOCK))


def read_and_check(data: bytes) -> None:
    """Read, check and build the tree of every set; keep nothing."""
    for event in reading.read(blocks(data), guides=standard()):
        if isinstance(event, Message):
            assert not event.findings
            assert event.root.children


def read_only(data: bytes) -> None:
    """Read and check; nobody looks at a tree, as when files are checked or acknowledged."""
    for event in reading.read(blocks(data), guides=standard()):
        assert not isinstance(event, Message) or not event.findings


def read_and_touch(data: bytes) -> None:
    """The same, and every element of every segment split."""
    for event in reading.read(blocks(data), guides=standard()):
        if isinstance(event, Message):
            for _, segment, _ in walk(event.root):
                assert segment.elements


def envelope_only(data: bytes) -> None:
    """The envelope alone: messages cut, not checked (they are of a version without a guide)."""
    for _ in reading.read(blocks(data), guides=standard()):
        pass


def cost(work: Callable[[bytes], None], data: bytes, runs: int = 5) -> float:
    """Seconds of CPU, the best of several runs."""
    return min(_seconds(work, data) for _ in range(runs))


def _seconds(work: Callable[[bytes], None], data: bytes) -> float:
    start = time.process_time()
    work(data)
    return time.process_time() - start


def measure(kind: Kind, size: int, runs: int) -> None:
    """Print the rows of one document."""
    data = file_of(kind, size)
    unknown = data.replace(*kind.unknown)
    read_only(file_of(kind, 2 << 20))  # the pattern of a guide is compiled after 1 MiB: guides are warm
    rows: list[tuple[str, Callable[[bytes], None], bytes]] = [
        ("bare split", kind.split, data),
        ("envelope only", envelope_only, unknown),
        ("read + guide check", read_only, data),
        ("read + guide check + tree", read_and_check, data),
        ("the same, every element used", read_and_touch, data),
    ]
    best = [float("inf")] * len(rows)
    for _ in range(runs):
        for index, (_, work, given) in enumerate(rows):
            best[index] = min(best[index], _seconds(work, given))
    print(f"{kind.name}, {len(data) / 1e6:.1f} MB, messages of 20 lines. Peers, MB/s: {kind.peers}")
    for (name, _, _), taken in zip(rows, best, strict=True):
        rate = len(data) / taken / 1e6
        print(f"  {name:32} {taken * 1e3:9.1f} ms {rate:8.1f} MB/s {taken / best[0]:6.2f} x bare")


def main(arguments: list[str]) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench edi", description=__doc__)
    parser.add_argument("--size", type=int, default=8, help="size of each file in MB")
    parser.add_argument("--runs", type=int, default=5, help="turns; the best counts")
    chosen = parser.parse_args(arguments)
    for kind in KINDS:
        measure(kind, chosen.size * 1_000_000, chosen.runs)
    small = order_file(1, lines=4)
    count = 200
    taken = cost(lambda one: [read_and_check(one) for _ in range(count)] and None, small) / count
    print(f"one interchange of {len(small)} bytes, warm guides: {taken * 1e3:.3f} ms")


if __name__ == "__main__":
    main(sys.argv[1:])
