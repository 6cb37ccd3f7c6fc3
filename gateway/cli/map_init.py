"""`gateway map init`: the file of a new map, from a guide and from what other maps know."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.canonical import KINDS
from gateway.cli.answers import AsJson, answering, say, show, show_json
from gateway.cli.map_files import HERE, Folder, sources
from gateway.cli.map_guides import Desk, complete_any_guide
from gateway.edi.guide import Guide
from gateway.errors import OurFault
from gateway.mapping import compile_any, finder, trace
from gateway.mapping.rules import Problems
from gateway.mapping.skeleton import skeleton
from gateway.mapping.source import Node
from gateway.partners.map_names import map_names
from gateway.yamltext import near_miss

STANDARD_OUTPUT = "-"


def _complete_kind(incomplete: str) -> list[str]:
    return [name for name in KINDS if name.startswith(incomplete)]


def init(
    document: Annotated[str, typer.Argument(metavar="DOCUMENT", help="The transaction set or message: 865, ORDCHG.")],
    *,
    guide: Annotated[
        str, typer.Option("--guide", help="The guide to follow: x12/004010/865.", autocompletion=complete_any_guide)
    ],
    canonical: Annotated[
        str,
        typer.Option("--canonical", help="The kind: order_acknowledgement.", autocompletion=_complete_kind),
    ],
    name: Annotated[
        str | None,
        typer.Option(
            "--to", help="The map's name; - prints it.", show_default="own/ and the document: maps/own/865.yaml"
        ),
    ] = None,
    workspace: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """Write a new map to start from: all segments of a guide in wire order, what must come open, the rest as comments.

    Where another map has a segment, its lines are the guess, as far as the document has the fields. A file that is
    there is never replaced.

    Example: gateway map init 865 --guide x12/004010/865 --canonical order_acknowledgement --to -
    """
    with answering():
        if canonical not in KINDS:
            meant = near_miss(canonical, KINDS)
            remedy = f"did you mean {meant}?" if meant else "one of " + ", ".join(KINDS)
            raise OurFault(f"there is no canonical kind {canonical}", remedy=remedy)
        chosen = Desk(workspace).guide(guide)
        if chosen.type != document:
            raise OurFault(f"{guide} is a guide for {chosen.type}", remedy=f"name a guide for {document}")
        own = name if name and name != STANDARD_OUTPUT else f"own/{document}"
        text = skeleton(own, chosen, canonical, _known(chosen, canonical, workspace))
        missing = _missing(own, text)
        if name == STANDARD_OUTPUT:
            typer.echo(text, nl=False)
            return
        path = _written(own, text, workspace)
        if as_json:
            show_json({"map": own, "file": str(path), "left": missing})
            return
        show(f"wrote {path}")
        for one in missing:
            say(f"  {one}")
        say(f"Next: go through it, add the agreement's examples, gateway map check {own} --workspace {workspace}")


def _known(guide: Guide, kind: str, workspace: Path) -> list[Node]:
    """Maps to guess from: of this document, of this kind, then the others of the standard; bases only."""
    find = sources(workspace)
    found: list[tuple[tuple[bool, bool, str], Node]] = []
    for name in map_names(workspace):
        resolved = trace(name, finder(find), Problems())
        root = resolved.root
        if root is None or len(resolved.chain) > 1 or not {"document", "canonical", "segments"} <= root.keys.keys():
            continue
        document = root.keys["document"].text or ""
        if document.isdigit() == (guide.standard == "x12"):
            found.append(((document != guide.type, root.keys["canonical"].text != kind, name), root))
    return [root for _, root in sorted(found, key=lambda one: one[0])]


def _missing(name: str, text: str) -> list[str]:
    try:
        compile_any(name, {name: text})
    except OurFault as fault:
        return [one.text for one in fault.findings]
    return []


def _written(name: str, text: str, workspace: Path) -> Path:
    steps = name.split("/")
    if not all(step.replace("-", "").replace("_", "").isalnum() and step.isascii() for step in steps):
        raise OurFault(f"{name} is no name of a map", remedy="letters, digits, - and _, in folders: acme/865")
    path = workspace / "maps" / f"{name}.yaml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise OurFault(f"{path} is there already", remedy="name another with --to, or print it: --to -") from error
    except OSError as error:
        raise OurFault(f"{path} cannot be written: {error.strerror}", remedy="make the folder writable") from error
    return path
