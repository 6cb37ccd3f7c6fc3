"""Every rule of the canonical documents: its name, what it means, the remedy, and what breaking it does.

Findings about canonical documents are made here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.findings import Finding, JsonPlace, Severity


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A rule's documentation and verdict."""

    text: str
    fix: str
    severity: Severity = Severity.REJECT


_WITH_ERRORS = Severity.ACCEPT_WITH_ERRORS

RULES: dict[str, Rule] = {
    "canonical.kind.unknown": Rule(text="The document kind is one of ours.", fix="Use one of the kinds named."),
    "canonical.document.too_deep": Rule(
        text="A document nests at most 64 levels.", fix="Send a document that nests less deeply."
    ),
    "canonical.document.more_findings": Rule(
        text="The first 100 findings are told, the gravest first; this one counts the rest.",
        fix="Correct those that are told and send it again.",
    ),
    "canonical.list.too_long": Rule(
        text="A list has at most 20,000 items.", fix="Send the rest as a document of its own."
    ),
    "canonical.field.missing": Rule(text="A required field has a value.", fix="Add the field."),
    "canonical.field.unknown": Rule(
        text="Only documented fields occur.", fix="Remove the field, or use the name that was meant."
    ),
    "canonical.field.type": Rule(text="A value has its field's type.", fix="Send a value of the type named."),
    "canonical.field.value": Rule(text="A value is one that its field allows.", fix="Send one of the allowed values."),
    "canonical.field.limit": Rule(
        text="A value keeps within its field's limits.", fix="Send a value within the limit."
    ),
    "canonical.quantity.negative": Rule(text="Quantities are not negative.", fix="Send the quantity without a sign."),
    "canonical.item.check_digit": Rule(
        text="GTIN, UPC and EAN have a length of theirs and a right check digit.",
        fix="Correct the number, or send it under the scheme it belongs to.",
        severity=_WITH_ERRORS,
    ),
    "canonical.party.check_digit": Rule(
        text="A GLN has 13 digits and a right check digit.",
        fix="Correct the number, or send it under the scheme it belongs to.",
        severity=_WITH_ERRORS,
    ),
    "canonical.currency.code": Rule(
        text="A currency is an ISO 4217 code of three letters.",
        fix="Send the three-letter code.",
        severity=_WITH_ERRORS,
    ),
    "canonical.dates.order": Rule(
        text="The earlier of two dates is not after the later one.",
        fix="Correct one of the two.",
        severity=_WITH_ERRORS,
    ),
    "canonical.lines.same_id": Rule(
        text="Line numbers of an order are unique.", fix="Give each line its own number.", severity=_WITH_ERRORS
    ),
    "canonical.totals.line_count": Rule(
        text="A stated line count is the number of lines.", fix="State the number of lines.", severity=_WITH_ERRORS
    ),
    "canonical.sscc.length": Rule(text="An SSCC has 18 digits.", fix="Send all 18 digits, leading zeros included."),
    "canonical.sscc.check_digit": Rule(
        text="The last digit of an SSCC is its check digit.", fix="Correct the SSCC, or the program that makes it."
    ),
    "canonical.sscc.twice": Rule(
        text="An SSCC stands on one package only.", fix="Give each package its own SSCC.", severity=_WITH_ERRORS
    ),
    "canonical.contents.nesting": Rule(
        text="An order stands under no line and under no other order.",
        fix="Put the order above its packages and lines.",
    ),
    "canonical.contents.too_deep": Rule(
        text="Contents nest at most 20 levels.", fix="Pack with fewer levels, or report the inner ones as marks."
    ),
    "canonical.contents.no_order": Rule(
        text="Each line stands below, above or beside the order it fills.",
        fix="Put the line below its order's node.",
        severity=_WITH_ERRORS,
    ),
}


def finding(rule: str, pointer: str, *, said: str, wanted: str, fix: str | None = None) -> Finding:
    """A finding of `rule` at the JSON Pointer `pointer`."""
    row = RULES[rule]
    return Finding(
        rule=rule,
        place=JsonPlace(pointer=pointer),
        said=said if len(said) <= 80 else said[:77] + "…",  # noqa: PLR2004  one line of a terminal
        wanted=wanted,
        fix=fix or row.fix,
        severity=row.severity,
    )
