"""An explanation of an AS2 message on the terminal: the sentence, the verdict, then the layers as a tree."""

from __future__ import annotations

import base64
from typing import Any

from rich.text import Text

from gateway.as2.explanation import Explanation, Layer
from gateway.cli.answers import show
from gateway.cli.printable import printable

COLOURS = {True: "bold green", False: "bold red", None: "bold yellow"}


def show_explanation(found: Explanation) -> None:
    """The sentence first, then details."""
    show(Text(printable(found.sentence), style=COLOURS[found.taken]))
    rows = (
        ("disposition", found.disposition),
        ("the sender reads", found.told),
        ("MIC", found.mic and f"{found.mic}, {found.mic_algorithm}"),
        ("  over", found.mic_over),
    )
    for name, value in rows:
        if value:
            show(Text.assemble((f"  {name}: ", "dim"), printable(value)))
    show("")
    for depth, layer in enumerate(found.layers):
        _show_layer(layer, depth)


def _show_layer(layer: Layer, depth: int) -> None:
    margin = "  " * depth
    mark = "└ " if depth else ""
    style = "bold red" if layer.wrong else "bold yellow" if layer.hidden else "bold"
    show(Text.assemble(margin[2:] if depth else "", (mark, "dim"), (printable(layer.title), style)))
    width = max((len(name) for name, _ in layer.facts), default=0)
    for name, value in layer.facts:
        show(Text.assemble(f"{margin}  ", (f"{name:<{width}}  ", "dim"), printable(value).replace("\n", " ")))
    for said, colour, word in (
        *((one, "red", "fails") for one in layer.wrong),
        *((one, "yellow", "not seen") for one in layer.hidden),
        *((one, "yellow", "note") for one in layer.notes),
    ):
        show(Text(f"{margin}  {word}: {printable(said)}", style=colour))
    for one in layer.inside:
        _show_layer(one, depth + 1)


def explanation_json(found: Explanation) -> dict[str, Any]:
    """All of it for programs; the octets are left out but for the signature."""
    return {
        "sentence": found.sentence,
        "taken": found.taken,
        "disposition": found.disposition,
        "told": found.told,
        "mic": found.mic,
        "mic_algorithm": found.mic_algorithm,
        "mic_over": found.mic_over,
        "signature": None if found.signature is None else base64.b64encode(found.signature).decode("ascii"),
        "layers": [_layer_json(one) for one in found.layers],
    }


def _layer_json(layer: Layer) -> dict[str, Any]:
    return {
        "title": layer.title,
        "facts": [{"name": name, "value": value} for name, value in layer.facts],
        "wrong": list(layer.wrong),
        "hidden": list(layer.hidden),
        "notes": list(layer.notes),
        "inside": [_layer_json(one) for one in layer.inside],
    }
