"""Every rule of the syntax engine, as one table: findings are made from its rows, `docs/rules.md` is printed from it.

The codes are X12's own numbers (TA105 = I18, AK304 = 720, AK403 = 723, AK502 = 718, AK905 = 716); the words are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.findings import Codes, EdiPlace, Finding, Severity

NOTE = Severity.ACCEPT
ERROR = Severity.ACCEPT_WITH_ERRORS
REJECT = Severity.REJECT

SHOWN = 60
"""Characters of offending data that a finding repeats."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it says, what the sender does about it, how grave it is, what it is called on the wire."""

    id: str
    severity: Severity
    codes: Codes
    text: str
    fix: str


def _segment(code: str) -> Codes:
    return Codes(ak304=code, ak502="5")


def _element(code: str) -> Codes:
    return Codes(ak304="8", ak403=code, ak502="5")


# fmt: off
_ROWS = (
    # The file
    Rule("edi.file.not_x12", REJECT, Codes(),
         "The file does not begin with an ISA.",
         "Send an X12 interchange that begins with ISA."),
    Rule("edi.file.leading_bytes", NOTE, Codes(),
         "Something harmless stands before the ISA: a byte order mark, blanks, line breaks.",
         "Begin the file with ISA."),
    Rule("edi.file.trailing_bytes", NOTE, Codes(),
         "Filler follows the last interchange: 0x1A, NUL, blanks.",
         "End the file with the IEA's terminator."),
    Rule("edi.file.trailing_data", ERROR, Codes(ta105="022"),
         "Data that is no interchange follows the IEA.",
         "Remove what follows the IEA, or begin it with a new ISA."),
    # The interchange header
    Rule("edi.isa.truncated", REJECT, Codes(ta105="023"),
         "The file ends inside the ISA.",
         "Send the whole interchange again."),
    Rule("edi.isa.widths", REJECT, Codes(ta105="022"),
         "An ISA element does not have its fixed width.",
         "Pad every ISA element to its width: the ISA is exactly 106 bytes."),
    Rule("edi.isa.delimiter", REJECT, Codes(ta105="022"),
         "A delimiter cannot work: it occurs in data, or two are the same.",
         "Declare distinct delimiters that are neither letters, digits nor blanks."),
    Rule("edi.isa.element", REJECT, Codes(ta105="022"),
         "An ISA element has a value that it cannot have.",
         "Correct that ISA element."),
    # The interchange
    Rule("edi.interchange.trailer_missing", REJECT, Codes(ta105="023"),
         "The interchange has no IEA.",
         "End the interchange with IEA; send it again if it was cut off."),
    Rule("edi.interchange.control_number", REJECT, Codes(ta105="001"),
         "IEA02 is not the control number of the ISA.",
         "Repeat ISA13 in IEA02."),
    Rule("edi.interchange.count", REJECT, Codes(ta105="021"),
         "IEA01 is not the number of groups.",
         "Count the functional groups in IEA01."),
    Rule("edi.interchange.stray_segment", REJECT, Codes(ta105="022"),
         "A segment stands where the envelope has no place for it.",
         "Put every segment between ST and SE, every set between GS and GE, every TA1 before the first GS."),
    Rule("edi.interchange.acknowledgment", ERROR, Codes(ta105="022"),
         "A TA1 cannot be read.",
         "Send TA1 with the control number, date, time, code and note code of the interchange it answers."),
    # The group
    Rule("edi.group.element", ERROR, Codes(),
         "A GS element has a value that it cannot have.",
         "Correct that GS element."),
    Rule("edi.group.functional_id", REJECT, Codes(ak905="1"),
         "GS01 is not a functional identifier.",
         "Send the two-letter identifier of the documents, such as PO, PR or SH."),
    Rule("edi.group.version", REJECT, Codes(ak905="2"),
         "GS08 names a version that is not supported.",
         "Send the version that was agreed."),
    Rule("edi.group.trailer_missing", REJECT, Codes(ak905="3"),
         "The group has no GE.",
         "End the group with GE."),
    Rule("edi.group.control_number", REJECT, Codes(ak905="4"),
         "GE02 is not the control number of the GS.",
         "Repeat GS06 in GE02."),
    Rule("edi.group.count", REJECT, Codes(ak905="5"),
         "GE01 is not the number of transaction sets.",
         "Count the transaction sets in GE01."),
    Rule("edi.group.empty", REJECT, Codes(ak905="5"),
         "The group holds no transaction set.",
         "Send at least one transaction set in a group, or no group."),
    Rule("edi.group.control_number_invalid", REJECT, Codes(ak905="6"),
         "GS06 is no control number.",
         "Number the group with 1 to 9 digits."),
    Rule("edi.group.control_number_repeated", REJECT, Codes(ak905="6"),
         "Two groups of the interchange have the same control number.",
         "Give every group its own number in GS06."),
    # The transaction set
    Rule("edi.message.unsupported", REJECT, Codes(ak502="1"),
         "There is no guide for this transaction set in this version.",
         "Send only the documents and versions that were agreed."),
    Rule("edi.message.trailer_missing", REJECT, Codes(ak502="2"),
         "The transaction set has no SE.",
         "End the transaction set with SE."),
    Rule("edi.message.control_number", REJECT, Codes(ak502="3"),
         "SE02 is not the control number of the ST.",
         "Repeat ST02 in SE02."),
    Rule("edi.message.count", REJECT, Codes(ak502="4"),
         "SE01 is not the number of segments.",
         "Count all segments from ST to SE, both included, in SE01."),
    Rule("edi.message.type_invalid", REJECT, Codes(ak502="6"),
         "ST01 is no transaction set identifier.",
         "Send the three-digit identifier in ST01."),
    Rule("edi.message.control_number_invalid", REJECT, Codes(ak502="7"),
         "ST02 is no control number.",
         "Number the transaction set with 4 to 9 characters."),
    Rule("edi.message.control_number_repeated", REJECT, Codes(ak502="7"),
         "Two sets of the group have the same control number.",
         "Give every transaction set of a group its own number in ST02."),
    Rule("edi.message.wrong_group", NOTE, Codes(),
         "The transaction set stands in a group of another kind.",
         "Put the set in the group that its GS01 names."),
    Rule("edi.message.too_large", REJECT, Codes(ta105="024"),
         "The transaction set is larger than this gateway takes.",
         "Split the document into several transaction sets."),
    Rule("edi.message.too_many_findings", REJECT, Codes(ak502="5"),
         "More is wrong than is listed.",
         "Correct what is listed and send the set again."),
    # Segments
    Rule("edi.segment.unknown", REJECT, _segment("1"),
         "This segment identifier is not known.",
         "Remove the segment or correct its identifier."),
    Rule("edi.segment.unexpected", REJECT, _segment("2"),
         "The segment has no place at this point.",
         "Move it into the loop it belongs to."),
    Rule("edi.segment.missing", REJECT, _segment("3"),
         "A mandatory segment is missing.",
         "Add the segment."),
    Rule("edi.segment.loop_start_missing", REJECT, _segment("3"),
         "The segments of a loop came without the segment that starts it.",
         "Begin the loop with its first segment."),
    Rule("edi.segment.too_many_loops", REJECT, _segment("4"),
         "A loop occurs more often than allowed.",
         "Send no more repeats than the guide allows."),
    Rule("edi.segment.too_many", REJECT, _segment("5"),
         "A segment occurs more often than allowed.",
         "Send no more repeats than the guide allows."),
    Rule("edi.segment.not_in_set", REJECT, _segment("6"),
         "The segment does not belong to this transaction set.",
         "Remove the segment."),
    Rule("edi.segment.out_of_sequence", REJECT, _segment("7"),
         "The segment comes later than its place.",
         "Send the segments in the order of the guide."),
    Rule("edi.segment.empty", ERROR, _segment("1"),
         "Two terminators follow each other.",
         "Send one terminator after each segment."),
    Rule("edi.segment.too_long", REJECT, Codes(ta105="004"),
         "A segment has no end within the limit.",
         "Check the segment terminator in the ISA's last byte."),
    Rule("edi.segment.trailing_separators", NOTE, Codes(),
         "Separators without data end the segment.",
         "End the segment after its last element."),
    Rule("edi.segment.line_break", REJECT, _element("6"),
         "A line break stands inside a segment.",
         "Do not wrap lines; break them only after the terminator."),
    Rule("edi.segment.indented", REJECT, _segment("1"),
         "Blanks stand before the segment.",
         "Begin each segment with its identifier."),
    Rule("edi.segment.binary_length", REJECT, _element("6"),
         "The length of a binary segment is not the number of bytes that follow.",
         "Count the bytes of the payload in the length element."),
    # Elements
    Rule("edi.element.missing", REJECT, _element("1"),
         "A mandatory element is missing.",
         "Send the element."),
    Rule("edi.element.condition", REJECT, _element("2"),
         "An element is missing that another element asks for.",
         "Send the elements together, as the guide's notes say."),
    Rule("edi.element.too_many", REJECT, _element("3"),
         "The segment has more elements than it can have.",
         "Remove the surplus elements."),
    Rule("edi.element.too_many_components", REJECT, _element("3"),
         "The composite has more components than it can have.",
         "Remove the surplus components."),
    Rule("edi.element.too_short", REJECT, _element("4"),
         "The element is too short.",
         "Send at least the minimum length."),
    Rule("edi.element.too_long", REJECT, _element("5"),
         "The element is too long.",
         "Shorten the value."),
    Rule("edi.element.characters", REJECT, _element("6"),
         "The element has characters that its type does not allow.",
         "Send only the characters of the element's type."),
    Rule("edi.element.component_separator", ERROR, _element("6"),
         "The component separator stands in an element that has no components.",
         "Choose another component separator, or leave it out of the text."),
    Rule("edi.element.charset", REJECT, _element("6"),
         "Bytes are not in the character set agreed.",
         "Send the text in the agreed character set."),
    Rule("edi.element.code", REJECT, _element("7"),
         "The code is not on the guide's list.",
         "Send one of the codes of the guide."),
    Rule("edi.element.date", REJECT, _element("8"),
         "The value is no date.",
         "Send a calendar date as CCYYMMDD (YYMMDD where the length is six)."),
    Rule("edi.element.time", REJECT, _element("9"),
         "The value is no time.",
         "Send a time as HHMM, HHMMSS or with hundredths."),
    Rule("edi.element.exclusion", REJECT, _element("10"),
         "Elements came together that exclude each other.",
         "Send only one of the elements."),
    # Hierarchy
    Rule("edi.hl.number_repeated", REJECT, _element("7"),
         "Two HL segments have the same number.",
         "Number the HL segments uniquely in HL01."),
    Rule("edi.hl.parent_missing", REJECT, _element("7"),
         "HL02 names a parent that does not exist.",
         "Send in HL02 the HL01 of the parent."),
    Rule("edi.hl.cycle", REJECT, _element("7"),
         "The HL is its own ancestor.",
         "Let HL02 lead to a top level."),
    Rule("edi.hl.level", ERROR, _element("7"),
         "HL03 is a level that the guide does not know.",
         "Use the level codes of the guide."),
    Rule("edi.hl.too_deep", REJECT, _element("7"),
         "The HL segments nest deeper than this gateway takes.",
         "Nest the hierarchy less deeply."),
    # Writing
    Rule("edi.write.delimiter", REJECT, Codes(),
         "Data holds a delimiter, and X12 cannot escape it.",
         "Choose other delimiters for this partner, or change the text."),
    Rule("edi.write.characters", REJECT, Codes(),
         "Data holds characters that cannot be written.",
         "Remove control characters and what the charset does not have."),
    Rule("edi.write.envelope", REJECT, Codes(),
         "An envelope value does not fit its element.",
         "Correct the identity or the control number."),
    # Acknowledgments
    Rule("edi.acknowledgment.unreadable", REJECT, Codes(ak502="5"),
         "The functional acknowledgment lacks what names its group.",
         "Send AK1 and AK9 with the group's identifier and number."),
    # Partners' guides and partial acceptance
    Rule("edi.element.not_used", REJECT, Codes(ak304="8", ak403="10", ak502="5", ik403="I10", ik502="I5", contrl="15"),
         "The element is not used by this partner's guide.",
         "Leave the element empty."),
    Rule("edi.message.partial", REJECT, Codes(),
         "Nothing is wrong with the set, but it came with one that is refused.",
         "Correct the refused set and send all of them again."),
    Rule("edi.group.partial", REJECT, Codes(),
         "A set is refused, and the agreement refuses what came with it.",
         "Correct the refused set and send all of them again."),
    Rule("edi.interchange.partial", REJECT, Codes(),
         "A set is refused, and the agreement refuses the whole interchange with it.",
         "Correct the refused set and send the interchange again."),
)
# fmt: on

