"""What could not be read of a directory: findings with file and line, at most so many of them."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.findings import FilePlace, Finding, Severity

MAX_FINDINGS = 200

RULES: Mapping[str, str] = {
    "directory.entry": "Every entry of a segment, composite or element directory begins with its tag and name.",
    "directory.row": "Every row of an entry has its position, tag, name and status (M or C).",
    "directory.table": "Every message has a segment table from UNH to UNT whose rows can be read.",
    "directory.drawing": "The brackets drawn beside a segment table open and close the segment groups.",
    "directory.trigger": "A segment group begins with its trigger segment: mandatory, once.",
    "directory.segment": "Every segment of a table stands in the segment directory.",
    "directory.composite": "Every composite of a segment stands in the composite directory.",
    "directory.element": "Every data element has its representation, in its row or in the element directory.",
    "directory.version": "A message belongs to the version of its directory.",
    "directory.twice": "A part of the directory stands once in the archive, an entry once in its part.",
    "directory.codes": "The archive has the code list when codes are to be closed.",
    "directory.more": f"At most {MAX_FINDINGS} findings are told.",
}
"""What is checked; docs/import-directory.md shows them."""


Where = tuple[str, int | None]
"""A file and its line, from 1."""


class Report:
    """Collects findings. A finding REJECTs what it stands in (left out), or is a note about what was taken."""

    def __init__(self) -> None:
        self._findings: list[Finding] = []

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that were told, in their order."""
        return tuple(self._findings)

    def left_out(self, rule: str, where: Where, said: str, wanted: str, fix: str) -> None:
        """Something could not be read and is not in the outcome."""
        self._tell(rule, where, (said, wanted, fix), Severity.REJECT)

    def note(self, rule: str, where: Where, said: str, wanted: str, fix: str) -> None:
        """Something was taken that is not quite as it should be."""
        self._tell(rule, where, (said, wanted, fix), Severity.ACCEPT_WITH_ERRORS)

    def _tell(self, rule: str, where: Where, words: tuple[str, str, str], severity: Severity) -> None:
        assert rule in RULES
        if len(self._findings) > MAX_FINDINGS:
            return
        if len(self._findings) == MAX_FINDINGS:
            rule, words = "directory.more", ("more findings", "fewer", "mend these first")
        said, wanted, fix = words
        place = FilePlace(file=where[0], line=where[1])
        self._findings.append(Finding(rule=rule, place=place, said=said, wanted=wanted, fix=fix, severity=severity))
