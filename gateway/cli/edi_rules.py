"""`gateway edi rules` and `gateway edi rule`: what the syntax engine looks for."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from gateway.cli.answers import COLOURS, AsJson, answering, show, show_json
from gateway.edi.rules import RULES
from gateway.edi.rules_page import markdown
from gateway.errors import OurFault
from gateway.findings import Codes, Severity
from gateway.yamltext import near_miss

MEANING = {
    Severity.ACCEPT: "a note: the data is taken as it is",
    Severity.ACCEPT_WITH_ERRORS: "an error: the data is taken, and the error is reported",
    Severity.REJECT: "a refusal: of the message, the group or the interchange it stands in",
}
CODES = {
    "ta105": "TA1, note code TA105",
    "ak304": "997, segment error AK304",
    "ak403": "997, element error AK403",
    "ak502": "997, set error AK502",
    "ak905": "997 and 999, group error AK905",
    "ik304": "999, segment error IK304",
    "ik403": "999, element error IK403",
    "ik502": "999, set error IK502",
    "contrl": "CONTRL, syntax error 0085",
}


def rules() -> None:
    """Print every rule of the syntax engine as Markdown, the text of docs/rules.md.

    Example: gateway edi rules > docs/rules.md
    """
    sys.stdout.write(markdown())


def _complete(incomplete: str) -> list[str]:
    return [name for name in RULES if name.startswith(incomplete)]


def rule(
    name: Annotated[str, typer.Argument(metavar="RULE", help="The rule's id.", autocompletion=_complete)],
    *,
    as_json: AsJson = False,
) -> None:
    """Explain one rule: what is wrong, what to do, how grave it is, what the acknowledgments call it.

    Example: gateway edi rule edi.element.too_long
    """
    with answering():
        row = RULES.get(name)
        if row is None:
            ending = [one for one in RULES if one.endswith(f".{name}")]
            meant = " or ".join(ending) or near_miss(name, RULES) or near_miss(f"edi.{name}", RULES)
            remedy = f"did you mean {meant}?" if meant else "list them: gateway edi rules"
            raise OurFault(f"there is no rule {name}", remedy=remedy)
    if as_json:
        codes = {key: value for key, value in asdict(row.codes).items() if value is not None}
        show_json({"rule": row.id, "text": row.text, "fix": row.fix, "severity": row.severity.value, "codes": codes})
        return
    show(Text(row.id, style="bold"))
    show(f"  {row.text}")
    show(f"  What to do: {row.fix}")
    show(Text.assemble("  It is ", (MEANING[row.severity], COLOURS[row.severity])))
    said = _codes(row.codes)
    for line in said or ["no code: the acknowledgments do not name it"]:
        show(f"  {line}")


def _codes(codes: Codes) -> list[str]:
    """One line for each code; a 999 says what the 997 says where it has no code of its own."""
    return [f"{words}: {code}" for key, words in CODES.items() if (code := getattr(codes, key)) is not None]
