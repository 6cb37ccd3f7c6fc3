"""Puts a partner's implementation guide together: agreement, guides and maps of a workspace as one `Book`.

Reads maps and the files of their examples; looks at no clock.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from pydantic import BaseModel

from gateway.canonical import KINDS, shape
from gateway.cli.handbook import changes, examples, facts, parts
from gateway.cli.handbook.book import Book, Direction, Document, Example, Field
from gateway.cli.handbook.elements import Lists
from gateway.cli.handbook.words import ANSWERS, OTHER_PURPOSE, PURPOSES, human
from gateway.edi.delimiters import STANDARD
from gateway.edi.delta import PartnerGuide
from gateway.edi.guide import Guide
from gateway.edi.tree import Message
from gateway.edi.writing import Writer
from gateway.errors import OurFault
from gateway.mapping import Map, chain, compile_any, from_folders, shipped
from gateway.mapping.map import Sources
from gateway.partners.agreement import Agreement, DocumentRule, standard_of
from gateway.partners.guides import syntax_of
from gateway.partners.workspace import Workspace
from gateway.yamltext import near_miss

ORDER = tuple(PURPOSES)
"""Documents in the order of business."""
TRIED = 6
"""Made-up documents of which one is chosen."""
UNTOLD = frozenset({"extensions", "source"})
"""Fields that are ours alone."""
SIMPLE = {
    Decimal: "decimal",
    date: "date",
    datetime: "date and time",
    bool: "true or false",
    int: "number",
    dict: "object",
}
"""What plain values are, for people."""


def book(workspace: Workspace, agreement: Agreement, *, day: str, only: Collection[str] = ()) -> Book:
    """The guide for one partner; `day` is ISO 8601, `only` names kinds or sets (order_acknowledgement, 855).

    Raises OurFault for a map that cannot be used, and for a name in `only` that is not agreed.
    """
    wanted = sorted(_agreed(agreement, only), key=lambda one: ORDER.index(one[1]) if one[1] in ORDER else len(ORDER))
    maker = _Maker(workspace, agreement, day)
    documents = tuple(maker.document(direction, kind, rule) for direction, kind, rule in wanted)
    own = ("agreement", agreement.name, workspace.versions[agreement.name])
    versions = dict.fromkeys((own, *(version for document in documents for version in document.versions)))
    return Book(
        ours=workspace.settings.identity.name,
        partner=agreement.title,
        name=agreement.name,
        status=agreement.status.value,
        date=day,
        facts=tuple(facts.facts(workspace, agreement)),
        documents=documents,
        acknowledgments=tuple(facts.acknowledgments(agreement)),
        versions=tuple(versions),
        problems=tuple(maker.problems),
    )


def _agreed(agreement: Agreement, only: Collection[str]) -> list[tuple[Direction, str, DocumentRule]]:
    found: list[tuple[Direction, str, DocumentRule]] = []
    found += [("send", kind, rule) for kind, rule in agreement.documents.send.items()]
    found += [("receive", kind, rule) for kind, rule in agreement.documents.receive.items()]
    names = [name for _, kind, rule in found for name in (kind, rule.set) if name]
    for name in only:
        if name not in names:
            meant = near_miss(name, names)
            remedy = f"did you mean {meant}?" if meant else f"agreed are: {', '.join(dict.fromkeys(names)) or 'none'}"
            raise OurFault(f"no document {name} is agreed with {agreement.name}", remedy=remedy)
    return [one for one in found if not only or one[1] in only or one[2].set in only]


@dataclass(slots=True)
class _Maker:
    workspace: Workspace
    agreement: Agreement
    day: str
    problems: list[str] = field(default_factory=list)

    @property
    def sources(self) -> Sources:
        return from_folders(self.workspace.folder / "maps", shipped())

    def document(self, direction: Direction, kind: str, rule: DocumentRule) -> Document:
        """One kind of document in one direction."""
        purpose = ANSWERS.get(rule.set or "") or PURPOSES.get(kind, OTHER_PURPOSE)
        head = human(kind).capitalize()
        if rule.set is None:
            return Document(
                anchor=f"{direction}-{kind}", kind=kind, set="", title=head, direction=direction, standard="json",
                version="", purpose=purpose, fields=tuple(_fields(KINDS[kind])),
                notes=("The body of the request is this document as JSON. Decimals are texts, dates are ISO 8601.",),
            )  # fmt: skip
        guide, own_guide = self._guide(rule)
        anchor = f"{direction}-{rule.set.lower()}"
        plain = Document(
            anchor=anchor,
            kind=kind,
            set=rule.set,
            title=guide.label or head,
            direction=direction,
            standard=guide.standard,
            version=guide.version,
            purpose=purpose,
            changes=changes.guide_changes(own_guide.sources) if own_guide else (),
            versions=(("guide", own_guide.name, own_guide.hash),) if own_guide else (),
        )
        if rule.map is None:
            return replace(plain, notes=("No map is agreed yet.",))
        own = compile_any(rule.map, self.sources)
        if not isinstance(own, Map):
            return replace(plain, notes=(f"The map {own.name} is not for EDI.",))
        links = chain(rule.map, self.sources)
        found = self._examples(direction, guide, own, [link.name for link in links])
        lists = Lists(anchor)
        drawn = self._parts(plain, guide, own, lists, [message for _, message in found])
        if not found:
            found = self._invented(direction, guide, drawn.used)
            lists = Lists(anchor)
            drawn = self._parts(plain, guide, own, lists, [message for _, message in found])
        if not found:
            self.problems.append(f"{rule.set}: no example passes the check of the guide {guide.name}")
        return replace(
            plain,
            levels=parts.levels(guide, own),
            places=drawn.places,
            segments=drawn.segments,
            lists=tuple(lists.made),
            examples=tuple(example for example, _ in found),
            changes=(*plain.changes, *changes.map_changes(links)),
            versions=(*plain.versions, ("map", own.name, own.hash)),
        )

    def _parts(
        self, document: Document, guide: Guide, own: Map, lists: Lists, messages: Sequence[Message]
    ) -> parts.Parts:
        known = self.workspace.standard.segments(guide.version)
        writer = self._writer(guide)
        return parts.parts(
            guide, own, document.direction, document.anchor, lists, known=known, examples=messages, writer=writer
        )

    def _guide(self, rule: DocumentRule) -> tuple[Guide, PartnerGuide | None]:
        """The guide of a document, and the partner's own where that is it."""
        assert rule.set is not None
        own = self.workspace.guides.get(rule.guide) if rule.guide is not None else None
        if own is not None:
            return own.guide, own
        dialect = self.agreement.x12 if standard_of(rule.set) == "x12" else self.agreement.edifact
        version = "" if dialect is None else dialect.version
        found = self.workspace.standard.find(version, rule.set)
        if found is None:
            raise OurFault(
                f"there is no guide for {rule.set} in {version or 'a version that is not agreed'}",
                remedy="name one in the agreement (guide:), or choose a version that has one: gateway edi guides",
            )
        return found, None

    def _maker(self, direction: Direction, guide: Guide) -> examples.Maker:
        syntax = syntax_of(
            self.agreement,
            self.workspace.guides,
            standard=self.workspace.standard,
            direction=direction,
            dialect=self.agreement.dialect("edifact" if guide.standard == "edifact" else "x12"),
        )
        return examples.Maker(
            agreement=self.agreement,
            identity=self.workspace.settings.identity,
            direction=direction,
            guide=guide,
            guides=syntax.guides,
            at=examples.fixed(self.day),
        )

    def _examples(
        self, direction: Direction, guide: Guide, own: Map, names: Sequence[str]
    ) -> list[tuple[Example, Message]]:
        """Those of the map and its bases that pass the check; the map's own that do not are problems."""
        same, rest = examples.of_map(
            own,
            names,
            self.sources,
            workspace=self.workspace.folder,
            guides=self.workspace.standard,
            version=guide.version,
        )
        maker = self._maker(direction, guide)
        found, refused = maker.made(same)
        mine = {one.edi for one in own.examples}
        self.problems += [
            f"{guide.type}: the guide refuses an example of the map {own.name}: {file}: {reason}"
            for file, reason in refused
            if file in mine
        ]
        return found or maker.made(rest)[0]

    def _invented(self, direction: Direction, guide: Guide, used: frozenset[int]) -> list[tuple[Example, Message]]:
        """A made-up document of the places that are used."""
        found, _ = self._maker(direction, guide).made(examples.invented(guide, used), most=TRIED)
        # Made-up text tries every character; a guide for people shows plain ones where it can.
        return sorted(found, key=lambda one: not one[0].text.isascii())[:1]

    def _writer(self, guide: Guide) -> Writer:
        """For single segments."""
        if guide.standard == "edifact" and self.agreement.edifact is not None:
            return Writer(delimiters=examples.delimiters_edifact(self.agreement.edifact))
        if self.agreement.x12 is not None:
            return Writer(delimiters=examples.delimiters_x12(self.agreement.x12))
        return Writer(delimiters=STANDARD)


def _fields(model: type[BaseModel]) -> Iterator[Field]:
    """The fields of a canonical document, then those of each kind of object in it, once."""
    waiting: list[tuple[str, type[BaseModel]]] = [("", model)]
    known = {model}
    while waiting:
        group, own = waiting.pop(0)
        for name, step in shape.fields(own).items():
            if name in UNTOLD:
                continue
            named = [_kind(one) for one in step.models]
            waiting += [(_kind(one), one) for one in step.models if one not in known]
            known.update(step.models)
            what = " | ".join(step.words) or " | ".join(named) or SIMPLE.get(step.type, "text")
            yield Field(
                name=name,
                form=f"list of {what}" if step.many else what,
                required=step.required,
                text=step.description,
                group=group,
                refers=named[0] if len(named) == 1 else "",
            )


def _kind(model: type[BaseModel]) -> str:
    """The name of a kind of object for people: allowance charge."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", model.__name__).lower()
