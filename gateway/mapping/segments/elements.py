"""Elements while a segment is read and built: texts by their spot, composites put together, empty ends cut."""

from __future__ import annotations

from gateway.edi.tree import Element
from gateway.mapping.segments.words import Address, Spot


def text_at(elements: list[Element], spot: Spot) -> str:
    """The text of one component; empty where it is absent or the element is repeated."""
    if spot.element >= len(elements):
        return ""
    element = elements[spot.element]
    if isinstance(element, str):
        return element if spot.component == 1 else ""
    if isinstance(element, tuple):
        return element[spot.component - 1] if spot.component <= len(element) else ""
    return ""


def texts_at(elements: list[Element], address: Address) -> list[str] | None:
    """The texts that `address` names, empty ones at the end cut; None where one of them is no text."""
    texts: list[str] = []
    for element in elements[address.first : address.last + 1]:
        if isinstance(element, str):
            if not address.start:
                texts.append(element)
                continue
            parts: tuple[str, ...] = (element,) if address.start == 1 else ()
        elif isinstance(element, tuple) and address.start:
            parts = element[address.start - 1 : address.end]
        else:
            return None
        texts += parts
        texts += [""] * (address.size - len(parts))
    while texts and not texts[-1]:
        texts.pop()
    return texts


def place_texts(elements: list[Element], address: Address, texts: list[str]) -> None:
    """Put `texts` where `address` says."""
    if not address.start:
        elements += [""] * (address.first + len(texts) - len(elements))
        elements[address.first : address.first + len(texts)] = texts
        return
    for number, text in enumerate(texts):
        if text:
            place(elements, Spot(address.first + number // address.size, address.start + number % address.size), text)


def place(elements: list[Element], spot: Spot, text: str) -> None:
    """Put one text at `spot`, beside what the composite holds."""
    elements += [""] * (spot.element + 1 - len(elements))
    have = elements[spot.element]
    parts = [have] if isinstance(have, str) else list(have) if isinstance(have, tuple) else [""]
    parts += [""] * (spot.component - len(parts))
    parts[spot.component - 1] = text
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    elements[spot.element] = parts[0] if len(parts) == 1 else tuple(parts)


def trimmed(elements: list[Element]) -> list[Element]:
    """The elements without the empty ones at the end."""
    end = len(elements)
    while end and not elements[end - 1]:
        end -= 1
    return elements[:end]
