"""Templates for a new partner: what an agreement of that kind begins with, and what is asked for it.

A template is values for `commented_yaml`, so every key stands in the new file, explained. What was not given stays a
comment, and the agreement a draft.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.errors import OurFault
from gateway.findings import Severity
from gateway.partners.agreement import Agreement
from gateway.partners.template import commented_yaml
from gateway.yamltext import near_miss, read_yaml, validate


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """One kind of partner."""

    title: str
    channel: str
    documents: Mapping[str, Mapping[str, Mapping[str, str]]]
    """Direction, kind, rule."""
    dialect: str = ""
    """The section with the partner's identity: x12, edifact."""


_X12 = {
    "purchase_order": {"set": "850", "map": "x12/850"},
    "order_acknowledgement": {"set": "855", "map": "x12/855"},
    "ship_notice": {"set": "856", "map": "x12/856"},
}
_EDIFACT = {
    "purchase_order": {"set": "ORDERS", "map": "edifact/ORDERS"},
    "order_acknowledgement": {"set": "ORDRSP", "map": "edifact/ORDRSP"},
    "ship_notice": {"set": "DESADV", "map": "edifact/DESADV"},
}
_ANSWERS = ("order_acknowledgement", "ship_notice")

TEMPLATES: Mapping[str, Template] = {
    "as2-x12": Template(
        title="a supplier, X12 over AS2: 850 out, 855 and 856 in",
        channel="as2",
        dialect="x12",
        documents={
            "send": {"purchase_order": _X12["purchase_order"]},
            "receive": {kind: _X12[kind] for kind in _ANSWERS},
        },
    ),
    "as2-x12-customer": Template(
        title="a customer, X12 over AS2: 850 in, 855 and 856 out",
        channel="as2",
        dialect="x12",
        documents={
            "send": {kind: _X12[kind] for kind in _ANSWERS},
            "receive": {"purchase_order": _X12["purchase_order"]},
        },
    ),
    "as2-edifact": Template(
        title="a supplier, EDIFACT over AS2: ORDERS out, ORDRSP and DESADV in",
        channel="as2",
        dialect="edifact",
        documents={
            "send": {"purchase_order": _EDIFACT["purchase_order"]},
            "receive": {kind: _EDIFACT[kind] for kind in _ANSWERS},
        },
    ),
    "rest": Template(
        title="a supplier without EDI, over our REST API",
        channel="rest",
        documents={"send": {"purchase_order": {}}, "receive": {kind: {} for kind in _ANSWERS}},
    ),
}


QUALIFIERS: Mapping[str, str] = {"x12": "ZZ", "edifact": ""}
"""What an interchange id is qualified by where nothing is said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What was given for a new partner; empty is not known yet."""

    title: str
    scheme: str
    value: str
    """How documents name the partner."""
    as2_id: str = ""
    url: str = ""
    certificate: str = ""
    qualifier: str = ""
    id: str = ""
    """The envelope's."""


def template_of(name: str) -> Template:
    """A template by its name. OurFault, with those there are, for another."""
    found = TEMPLATES.get(name)
    if found is None:
        meant = near_miss(name, TEMPLATES)
        remedy = f"did you mean {meant}?" if meant else f"templates are: {', '.join(TEMPLATES)}"
        raise OurFault(f"there is no template {name}", remedy=remedy)
    return found


def missing(template: Template, answers: Answers) -> tuple[str, ...]:
    """What must still be known before documents can flow, in words."""
    wanted = []
    if template.channel == "as2":
        wanted += [("their AS2 name", answers.as2_id), ("the address of their station", answers.url)]
        wanted += [("their certificate", answers.certificate)]
    if template.dialect:
        wanted += [("their interchange id", answers.id)]
    wanted += [("the id by which documents name them", answers.value)]
    return tuple(words for words, given in wanted if not given)


def partner_text(name: str, template: Template, answers: Answers) -> str:
    """The new file. OurFault, with the findings, where something given cannot be."""
    waits = missing(template, answers)
    values: dict[str, Any] = {
        "title": answers.title,
        "status": "draft" if waits else "testing",
        "channel": template.channel,
        "ids": [{"scheme": answers.scheme, "value": answers.value or "TODO"}],
        "documents": {
            direction: {kind: dict(rule) for kind, rule in kinds.items()}
            for direction, kinds in template.documents.items()
        },
    }
    if template.channel == "as2" and answers.as2_id and answers.url and answers.certificate:
        values["as2"] = {"id": answers.as2_id, "url": answers.url, "certificates": [answers.certificate]}
    if template.dialect and answers.id:
        identity = {"id": answers.id, "qualifier": answers.qualifier or QUALIFIERS[template.dialect]}
        values[template.dialect] = {"identity": {key: one for key, one in identity.items() if one}}
    if template.channel == "rest":
        values["rest"] = {}
    todo = f" TODO: {', '.join(waits)}; then write status: testing." if waits else ""
    heading = f"{name}: {template.title}.{todo} Check with: gateway partner check {name}"
    text = commented_yaml(Agreement, values, heading=heading)
    source, wrong = read_yaml(f"partners/{name}.yaml", text)
    tree = {**source.data, "name": name} if isinstance(source.data, dict) else source.data
    _, more = validate(type(source)(file=source.file, data=tree, lines=source.lines), Agreement)
    findings = tuple(one for one in (*wrong, *more) if one.severity is Severity.REJECT)
    if findings:
        raise OurFault(findings[0].text, remedy=findings[0].fix, findings=findings)
    return text
