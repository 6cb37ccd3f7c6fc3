"""What reading, checking and hanging an 850 into a tree costs, against a bare split of the same bytes in the same run.

Bare split: the file is cut into segments and each segment into elements, in blocks, and everything is thrown away.
CPU time of this process; the best of several runs, because the machine is shared.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from gateway.edi import x12
from gateway.edi.library import standard
from gateway.edi.tree import Message, walk

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


def order_file(size: int, lines: int = 20) -> bytes:
    """One interchange of 850s with so many lines each, about `size` bytes long."""
    body = HEAD + b"".join(LINE % number for number in range(1, lines + 1)) + b"CTT*%d~" % lines
    segments = body.count(b"~") + 2
    sets = max(1, size // len(body))
    parts = [ISA, b"GS*PO*SUPPLIER*GATEWAY*20260101*1200*1*X*004010~"]
    parts += [b"ST*850*%04d~%sSE*%d*%04d~" % (number, body, segments, number) for number in range(1, sets + 1)]
    parts += [b"GE*%d*1~IEA*1*000000001~" % sets]
    return b"".join(parts)


def bare_split(data: bytes, block: int = 1 << 16) -> None:
    """Cut into segments and elements, block by block; keep nothing."""
    rest = b""
    for start in range(0, len(data), block):
        *segments, rest = (rest + data[start : start + block]).split(b"~")
        for segment in segments:
            segment.split(b"*")


def read_and_check(data: bytes) -> None:
    """Read, check and build the tree of every set; keep nothing."""
    for event in x12.read(data, guides=standard()):
        if isinstance(event, Message):
            assert not event.findings
            assert event.root.children


def read_and_touch(data: bytes) -> None:
    """The same, and every element of every segment split and decoded."""
    for event in x12.read(data, guides=standard()):
        if isinstance(event, Message):
            for _, segment, _ in walk(event.root):
                assert segment.elements


def envelope_only(data: bytes) -> None:
    """The envelope alone: sets cut, not checked (they are of a version without a guide)."""
    for _ in x12.read(data, guides=standard()):
        pass


def cost(work: Callable[[bytes], None], data: bytes, runs: int = 5) -> float:
    """Seconds of CPU, the best of several runs."""
    best = float("inf")
    for _ in range(runs):
        start = time.process_time()
        work(data)
        best = min(best, time.process_time() - start)
    return best


def main() -> None:
    """Print the table."""
    data = order_file(8 << 20)
    unknown = data.replace(b"*X*004010~", b"*X*009999~")
    bare = cost(bare_split, data)
    print(f"850, {len(data) / 1e6:.1f} MB, sets of 20 lines")
    print(f"  {'bare split, segments and elements':44} {bare * 1e3:8.1f} ms {len(data) / bare / 1e6:8.1f} MB/s")
    rows: list[tuple[str, Callable[[bytes], None], bytes]] = [
        ("envelope only", envelope_only, unknown),
        ("read + guide check + tree", read_and_check, data),
        ("read + guide check + tree, every element used", read_and_touch, data),
    ]
    for name, work, input_data in rows:
        taken = cost(work, input_data)
        print(f"  {name:44} {taken * 1e3:8.1f} ms {len(data) / taken / 1e6:8.1f} MB/s {taken / bare:6.2f} x bare")
    small = order_file(1, lines=4)
    count = 200
    taken = cost(lambda one: [read_and_check(one) for _ in range(count)] and None, small) / count
    print(f"  {f'one interchange of {len(small)} bytes, warm guides':44} {taken * 1e3:8.3f} ms")


if __name__ == "__main__":
    main()
