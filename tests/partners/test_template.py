"""The commented files are always complete and always valid."""

from __future__ import annotations

import re

import pytest
from pydantic import BaseModel

from gateway.partners.agreement import Agreement
from gateway.partners.reference import FILES, markdown, reference, scalar, sections
from gateway.partners.template import commented_yaml
from gateway.settings import Settings
from gateway.yamltext import read_yaml, validate

EDI = {"send": {"purchase_order": {"set": "850", "map": "x12/850"}}}
REST = {"receive": {"ship_notice": {}}}
CASES = [
    (Settings, {}),
    (Agreement, {"as2": {}, "x12": {}, "documents": EDI}),
    (Agreement, {"channel": "rest", "documents": REST}),
]


def valid(model: type[BaseModel], text: str) -> list[str]:
    """The findings of a file, the partner's name filled in as reading does."""
    source, wrong = read_yaml("f", text + ("\nname: example\n" if model is Agreement else ""))
    return [one.text for one in (*wrong, *validate(source, model)[1])]


@pytest.mark.parametrize(("model", "values"), CASES)
def test_a_generated_file_is_valid_as_it_stands(model: type[BaseModel], values: dict[str, object]) -> None:
    """What is required is filled in by examples."""
    assert valid(model, commented_yaml(model, values, heading="A file.")) == []


@pytest.mark.parametrize(("model", "values"), CASES)
def test_any_commented_block_can_be_made_live(model: type[BaseModel], values: dict[str, object]) -> None:
    """Taking `# ` away from one block of keys, whatever block it is, leaves a valid file."""
    lines = commented_yaml(model, values, heading="A file.").splitlines()
    tried = 0
    for start, line in enumerate(lines):
        head = re.fullmatch(r"( *)# ([a-z0-9_]+):( .*)?", line)
        if head is None:
            continue
        indent, end = head[1], start + 1
        while end < len(lines) and lines[end].startswith(f"{indent}#  "):
            end += 1
        live = [indent + one[len(indent) + 2 :] for one in lines[start:end]]
        assert valid(model, "\n".join([*lines[:start], *live, *lines[end:]])) == [], line
        tried += 1
    assert tried > 3


@pytest.mark.parametrize("model", FILES.values())
def test_every_key_stands_in_the_generated_file(model: type[BaseModel]) -> None:
    """Live or commented, however deep."""
    text = commented_yaml(model, {}, heading="A file.")
    for entry in reference():
        if FILES[entry.file] is model:
            key = entry.path.split(".")[-1]
            assert re.search(rf"^[ #-]*{key}:", text, re.MULTILINE), entry.path


def test_every_key_has_a_description_that_is_a_sentence() -> None:
    """It is the only documentation of the key."""
    entries = reference()
    assert len({(entry.file, entry.path) for entry in entries}) == len(entries) > 80
    assert [entry.path for entry in entries if not re.search(r"[.…]$", entry.description)] == []
    assert all(entry.path in markdown() for entry in entries)


def test_a_section_can_be_asked_for() -> None:
    """By its name; `gateway` and `partner` are the files."""
    assert {entry.path for entry in reference("retries")} == {
        "retries",
        "retries.schedule_seconds",
        "retries.give_up_after_hours",
        "retries.jitter",
    }
    assert {entry.file for entry in reference("partner")} == {"partners/<name>.yaml"}
    assert all(reference(section) for section in sections())
    assert reference("nonsense") == ()


@pytest.mark.parametrize(
    "value", ["a: b", "# no", "~", "null", "", " x", "*", "{a}", "[a", "é", "it's", '"', "a\nb", "-"]
)
def test_text_is_quoted_where_yaml_would_misread_it(value: str) -> None:
    """What is written is read back."""
    source, findings = read_yaml("f", f"key: {scalar(value)}\nlist: {scalar([value])}")
    assert findings == ()
    assert source.data == {"key": value, "list": [value]}
