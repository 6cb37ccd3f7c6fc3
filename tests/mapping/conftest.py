"""Trees for the map tests: from the samples by the real reader, or from a few lines of text."""

from __future__ import annotations

import os
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli import app
from gateway.edi import library, x12
from gateway.edi.tree import Loop, Message, Segment, Verdict
from gateway.errors import PartnerFault
from gateway.mapping import Map, compile_map

ROOT = Path(__file__).parents[2]


SHIPPED = frozenset(
    path.relative_to(ROOT / "maps").with_suffix("").as_posix() for path in ROOT.glob("maps/x12/**/*.yaml")
)


def base_map(message: Message) -> str | None:
    """The shipped map for a set: that of its version, else the one of 004010."""
    version = message.version[:6]
    own = f"x12/{version}/{message.type}"
    if own in SHIPPED:
        return own
    common = f"x12/{message.type}"
    return common if version in ("004010", "005010") and common in SHIPPED else None


def messages(path: Path) -> Iterator[tuple[x12.Interchange, Message]]:
    """The accepted sets of a file that have a base map."""
    data = path.read_bytes()
    if not data.lstrip().startswith(b"ISA"):
        return
    try:
        interchanges = x12.read_all(data, guides=library.standard())
    except PartnerFault:
        return
    for interchange in interchanges:
        for group in interchange.groups:
            for message in group.messages:
                known = base_map(message) is not None
                if known and message.outcome is not Verdict.REJECTED:
                    yield interchange, message


@pytest.fixture
def map_of() -> Callable[[Message], str]:
    """From a set to the name of its base map."""
    return lambda message: base_map(message) or ""


@pytest.fixture
def read_messages() -> Callable[[Path], list[tuple[x12.Interchange, Message]]]:
    """The accepted sets of a file."""
    return lambda path: list(messages(path))


@pytest.fixture
def shared_samples() -> Path:
    """The folder of public samples beside the project."""
    folder = os.environ.get("GATEWAY_SAMPLES")
    if not folder:
        pytest.skip("GATEWAY_SAMPLES names no folder of public samples")
    return Path(folder)


@pytest.fixture(scope="session")
def drawing() -> type[Any]:
    """Draws documents that an XML or CSV map can express: `drawing(seed, letters).document(map)`."""
    return runpy.run_path(str(Path(__file__).with_name("drawing.py")))["Drawing"]  # type: ignore[no-any-return]


@pytest.fixture
def small() -> Callable[[str], Map]:
    """A map of an 855 from its `codes` and `segments` alone; the required fields are added."""

    def make(body: str) -> Map:
        head = "document: 855\ncanonical: order_acknowledgement\n"
        return compile_map("t/855", {"t/855": head + body})

    return make


@pytest.fixture
def tree() -> Callable[..., Loop]:
    """A root of segments: `tree("BAK*00*AD", …)`; a list is a loop named by its first segment."""

    def segment(text: str) -> Segment:
        tag, *elements = text.split("*")
        return Segment(tag, [tuple(each.split(">")) if ">" in each else each for each in elements])

    def build(*lines: str | list[str]) -> Loop:
        children: list[Segment | Loop] = []
        for line in lines:
            if isinstance(line, str):
                children.append(segment(line))
            else:
                inside = [segment(each) for each in line]
                children.append(Loop(inside[0].tag, [*inside]))
        return Loop("", children)

    return build


@pytest.fixture
def cli() -> Callable[..., Result]:
    """Run `gateway …` in this process."""
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, [str(one) for one in arguments])
