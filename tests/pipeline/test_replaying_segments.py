"""Two interchanges held against each other: quick, however long they are."""

from __future__ import annotations

import time

from gateway.pipeline import replaying_outbound

LINES = "".join(f"PO1*{number}*5*EA*9.99~PID*F****SAME~SCH*5*EA*002~" for number in range(2000))
BEFORE = f"ISA{'*' * 102}~{LINES}".encode()


def test_long_orders_of_which_each_line_differs_are_compared_in_less_than_a_second() -> None:
    """The process that replays has others to serve."""
    began = time.process_time()
    found = replaying_outbound._segments_differ(BEFORE, BEFORE.replace(b"9.99", b"9.98"))
    assert time.process_time() - began < 1
    assert len(found) == 2000
    assert (found[0].pointer, found[0].was, found[0].now) == ("segment 1", "PO1*0*5*EA*9.99", "PO1*0*5*EA*9.98")


def test_segment_that_is_more_or_less_shifts_no_other() -> None:
    """What both begin and end with is alike."""
    (more,) = replaying_outbound._segments_differ(BEFORE, BEFORE.replace(b"PO1*7*", b"N9*1~PO1*7*"))
    (less,) = replaying_outbound._segments_differ(BEFORE, BEFORE.replace(b"PO1*7*5*EA*9.99~", b""))
    assert (more.pointer, more.was, more.now) == ("segment 22", None, "N9*1")
    assert (less.pointer, less.was, less.now) == ("segment 22", "PO1*7*5*EA*9.99", None)
