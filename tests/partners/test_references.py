"""What an agreement translates: sections that say what they mean, and fields that exist."""

from __future__ import annotations

import pytest

from gateway.partners.agreement import References
from gateway.yamltext import read_yaml, validate


def wrong(text: str) -> list[str]:
    """What is found wrong."""
    source, findings = read_yaml("p.yaml", text.encode())
    assert not findings
    return [f"{one.place}: {one.said}; {one.wanted}" for one in validate(source, References)[1]]


def test_all_lists_as_the_mapping_wants_them() -> None:
    """What is not named is not translated."""
    text = (
        "items: {theirs: supplier, ours: buyer}\nunits: {unknown: keep}\n"
        "locations: {theirs: a, ours: b, roles: [ship_to]}\n"
        "codes: {carrier.scac: {list: carriers}, lines.responses.reason: {}}\n"
    )
    source, _ = read_yaml("p.yaml", text.encode())
    made, findings = validate(source, References)
    assert (made is not None, findings) == (True, ())
    assert made is not None
    agreed = made.agreed
    assert (agreed.items is not None, agreed.units, agreed.parties, agreed.roles) == (True, "keep", None, {"ship_to"})
    assert [(one.path, one.list) for one in agreed.codes] == [
        (("carrier", "scac"), "carriers"),
        (("lines", "responses", "reason"), "codes"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("items: {theirs: buyer, ours: buyer}", "two schemes"),
        ("codes: {carrier.skac: {}}", "there is no carrier.skac; did you mean scac?"),
        ("codes: {carrier: {}}", "which carrier is not, such as carrier."),
        ("codes: {lines.quantity.value: {}}", "free text, which lines.quantity.value is not"),
        ("codes: {response: {}}", "free text, which response is not"),
        ("codes: {extensions.x12: {}}", "there is no extensions"),
        ("items: {theirs: supplier, ours: buyer, unknown: ask}", "'hold' or 'keep'"),
        ("itms: {}", "items"),
    ],
)
def test_mistakes_are_findings_with_the_near_miss(text: str, said: str) -> None:
    """At their line."""
    (one,) = wrong(text)
    assert one.startswith("p.yaml:1 ")
    assert said in one
