"""Where an interchange, a group or a message ends when its trailer is missing, and where the next one begins."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.edi import reading, segments
from gateway.edi.interchange import GroupEnd, Interchange
from gateway.edi.library import Guides
from gateway.edi.tree import Message, Verdict

Wrap = Callable[..., bytes]
TRAILER = b"IEA*1*000000001~"
ORDER = (
    "UNH+1+ORDERS:D:96A:UN'BGM+220+PO1+9'DTM+137:20260102:102'NAD+BY+123::92'NAD+SU+123::92'"
    "LIN+1++A:BP'QTY+21:5'UNS+S'UNT+9+1'"
)
UNB = "UNB+UNOC:3+S+R+260105:0930+1'"
ORDERS = f"{UNB}{ORDER}UNZ+1+1'".encode()
SEPARATORS = str.maketrans("+:'", "|^\x1c")
OTHER = ("UNA^|.\\ \x1c" + ORDERS.decode().translate(SEPARATORS)).encode()


def verdicts(read: list[Interchange]) -> list[tuple[str, Verdict, list[str]]]:
    """What was read, in short."""
    return [(one.standard, one.outcome, [found.rule for found in one.findings]) for one in read]


@pytest.mark.parametrize("chunk", [1, 100, 1 << 30])
def test_an_interchange_behind_one_without_a_trailer_is_read_whatever_its_separators(
    chunk: int, wrap: Wrap, guides: Guides, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other separators, the other standard: only the first is refused, and the last has no finding."""
    monkeypatch.setattr(segments, "BLOCK", 1)
    x12 = wrap("850")
    separators = str.maketrans("*>~", "|^\n")
    same_end = x12.decode().translate(str.maketrans("*>", "|^")).encode()
    other = x12.decode().translate(separators).encode()
    cut, short = x12.removesuffix(TRAILER), ORDERS.removesuffix(b"UNZ+1+1'")
    for first, second in ((cut, other), (cut, same_end), (cut, ORDERS), (cut, OTHER), (short, OTHER), (short, x12)):
        data = first + b"\r\n" + second
        read = reading.read_all((data[at : at + chunk] for at in range(0, len(data), chunk)), guides=guides)
        missing, right = verdicts(read)
        assert read[0].findings[0].place.offset == data.index(second)  # type: ignore[union-attr]
        assert missing[1:] == (Verdict.REJECTED, ["edi.interchange.trailer_missing"])
        assert right[1:] == (Verdict.ACCEPTED, [])


def test_a_long_interchange_behind_one_without_a_trailer_is_no_long_segment(wrap: Wrap, guides: Guides) -> None:
    """More than a segment may have, and none of it ends with the terminator of the first."""
    message = ORDER.translate(SEPARATORS)
    many = "".join(message.replace("UNH|1|", f"UNH|{at}|").replace("9|1\x1c", f"9|{at}\x1c") for at in range(12_000))
    head, _, _ = OTHER.decode().partition("UNH")
    data = wrap("850").removesuffix(TRAILER) + f"{head}{many}UNZ|12000|1\x1c".encode()
    assert len(data) > 1 << 20
    outcomes = [one.outcome for one in reading.read_all(data, guides=guides)]
    assert outcomes == [Verdict.REJECTED, Verdict.ACCEPTED]


def test_what_has_no_trailer_ends_where_the_next_header_begins(guides: Guides) -> None:
    """A message without UNT and a group without UNE do not hold the header of the next one."""
    group = "UNG+ORDERS+A+B+260105:0930+{0}+UN+D:96A'" + ORDER
    data = (UNB + group.format(1).removesuffix("UNT+9+1'") + group.format(2) + "UNE+1+2'UNZ+2+1'").encode()
    events = list(reading.read(data, guides=guides))
    first, second = (one for one in events if isinstance(one, Message))
    ends = [one.end for one in events if isinstance(one, GroupEnd)]
    border = data.index(b"UNG", 40)
    assert (first.end, ends[0], data[second.offset : second.offset + 4]) == (border, border, b"UNH+")
    assert {one.place.offset for one in first.findings} == {border}  # type: ignore[union-attr]


def test_a_byte_order_mark_between_interchanges_loses_nothing(wrap: Wrap, guides: Guides) -> None:
    """Files with a mark each that were put together."""
    data = wrap("850") + b"\r\n\xef\xbb\xbf" + wrap("855")
    first, second = verdicts(reading.read_all(data, guides=guides))
    assert first == ("x12", Verdict.ACCEPTED, ["edi.file.trailing_bytes"])
    assert second == ("x12", Verdict.ACCEPTED, [])


@pytest.mark.parametrize(
    ("text", "said"), [("A?'B?xC", '"A?\'B?xC"'), ("A??:B:", '"A??:B:"'), ("A?'\nB", '"FTX+AAI+++A?\'\\nB"')]
)
def test_what_was_said_has_its_release_characters(text: str, said: str, guides: Guides) -> None:
    """A finding shows the bytes as they came, not what stands for them inside."""
    data = ORDERS.replace(b"NAD+BY", f"FTX+AAI+++{text}'NAD+BY".encode()).replace(b"UNT+9", b"UNT+10")
    (interchange,) = reading.read_all(data, guides=guides)
    (found,) = interchange.groups[0].messages[0].findings
    assert found.said == said


def test_texts_that_end_with_a_released_release_are_no_long_segment(guides: Guides) -> None:
    """A megabyte of segments that all end with `??` and the terminator, in pieces: each of them ends there."""
    head = f"{UNB}UNH+1+XXXXXX:D:96A:UN'".encode()
    pieces = [head, *[b"FTX+AAI+++AB??'" * 1_000] * 80, b"UNT+80002+1'UNZ+1+1'"]
    (interchange,) = reading.read_all(pieces, guides=guides)
    assert [found.rule for found in interchange.groups[0].messages[0].findings] == ["edi.message.unsupported"]
