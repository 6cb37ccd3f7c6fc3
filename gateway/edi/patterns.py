"""The pattern of one segment: a regular expression that says of its whole text that nothing is wrong with it.

It never says what is wrong; a segment that does not match goes to `elements`, which may still find it right (such as
29 February). A match means that `elements` finds nothing in text that could be decoded: a property test holds both to
it. Every element class excludes the separators, so that matching is linear (and stays below 0x100, where a class is one
table); a syntax note is tested where the element it turns on stands, and only there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gateway.edi.delimiters import Delimiters
from gateway.edi.elements import check_value
from gateway.edi.guide import UNLIMITED, ElementSpec, Note, SegmentSpec
from gateway.findings import EdiPlace

_DATE = "(?:0[1-9]|1[0-2])(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])(?:29|30)|(?:0[13578]|1[02])31"
_MINUTES, _SECONDS = 4, 6
"""The lengths of a time without and with seconds."""
_TIME = r"(?:[01][0-9]|2[0-3])[0-5][0-9]"
_ANYWHERE = EdiPlace()
CONTROLS = r"\x00-\x1f\x7f-\x9f"
_WIDE = frozenset({"AN", "ID", "an"})
"""Types whose text may hold any printable character."""


@dataclass(frozen=True, slots=True)
class Characters:
    """Delimiters as pieces of a pattern."""

    delimiters: Delimiters

    @property
    def element(self) -> str:
        """The element separator."""
        return re.escape(self.delimiters.element)

    @property
    def component(self) -> str:
        """The component separator."""
        return re.escape(self.delimiters.component)

    @property
    def terminator(self) -> str:
        """The segment terminator."""
        return re.escape(self.delimiters.segment)

    @property
    def data(self) -> str:
        """One printable character that is no delimiter."""
        return f"[^{CONTROLS}{''.join(map(re.escape, self.delimiters.all))}]"

    @property
    def letters(self) -> str:
        """The same, and no digit."""
        return self.data.replace("[^", "[^0-9", 1)

    @property
    def within(self) -> str:
        """One character of an element, present or not."""
        return f"[^{self.element}{self.terminator}]"


def _simple(spec: ElementSpec, chars: Characters) -> str:
    """A pattern for one present element or component that is not composite."""
    low, high = spec.minimum, spec.maximum
    if spec.codes is not None:
        # A delta may have narrowed the lengths since, or closed a number's codes with letters.
        codes = [
            code for code in sorted(spec.codes) if not check_value(spec, code, _ANYWHERE, chars.delimiters.decimal)
        ]
        return "(?:" + "|".join(map(re.escape, codes)) + ")" if codes else "(?!)"
    match spec.type:
        case kind if kind == "B" or (kind[0] in "RnN" and any(mark in chars.delimiters.all for mark in "-.,")):
            # A sign or decimal mark that is a separator, too: only the slow path cuts before it reads.
            return "(?!)"
        case "DT":
            year = {8: r"[12][0-9]{3}", 6: r"[0-9]{2}"}.get(high)
            return "(?!)" if year is None or low != high else f"{year}(?:{_DATE})"
        case "TM":
            if high < _MINUTES or low > high:
                return "(?!)"
            seconds = rf"[0-5][0-9][0-9]{{{max(low - _SECONDS, 0)},{high - _SECONDS}}}" if high >= _SECONDS else "(?!)"
            return f"{_TIME}(?:{seconds})" if low > _MINUTES else f"{_TIME}(?:{seconds})?"
        case "R":
            return _decimal(low, high, r"\.", "[0-9]*")
        case "n":
            return _decimal(low, high, f"[{''.join(map(re.escape, chars.delimiters.decimal))}]", "[0-9]+")
        case "a":
            return f"{chars.letters}{{{low},{high}}}"
        case kind if kind.startswith("N"):
            return rf"-?[0-9]{{{low},{high}}}"
        case _:
            return f"{chars.data}{{{low},{high}}}"


def _decimal(low: int, high: int, mark: str, part: str) -> str:
    """A number, read once from left to right: its sign and its decimal mark do not count towards the length."""
    if low > 1:
        whole = rf"[0-9]{{{low},{high}}}"
        return (
            rf"-?(?:{whole}(?!{mark})|(?=(?:[0-9]|{mark}){{{low + 1},{high + 1}}}(?![0-9]|{mark}))[0-9]+{mark}{part})"
        )
    # Looking back tells that there were not too many digits: what stands before the number is no digit.
    fits = rf"(?<!(?:[0-9]|{mark}){{{high + 2}}})" if high < UNLIMITED else ""
    bare = "" if part.endswith("+") else rf"|{mark}[0-9]{{1,{high}}}"
    return rf"-?(?:[0-9]{{1,{high}}}(?:{mark}{part}{fits}|){bare})"


def _composite(spec: ElementSpec, chars: Characters) -> str:
    separator = chars.component
    tail = ""
    for component in reversed(spec.components[1:]):
        one = _maybe(component, chars)
        tail = f"{separator}{one}{tail}"
        if not component.mandatory:
            tail = f"(?:{tail}|)"
    return f"{_maybe(spec.components[0], chars)}{tail}(?<!{separator})"


def _maybe(component: ElementSpec, chars: Characters) -> str:
    one = _simple(component, chars)
    if component.mandatory:
        return f"(?:{one})"
    if component.minimum == 1 and component.type in _WIDE and component.codes is None:
        return f"{chars.data}{{0,{component.maximum}}}"
    return f"(?:{one}|)"


def _present(spec: ElementSpec, chars: Characters) -> str:
    """One present element, repeats included."""
    one = _simple(spec, chars)
    if spec.components:
        # Present is what has at least one character; the components alone may all be absent.
        one = ("" if spec.components[0].mandatory else f"(?={chars.within})") + _composite(spec, chars)
    if spec.repeat == 1 or chars.delimiters.repetition is None:
        return one
    more = "*" if spec.repeat >= UNLIMITED else f"{{0,{spec.repeat - 1}}}"
    return f"(?:{one})(?:{re.escape(chars.delimiters.repetition)}(?:{one})){more}"


@dataclass(slots=True)
class _Tests:
    """What the syntax notes ask at the end of an element's value: where it is present, and where it is empty."""

    present: dict[int, str] = field(default_factory=dict)
    empty: dict[int, str] = field(default_factory=dict)
    required: int = 0
    """The segment must reach at least this element, present or empty."""

    def at(self, tests: dict[int, str], element: int, text: str) -> None:
        tests[element] = tests.get(element, "") + text


