"""A partner's files in, all that an onboarding needs out: profile, agreement, guide and map deltas, a report's facts.

    survey      who sends what to whom; which tolerances, which charset it takes; which versions are read as others
    rounds      read, ask what the guide lacks, make the delta, read again by it, until nothing more is lacking
    maps        the guide-checked documents through the base maps, then through their deltas

The deltas are made as text and resolved from it: what is handed out has been used. Nothing is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from gateway.edi.delta import PartnerGuide, resolve
from gateway.edi.tree import Message
from gateway.errors import OurFault
from gateway.findings import FilePlace, Finding, Severity
from gateway.mapping import Map, compile_map
from gateway.onboarding import agreement_file, guide_delta, map_delta
from gateway.onboarding.map_delta import MapNeeds
from gateway.onboarding.map_lines import MapLines
from gateway.onboarding.needs import Mistake, Need, Needs
from gateway.onboarding.observe import Observer, SetKey, Where
from gateway.onboarding.outcome import Inference, Kind, Known, Outcome
from gateway.onboarding.profile import Direction, Profile, SetUse, merged
from gateway.onboarding.samples import How, Identity, Sample, best, observe
from gateway.onboarding.spots import Sites, Spot
from gateway.onboarding.whose import name_of, the_partner, versions_of

ROUNDS = 8
"""How often the files are read anew: a delta may bring up what was hidden behind what it lifted."""
ACKNOWLEDGMENTS = frozenset(("997", "999", "CONTRL", "TA1"))
"""Answers: they have guides, never maps of a partner."""


def infer(
    samples: list[Sample], known: Known, *, name: str | None = None, sender: str | None = None, strict: bool = False
) -> Inference:
    """All of it. OurFault where the files do not say of whom they are."""
    how, found = best(samples, known.guides)
    partner = the_partner(found, known.ours, sender)
    read_as = versions_of(found, known.guides, partner)
    how = replace(how, guides=known.guides.reading_as(read_as))
    return _Inferring(samples, known, how, partner, read_as, name or name_of(partner), strict=strict).run()


class _Inferring:
    """One run."""

    def __init__(  # noqa: PLR0917  what one run knows
        self,
        samples: list[Sample],
        known: Known,
        how: How,
        partner: Identity,
        read_as: Mapping[str, str],
        name: str,
        *,
        strict: bool,
    ) -> None:
        self.samples, self.known, self.how, self.partner = samples, known, how, partner
        self.read_as, self.name, self.strict = read_as, name, strict
        self.made: dict[str, PartnerGuide] = {}
        self.asked: dict[Kind, dict[tuple[str, str, str], Need]] = {}
        self.refused: dict[Kind, list[Finding]] = {}
        self.texts: dict[Kind, str] = {}
        self.maps: dict[Kind, tuple[Map, MapNeeds]] = {}

    def run(self) -> Inference:
        """All rounds, then the maps."""
        seen = self._look()
        first = seen.verdicts
        for _ in range(ROUNDS):
            if not self._delta(seen):
                break
            seen = self._look()
        outcomes = self._outcomes(seen, first)
        last = self._look(outcomes)
        for one in outcomes:
            one.then = last.verdicts.get(one.kind, Counter())
            needs = last.needs.get(one.kind, Needs())
            one.mistakes = [*needs.mistakes.values(), *_unmet(needs)]
            one.notes = list(needs.notes.values())
            self._map_text(one)
        if any(one.map_text for one in outcomes):
            self._look(outcomes)
        profile = last.observer.profile()
        mistakes = (*last.envelope.mistakes.values(), *last.envelope.notes.values())
        return Inference(
            name=self.name,
            profile=profile,
            how=self.how,
            read_as=self.read_as,
            outcomes=tuple(outcomes),
            envelope=tuple(one for one in mistakes if one.rule != "edi.message.wrong_group"),
            agreement=self._agreement(profile, outcomes),
            others=last.observer.passed,
        )

    # ---- rounds

    def _look(self, outcomes: list[Outcome] | None = None) -> _Seen:
        """One reading of all files by the guides as they are now; with `outcomes`, through their maps too."""
        guides = self.how.guides
        for made in self.made.values():
            guides = guides.with_guide(made.guide)
        for one in outcomes or ():
            self._base_map(one)
        seen = _Seen()

        def watch(message: Message, sites: Sites, spots: list[Spot], key: SetKey, where: Where) -> None:
            kind: Kind = (key[0], key[1], key[4])
            seen.verdicts.setdefault(kind, Counter())[message.outcome.value] += 1
            seen.needs.setdefault(kind, Needs()).message(message, sites, spots, where)
            through = self.maps.get(kind)
            if through is not None and outcomes is not None:
                through[1].read(through[0], message, spots, where)

        def wrong(file: str, found: Finding) -> None:
            where = Where(file, "")
            seen.envelope.mistake(found, getattr(found.place, "tag", None) or "the file", where.of(found.place))  # type: ignore[arg-type]

        seen.observer = Observer(self.partner, guides, watch)
        observe(self.samples, replace(self.how, guides=guides), seen.observer, wrong)
        return seen

    def _delta(self, seen: _Seen) -> bool:
        """Make the deltas with what was found lacking; whether anything new was."""
        uses = _by_kind(seen.observer.profile())
        new = False
        for kind, needs in seen.needs.items():
            asked = self.asked.setdefault(kind, {})
            before = {key: (one.low, one.high, len(one.codes)) for key, one in asked.items()}
            for key, need in needs.needs.items():
                known = asked.get(key)
                if known is None:
                    asked[key] = need
                else:
                    known.codes |= need.codes
                    known.low, known.high = min(known.low, need.low), max(known.high, need.high)
            if before != {key: (one.low, one.high, len(one.codes)) for key, one in asked.items()}:
                new = self._resolve(kind, merged(uses[kind])) or new
        return new

    def _resolve(self, kind: Kind, observed: SetUse) -> bool:
        """The delta as a guide; lines that it refuses are left out and told."""
        asked = self.asked[kind]
        name = f"{self.name}/{kind[1]}"
        for _ in range(len(asked) + 1):
            text = self._guide_text(kind, observed)
            made, findings = resolve(name, find=lambda own: (f"guides/{own}.yaml", text), guides=self.known.guides)  # noqa: B023  used at once
            if made is not None:
                self.made[kind[1]] = made
                self.texts[kind] = text
                return True
            wrong = [one for one in findings if one.severity is Severity.REJECT]
            keys = {one.place.key for one in wrong if isinstance(one.place, FilePlace) and one.place.key}
            out = [key for key in asked if any(_is_line(key, said, asked) for said in keys)] or list(asked)[-1:]
            self.refused.setdefault(kind, []).extend(wrong)
            for key in out:
                del asked[key]
            if not asked:
                return False
        return False

    def _guide_text(self, kind: Kind, observed: SetUse, *, strict: bool = False) -> str:
        segments = self.known.guides.segments(observed.guide.split("/")[1])
        lines = guide_delta.lines_of(self.asked.get(kind, {}).values(), observed, segments)
        guide = self.known.guides.find(*observed.guide.split("/")[1:])
        if strict and guide is not None:
            made = self.made.get(kind[1])
            lines = guide_delta.narrowed(made.guide if made is not None else guide, observed, lines)
        documents = f"{observed.documents} document{'' if observed.documents == 1 else 's'}"
        heading = [f"{documents} of {'/'.join(self.partner)}, beyond {observed.guide}; inferred, to be edited."]
        if observed.version[:6] in self.read_as:
            other = self.read_as[observed.version[:6]]
            heading.append(f"Version {observed.version} is read as {other}: read_as in partners/{self.name}.yaml.")
        return guide_delta.text_of(lines, extends=observed.guide, title=f"{self.name}: {kind[1]}", heading=heading)

    # ---- outcomes

    def _outcomes(self, seen: _Seen, first: dict[Kind, Counter[str]]) -> list[Outcome]:
        outcomes = []
        for kind, uses in sorted(_by_kind(seen.observer.profile()).items()):
            observed = merged(uses)
            one = Outcome(kind=kind, base=observed.guide, observed=observed, first=first.get(kind, Counter()))
            one.needs = list(self.asked.get(kind, {}).values())
            one.refused = self.refused.get(kind, [])
            if observed.guide and (self.strict or one.needs) and kind[1] not in ACKNOWLEDGMENTS:
                one.guide_name = f"{self.name}/{kind[1]}"
                text = self._guide_text(kind, observed, strict=self.strict)
                made, _ = resolve(
                    one.guide_name,
                    find=lambda own: (f"guides/{own}.yaml", text),  # noqa: B023  used at once
                    guides=self.known.guides,
                )
                if made is not None:
                    self.made[kind[1]] = made
                    one.guide_text = text
                else:
                    one.guide_text = self.texts.get(kind, "")
            outcomes.append(one)
        return outcomes

    def _base_map(self, one: Outcome) -> None:
        """The map that reads this kind of document, if there is one."""
        standard, type_, _ = one.kind
        version = one.base.split("/")[1] if one.base else ""
        fitting = [
            name
            for name in self.known.map_names
            if name.split("/")[0] == standard and name.split("/")[-1] == type_ and type_ not in ACKNOWLEDGMENTS
        ]
        # The one of this version before the one of all versions; never that of another version.
        ranked = sorted(fitting, key=lambda name: (version not in name.split("/"), name.count("/"), name))
        ranked = [name for name in ranked if version in name.split("/") or name.count("/") == 1]
        if not ranked or one.kind in self.maps:
            return
        try:
            own = compile_map(ranked[0], self.known.maps)
        except OurFault:
            return
        one.base_map = ranked[0]
        one.canonical = own.canonical
        others = (self.known.lines_of(name) for name in sorted(self.known.map_names) if name != ranked[0])
        alike = tuple(other for other in others if other.canonical and other.lines)
        one.map_needs = MapNeeds(lines=self.known.lines_of(ranked[0]), others=alike)
        self.maps[one.kind] = (own, one.map_needs)

    def _map_text(self, one: Outcome) -> None:
        """The map's delta, if there is anything to say in one."""
        needs = one.map_then = one.map_needs
        if needs is None or not needs.anything:
            return
        one.map_name = f"{self.name}/{one.kind[1]}"
        rest: dict[str, str] = {}
        for table in needs.closed:
            for word in ("keep", "other"):
                if self._compiled(one, {**rest, table: word}) is not None:
                    rest[table] = word
                    break
        made = self._compiled(one, rest)
        if made is None:
            # Even without a decision about codes it is refused: the base map stands, what it lacks is reported.
            return
        one.map_text = self._written(one, rest)
        one.map_then = MapNeeds(lines=MapLines(one.map_name, self._with(one)))
        self.maps[one.kind] = (made, one.map_then)

    def _with(self, one: Outcome) -> Callable[[str], tuple[str, str]]:
        """The maps there are, and the delta."""
        name, text = one.map_name, one.map_text

        def find(own: str) -> tuple[str, str]:
            return (f"maps/{own}.yaml", text) if own == name else self.known.maps(own)

        return find

    def _compiled(self, one: Outcome, rest: dict[str, str]) -> Map | None:
        """The delta with these decisions about unknown codes; None where the map is refused."""
        text = self._written(one, rest)

        def find(name: str) -> tuple[str, str]:
            return (f"maps/{name}.yaml", text) if name == one.map_name else self.known.maps(name)

        try:
            return compile_map(one.map_name, find)
        except OurFault:
            return None

    def _written(self, one: Outcome, rest: dict[str, str]) -> str:
        assert one.map_needs is not None
        documents = f"{one.map_needs.documents} document{'' if one.map_needs.documents == 1 else 's'}"
        heading = [f"{documents} of {'/'.join(self.partner)}, beyond {one.base_map}; inferred, to be edited."]
        title = f"{self.name}: {one.kind[1]}"
        return map_delta.text_of(one.map_needs, rest, extends=one.base_map, title=title, heading=heading)

    # ---- the agreement

    def _agreement(self, profile: Profile, outcomes: list[Outcome]) -> str:
        documents: list[agreement_file.DocumentLine] = []
        without: list[str] = []
        taken: set[tuple[Direction, str]] = set()
        for one in outcomes:
            _, type_, direction = one.kind
            if type_ in ACKNOWLEDGMENTS:
                continue
            if not one.canonical or (direction, one.canonical) in taken:
                without.append(f"{type_} ({one.observed.documents})")
                continue
            taken.add((direction, one.canonical))
            line = agreement_file.DocumentLine(
                direction=direction,
                kind=one.canonical,
                set=type_,
                map=one.map_name if one.map_text else one.base_map,
                guide=one.guide_name if one.guide_text else "",
                note=f"{one.observed.documents} came, version {one.observed.version}",
            )
            documents.append(line)
        ids, title = self._ids(profile, outcomes)
        facts = agreement_file.Facts(
            name=self.name,
            title=title,
            profile=profile,
            how=self.how,
            read_as=self.read_as,
            ids=ids,
            documents=documents,
            without=without,
            ours=self.known.ours,
        )
        return agreement_file.text_of(facts)

    def _ids(self, profile: Profile, outcomes: list[Outcome]) -> tuple[list[tuple[str, str, str]], str]:
        """How documents name the partner, and the company's name."""
        ids: Counter[tuple[str, str]] = Counter()
        names: Counter[str] = Counter()
        for one in outcomes:
            if one.map_needs is None:
                continue
            orders = one.canonical in agreement_file.ORDERS
            theirs = {"buyer"} if orders == (one.kind[2] == "receive") else {"seller", "supplier"}
            for (role, scheme, value), count in one.map_needs.parties.items():
                if role in theirs and scheme.isidentifier() and scheme.islower():
                    ids[scheme, value] += count
            for (role, own), count in one.map_needs.names.items():
                if role in theirs:
                    names[own] += count
        told = [
            (scheme, value, f"{count}x in their documents")
            for (scheme, value), count in ids.most_common(agreement_file.MOST_IDS)
        ]
        qualifier, own_id = self.partner
        if not told:
            standard = profile.habit("standard") or "x12"
            scheme = agreement_file.SCHEMES[standard].get(qualifier, "mutual")
            told = [(scheme, own_id, "TODO: their documents name no seller or buyer by an id; this is the envelope's")]
        return told, next((own for own, _ in names.most_common(1)), self.name)


