"""Hooks: two functions of the workspace that a map names, shown by examples both ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.edi.tree import Loop
from gateway.errors import OurFault
from gateway.mapping import Map, compile_map
from gateway.mapping.hooks import Hook, Hooks
from gateway.mapping.laws import flat

Tree = Callable[..., Loop]
MAP = """document: 855
canonical: order_acknowledgement
hooks:
  part: {examples: [{wire: A-1, value: 1/A}, {wire: B-22, value: 22/B}]}
segments:
  - BAK: {BAK02: response, BAK03: order.number | hook part}
"""


def turned(text: str, here: str, there: str) -> str | None:
    """`A-1` and `1/A`."""
    left, right = text.split(here)
    return f"{right}{there}{left}"


PART = Hook(read=lambda text: turned(text, "-", "/"), write=lambda text: turned(text, "/", "-"))


def made(text: str = MAP, **functions: Any) -> Map:
    """The map with its hooks."""
    return compile_map("t/855", {"t/855": text}, Hooks(functions=functions))


def refused(text: str = MAP, **functions: Any) -> list[str]:
    """What is wrong with it."""
    with pytest.raises(OurFault) as caught:
        made(text, **functions)
    return [f"{one.rule} {one.text}" for one in caught.value.findings]


def test_a_hook_reads_and_writes(tree: Tree) -> None:
    """As often as one likes: the fast functions know it too."""
    own = made(part=PART)
    for _ in range(20):
        reading = own.read(tree("BAK**accepted*C-7"))
        assert reading.document["order"]["number"] == "7/C"
        assert not reading.findings
        assert flat(own.write(reading.document).root) == [("BAK", "", "accepted", "C-7")]


def test_what_a_hook_raises_is_a_finding_and_the_element_is_kept(tree: Tree) -> None:
    """And a value that it cannot write is lost, and said."""
    own = made(part=PART)
    root = tree("BAK**accepted*none")
    for _ in range(20):
        reading = own.read(root)
        assert [one.rule for one in reading.findings] == ["map.read.value"]
        assert flat(own.write(reading.document).root) == flat(root)
        lost = own.write({"response": "accepted", "order": {"number": "none"}}).lost
        assert [one.pointer for one in lost] == ["/order/number"]


def test_a_hook_that_gives_no_text_has_not_understood(tree: Tree) -> None:
    """Numbers, lists and empty texts are none."""
    text = MAP.replace("[{wire: A-1, value: 1/A}, {wire: B-22, value: 22/B}]", "[{wire: a, value: b}]")
    answers: dict[str, Any] = {"a": "b", "b": "a", "c": 7}
    own = made(text, part=Hook(read=answers.__getitem__, write=answers.__getitem__))
    assert [one.rule for one in own.read(tree("BAK**accepted*c")).findings] == ["map.read.value"]


def test_a_map_that_names_a_hook_nobody_gives_is_refused_with_the_remedy() -> None:
    """Deny by default."""
    (first, *_) = refused()
    assert first.startswith("map.hook.unknown")
    assert "hooks: hooks.py in gateway.yaml" in first


def test_a_line_may_name_only_what_is_listed() -> None:
    """With the near miss."""
    found = refused(MAP.replace("hook part", "hook parts"), part=PART)
    assert any("map.hook.unknown" in one and "did you mean part" in one for one in found)


@pytest.mark.parametrize(
    ("examples", "said"),
    [
        ("[]", "no examples"),
        ("[{wire: A-1, value: 2/A}]", "read_part('A-1') gives '1/A'"),
        ("[{wire: none, value: none}]", "read_part('none') raises ValueError: not enough values"),
        ("[{wire: A-1}]", "{wire: …, value: …}"),
    ],
)
def test_examples_are_run_both_ways_when_the_map_is_compiled(examples: str, said: str) -> None:
    """A hook without one is refused too."""
    text = MAP.replace("[{wire: A-1, value: 1/A}, {wire: B-22, value: 22/B}]", examples)
    assert any("map.hook.example" in one and said in one for one in refused(text, part=PART))


def test_a_delta_adds_its_hook_to_its_bases() -> None:
    """And changes a line to it."""
    base = MAP.replace("order.number | hook part", "order.number").replace(
        MAP.split("\n")[3], "  other: {examples: [{wire: A-1, value: 1/A}]}"
    )
    delta = "extends: t/855\nhooks: {part: {examples: [{wire: A-1, value: 1/A}]}}\nchange: {BAK: {BAK03: order.number | hook part}}\n"  # noqa: E501
    own = compile_map("p/855", {"t/855": base, "p/855": delta}, Hooks(functions={"part": PART, "other": PART}))
    assert flat(own.write({"response": "accepted", "order": {"number": "7/C"}}).root)[0][3] == "C-7"
