"""Every rule of the syntax engine, as one table: every finding is made from a row, and `docs/rules.md` is printed from it.

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
    text: str
    fix: str
    severity: Severity
    codes: Codes


def _segment(code: str) -> Codes:
    return Codes(ak304=code, ak502="5")


def _element(code: str) -> Codes:
    return Codes(ak304="8", ak403=code, ak502="5")


_ROWS = (
    # The file
    Rule("edi.file.not_x12", "The file does not begin with an ISA.", "Send an X12 interchange that begins with ISA.", REJECT, Codes()),
    Rule("edi.file.leading_bytes", "Something harmless stands before the ISA: a byte order mark, blanks, line breaks.", "Begin the file with ISA.", NOTE, Codes()),
    Rule("edi.file.trailing_bytes", "Filler follows the last interchange: 0x1A, NUL, blanks.", "End the file with the IEA's terminator.", NOTE, Codes()),
    Rule("edi.file.trailing_data", "Data that is no interchange follows the IEA.", "Remove what follows the IEA, or begin it with a new ISA.", ERROR, Codes(ta105="022")),
    # The interchange header
    Rule("edi.isa.truncated", "The file ends inside the ISA.", "Send the whole interchange again.", REJECT, Codes(ta105="023")),
    Rule("edi.isa.widths", "An ISA element does not have its fixed width.", "Pad every ISA element to its width: the ISA is exactly 106 bytes.", REJECT, Codes(ta105="022")),
    Rule("edi.isa.delimiter", "A delimiter cannot work: it occurs in data, or two are the same.", "Declare distinct delimiters that are neither letters, digits nor blanks.", REJECT, Codes(ta105="022")),
    Rule("edi.isa.element", "An ISA element has a value that it cannot have.", "Correct that ISA element.", REJECT, Codes(ta105="022")),
    # The interchange
    Rule("edi.interchange.trailer_missing", "The interchange has no IEA.", "End the interchange with IEA; send it again if it was cut off.", REJECT, Codes(ta105="023")),
    Rule("edi.interchange.control_number", "IEA02 is not the control number of the ISA.", "Repeat ISA13 in IEA02.", REJECT, Codes(ta105="001")),
    Rule("edi.interchange.count", "IEA01 is not the number of groups.", "Count the functional groups in IEA01.", REJECT, Codes(ta105="021")),
    Rule("edi.interchange.stray_segment", "A segment stands where the envelope has no place for it.", "Put every segment between ST and SE, every set between GS and GE, every TA1 before the first GS.", REJECT, Codes(ta105="022")),
    Rule("edi.interchange.acknowledgment", "A TA1 cannot be read.", "Send TA1 with the control number, date, time, code and note code of the interchange it answers.", ERROR, Codes(ta105="022")),
    # The group
    Rule("edi.group.element", "A GS element has a value that it cannot have.", "Correct that GS element.", ERROR, Codes()),
    Rule("edi.group.functional_id", "GS01 is not a functional identifier.", "Send the two-letter identifier of the documents, such as PO, PR or SH.", REJECT, Codes(ak905="1")),
    Rule("edi.group.version", "GS08 names a version that is not supported.", "Send the version that was agreed.", REJECT, Codes(ak905="2")),
    Rule("edi.group.trailer_missing", "The group has no GE.", "End the group with GE.", REJECT, Codes(ak905="3")),
    Rule("edi.group.control_number", "GE02 is not the control number of the GS.", "Repeat GS06 in GE02.", REJECT, Codes(ak905="4")),
    Rule("edi.group.count", "GE01 is not the number of transaction sets.", "Count the transaction sets in GE01.", REJECT, Codes(ak905="5")),
    Rule("edi.group.control_number_invalid", "GS06 is no control number.", "Number the group with 1 to 9 digits.", REJECT, Codes(ak905="6")),
    Rule("edi.group.control_number_repeated", "Two groups of the interchange have the same control number.", "Give every group its own number in GS06.", REJECT, Codes(ak905="6")),
    # The transaction set
    Rule("edi.message.unsupported", "There is no guide for this transaction set in this version.", "Send only the documents and versions that were agreed.", REJECT, Codes(ak502="1")),
    Rule("edi.message.trailer_missing", "The transaction set has no SE.", "End the transaction set with SE.", REJECT, Codes(ak502="2")),
    Rule("edi.message.control_number", "SE02 is not the control number of the ST.", "Repeat ST02 in SE02.", REJECT, Codes(ak502="3")),
    Rule("edi.message.count", "SE01 is not the number of segments.", "Count all segments from ST to SE, both included, in SE01.", REJECT, Codes(ak502="4")),
    Rule("edi.message.type_invalid", "ST01 is no transaction set identifier.", "Send the three-digit identifier in ST01.", REJECT, Codes(ak502="6")),
    Rule("edi.message.control_number_invalid", "ST02 is no control number.", "Number the transaction set with 4 to 9 characters.", REJECT, Codes(ak502="7")),
    Rule("edi.message.control_number_repeated", "Two sets of the group have the same control number.", "Give every transaction set of a group its own number in ST02.", REJECT, Codes(ak502="7")),
    Rule("edi.message.wrong_group", "The transaction set stands in a group of another kind.", "Put the set in the group that its GS01 names.", NOTE, Codes()),
    Rule("edi.message.too_large", "The transaction set is larger than this gateway takes.", "Split the document into several transaction sets.", REJECT, Codes(ta105="024")),
    Rule("edi.message.too_many_findings", "More is wrong than is listed.", "Correct what is listed and send the set again.", REJECT, Codes(ak502="5")),
    # Segments
    Rule("edi.segment.unknown", "This segment identifier is not known.", "Remove the segment or correct its identifier.", REJECT, _segment("1")),
    Rule("edi.segment.unexpected", "The segment has no place at this point.", "Move it into the loop it belongs to.", REJECT, _segment("2")),
    Rule("edi.segment.missing", "A mandatory segment is missing.", "Add the segment.", REJECT, _segment("3")),
    Rule("edi.segment.loop_start_missing", "The segments of a loop came without the segment that starts it.", "Begin the loop with its first segment.", REJECT, _segment("3")),
    Rule("edi.segment.too_many_loops", "A loop occurs more often than allowed.", "Send no more repeats than the guide allows.", REJECT, _segment("4")),
    Rule("edi.segment.too_many", "A segment occurs more often than allowed.", "Send no more repeats than the guide allows.", REJECT, _segment("5")),
    Rule("edi.segment.not_in_set", "The segment does not belong to this transaction set.", "Remove the segment.", REJECT, _segment("6")),
    Rule("edi.segment.out_of_sequence", "The segment comes later than its place.", "Send the segments in the order of the guide.", REJECT, _segment("7")),
    Rule("edi.segment.empty", "Two terminators follow each other.", "Send one terminator after each segment.", ERROR, _segment("1")),
    Rule("edi.segment.too_long", "A segment has no end within the limit.", "Check the segment terminator in the ISA's last byte.", REJECT, Codes(ta105="004")),
    Rule("edi.segment.trailing_separators", "Separators without data end the segment.", "End the segment after its last element.", NOTE, Codes()),
    Rule("edi.segment.line_break", "A line break stands inside a segment.", "Do not wrap lines; break them only after the terminator.", REJECT, _element("6")),
    Rule("edi.segment.indented", "Blanks stand before the segment.", "Begin each segment with its identifier.", REJECT, _segment("1")),
    Rule("edi.segment.binary_length", "The length of a binary segment is not the number of bytes that follow.", "Count the bytes of the payload in the length element.", REJECT, _element("6")),
    # Elements
    Rule("edi.element.missing", "A mandatory element is missing.", "Send the element.", REJECT, _element("1")),
    Rule("edi.element.condition", "An element is missing that another element asks for.", "Send the elements together, as the guide's notes say.", REJECT, _element("2")),
    Rule("edi.element.too_many", "The segment has more elements than it can have.", "Remove the surplus elements.", REJECT, _element("3")),
    Rule("edi.element.too_many_components", "The composite has more components than it can have.", "Remove the surplus components.", REJECT, _element("3")),
    Rule("edi.element.too_short", "The element is too short.", "Send at least the minimum length.", REJECT, _element("4")),
    Rule("edi.element.too_long", "The element is too long.", "Shorten the value.", REJECT, _element("5")),
    Rule("edi.element.characters", "The element has characters that its type does not allow.", "Send only the characters of the element's type.", REJECT, _element("6")),
    Rule("edi.element.component_separator", "The component separator stands in an element that has no components.", "Choose another component separator, or leave it out of the text.", ERROR, _element("6")),
    Rule("edi.element.charset", "Bytes are not in the character set agreed.", "Send the text in the agreed character set.", REJECT, _element("6")),
    Rule("edi.element.code", "The code is not on the guide's list.", "Send one of the codes of the guide.", REJECT, _element("7")),
    Rule("edi.element.date", "The value is no date.", "Send a calendar date as CCYYMMDD (YYMMDD where the length is six).", REJECT, _element("8")),
    Rule("edi.element.time", "The value is no time.", "Send a time as HHMM, HHMMSS or with hundredths.", REJECT, _element("9")),
    Rule("edi.element.exclusion", "Elements came together that exclude each other.", "Send only one of the elements.", REJECT, _element("10")),
    # Hierarchy
    Rule("edi.hl.number_repeated", "Two HL segments have the same number.", "Number the HL segments uniquely in HL01.", REJECT, _element("7")),
    Rule("edi.hl.parent_missing", "HL02 names a parent that does not exist.", "Send in HL02 the HL01 of the parent.", REJECT, _element("7")),
    Rule("edi.hl.cycle", "The HL is its own ancestor.", "Let HL02 lead to a top level.", REJECT, _element("7")),
    Rule("edi.hl.level", "HL03 is a level that the guide does not know.", "Use the level codes of the guide.", ERROR, _element("7")),
    Rule("edi.hl.too_deep", "The HL segments nest deeper than this gateway takes.", "Nest the hierarchy less deeply.", REJECT, _element("7")),
    # Writing
    Rule("edi.write.delimiter", "Data holds a delimiter, and X12 cannot escape it.", "Choose other delimiters for this partner, or change the text.", REJECT, Codes()),
    Rule("edi.write.characters", "Data holds characters that cannot be written.", "Remove control characters and what the charset does not have.", REJECT, Codes()),
    Rule("edi.write.envelope", "An envelope value does not fit its element.", "Correct the identity or the control number.", REJECT, Codes()),
    # Acknowledgments
    Rule("edi.acknowledgment.unreadable", "The functional acknowledgment lacks what names its group.", "Send AK1 and AK9 with the group's identifier and number.", REJECT, Codes(ak502="5")),
)  # fmt: skip

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
    return ", ".join(f"{name} {getattr(codes, key)}" for key, name in names.items() if getattr(codes, key)) or "–"


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