@dataclass(slots=True)
class _Seen:
    """What one reading of all files found."""

    observer: Observer = field(init=False)
    needs: dict[Kind, Needs] = field(default_factory=dict)
    verdicts: dict[Kind, Counter[str]] = field(default_factory=dict)
    envelope: Needs = field(default_factory=Needs)


def _by_kind(profile: Profile) -> dict[Kind, list[SetUse]]:
    """The versions of each kind of document; only those of the guide that most of them have."""
    found: dict[Kind, list[SetUse]] = {}
    for one in profile.sets:
        found.setdefault((one.standard, one.type, one.direction), []).append(one)
    for kind, uses in found.items():
        guides = Counter[str]()
        for one in uses:
            guides[one.guide] += one.documents
        most = guides.most_common(1)[0][0]
        found[kind] = [one for one in uses if one.guide == most]
    return found


def _is_line(key: tuple[str, str, str], said: str, asked: Mapping[tuple[str, str, str], Need]) -> bool:
    """Whether a finding's key in the file is this need's line; lists are named by their index."""
    section, _, rest = said.partition(".")
    if section != key[0]:
        return section == "segments" and key[0] in {"after", "before"} and asked[key].at.tag == rest.split(".")[0]
    if rest.isdigit():
        listed = list(dict.fromkeys(one.key for one in asked.values() if one.section == section))
        return int(rest) < len(listed) and listed[int(rest)] == key[1]
    return rest == key[1] or rest.startswith(f"{key[1]}.")


def _unmet(needs: Needs) -> list[Mistake]:
    """Needs that are still there when all rounds are over: what the guide would not take."""
    return [
        Mistake(
            rule=one.rule,
            severity=Severity.REJECT,
            where=one.key,
            said=one.said,
            wanted="what the guide has there",
            fix="define it by hand in the guide delta, or have the partner correct it",
            at=one.at,
            count=one.count,
        )
        for one in needs.needs.values()
    ]
