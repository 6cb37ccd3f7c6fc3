"""Law: whatever groups a message has, their drawing is read back as they are, in ASCII and in box characters."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.edi.directory.report import Report
from gateway.edi.directory.table import Group, Place, read_table
from gateway.edi.directory.text import lines

TAGS = ("DTM", "RFF", "NAD", "QTY", "FTX")
BOX = str.maketrans("-|", "─│")


@dataclass
class Drawn:
    """A group to be drawn: its trigger, the segments after it, the groups after those."""

    trigger: str
    times: int
    segments: list[tuple[str, bool, int]]
    groups: list[Drawn] = field(default_factory=list)


segments = st.lists(st.tuples(st.sampled_from(TAGS), st.booleans(), st.integers(1, 99_999)), max_size=3)
leaf = st.builds(Drawn, st.sampled_from(TAGS), st.integers(1, 9_999_999), segments)
group = st.recursive(
    leaf,
    lambda inner: st.builds(
        Drawn, st.sampled_from(TAGS), st.integers(1, 9_999), segments, st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)


def drawing(groups: list[Drawn], *, box: bool) -> str:
    """A segment table as the directories print it."""
    rows: list[tuple[str, str, str]] = [("UNH Message header", "M   1", "")]
    numbers = iter(range(1, 1_000))

    def draw(one: Drawn, depth: int) -> None:
        head = f"    ----- Segment group {next(numbers):<2} ------------------"
        rows.append((head, f"C   {one.times}", "-" + ("┐" if box else "+") + "|" * depth))
        for tag, mandatory, times in [(one.trigger, True, 1), *one.segments]:
            use = f"{'M' if mandatory else 'C'}   {times}"
            rows.append((f"{tag} A name of it", use, " " + "|" * (depth + 1)))
        for inner in one.groups:
            draw(inner, depth + 1)
        text, use, beside = rows[-1]  # the last row closes the group: one more corner, from the inside out
        closed = sum(beside.count(corner) for corner in "+┴┘")
        corners = "+" * (closed + 1) if not box else "┴" * closed + "┘"
        rows[-1] = (text, use, "-" + corners + "|" * depth)

    for one in groups:
        draw(one, 0)
    rows.append(("UNT Message trailer", "M   1", ""))
    table = ["Pos    Tag Name                                      S   R", ""]
    for number, (text, use, beside) in enumerate(rows, start=1):
        filler = "-" if beside.startswith("-") else " "
        table.append(f"{number * 10:04}   {text:<46}{use}{filler * (20 - len(use))}{beside[1:]}")
    text = "\n".join(table)
    return text.translate(BOX) if box else text


def shape(items: list[Place | Group]) -> list[object]:
    """What was read, as nested lists."""
    return [
        (one.tag, one.mandatory, one.times) if isinstance(one, Place) else [one.times, *shape(one.items)]
        for one in items
    ]


def wanted(groups: list[Drawn]) -> list[object]:
    """What was drawn, as nested lists."""
    return [[one.times, (one.trigger, True, 1), *one.segments, *wanted(one.groups)] for one in groups]


@settings(max_examples=150, deadline=None)
@given(groups=st.lists(group, max_size=4), box=st.booleans())
def test_groups_are_read_as_they_are_drawn(groups: list[Drawn], box: bool) -> None:  # noqa: FBT001  hypothesis gives it
    """Any nesting, any corner."""
    report = Report()
    text = drawing(groups, box=box)
    table = read_table("ORDERS_D.01B", "ORDERS", lines(text.encode("cp437")), report)
    assert report.findings == (), text
    assert table is not None
    assert shape(list(table.items)) == wanted(groups)
