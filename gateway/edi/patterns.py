"""The fast path: one regular expression says of a whole segment's bytes that nothing is wrong with it.

It never says what is wrong; a segment that does not match goes to `elements`, which may still find it right (letters
outside ASCII, 29 February). A match means that `elements` finds nothing: a property test holds both to it.
Every element class excludes the separators, so that matching is linear.
"""

from __future__ import annotations

import re

from gateway.edi.delimiters import Delimiters
from gateway.edi.guide import ElementSpec, Note, SegmentSpec

_DATE = r"(?:0[13578]|1[02])(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)(?:0[1-9]|[12]\d|30)|02(?:0[1-9]|1\d|2[0-8])"
_SECONDS = 6
"""The length of a time with seconds."""
_TIME = r"(?:[01]\d|2[0-3])[0-5]\d"


def _class(delimiters: Delimiters) -> str:
    """Printable ASCII without the delimiters, as a character class."""
    return r"[^\x00-\x1f\x7f-\xff" + "".join(re.escape(c) for c in delimiters.all) + "]"


def _element(spec: ElementSpec, delimiters: Delimiters) -> str:
    """A pattern for one present element."""
    low, high = spec.minimum, spec.maximum
    if spec.components:
        return _composite(spec, delimiters)
    if spec.codes is not None:
        return "(?:" + "|".join(re.escape(code) for code in sorted(spec.codes)) + ")" if spec.codes else "(?!)"
    if spec.type == "DT":
        year = {8: r"[12]\d{3}", 6: r"\d{2}"}.get(high)
        return "(?!)" if year is None or low != high else f"{year}(?:{_DATE})"
    if spec.type == "TM":
        seconds = rf"(?:[0-5]\d\d{{0,{high - 6}}})?" if high >= _SECONDS else ""
        return _TIME + seconds
    if spec.type == "R":
        # The sign and the decimal point do not count towards the length.
        whole = rf"\d{{{low},{high}}}"
        point = rf"(?=[\d.]{{{low + 1},{high + 1}}}(?![\d.]))\d*\.\d*"
        return rf"-?(?:{whole}(?!\.)|{point})"
    if spec.type.startswith("N"):
        return rf"-?\d{{{low},{high}}}"
    return f"{_class(delimiters)}{{{low},{high}}}"


def _composite(spec: ElementSpec, delimiters: Delimiters) -> str:
    separator = re.escape(delimiters.component)
    tail = ""
    for component in reversed(spec.components[1:]):
        one = _element(component, delimiters)
        present = f"(?:{one})" if component.mandatory else f"(?:{one}|)"
        tail = f"{separator}{present}{tail}"
        if not component.mandatory:
            tail = f"(?:{tail}|)"
    first = _element(spec.components[0], delimiters)
    head = f"(?:{first})" if spec.components[0].mandatory else f"(?:{first}|)"
    return f"(?:{head}{tail}(?<!{separator}))"


def _condition(note: Note) -> str:
    """The note over capture groups `e1`, `e2`…: a group is set exactly when its element is present."""

    def every(elements: tuple[int, ...], then: str = "", otherwise: str = "(?!)") -> str:
        for element in reversed(elements):
            then = f"(?(e{element}){then}|{otherwise})"
        return then

    def some(elements: tuple[int, ...], then: str = "", otherwise: str = "(?!)") -> str:
        for element in reversed(elements):
            otherwise = f"(?(e{element}){then}|{otherwise})"
        return otherwise

    first, rest = note.elements[0], note.elements[1:]
    match note.kind:
        case "P":
            return f"(?(e{first}){every(rest)}|{some(rest, '(?!)', '')})"
        case "R":
            return some(note.elements)
        case "C":
            return f"(?(e{first}){every(rest)}|)"
        case "L":
            return f"(?(e{first}){some(rest)}|)"
        case _:
            # E: walk the elements; after the first that is present, none may follow.
            text = ""
            for index in reversed(range(len(note.elements))):
                text = f"(?(e{note.elements[index]}){some(note.elements[index + 1 :], '(?!)', '')}|{text})"
            return text


def compile_segment(spec: SegmentSpec, delimiters: Delimiters) -> re.Pattern[bytes]:
    """The pattern to be matched in full against a segment's bytes, tag included, terminator not."""
    separator = re.escape(delimiters.element)
    if spec.open:
        # Any printable elements, simple or composite.
        held = re.escape(delimiters.element + delimiters.segment)
        text = rf"{re.escape(spec.tag)}(?:{separator}[^\x00-\x1f\x7f-\xff{held}]*)*(?<!{separator})"
        return re.compile(text.encode())
    pairs = {note.elements for note in spec.notes if note.kind == "P" and _adjacent(note)}
    required = max((index for index, element in enumerate(spec.elements, 1) if element.mandatory), default=0)
    structural = {pair for pair in pairs if pair[0] > required}
    named = {e for note in spec.notes if note.elements not in structural or note.kind != "P" for e in note.elements}

    def present(index: int) -> str:
        pattern = _element(spec.elements[index - 1], delimiters)
        return f"(?P<e{index}>{pattern})" if index in named else f"(?:{pattern})"

    def maybe(index: int) -> str:
        element = spec.elements[index - 1]
        if index not in named and element.minimum == 1 and element.type in {"AN", "ID"} and element.codes is None:
            return f"{_class(delimiters)}{{0,{element.maximum}}}"
        return f"(?:{present(index)}|)"

    # `(?:x|)` costs the engine less than `(?:x)?`: an alternative that begins with a separator is tried by one look.
    tail = ""
    index = len(spec.elements)
    while index > required:
        if (index - 1, index) in structural:
            unit = f"{separator}(?:{separator}|{present(index - 1)}{separator}{present(index)})"
            index -= 2
        else:
            unit = f"{separator}{maybe(index)}"
            index -= 1
        tail = f"(?:{unit}{tail}|)"
    head = "".join(
        separator + (present(i) if spec.elements[i - 1].mandatory else maybe(i)) for i in range(1, required + 1)
    )
    conditions = "".join(
        _condition(note) for note in spec.notes if not (note.kind == "P" and note.elements in structural)
    )
    text = f"{re.escape(spec.tag)}{head}{tail}(?<!{separator})" + (rf"\Z{conditions}" if conditions else "")
    return re.compile(text.encode())


def _adjacent(note: Note) -> bool:
    return len(note.elements) == 2 and note.elements[1] == note.elements[0] + 1  # noqa: PLR2004  a pair has two
