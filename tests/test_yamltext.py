"""YAML is read as text, with places, and never harms: whatever a file holds, the answer is data or one finding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from gateway.findings import FilePlace
from gateway.yamltext import MAX_BYTES, MAX_DEPTH, read_yaml, validate


class Strict(BaseModel):
    """A model as the configuration's are."""

    model_config = ConfigDict(extra="forbid")
    code: str = "x"
    on: bool = False
    many: tuple[int, ...] = ()


@pytest.mark.parametrize("text", ["ON", "NO", "00", "010", "12:30", "1e3", "0x1F", "true", "2026-03-01", "08", ".5"])
def test_every_scalar_is_text(text: str) -> None:
    """Plain YAML would make numbers, booleans and dates of these."""
    source, findings = read_yaml("f", f"code: {text}")
    assert findings == ()
    assert source.data == {"code": text}


@pytest.mark.parametrize("text", ["", " ", "~", "null"])
def test_an_empty_value_is_none(text: str) -> None:
    """Quoted, it is text."""
    assert read_yaml("f", f"code: {text}")[0].data == {"code": None}
    assert read_yaml("f", "code: '~'")[0].data == {"code": "~"}


def test_every_path_knows_its_line() -> None:
    """A path that is not in the file has the line of its nearest parent."""
    source, _ = read_yaml("f.yaml", "a:\n  - b: 1\n    c: 2\n  - {b: 3}\n")
    assert source.place(("a", 0, "c")) == FilePlace(file="f.yaml", line=3, key="a.0.c")
    assert source.place(("a", 1, "zz")) == FilePlace(file="f.yaml", line=4, key="a.1.zz")


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("a: [1\nb: 2\n", "file.not_yaml", 2),
        ("a: 1\n---\nb: 2\n", "file.not_yaml", 2),
        ("a: 1\na: 2\n", "file.key_twice", 2),
        ("a: &x [1]\nb: *x\n", "file.alias", 2),
        ("a: &x 1\nb: *x\n", "file.alias", 2),
        ("? [1, 2]\n: 3\n", "file.key", 1),
        ("a: \x07", "file.not_yaml", None),
        (b"a: 1\nb: caf\xe9\n", "file.not_utf8", 2),
        ("\n" + "[" * (MAX_DEPTH + 2), "file.too_deep", 2),
        ("[" * 500_000, "file.too_deep", 1),
        ("{a: " * 100_000, "file.too_deep", 1),
        ("- a\n" * 200_000, "file.too_deep", None),
        ("x" * (MAX_BYTES + 1), "file.too_large", None),
    ],
)
def test_what_cannot_be_read_is_one_finding(text: str | bytes, rule: str, line: int | None) -> None:
    """Nesting that kills the C composer included."""
    source, findings = read_yaml("f", text)
    assert source.data is None
    assert [finding.rule for finding in findings] == [rule]
    place = findings[0].place
    assert isinstance(place, FilePlace)
    assert line is None or place.line == line


@given(st.text(alphabet="ab:-?[]{}&*!|>'\"%#,~ \n\t\x85\x00é", max_size=60) | st.binary(max_size=40))
def test_no_text_raises(text: str | bytes) -> None:
    """Data, or exactly one finding."""
    source, findings = read_yaml("f", text)
    assert len(findings) <= 1
    assert not findings or source.data is None


@pytest.mark.parametrize(
    ("word", "value"),
    [("true", True), ("Yes", True), ("ON", True), ("1", True), ("false", False), ("no", False), ("Off", False)],
)
def test_booleans_are_words(word: str, value: object) -> None:
    """Where the model wants a boolean; `code` with the same word stays text."""
    model, findings = validate(read_yaml("f", f"on: {word}\ncode: {word}")[0], Strict)
    assert findings == ()
    assert model is not None
    assert model.on is value
    assert model.code == word


def test_all_errors_of_a_file_come_at_once() -> None:
    """Each with line, expectation and remedy; the near miss of a wrong key."""
    source, _ = read_yaml("f", "on: maybe\nmany: 3\ncdoe: x\n")
    model, findings = validate(source, Strict)
    assert model is None
    assert [finding.text for finding in findings] == [
        "f:1 on: 'maybe'; expected yes or no",
        "f:2 many: '3'; expected a list: [a, b], or lines that begin with -",
        "f:3 cdoe: unknown key 'cdoe'; expected one of code, many, on",
    ]
    assert findings[2].fix == "write code"


def test_a_file_that_is_no_section_says_so() -> None:
    """A list or plain text at the top."""
    for text in ("- a\n", "hello"):
        _, findings = validate(read_yaml("f", text)[0], Strict)
        assert [finding.wanted for finding in findings] == ["a section: lines of key: value"]


def test_an_empty_file_is_an_empty_section() -> None:
    """Defaults apply; what is required is missing."""
    assert validate(read_yaml("f", "# nothing\n")[0], Strict) == (Strict(), ())
