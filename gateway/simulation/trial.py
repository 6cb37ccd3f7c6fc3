"""An agreement tried from both sides: its maps' examples, drawn and generated documents, and every scenario.

Pure but for the examples, which are loaded by the caller. What fails is a problem; what the guide or the map does not
allow to be said is a note, with its place and reason: a partner that never substitutes needs no code for it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway import canonical
from gateway.edi.generate import documents as generated
from gateway.edi.reading import read_all
from gateway.edi.tree import Loop
from gateway.errors import OurFault, PartnerFault
from gateway.findings import Finding, Severity
from gateway.mapping import Example, check_map
from gateway.mapping.draw import draw
from gateway.mapping.envelope import FIELDS as ENVELOPE
from gateway.mapping.laws import Load, flat
from gateway.partners.agreement import Agreement, DocumentRule, Kind
from gateway.partners.map_shelf import MapShelf
from gateway.partners.workspace import Workspace
from gateway.simulation.mirror import mirrored
from gateway.simulation.orders import capitals
from gateway.simulation.orders import order as sample_order
from gateway.simulation.scenarios import SCENARIOS
from gateway.simulation.voice import Heard, Spoken, Voice

Json = dict[str, Any]

ANSWERS: tuple[Kind, ...] = ("order_acknowledgement", "ship_notice")
CAPITALS_ONLY = "UNOA"
"""The syntax that has no small letters."""
DENSE = 0.7
"""The chance of what is optional in every second generated document: with little of it many lack what a map needs."""
SHOWN = 5
"""Problems and notes of one check that are kept word for word; the rest is counted."""
UNSAID = frozenset({"extensions", "source", "interchange", "group_control_number", "message_reference"})
"""Fields that no side means: the envelope's, and what is kept beside."""


