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
    "map.delta.conflict": Rule(
        text="One file changes a thing once, and nothing that it removes.", fix="Remove one of the two lines."
    ),
    "map.field.unknown": Rule(text="A field exists in the canonical document.", fix="Use a field that exists."),
    "map.field.type": Rule(text="A field has the type its pair gives.", fix="Use the pair for the field's type."),
    "map.field.twice": Rule(text="One rule writes one field.", fix="Remove one of the two lines."),
    "map.field.required": Rule(text="What the document must have is mapped.", fix="Add a line for the field."),
    "map.address.wrong": Rule(text="An address is TAGnn, TAGnn.c, TAGnn..mm or TAGnn...", fix="Correct the address."),
    "map.address.twice": Rule(text="One rule writes one address.", fix="Remove one of the two lines."),
    "map.pair.unknown": Rule(text="A pair exists and has its parameters.", fix="Use one of the pairs of the language."),
    "map.hook.unknown": Rule(
        text="A hook that a map names is listed under hooks, and given by the workspace.",
        fix="Write its two functions, list it in the map with examples, and say hooks: hooks.py in gateway.yaml.",
    ),
    "map.hook.example": Rule(
        text="A hook has examples, and does what they say, both ways.", fix="Correct the functions or the example."
    ),
    "map.codes.unknown": Rule(text="A code table that is named exists.", fix="Add the table under codes."),
    "map.codes.not_invertible": Rule(
        text="Of two codes for one word all but one are marked {read: word}.", fix="Mark all but one of them."
    ),
    "map.codes.word": Rule(text="A table's word is one its field allows.", fix="Use a word of the field."),
    "map.guide.missing": Rule(
        text="The guides that a map names exist and are for its document.", fix="Name a guide: gateway edi guides."
    ),
    "map.guide.segment": Rule(
        text="A segment stands at its place in one of the map's guides.", fix="Put the rule where the guide has it."
    ),
    "map.guide.element": Rule(
        text="An element or component is in one of the map's guides.", fix="Use one that the guide has."
    ),
    "map.guide.code": Rule(
        text="A constant, a level or a code that is written is one that a guide of the map allows.",
        fix="Use a code of the guide, or mark it {read: word}.",
    ),
    "map.guide.uses": Rule(
        text="Rules do not write a segment more often than the guide has it.", fix="Remove a rule, or read a list."
    ),
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
    "map.xml.syntax": Rule(text="An XML document is well-formed.", fix="Correct the document at that place."),
    "map.xml.entities": Rule(
        text="An XML document declares and uses no entities.", fix="Send the text itself, and no declarations."
    ),
    "map.xml.limit": Rule(text="An XML document keeps within its limits.", fix="Send it in smaller documents."),
    "map.xml.root": Rule(
        text="An XML document has the root element and namespace of the map.",
        fix="Send the document the map is for, or name another map.",
    ),
    "map.csv.syntax": Rule(text="A CSV file is rows of a header's columns.", fix="Correct the row."),
    "map.csv.limit": Rule(text="A CSV file keeps within its limits.", fix="Send it in smaller files."),
    "map.csv.header": Rule(
        text="The header row names the map's columns, each once.", fix="Name the columns as the map does."
    ),
    "map.csv.repeated": Rule(
        text="A field of a document or line is the same in each of its rows.",
        fix="Repeat it, or leave it empty, in all rows of the document or line.",
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
    "map.write.guide": Rule(
        text="What is written keeps the partner's guide.", fix="Shorten or correct the field, or map it elsewhere."
    ),
    "map.write.value": Rule(
        text="A field's value can be written.", fix="Use a value the partner's map knows, or extend the map."
    ),
    "reference.unknown": Rule(
        text="A word that the agreement translates is in the cross-references (it holds the document, or is kept).",
        fix="Teach it: gateway reference learn PARTNER LIST THEIRS OURS.",
    ),
    "reference.ambiguous": Rule(
        text="One of the partner's words stands for ours on that day.",
        fix="Retire the rows that hold no more, or give one of them a later first day.",
    ),
    "reference.inexact": Rule(
        text="A quantity is a whole number of decimals in the other unit: nothing is rounded.",
        fix="Order a multiple of the factor, or teach the unit that fits.",
    ),
    "reference.file.csv": Rule(text="A file of cross-references is UTF-8 CSV within its limits.", fix="Save it so."),
    "reference.file.column": Rule(
        text="The first line names known columns, the needed ones among them.", fix="Name them."
    ),
    "reference.file.value": Rule(text="A row has a value of its column's form.", fix="Correct the row."),
    "reference.partner": Rule(text="A row's partner has an agreement, or is empty for all.", fix="Name a partner."),
    "reference.overlap": Rule(
        text="A partner's word has one row a day in a list and scheme.",
        fix="Give it a later first day, or retire the row that stands.",
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
        self.files: list[str] = []
        """The files of the map that is looked at, the outermost delta first."""

    @property
    def counted(self) -> str:
        """`1 problem`, `2 problems`."""
        return f"{len(self.findings)} problem{'' if len(self.findings) == 1 else 's'}"

    def nearer(self, one: str, other: str) -> bool:
        """Whether the file `one` is a delta on `other`: of two lines that clash its own is told."""
        known = self.files
        return one in known and other in known and known.index(one) < known.index(other)

    def add(self, rule: str, file: str, line: int, key: str, *, said: str, wanted: str, fix: str | None = None) -> None:
        """Note a problem at `file:line key`."""
        place = FilePlace(file=file, line=line, key=key or None)
        self.findings.append(finding(rule, place, said=said, wanted=wanted, fix=fix))
