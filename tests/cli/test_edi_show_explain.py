"""`gateway edi show` and `explain`: findings in their place, the wrong bytes underlined, a page that is only a page."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.edi import app
from gateway.cli.edi_underline import span, underline
from gateway.cli.edi_window import Window
from gateway.edi.delimiters import EDIFACT, EDIFACT_4, STANDARD, Delimiters
from gateway.findings import EdiPlace

SAMPLES = Path(__file__).parents[2] / "samples" / "x12"
BROKEN = SAMPLES / "broken"
runner = CliRunner()


def _place(element: int | None = None, component: int | None = None, repeat: int | None = None) -> EdiPlace:
    return EdiPlace(tag="PO1", element=element, component=component, repeat=repeat, offset=0)


@pytest.mark.parametrize(
    ("raw", "place", "delimiters", "marked"),
    [
        (b"PO1*1*four*EA", _place(2), STANDARD, b"four"),
        (b"PO1*1**EA", _place(2), STANDARD, b""),
        (b"PO1*1", _place(7), STANDARD, b""),
        (b"PO1*2>1>9*4", _place(1, 3), STANDARD, b"9"),
        (b"PO1+a?+b:c?:d+e", _place(1), EDIFACT, b"a?+b:c?:d"),
        (b"PO1+a?+b:c?:d+e", _place(1, 2), EDIFACT, b"c?:d"),
        (b"PO1+a??+b", _place(2), EDIFACT, b"b"),
        (b"PO1+a*b:c*d+e", _place(1, 2, 2), EDIFACT_4, b"c"),
        (b"PO1*1", _place(), STANDARD, b"PO1"),
        (b"*1", _place(), STANDARD, b"*1"),
    ],
)
def test_the_part_that_a_place_names(raw: bytes, place: EdiPlace, delimiters: Delimiters, marked: bytes) -> None:
    """Elements, components and repeats, with release characters; nothing where it is missing."""
    start, end = span(raw, place, delimiters)
    assert raw[start:end] == marked


def test_marks_stand_under_wide_letters_and_long_lines_are_cut() -> None:
    """Two columns for a wide letter; an ellipsis for what is left out."""
    line = underline("PO1*漢字*x".encode(), _place(2), STANDARD, "utf-8")
    assert line.marks == " " * 9 + "^"
    long = underline(b"PO1*" + b"a" * 5000 + b"*b*" + b"c" * 5000, _place(2), STANDARD, "utf-8")
    assert len(long.text) < 150
    assert long.text[len(long.marks) - 1] == "b"


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_window_knows_the_segment_around_a_byte_whatever_the_blocks(size: int) -> None:
    """Released terminators are data."""
    data = b"UNH+1'\r\nFTX+it??'\nBGM+it?'s'"
    window = Window(data[at : at + size] for at in range(0, len(data), size))
    assert b"".join(window) == data
    assert window.segment(data.index(b"it??"), EDIFACT) == (8, b"FTX+it??")
    assert window.segment(len(data) - 1, EDIFACT) == (18, b"BGM+it?'s")
    window.forget(18)
    assert (window.start, window.segment(3, EDIFACT)) == (18, (3, b""))


def test_explain_underlines_the_offending_bytes_and_names_the_codes() -> None:
    """Place, bytes, what was wanted, remedy, how it is answered."""
    result = runner.invoke(app, ["explain", str(BROKEN / "edi.element.characters.edi")])
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    at = lines.index("      PO1*2*four*EA*1.10**BP*NUT-8")
    assert lines[at + 1] == "            ^^^^"
    assert "answered by 997: AK304 8, AK403 6, AK502 5; 999: IK304 8" in result.stdout


def test_one_cause_is_one_paragraph() -> None:
    """A hundred units that are too long, and the rest that is not listed."""
    result = runner.invoke(app, ["explain", str(BROKEN / "edi.message.too_many_findings.edi")])
    assert result.stdout.count("[edi.element.too_long]") == 1
    assert "and 94 more" in result.stdout


def test_findings_of_headers_and_trailers_show_their_segments() -> None:
    """The GS is shown although its finding comes with the GE."""
    for name, shown in (
        ("edi.group.element", "GS*PR*"),
        ("edi.group.count", "GE*2*7"),
        ("edi.isa.element", "SUPPLIER       *ZZ*"),
    ):
        assert shown in runner.invoke(app, ["explain", str(BROKEN / f"{name}.edi")]).stdout, name


@pytest.mark.parametrize("command", ["explain", "show", "check"])
def test_every_broken_sample_is_told_without_a_traceback(command: str) -> None:
    """Whatever came, the exit code says what it was."""
    result = runner.invoke(
        app, [command, *([str(BROKEN)] if command != "show" else [str(BROKEN / "edi.isa.widths.edi")])]
    )
    assert result.exit_code == (0 if command == "show" else 1), result.exception


def test_show_puts_findings_below_their_segments_and_raw_shows_the_bytes() -> None:
    """A finding of a segment that is nowhere in the tree stands at the head of the message."""
    shown = runner.invoke(app, ["show", str(BROKEN / "edi.element.characters.edi")]).stdout.splitlines()
    at = next(index for index, line in enumerate(shown) if "line 2" in line)
    assert 'reject: element 02: "four"' in shown[at + 1]
    raw = runner.invoke(app, ["show", "--raw", str(BROKEN / "edi.element.characters.edi")]).stdout
    assert "PO1*2*four*EA" in raw


def test_a_set_without_a_guide_is_shown_as_it_came() -> None:
    """From ST to SE."""
    shown = runner.invoke(app, ["show", str(BROKEN / "edi.message.unsupported.edi")]).stdout
    assert "W05*N*1234" in shown
    assert "SE*3*0001" in shown


class _Page(HTMLParser):
    """Counts tags, and checks that they close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not any(name.startswith("on") or name in {"src", "style"} for name, _ in attrs)
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", ["856-pallets.edi", "broken/edi.hl.cycle.edi", "broken/edi.isa.truncated.edi"])
def test_the_page_is_well_formed_and_has_no_script(name: str) -> None:
    """Loops fold by `details`; the policy forbids everything but the page's own style."""
    page = _Page()
    text = runner.invoke(app, ["show", "--html", str(SAMPLES / name)]).stdout
    page.feed(text)
    assert page.open == []
    assert {"header", "nav"} <= page.seen or "details" in page.seen
    assert not page.seen & {"script", "link", "img", "iframe", "object"}
    assert "default-src 'none'" in text


def test_what_a_partner_sent_is_text_in_the_page_and_on_the_terminal() -> None:
    """No tag, no escape sequence gets through."""
    data = (SAMPLES / "850-simple.edi").read_bytes().replace(b"Utility blades", b"<b>\x1b[31m&'\"</b")
    page = runner.invoke(app, ["show", "--html", "-"], input=data).stdout
    assert "&lt;b&gt;" in page
    for command in (["show", "--html"], ["show"], ["show", "--raw"], ["explain"], ["check"]):
        assert "\x1b" not in runner.invoke(app, [*command, "-"], input=data).stdout, command


def test_html_and_raw_exclude_each_other() -> None:
    """A remedy, code 2."""
    result = runner.invoke(app, ["show", "--html", "--raw", str(SAMPLES / "850-simple.edi")])
    assert (result.exit_code, "exclude" in result.stderr) == (2, True)
