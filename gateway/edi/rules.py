"""Every rule of the syntax engine, as one table: findings are made from its rows, `rules_page` prints them.

The codes are the standards' own: in X12 TA105 = I18, AK304 = 720, AK403 = 723, AK502 = 718, AK905 = 716, IK304 = 620,
IK403 = 621, IK502 = 618; in EDIFACT 0085. A 999 code that is not given is that of the 997. The words are ours: one row
serves both standards where both can break it.
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


def _segment(code: str, contrl: str | None) -> Codes:
    return Codes(ak304=code, ak502="5", contrl=contrl)


def _element(code: str, contrl: str | None, *, ik403: str | None = None) -> Codes:
    return Codes(ak304="8", ak403=code, ak502="5", ik403=ik403, contrl=contrl)


# fmt: off
_ROWS = (
    # The file
    Rule("edi.file.not_x12", REJECT, Codes(),
         "The file does not begin with an ISA.",
         "Send an X12 interchange that begins with ISA."),
    Rule("edi.file.not_edifact", REJECT, Codes(),
         "The file begins neither with UNA nor with UNB, where only EDIFACT is agreed.",
         "Send an EDIFACT interchange that begins with UNA or UNB."),
    Rule("edi.file.unreadable", REJECT, Codes(),
         "The file begins neither with ISA nor with UNA or UNB.",
         "Send an interchange: X12 begins with ISA, EDIFACT with UNA or UNB."),
    Rule("edi.file.leading_bytes", NOTE, Codes(),
         "Something harmless stands before the interchange: a byte order mark, blanks, line breaks.",
         "Begin the file with ISA, UNA or UNB."),
    Rule("edi.file.trailing_bytes", NOTE, Codes(),
         "Filler follows the last interchange: 0x1A, NUL, blanks.",
         "End the file with the terminator of IEA or UNZ."),
    Rule("edi.file.trailing_data", ERROR, Codes(ta105="022", contrl="33"),
         "Data that is no interchange follows the IEA or UNZ.",
         "Remove what follows the interchange, or begin it with a new ISA, UNA or UNB."),
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
    Rule("edi.una.truncated", REJECT, Codes(),
         "The file ends inside the UNA, or no UNB follows it.",
         "Send six service characters after UNA, then UNB; send the whole interchange again."),
    Rule("edi.una.delimiters", REJECT, Codes(contrl="20"),
         "A service character of the UNA cannot work: it occurs in data, or two are the same.",
         "Name distinct service characters that are neither letters, digits nor line breaks; best is :+.? '."),
    Rule("edi.unb.element", REJECT, Codes(contrl="12"),
         "A UNB element is missing or has a value that it cannot have.",
         "Correct that UNB element."),
    Rule("edi.unb.syntax", REJECT, Codes(contrl="2"),
         "The syntax identifier or version of the UNB is not known.",
         "Send UNOA to UNOK, UNOW, UNOX or UNOY in syntax version 1 to 4."),
    Rule("edi.unb.charset", REJECT, Codes(contrl="46"),
         "The character set that the UNB names is not supported.",
         "Send a character set that was agreed, such as UNOC or UNOW."),
    # The interchange
    Rule("edi.interchange.trailer_missing", REJECT, Codes(ta105="023", contrl="13"),
         "The interchange has no IEA or UNZ.",
         "End the interchange with IEA or UNZ; send it again if it was cut off."),
    Rule("edi.interchange.control_number", REJECT, Codes(ta105="001", contrl="28"),
         "IEA02 or UNZ 0020 is not the control number of the ISA or UNB.",
         "Repeat ISA13 in IEA02, the UNB's 0020 in the UNZ."),
    Rule("edi.interchange.count", REJECT, Codes(ta105="021", contrl="29"),
         "IEA01 or UNZ 0036 is not the number of groups (in EDIFACT without groups: of messages).",
         "Count the functional groups in IEA01, the groups, or the messages where there are none, in UNZ 0036."),
    Rule("edi.interchange.stray_segment", REJECT, Codes(ta105="022", contrl="33"),
         "A segment stands where the envelope has no place for it.",
         "Put segments between ST and SE or UNH and UNT, sets between GS and GE, every TA1 before the first GS."),
    Rule("edi.interchange.empty", REJECT, Codes(contrl="32"),
         "The interchange holds no message.",
         "Send at least one message in an interchange."),
    Rule("edi.interchange.acknowledgment", ERROR, Codes(ta105="022"),
         "A TA1 cannot be read.",
         "Send TA1 with the control number, date, time, code and note code of the interchange it answers."),
    # The group
    Rule("edi.group.element", ERROR, Codes(contrl="12"),
         "A GS or UNG element has a value that it cannot have.",
         "Correct that element."),
    Rule("edi.group.functional_id", REJECT, Codes(ak905="1", contrl="12"),
         "GS01 is not a functional identifier, or UNG 0038 no message type.",
         "Send the two-letter identifier of the documents, such as PO, PR or SH; in a UNG the message type."),
    Rule("edi.group.version", REJECT, Codes(ak905="2"),
         "GS08 names a version that is not supported.",
         "Send the version that was agreed."),
    Rule("edi.group.trailer_missing", REJECT, Codes(ak905="3", contrl="13"),
         "The group has no GE or UNE.",
         "End the group with GE or UNE."),
    Rule("edi.group.control_number", REJECT, Codes(ak905="4", contrl="28"),
         "GE02 or UNE 0048 is not the control number of the GS or UNG.",
         "Repeat GS06 in GE02, the UNG's 0048 in the UNE."),
    Rule("edi.group.count", REJECT, Codes(ak905="5", contrl="29"),
         "GE01 or UNE 0060 is not the number of transaction sets or messages.",
         "Count the transaction sets in GE01, the messages in UNE 0060."),
    Rule("edi.group.empty", REJECT, Codes(ak905="5", contrl="32"),
         "The group holds no transaction set or message.",
         "Send at least one in a group, or no group."),
    Rule("edi.group.control_number_invalid", REJECT, Codes(ak905="6", contrl="12"),
         "GS06 or UNG 0048 is no control number.",
         "Number the group: 1 to 9 digits in GS06, 1 to 14 characters in a UNG."),
    Rule("edi.group.control_number_repeated", REJECT, Codes(ak905="6", contrl="26"),
         "Two groups of the interchange have the same control number.",
         "Give every group its own number."),
    Rule("edi.group.mixed", REJECT, Codes(contrl="30"),
         "Messages stand outside the groups of an interchange that has groups.",
         "Put all messages into groups, or none."),
    # The transaction set, the message
    Rule("edi.message.unsupported", REJECT, Codes(ak502="1", contrl="14"),
         "There is no guide for this transaction set or message in this version.",
         "Send only the documents and versions that were agreed."),
    Rule("edi.message.header", REJECT, Codes(contrl="13"),
         "The UNH lacks the type, version or release of the message, or they cannot be such.",
         "Send UNH with 0062 and S009, such as UNH+1+ORDERS:D:96A:UN."),
    Rule("edi.message.trailer_missing", REJECT, Codes(ak502="2", contrl="13"),
         "The transaction set has no SE, or the message no UNT.",
         "End it with SE or UNT."),
    Rule("edi.message.control_number", REJECT, Codes(ak502="3", contrl="28"),
         "SE02 or UNT 0062 is not the control number of the ST or UNH.",
         "Repeat ST02 in SE02, the UNH's 0062 in the UNT."),
    Rule("edi.message.count", REJECT, Codes(ak502="4", contrl="29"),
         "SE01 or UNT 0074 is not the number of segments.",
         "Count all segments from ST to SE, or UNH to UNT, both included."),
    Rule("edi.message.type_invalid", REJECT, Codes(ak502="6"),
         "ST01 is no transaction set identifier.",
         "Send the three-digit identifier in ST01."),
    Rule("edi.message.control_number_invalid", REJECT, Codes(ak502="7", contrl="12"),
         "ST02 or UNH 0062 is no control number.",
         "Number the set with 4 to 9 characters, a message with 1 to 14."),
    Rule("edi.message.control_number_repeated", REJECT, Codes(ak502="7", contrl="26"),
         "Two sets of the group, or two messages, have the same control number.",
         "Give every one its own number in ST02 or UNH 0062."),
    Rule("edi.message.wrong_group", NOTE, Codes(contrl="31"),
         "The transaction set or message stands in a group of another kind.",
         "Put it in the group that its GS01 or UNG 0038 names."),
    Rule("edi.message.too_large", REJECT, Codes(ta105="024", contrl="18"),
         "The transaction set or message is larger than this gateway takes.",
         "Split the document into several."),
    Rule("edi.message.too_many_findings", REJECT, Codes(ak502="5", contrl="18"),
         "More is wrong than is listed.",
         "Correct what is listed and send the document again."),
    # Segments
    Rule("edi.segment.unknown", REJECT, _segment("1", "15"),
         "This segment identifier is not known.",
         "Remove the segment or correct its identifier."),
    Rule("edi.segment.unexpected", REJECT, _segment("2", "15"),
         "The segment has no place at this point.",
         "Move it into the loop or segment group it belongs to."),
    Rule("edi.segment.missing", REJECT, _segment("3", "13"),
         "A mandatory segment is missing.",
         "Add the segment."),
    Rule("edi.segment.loop_start_missing", REJECT, _segment("3", "13"),
         "The segments of a loop or segment group came without the segment that starts it.",
         "Begin it with its first segment."),
    Rule("edi.segment.too_many_loops", REJECT, _segment("4", "36"),
         "A loop or segment group occurs more often than allowed.",
         "Send no more repeats than the guide allows."),
    Rule("edi.segment.too_many", REJECT, _segment("5", "35"),
         "A segment occurs more often than allowed.",
         "Send no more repeats than the guide allows."),
    Rule("edi.segment.not_in_set", REJECT, _segment("6", "15"),
         "The segment does not belong to this transaction set or message.",
         "Remove the segment."),
    Rule("edi.segment.out_of_sequence", REJECT, _segment("7", "15"),
         "The segment comes later than its place.",
         "Send the segments in the order of the guide."),
    Rule("edi.segment.empty", ERROR, _segment("1", "13"),
         "Two terminators follow each other.",
         "Send one terminator after each segment."),
    Rule("edi.segment.too_long", REJECT, Codes(ta105="004", contrl="18"),
         "A segment has no end within the limit.",
         "Check the segment terminator: the ISA's last byte, the UNA's last character, or '."),
    Rule("edi.segment.trailing_separators", NOTE, Codes(contrl="45"),
         "Separators without data end the segment.",
         "End the segment after its last element."),
    Rule("edi.segment.line_break", REJECT, _element("6", "21"),
         "A line break stands inside a segment.",
         "Do not wrap lines; break them only after the terminator."),
    Rule("edi.segment.indented", REJECT, _segment("1", "21"),
         "Blanks stand before the segment.",
         "Begin each segment with its identifier."),
    Rule("edi.segment.binary_length", REJECT, _element("6", None),
         "The length of a binary segment is not the number of bytes that follow.",
         "Count the bytes of the payload in the length element."),
    # Elements
    Rule("edi.element.missing", REJECT, _element("1", "13"),
         "A mandatory element is missing.",
         "Send the element."),
    Rule("edi.element.condition", REJECT, _element("2", "48"),
         "An element is missing that another element asks for.",
         "Send the elements together, as the guide's notes say."),
    Rule("edi.element.too_many", REJECT, _element("3", "16"),
         "The segment has more elements than it can have.",
         "Remove the surplus elements."),
    Rule("edi.element.too_many_components", REJECT, _element("3", "16", ik403="13"),
         "The composite has more components than it can have.",
         "Remove the surplus components."),
    Rule("edi.element.too_many_repeats", REJECT, _element("3", "35", ik403="12"),
         "The element is repeated more often than allowed.",
         "Send no more repeats than the guide allows."),
    Rule("edi.element.too_short", REJECT, _element("4", "40"),
         "The element is too short.",
         "Send at least the minimum length."),
    Rule("edi.element.too_long", REJECT, _element("5", "39"),
         "The element is too long.",
         "Shorten the value."),
    Rule("edi.element.characters", REJECT, _element("6", "37"),
         "The element has characters that its type does not allow.",
         "Send only the characters of the element's type."),
    Rule("edi.element.decimal", REJECT, Codes(contrl="19"),
         "The number has a decimal mark that is wrong, misplaced, or not allowed.",
         "Write the decimal mark of the UNA (. unless it says otherwise), with a digit on either side."),
    Rule("edi.element.component_separator", ERROR, _element("6", "16"),
         "The component separator stands in an element that has no components.",
         "Choose another component separator, or leave it out of the text; in EDIFACT, release it."),
    Rule("edi.element.charset", REJECT, _element("6", "21"),
         "Bytes are not in the character set agreed.",
         "Send the text in the agreed character set."),
    Rule("edi.element.repertoire", NOTE, Codes(contrl="21"),
         "The text has a character that the UNB's syntax identifier does not have.",
         "Name a syntax identifier that has it, such as UNOC, or change the text."),
    Rule("edi.element.needless_release", NOTE, Codes(),
         "A release character stands before a character that needs none.",
         "Release service characters only."),
    Rule("edi.element.release_at_end", REJECT, Codes(contrl="21"),
         "The data ends with a release character that releases nothing.",
         "Write ?? for a question mark in the text."),
    Rule("edi.element.code", REJECT, _element("7", "12"),
         "The code is not on the guide's list.",
         "Send one of the codes of the guide."),
    Rule("edi.element.date", REJECT, _element("8", "12"),
         "The value is no date.",
         "Send a calendar date as CCYYMMDD (YYMMDD where the length is six)."),
    Rule("edi.element.time", REJECT, _element("9", "12"),
         "The value is no time.",
         "Send a time as HHMM, HHMMSS or with hundredths."),
    Rule("edi.element.exclusion", REJECT, _element("10", "48"),
         "Elements came together that exclude each other.",
         "Send only one of the elements."),
    # Hierarchy
    Rule("edi.hl.number_repeated", REJECT, _element("7", "12"),
         "Two HL or CPS segments have the same number.",
         "Number them uniquely in HL01 or CPS 7164."),
    Rule("edi.hl.parent_missing", REJECT, _element("7", "12"),
         "HL02 or CPS 7166 names a parent that does not exist.",
         "Send there the number of the parent."),
    Rule("edi.hl.cycle", REJECT, _element("7", "12"),
         "The HL or CPS is its own ancestor.",
         "Let the parents lead to a top level."),
    Rule("edi.hl.level", ERROR, _element("7", "12"),
         "HL03 or CPS 7075 is a level that the guide does not know.",
         "Use the level codes of the guide."),
    Rule("edi.hl.too_deep", REJECT, _element("7", "12"),
         "The HL or CPS segments nest deeper than this gateway takes.",
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
    Rule("edi.write.repertoire", REJECT, Codes(),
         "Data holds characters that the syntax identifier of this interchange does not name.",
         "Change the text, or agree on a syntax identifier such as UNOC that has them."),
    Rule("edi.write.repetition", REJECT, Codes(),
         "An element is repeated, and this version has no repetition separator.",
         "Send one value, or agree on X12 00402 or later, or on EDIFACT syntax 4."),
    # Acknowledgments
    Rule("edi.acknowledgment.unreadable", REJECT, Codes(ak502="5", contrl="13"),
         "The acknowledgment lacks what names the group or interchange that it answers.",
         "Send AK1 and AK9 with the group's identifier and number, or UCI with the reference and an action."),
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
    # What is shown needs at most four bytes a character.
    text = data[: 4 * SHOWN + 4].decode("utf-8", "backslashreplace") if isinstance(data, bytes) else data
    if not text:
        return "nothing"
    cut = text if len(text) <= SHOWN else text[:SHOWN] + "…"
    return (
        f'"{cut}"' if cut.isprintable() else '"' + "".join(c if c.isprintable() else repr(c)[1:-1] for c in cut) + '"'
    )


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
