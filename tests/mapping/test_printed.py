"""A resolved map printed as YAML reads back as the same nodes, and names the delta of each line."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.mapping import compile_any, finder, from_folders, shipped, trace
from gateway.mapping.printed import flow, printed, scalar
from gateway.mapping.rules import Problems
from gateway.mapping.source import Node, read_source
from gateway.partners.map_names import map_names

SHIPPED = sorted(map_names(shipped().joinpath("..") / "nowhere"))  # type: ignore[arg-type]


def data(node: Node) -> Any:
    """The nodes without their places."""
    if isinstance(node.value, dict):
        return {key: data(one) for key, one in node.value.items()}
    return [data(one) for one in node.value] if isinstance(node.value, list) else node.value


@pytest.mark.parametrize("name", SHIPPED)
def test_the_printed_map_is_the_map(name: str) -> None:
    """Every shipped map: the same nodes, and it compiles."""
    found = trace(name, finder(from_folders(shipped())), Problems())
    assert found.root is not None
    text = "\n".join(line.text for line in printed(found.root))
    problems = Problems()
    again = read_source("again.yaml", text, problems)
    assert again is not None
    assert not problems.findings
    assert data(again) == data(found.root)
    assert compile_any("again", {"again": text}).examples == compile_any("again", {"again": text}).examples


def test_a_line_of_a_delta_has_a_line_of_its_own() -> None:
    """No line mixes two files."""
    found = trace("acme/855", finder(from_folders(shipped())), Problems())
    assert found.root is not None
    own = {(line.text.strip(), line.line) for line in printed(found.root) if line.file == "maps/acme/855.yaml"}
    assert {
        ("AC: accepted", 6),
        ("IA: {read: accepted}", 6),
        ("ACK27: =ZZ with reason", 9),
        ("ACK29: reason", 9),
    } <= own
    assert all("ACK01" not in text for text, _ in own)


@given(st.text(max_size=20))
def test_any_text_comes_back(text: str) -> None:
    """As a value, as a key and in a line with others."""
    if any(0xD800 <= ord(sign) < 0xE000 for sign in text):
        return
    source = f"key: {scalar(text)}\nflow: " + flow(
        Node([Node(text, "", 1), Node({text: Node(text, "", 1)}, "", 1)], "", 1)
    )
    root = read_source("a", source, Problems())
    assert root is not None
    assert data(root) == {"key": text, "flow": [text, {text: text}]} or not text.strip()


@pytest.mark.parametrize(
    "word", ["on", "No", "NULL", "~", "", "00", "012", "1e3", "12:30", ".5", "=", "2026-01-02", "- a"]
)
def test_what_plain_yaml_takes_for_something_else_is_in_quotes(word: str) -> None:
    """So that other readers of YAML see the same text."""
    assert yaml.safe_load(scalar(word)) == word
