"""A finding as it is stored with its document and shown by the API."""

from __future__ import annotations

from dataclasses import asdict

from gateway.findings import Finding
from gateway.ports import Json


def as_json(finding: Finding) -> Json:
    """A finding as JSON: what is not said is left out."""
    place = {key: value for key, value in asdict(finding.place).items() if value is not None}
    codes = {key: value for key, value in asdict(finding.codes).items() if value is not None}
    return {
        "rule": finding.rule,
        "place": place,
        "text": finding.text,
        "said": finding.said,
        "wanted": finding.wanted,
        "fix": finding.fix,
        "severity": finding.severity.value,
        **({"codes": codes} if codes else {}),
    }
