"""Every rule of maps: what a map file must keep, and what reading or writing a document can find. One table,
one maker.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.findings import FilePlace, Finding, Place, Severity


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A rule's documentation and verdict."""

    text: str
    fix: str
    severity: Severity = Severity.REJECT


RULES: dict[str, Rule] = {
    "map.file.missing": Rule(text="A map that is named exists.", fix="Create the file, or name a map that exists."),
    "map.file.yaml": Rule(text="A map file is plain YAML without anchors, aliases, tags.", fix="Correct the line."),
    "map.file.limit": Rule(text="A map file keeps within its limits.", fix="Make the file smaller or less nested."),
    "map.file.shape": Rule(text="A key has the shape its meaning needs.", fix="Write it as the language page shows."),
    "map.key.unknown": Rule(text="Only documented keys occur.", fix="Remove the key, or use the one that was meant."),
    "map.key.missing": Rule(text="A map names its document and its canonical kind.", fix="Add the key."),
    "map.extends.cycle": Rule(text="No map extends itself.", fix="Break the circle of extends."),
    "map.change.nowhere": Rule(text="A delta changes what is there.", fix="Name a segment of the base map."),
    "map.field.unknown": Rule(text="A field exists in the canonical document.", fix="Use a field that exists."),
    "map.field.type": Rule(text="A field has the type its pair gives.", fix="Use the pair for the field's type."),
    "map.field.twice": Rule(text="One rule writes one field.", fix="Remove one of the two lines."),
    "map.field.required": Rule(text="What the document must have is mapped.", fix="Add a line for the field."),
    "map.address.wrong": Rule(text="An address is TAGnn, TAGnn.c, TAGnn..mm or TAGnn...", fix="Correct the address."),
    "map.address.twice": Rule(text="One rule writes one address.", fix="Remove one of the two lines."),
    "map.pair.unknown": Rule(text="A pair exists and has its parameters.", fix="Use one of the pairs of the language."),
    "map.codes.unknown": Rule(text="A code table that is named exists.", fix="Add the table under codes."),
    "map.codes.not_invertible": Rule(
        text="Of two codes for one word all but one are marked {read: word}.", fix="Mark all but one of them."
    ),
    "map.codes.word": Rule(text="A table's word is one its field allows.", fix="Use a word of the field."),
    "map.document.other": Rule(text="A map is for the documents it is used for.", fix="Name a map for this document."),
    "map.one_way": Rule(
        text="A map that cannot be read says `one_way: write`.", fix="Say so, or name fields that can be read."
    ),
    "map.example.missing": Rule(text="A map's examples exist.", fix="Create the file, or correct its name."),
    "map.example.read": Rule(
        text="An example reads as its canonical file says.", fix="Correct the map or the example."
    ),
    "map.example.write": Rule(
        text="An example is written as its EDI file says.", fix="Correct the map or the example."
    ),
    "map.read.code": Rule(
        text="A code is in the map's table.",
        fix="Send a code of the guide, or add it to the partner's map.",
        severity=Severity.ACCEPT_WITH_ERRORS,
    ),
    "map.read.value": Rule(
        text="A value has the form its field needs.",
        fix="Send the value in the form named.",
        severity=Severity.ACCEPT_WITH_ERRORS,
    ),
    "map.read.count": Rule(
        text="A stated count is the number counted.", fix="State the number counted.", severity=Severity.ACCEPT
    ),
    "map.read.too_deep": Rule(text="A hierarchy nests at most 32 levels.", fix="Send a hierarchy that nests less."),
    "map.read.nesting": Rule(
        text="A hierarchy nests as the map allows.", fix="Nest as the guide says.", severity=Severity.ACCEPT
    ),
    "map.write.elsewhere": Rule(
        text="A fact stands in the field the map has for it.",
        fix="Put it into that field; whoever reads the set will find it there.",
        severity=Severity.ACCEPT,
    ),
    "map.write.order": Rule(
        text="An order stands in the tree where all below it and nothing beside it is of it.",
        fix="Put the order as high as all its lines agree; whoever reads the message will find it there.",
        severity=Severity.ACCEPT,
    ),
    "map.write.value": Rule(
        text="A field's value can be written.", fix="Use a value the partner's map knows, or extend the map."
    ),
}


def finding(rule: str, place: Place, *, said: str, wanted: str, fix: str | None = None) -> Finding:
    """A finding of `rule` at `place`; `said` is shortened to a terminal's line."""
    row = RULES[rule]
    shown = said if len(said) <= 80 else said[:77] + "…"  # noqa: PLR2004  one line of a terminal
    return Finding(rule=rule, place=place, said=shown, wanted=wanted, fix=fix or row.fix, severity=row.severity)


class Problems:
    """The findings of a map, collected so that all come at once."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def add(self, rule: str, file: str, line: int, key: str, *, said: str, wanted: str, fix: str | None = None) -> None:
        """Note a problem at `file:line key`."""
        place = FilePlace(file=file, line=line, key=key or None)
        self.findings.append(finding(rule, place, said=said, wanted=wanted, fix=fix))