RULES: dict[str, Rule] = {rule.id: rule for rule in _ROWS}


def shorten(data: str | bytes) -> str:
    """Offending data as a finding shows it: printable, at most 60 characters, quoted."""
    text = data.decode("utf-8", "backslashreplace") if isinstance(data, bytes) else data
    if not text:
        return "nothing"
    cut = text if len(text) <= SHOWN else text[:SHOWN] + "…"
    return '"' + "".join(c if c.isprintable() else repr(c)[1:-1] for c in cut) + '"'


def finding(
    rule: str,
    place: EdiPlace,
    *,
    said: str | bytes,
    wanted: str,
    severity: Severity | None = None,
    codes: Codes | None = None,
) -> Finding:
    """A finding of the rule with that id. `said` is raw data and is shortened here; `wanted` is words."""
    row = RULES[rule]
    return Finding(
        rule=rule,
        place=place,
        said=shorten(said),
        wanted=wanted,
        fix=row.fix,
        severity=row.severity if severity is None else severity,
        codes=row.codes if codes is None else codes,
    )


def _codes_text(codes: Codes) -> str:
    names = {"ta105": "TA105", "ak304": "AK304", "ak403": "AK403", "ak502": "AK502", "ak905": "AK905"}
    return ", ".join(f"{name} {getattr(codes, key)}" for key, name in names.items() if getattr(codes, key)) or "none"


def markdown() -> str:
    """The text of `docs/rules.md`."""
    lines = [
        "# Rules of the syntax engine",
        "",
        "Printed by `gateway edi rules`; do not edit. Severity: `accept` is a note, `accept_with_errors` is taken",
        "and reported, `reject` refuses the set, the group or the interchange it stands in.",
        "",
        "| rule | what is wrong | what to do | severity | codes |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{rule.id}` | {rule.text} | {rule.fix} | {rule.severity.value} | {_codes_text(rule.codes)} |"
        for rule in RULES.values()
    ]
    return "\n".join(lines) + "\n"