def _tests(notes: list[Note], chars: Characters) -> _Tests:
    """The notes as tests that look ahead from the first of their elements; nothing is remembered between segments."""

    def ahead(here: int, there: int) -> str:
        return f"{chars.element}{chars.within}*" * (there - here - 1) + f"{chars.element}{chars.within}"

    tests = _Tests()
    for note in notes:
        first, rest = note.elements[0], note.elements[1:]
        ordered = sorted(note.elements)
        match note.kind:
            case "C":
                for other in rest:
                    if other < first:
                        tests.at(tests.empty, other, f"(?!{ahead(other, first)})")
                    else:
                        tests.at(tests.present, first, f"(?={ahead(first, other)})")
            case "R":
                tests.required = max(tests.required, ordered[0])
                others = "|".join(ahead(ordered[0], other) for other in ordered[1:])
                tests.at(tests.empty, ordered[0], f"(?={others})")
            case "L":
                lowest = min(rest)
                if lowest > first:
                    tests.at(tests.present, first, f"(?={'|'.join(ahead(first, other) for other in rest)})")
                else:
                    ways = [f"(?={ahead(lowest, other)})" for other in sorted(rest)[1:]]
                    tests.at(tests.empty, lowest, f"(?:{'|'.join([*ways, f'(?!{ahead(lowest, first)})'])})")
            case "P":
                for other in ordered[1:]:
                    tests.at(tests.present, ordered[0], f"(?={ahead(ordered[0], other)})")
                    tests.at(tests.empty, ordered[0], f"(?!{ahead(ordered[0], other)})")
            case _:
                for index, one in enumerate(ordered):
                    for other in ordered[index + 1 :]:
                        tests.at(tests.present, one, f"(?!{ahead(one, other)})")
    return tests


def segment_pattern(spec: SegmentSpec, delimiters: Delimiters) -> str:
    """The pattern of a segment, tag included, terminator not; what follows it must be the terminator or the end."""
    chars = Characters(delimiters)
    separator = chars.element
    if spec.open:
        # Any printable elements, simple or composite.
        inner = delimiters.component + (delimiters.repetition or "")
        controls = "".join(re.escape(chr(c)) for c in (*range(0x20), *range(0x7F, 0xA0)) if chr(c) not in inner)
        held = f"[^{controls}{separator}{chars.terminator}{re.escape(delimiters.release or '')}]"
        return rf"{re.escape(spec.tag)}(?:{separator}{held}*)*(?<!{separator})"
    required = max((index for index, element in enumerate(spec.elements, 1) if element.mandatory), default=0)
    pairs = {note.elements for note in spec.notes if note.kind == "P" and _adjacent(note)}
    tests = _tests([note for note in spec.notes if not (note.elements in pairs and note.elements[0] > required)], chars)
    required = max(required, tests.required)
    # Neighbours that come together are one unit of the tail; below `required` they are tested like any other note.
    tests = _tests([note for note in spec.notes if not (note.elements in pairs and note.elements[0] > required)], chars)
    units = {pair for pair in pairs if pair[0] > required}

    def present(index: int) -> str:
        return f"(?:{_present(spec.elements[index - 1], chars)}){tests.present.get(index, '')}"

    def maybe(index: int) -> str:
        element = spec.elements[index - 1]
        plain = index not in tests.present and index not in tests.empty and element.repeat == 1
        if plain and not element.components:
            return _maybe(element, chars)
        empty = tests.empty.get(index)
        # An empty element is told by the next separator: tried first, its test is made only there.
        return f"(?:(?!{chars.within}){empty}|{present(index)})" if empty else f"(?:{present(index)}|)"

    def neither(index: int) -> str:
        test = tests.empty.get(index)
        return f"(?={separator}){test}" if test else ""

    # `(?:x|)` costs the engine less than `(?:x)?`: an alternative that begins with a separator is tried by one look.
    tail = ""
    index = len(spec.elements)
    while index > required:
        if (index - 1, index) in units:
            both = f"{present(index - 1)}{separator}{present(index)}"
            tail = f"(?:{separator}(?:{neither(index - 1)}{separator}{tests.empty.get(index, '')}|{both}){tail}|)"
            index -= 2
        else:
            tail = f"(?:{separator}{maybe(index)}{tail}|)"
            index -= 1
    head = "".join(
        separator + (present(i) if spec.elements[i - 1].mandatory else maybe(i)) for i in range(1, required + 1)
    )
    return f"{re.escape(spec.tag)}{head}{tail}(?<!{separator})"


def _adjacent(note: Note) -> bool:
    return len(note.elements) == 2 and note.elements[1] == note.elements[0] + 1  # noqa: PLR2004  a pair has two


def compile_segment(spec: SegmentSpec, delimiters: Delimiters) -> re.Pattern[str]:
    """The pattern to be matched in full against a segment's text."""
    return re.compile(segment_pattern(spec, delimiters))