@dataclass(kw_only=True, slots=True)
class Check:
    """One row of the table. `problems` fail it; `notes` are to be read."""

    kind: str
    set: str
    check: str
    runs: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    @property
    def state(self) -> str:
        """failed, noted or right."""
        return "failed" if self.problems else "noted" if self.notes else "right"

    def as_json(self) -> Json:
        """For programs."""
        return {
            "document": self.kind,
            "set": self.set,
            "check": self.check,
            "state": self.state,
            "runs": self.runs,
            "problems": [{"said": said, "times": times} for said, times in self.problems.items()],
            "notes": [{"said": said, "times": times} for said, times in self.notes.items()],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Sides:
    """Both sides of one agreement."""

    ours: Voice
    theirs: Voice

    def rules(self) -> Iterator[tuple[Kind, DocumentRule, Voice, Voice]]:
        """(kind, rule, who writes it, who reads it), what we send first."""
        for kind, rule in self.ours.agreement.documents.send.items():
            yield kind, rule, self.ours, self.theirs
        for kind, rule in self.theirs.agreement.documents.send.items():
            yield kind, rule, self.theirs, self.ours

    def buyer_and_seller(self) -> tuple[Voice, Voice] | None:
        """Who orders and who answers; None where neither orders nor answers are exchanged."""
        ours, theirs = self.ours.agreement.documents.send, self.theirs.agreement.documents.send
        if "purchase_order" in ours or any(kind in theirs for kind in ANSWERS):
            return self.ours, self.theirs
        answered = "purchase_order" in theirs or any(kind in ours for kind in ANSWERS)
        return (self.theirs, self.ours) if answered else None


def sides(workspace: Workspace, maps: MapShelf, agreement: Agreement) -> Sides:
    """Ours and theirs, from a workspace that is sound."""
    rules = (*agreement.documents.send.values(), *agreement.documents.receive.values())
    named = maps.of(rule.map for rule in rules if rule.map is not None)
    their_settings, their_agreement = mirrored(workspace.settings, agreement)

    def voice(settings: Any, own: Agreement) -> Voice:
        return Voice(settings=settings, agreement=own, maps=named, guides=workspace.guides, standard=workspace.standard)

    return Sides(ours=voice(workspace.settings, agreement), theirs=voice(their_settings, their_agreement))


def load_example(folders: Sequence[Path], both: Sides) -> Load:
    """The files of maps' examples, looked for in `folders` in turn."""
    standard = both.ours.standard

    def load(example: Example) -> tuple[Loop, Json] | None:
        for folder in folders:
            edi, known = folder / example.edi, folder / example.canonical
            if not (edi.is_file() and known.is_file()):
                continue
            interchanges = read_all(edi.read_bytes(), guides=standard)
            document = json.loads(known.read_text("utf-8"))
            wanted = {key: value for key, value in document.items() if key not in ENVELOPE}
            roots = [one.root for each in interchanges for group in each.groups for one in group.messages]
            return (roots[0], wanted) if roots else None
        return None

    return load


def steps(both: Sides, count: int) -> int:
    """How many documents a trial writes, for a progress bar."""
    return 2 * count * sum(rule.map is not None for _, rule, _, _ in both.rules()) + len(SCENARIOS)


def trial(
    both: Sides, *, count: int, seed: int, at: datetime, load: Load, done: Callable[[int], None] = lambda _: None
) -> Iterator[Check]:
    """Every check of every document, then every scenario. `done` hears of documents that were tried."""
    for kind, rule, speaker, hearer in both.rules():
        own = speaker.map_of(rule)
        if own is None:
            continue
        examples = Check(kind=kind, set=own.document, check="examples", runs=len(own.examples))
        examples.problems.update(f"{one.place}: {one.said}" for one in check_map(own, load))
        if not own.examples:
            examples.notes[f"the map {own.name} has no examples"] += 1
        yield examples
        yield _drawn(kind, rule, speaker, hearer, count=count, seed=seed, at=at, done=done)
        yield _generated(kind, rule, speaker, hearer, count=count, seed=seed, at=at, done=done)
    pair = both.buyer_and_seller()
    if pair is not None:
        for name in SCENARIOS:
            yield from _scenario(name, *pair, at=at)
            done(1)


def _drawn(
    kind: Kind,
    rule: DocumentRule,
    speaker: Voice,
    hearer: Voice,
    *,
    count: int,
    seed: int,
    at: datetime,
    done: Callable[[int], None],
) -> Check:
    """Whatever the map can express, written and read again; what the guide says of it is noted."""
    own = speaker.map_of(rule)
    assert own is not None
    check = Check(kind=kind, set=own.document, check="drawn from the map")
    for number in range(seed, seed + count):
        done(1)
        model, wrong = canonical.parse(own.canonical, draw(own, number))
        if model is None:
            check.problems[f"drawn {number}: {_text(wrong)}"] += 1
            continue
        check.runs += 1
        said = json.loads(json.dumps(canonical.dump(model)))
        writing = own.write(said)
        for one in writing.lost:
            check.problems[f"drawn {number}: {one.pointer} is lost: {one.reason}"] += 1
        reading = own.read(writing.root)
        again, wrong = canonical.parse(own.canonical, reading.document)
        if again != model:
            where = _text(wrong) if again is None else difference(said, canonical.dump(again))
            check.problems[f"drawn {number}: read again it says {where}"] += 1
            continue
        try:
            data = speaker.write(rule, writing.root, at=at, number=1)
        except PartnerFault as fault:
            check.notes[f"not writable by the guide: {_rule(fault.findings)}"] += 1
            continue
        heard = hearer.hear(kind, data)
        if heard.refused:
            check.notes[f"refused by the guide: {_rule(heard.refused)}"] += 1
        elif found := difference(said, heard.document):
            check.problems[f"drawn {number}: on the wire and back it says {found}"] += 1
    return check


def _generated(
    kind: Kind,
    rule: DocumentRule,
    speaker: Voice,
    hearer: Voice,
    *,
    count: int,
    seed: int,
    at: datetime,
    done: Callable[[int], None],
) -> Check:
    """Whatever the guide allows, read and written again: the same segments."""
    own, guide, wire = speaker.map_of(rule), speaker.guide_of(rule, sends=True), speaker.wire_of(rule)
    assert own is not None
    check = Check(kind=kind, set=own.document, check="generated by the guide")
    if guide is None or wire is None:
        check.problems["there is no guide for it in the version that is agreed"] += 1
        return check
    try:
        few = (count + 1) // 2
        roots = [
            *generated(guide, count=few, seed=seed),
            *generated(guide, count=count - few, seed=seed, density=DENSE),
        ]
    except OurFault as fault:
        check.notes[f"no document of the guide can be made: {fault}"] += 1
        return check
    for number, root in enumerate(roots, 1):
        done(1)
        check.runs += 1
        try:
            data = speaker.write(rule, root, at=at, number=1)
        except PartnerFault as fault:
            check.notes[f"not writable as agreed: {_rule(fault.findings)}"] += 1
            continue
        message = next(
            (one for each in hearer.read(wire, data) for group in each.groups for one in group.messages), None
        )
        if message is None or any(one.severity is Severity.REJECT for one in message.findings):
            check.problems[
                f"generated {number}: its own guide refuses it: {_text(message.findings if message else ())}"
            ] += 1
            continue
        reading = own.read(message.root)
        model, wrong = canonical.parse(own.canonical, reading.document)
        if model is None:
            check.notes[f"made-up values are no {own.canonical}: {_rule(wrong)}"] += 1
            continue
        writing = own.write(canonical.dump(model))
        if flat(writing.root) == flat(message.root):
            continue
        first = _first_difference(flat(message.root), flat(writing.root))
        try:
            # Only on the wire is it plain in which loop a segment stands.
            heard = hearer.hear(kind, speaker.write(rule, writing.root, at=at, number=1))
        except PartnerFault as fault:
            check.problems[f"generated {number}: cannot be written again: {_text(fault.findings)}"] += 1
            continue
        where = difference(_meant(canonical.dump(model)), _meant(heard.document))
        if where:
            check.problems[f"generated {number}: written again it is another document: {where} ({first})"] += 1
        else:
            check.notes[f"the same, written otherwise: {first}"] += 1
    return check


def _scenario(name: str, buyer: Voice, seller: Voice, *, at: datetime) -> Iterator[Check]:
    """An order written, heard, answered, and the answers heard."""
    ids = [one.model_dump() for one in (buyer.agreement.ids if buyer.agreement.name != "us" else ())]
    sellers = ids or [{"scheme": "assigned_by_buyer", "value": "V-1001"}]
    today = at.astimezone(UTC).date()
    edifact = buyer.agreement.edifact
    drafted = sample_order("4500012345", sellers, name=seller.settings.identity.name, today=today)
    if edifact is not None and edifact.syntax == CAPITALS_ONLY:
        drafted = capitals(drafted)
    model, _ = canonical.parse("purchase_order", drafted)
    assert model is not None
    ordered = canonical.dump(model)
    rule = buyer.agreement.documents.send.get("purchase_order")
    check = Check(kind="purchase_order", set=(rule.set if rule else None) or "", check=name)
    if rule is not None:
        check.runs = 1
        spoken = buyer.speak("purchase_order", ordered, at=at, number=1)
        heard = _judge(check, "the order", "purchase_order", spoken, seller)
        ordered = {} if heard is None else heard.document
    answer = SCENARIOS[name].answer(ordered, today) if ordered.get("lines") else None
    if answer is not None and not answer.documents():
        check.notes["the order is heard and not answered"] += 1
    if rule is not None:  # else an order is answered that came another way
        yield check
    if answer is None:
        return
    answers: dict[str, Check] = {}
    for number, (kind, document) in enumerate(answer.documents(), 1):
        own = seller.agreement.documents.send.get(kind)  # type: ignore[call-overload]
        here = answers.setdefault(kind, Check(kind=kind, set=(own.set if own else None) or "", check=name))
        if own is None:
            here.notes["not expressible: the agreement has no such document"] += 1
            continue
        here.runs += 1
        said, wrong = canonical.parse(kind, document)
        assert said is not None, wrong
        meant = canonical.dump(said)
        _judge(here, f"{name} {number}", kind, seller.speak(kind, meant, at=at, number=number), buyer)  # type: ignore[arg-type]
    yield from answers.values()


def _judge(check: Check, what: str, kind: Kind, spoken: Spoken, hearer: Voice) -> Heard | None:
    """What became of one document on its way to the other side; None where it did not arrive."""
    for one in spoken.lost:
        check.notes[f"not expressible: {one.pointer}: {one.reason}"] += 1
    # A document without what the map has no words for may be none: that is no fault of the map's.
    weight = check.notes if spoken.lost else check.problems
    if spoken.data is None:
        weight[f"{what} cannot be written: {_text(spoken.findings)}"] += 1
        return None
    heard = hearer.hear(kind, spoken.data)
    if heard.refused:
        weight[f"{what} is refused: {_text(heard.refused)}"] += 1
        return None
    if not spoken.lost and (found := difference(spoken.document, heard.document)):
        check.problems[f"{what} is understood otherwise: {found}"] += 1
    return heard


def difference(said: Any, heard: Any, at: str = "") -> str:
    """The first place where two documents differ, both values with it; empty where they say the same."""
    if isinstance(said, Mapping) and isinstance(heard, Mapping):
        for name in dict.fromkeys((*said, *heard)):
            if name in UNSAID or (name == "lines" and "contents" in said):
                continue
            left, right = said.get(name), heard.get(name)
            if name == "ids" and isinstance(left, list) and isinstance(right, list):
                # Ids are found by their scheme: the wire has an order of its own.
                left, right = sorted(left, key=_scheme), sorted(right, key=_scheme)
            if found := difference(left, right, f"{at}/{name}"):
                return found
        return ""
    if isinstance(said, list) and isinstance(heard, list) and len(said) == len(heard):
        pairs = enumerate(zip(said, heard, strict=True))
        return next((found for number, each in pairs if (found := difference(*each, f"{at}/{number}"))), "")
    return "" if said == heard else f"{at}: {_short(heard)}, not {_short(said)}"


def _scheme(id_: Any) -> str:
    return f"{id_.get('scheme')} {id_.get('value')}" if isinstance(id_, Mapping) else ""


def _meant(value: Any) -> Any:
    """A document without what is only kept beside its fields, and without items that say nothing else."""
    if isinstance(value, dict):
        inside = {name: _meant(each) for name, each in value.items() if name not in UNSAID}
        return {name: each for name, each in inside.items() if each not in (None, {}, [])}
    if isinstance(value, list):
        return [each for each in map(_meant, value) if each not in (None, {}, [])]
    return value


def _first_difference(said: Sequence[Any], written: Sequence[Any]) -> str:
    pairs = zip(said, written, strict=False)
    found = next(((a, b) for a, b in pairs if a != b), None)
    if found is None:
        return f"{len(written)} segments for {len(said)}"
    said, written = found
    if said[0] == written[0]:
        # Where the values alone differ, many documents share the reason.
        width = max(len(said), len(written))
        padded = zip((*said, *[""] * width), (*written, *[""] * width), strict=False)
        at, values = next((at, each) for at, each in enumerate(padded) if each[0] != each[1])
        return f"{said[0]}{at:02d} " + (_short(values[1]) if not values[0] else "in another form")
    return f"{_short(written)} for {_short(said)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:119] + "…"  # noqa: PLR2004  a line of the terminal


def _text(findings: Sequence[Finding]) -> str:
    return findings[0].text if findings else "no reason"


def _rule(findings: Sequence[Finding]) -> str:
    """A reason that many documents share: the rule and the element, without the value."""
    if not findings:
        return "no reason"
    place: Any = findings[0].place
    tag, element = getattr(place, "tag", None), getattr(place, "element", None)
    where = f"{tag}{element:02d}" if tag and element else tag or getattr(place, "pointer", "")
    return f"{findings[0].rule} {where}".strip()
