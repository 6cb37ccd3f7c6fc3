"""What later files of a partner may have that the profile had not: one table, one maker."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.findings import EdiPlace, Finding, Severity

RULES: Mapping[str, tuple[str, str]] = {
    "profile.sender": (
        "Files are of the sender of whom the profile is.",
        "Ask the partner about the new id; agree it in partners/NAME.yaml, or onboard the sender of its own.",
    ),
    "profile.habit": (
        "Envelopes and syntax are as they were: ids, versions, separators, charset.",
        "Ask the partner whether it stays so; then infer again, or agree it in partners/NAME.yaml.",
    ),
    "profile.set": (
        "A kind of document came before, in this version.",
        "Agree it: infer again with these files, or have the partner stop.",
    ),
    "profile.place": (
        "A segment came before at this place.",
        "See whether the map reads it as it should; infer again to take it up.",
    ),
    "profile.repeat": ("A segment comes no more often than before.", "See whether the map reads all of them."),
    "profile.element": ("An element was used before.", "See whether the map reads it; infer again to take it up."),
    "profile.code": ("A code was used before.", "See what the map makes of it; add it to the table of codes."),
    "profile.length": ("A value is no longer than before.", "See whether the receiving system takes so many."),
}
"""Each rule with what it asks for and what to do; all are notes."""


def finding(rule: str, place: EdiPlace, *, said: str, wanted: str) -> Finding:
    """A note of `rule`."""
    return Finding(rule=rule, place=place, said=said, wanted=wanted, fix=RULES[rule][1], severity=Severity.ACCEPT)
