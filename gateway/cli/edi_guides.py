"""`gateway edi guides` and `gateway edi guide`: what the messages look like, for those who read and write them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from gateway.cli.answers import AsJson, answering, show, show_json, show_table
from gateway.cli.edi_reading import Workspace
from gateway.edi.guide import UNLIMITED, ElementSpec, Guide, LoopUse, Use
from gateway.edi.library import Guides, standard
from gateway.edi.outline import guide_lines, times
from gateway.errors import OurFault
from gateway.partners.guide_files import with_workspace_guides
from gateway.yamltext import near_miss

STEM = "│ "


def guides(*, workspace: Workspace = Path(), as_json: AsJson = False) -> None:
    """List the guides: one for each message in each version, those that come with the gateway and the workspace's own.

    Example: gateway edi guides
    """
    with answering():
        known = list(with_workspace_guides(standard(), workspace))
    if as_json:
        show_json([{"guide": one.name, "label": one.label, "group": one.functional_id or None} for one in known])
        return
    show_table(("guide", "label"), ((one.name, one.label) for one in known))


def complete_guide(incomplete: str) -> list[str]:
    """The names of guides that begin so, for shells."""
    return [name for name in standard().names() if name.startswith(incomplete)]


def guide(
    name: Annotated[
        str, typer.Argument(metavar="GUIDE", help="Its name, such as x12/004010/850.", autocompletion=complete_guide)
    ],
    *,
    elements: Annotated[
        bool, typer.Option("--elements/--segments", help="With the elements, or segments only.")
    ] = True,
    workspace: Workspace = Path(),
    as_json: AsJson = False,
) -> None:
    """Print a guide as a tree: loops, segments, usage, repeats, elements with types and lengths.

    An element is M or O (mandatory, optional), its type and lengths in characters, its number in the dictionary.

    Example: gateway edi guide x12/004010/855 --segments
    """
    with answering():
        chosen = guide_named(name, with_workspace_guides(standard(), workspace))
    if as_json:
        show_json(_json(chosen))
        return
    show(Text.assemble((chosen.name, "bold"), f"  {chosen.label}"))
    if chosen.functional_id:
        show(f"in groups {chosen.functional_id}")
    for depth, item in guide_lines(chosen):
        loop = isinstance(item, LoopUse)
        line = Text(STEM * depth, "dim")
        if isinstance(item, LoopUse):
            line.append(f"{item.group or item.name + ' loop'}", "bold magenta")
            line.append(f"  {_usage(item)}", "dim")
        else:
            line.append(f"{item.tag:3}", "bold cyan")
            line.append(f" {item.spec.label}")
            line.append(f"  {_usage(item)}", "dim")
            if item.qualifiers:
                line.append(f"  {item.tag}01: {', '.join(sorted(item.qualifiers))}", "yellow")
        show(line)
        if elements and not loop and isinstance(item, Use):
            for text in _elements(item):
                show(Text.assemble((STEM * depth, "dim"), text))
    if chosen.level_labels:
        nested = chosen.nests or "HL"
        show(f"levels of {nested}: " + ", ".join(f"{code} {label}" for code, label in chosen.level_labels.items()))


def guide_named(name: str, known: Guides) -> Guide:
    """The guide of that name; `004010/850` and `D96A/ORDERS` will do. Raises OurFault."""
    parts = name.strip("/").split("/")
    found = known.find(*parts[-2:]) if len(parts) in {2, 3} else None
    if found is not None and found.name.endswith(name.strip("/")):
        return found
    names = [one.name for one in known]
    ending = [one for one in names if one.endswith(f"/{name}")]
    meant = ", ".join(ending) if ending else near_miss(name, names)
    raise OurFault(
        f"there is no guide {name}", remedy=f"did you mean {meant}?" if meant else "list them: gateway edi guides"
    )


def _usage(item: Use | LoopUse) -> str:
    return f"{'mandatory' if item.mandatory else 'optional'}, {times(item.maximum)}"


def _elements(item: Use) -> Iterator[str]:
    """One line for each element and component, and one for the syntax notes."""
    if item.spec.open:
        yield "      elements are not checked"
    for number, element in enumerate(item.spec.elements, 1):
        yield f"      {item.tag}{number:02d} {_element(element)}"
        for index, component in enumerate(element.components, 1):
            yield f"           .{index} {_element(component)}"
    if item.spec.notes:
        yield "      notes " + " ".join(str(note) for note in item.spec.notes)


def _element(element: ElementSpec) -> str:
    usage = "M" if element.mandatory else "O"
    form = "composite" if element.components else f"{element.type} {_lengths(element)}"
    more = f" {times(element.repeat)}" if element.repeat > 1 else ""
    codes = f" [{' '.join(sorted(element.codes))}]" if element.codes is not None else ""
    return f"{usage} {form:12} {element.number:>4} {element.label}{more}{codes}"


def _lengths(element: ElementSpec) -> str:
    same = element.minimum == element.maximum
    return str(element.maximum) if same else f"{element.minimum}..{element.maximum}"


def _json(chosen: Guide) -> dict[str, Any]:
    return {
        "guide": chosen.name,
        "label": chosen.label,
        "group": chosen.functional_id or None,
        "nests": chosen.nests or None,
        "levels": dict(chosen.level_labels),
        "items": [_item_json(item) for item in chosen.root.items],
    }


def _item_json(item: Use | LoopUse) -> dict[str, Any]:
    head = {"mandatory": item.mandatory, "maximum": None if item.maximum >= UNLIMITED else item.maximum}
    if isinstance(item, LoopUse):
        items = [_item_json(one) for one in item.items]
        return {"loop": item.name, "group": item.group or None, "label": item.label, **head, "items": items}
    return {
        "segment": item.tag,
        "label": item.spec.label,
        **head,
        "qualifiers": sorted(item.qualifiers),
        "checked": not item.spec.open,
        "elements": [_element_json(one) for one in item.spec.elements],
        "notes": [str(note) for note in item.spec.notes],
    }


def _element_json(element: ElementSpec) -> dict[str, Any]:
    return {
        "number": element.number,
        "label": element.label,
        "mandatory": element.mandatory,
        "type": element.type,
        "minimum": element.minimum,
        "maximum": None if element.maximum >= UNLIMITED else element.maximum,
        "repeat": None if element.repeat >= UNLIMITED else element.repeat,
        "codes": None if element.codes is None else sorted(element.codes),
        "components": [_element_json(one) for one in element.components],
    }
