"""Cross-references: a partner's word for an item, unit, place, party or code, and ours, each for the days it holds.

`References` is a frozen snapshot of one partner's rows and of those for all partners. It looks up in both directions,
the partner's own row before one for all, a row for the scheme before one for any. It reads and writes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from rapidfuzz import fuzz, process

ALL = ""
"""As the partner of a row: it holds for every partner that has no row of its own."""
ANY = ""
"""As the scheme of a row: it holds whatever the scheme is."""
LISTS = ("items", "units", "locations", "parties", "codes")
"""The lists that have a meaning of their own; others are named by `references.codes` of an agreement."""
NEAR = 70
"""Score, of 100, from which a match is worth suggesting."""
SURE = 95
"""Score from which a suggestion goes into the printed command: numbers that differ in a digit are other items."""
SUGGESTED = 3
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class CrossReference:
    """One row. Without `valid_from` or `valid_to` (the last day) it holds from, or for, ever."""

    partner: str
    list: str
    scheme: str = ANY
    """items, locations, parties: the scheme of `theirs`; units: the partner's number of the item that it holds for."""
    theirs: str
    ours: str
    factor: Decimal | None = None
    """units: how many of ours one of theirs is; None for one."""
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None
    id: str = ""
    origin: str = ""
    """The message that taught it."""
    changed_at: dt.datetime | None = None
    changed_by: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What may have one row a day."""
        return self.partner, self.list, self.scheme, self.theirs

    @property
    def starts(self) -> dt.date:
        """The first day."""
        return self.valid_from or dt.date.min

    @property
    def ends(self) -> dt.date:
        """The last day."""
        return self.valid_to or dt.date.max

    def holds(self, day: dt.date) -> bool:
        """Whether it holds on that day."""
        return self.starts <= day <= self.ends

    def overlaps(self, other: CrossReference) -> bool:
        """Whether both speak of one word on one day."""
        return self.key == other.key and self.starts <= other.ends and other.starts <= self.ends

    def says_as(self, other: CrossReference) -> bool:
        """Whether both say the same, for the same days."""
        mine = (self.key, self.ours, self.factor, self.starts, self.ends)
        return mine == (other.key, other.ours, other.factor, other.starts, other.ends)


@dataclass(frozen=True, kw_only=True, slots=True)
class Near:
    """A row that may have been meant."""

    row: CrossReference
    score: int
    """Of 100."""


class References:
    """The rows that hold for one partner, those of `ALL` included; `version` says which state of the tables."""

    def __init__(self, rows: Iterable[CrossReference] = (), version: str = "", partner: str = ALL) -> None:
        self.version, self.partner = version, partner
        self._theirs: dict[tuple[str, str], list[CrossReference]] = defaultdict(list)
        self._ours: dict[tuple[str, str], list[CrossReference]] = defaultdict(list)
        self._spoken: dict[str, list[tuple[str, list[CrossReference]]]] = {}
        """By list, every word of both sides as `near` compares it; made when something is first unknown."""
        self.size = 0
        for row in rows:
            self._theirs[row.list, row.theirs].append(row)
            self._ours[row.list, row.ours].append(row)
            self.size += 1

    def ours(self, list_: str, scheme: str, theirs: str, day: dt.date) -> CrossReference | None:
        """The row for a word of the partner's on that day. Blanks around a word say nothing: no row has any."""
        found = _nearest(self._theirs.get((list_, theirs.strip()), ()), scheme.strip(), day)
        return found[0] if found else None

    def theirs(self, list_: str, scheme: str, ours: str, day: dt.date) -> tuple[CrossReference, ...]:
        """The row for a word of ours on that day; several where nothing says which of the partner's words is meant.

        The same word on both sides goes first, then the row that began last. A row whose word means something else to
        this partner, by a nearer row, says nothing: what is written would be read as that.
        """
        rows = (
            row for row in self._ours.get((list_, ours.strip()), ()) if self.ours(list_, scheme, row.theirs, day) is row
        )
        found = _nearest(rows, scheme.strip(), day)
        if same := [row for row in found if row.theirs == row.ours and row.factor is None]:
            return tuple(same[:1])
        last = max((row.starts for row in found), default=None)
        return tuple(row for row in found if row.starts == last)

    def near(self, list_: str, said: str, day: dt.date) -> tuple[Near, ...]:
        """Rows with a word like `said` on either side, the best first, each of our words once."""
        if list_ not in self._spoken:
            sides = (self._theirs, self._ours)
            self._spoken[list_] = [
                (_plain(word), rows) for side in sides for (of, word), rows in side.items() if of == list_
            ]
        spoken = self._spoken[list_]
        best: dict[str, Near] = {}
        wanted = _plain(said)
        found = process.extract(
            wanted, [word for word, _ in spoken], scorer=fuzz.ratio, limit=4 * SUGGESTED, score_cutoff=NEAR
        )
        for _, score, number in found:
            row = next((one for one in spoken[number][1] if one.holds(day)), None)
            if row is not None:
                best.setdefault(row.ours, Near(row=row, score=round(score)))
        return tuple(best.values())[:SUGGESTED]


def _plain(word: str) -> str:
    """What people mistype does not count: case, blanks, hyphens, dots."""
    return "".join(sign for sign in word.upper() if sign.isalnum()) or word


def _nearest(rows: Iterable[CrossReference], scheme: str, day: dt.date) -> list[CrossReference]:
    """Those that hold on that day and are nearest: the partner's before all partners', the scheme's before any's."""
    ranked: dict[tuple[bool, bool], list[CrossReference]] = defaultdict(list)
    for row in rows:
        if row.scheme in {scheme, ANY} and row.holds(day):
            ranked[row.partner == ALL, row.scheme == ANY].append(row)
    return ranked[min(ranked)] if ranked else []


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What teaching some rows would change in the tables; nothing may be written while there are `clashes`."""

    add: tuple[CrossReference, ...] = ()
    end: tuple[tuple[CrossReference, dt.date], ...] = ()
    """Rows that were open and now end on that day, because a later one follows."""
    retire: tuple[CrossReference, ...] = ()
    """Rows that another one of the same first day takes the place of."""
    unchanged: tuple[int, ...] = ()
    """Positions of wanted rows that the tables have already."""
    clashes: tuple[tuple[int, CrossReference], ...] = ()
    """Positions of wanted rows that overlap with a row that stands, or with another wanted one."""

    @property
    def changes(self) -> int:
        """How many rows would be touched."""
        return len(self.add) + len(self.end) + len(self.retire)


def plan(current: Iterable[CrossReference], wanted: Iterable[CrossReference]) -> Plan:
    """How the `current` rows become what is `wanted`: what starts later ends what was open before; the same first day
    replaces; everything else that overlaps is a clash. Rows that nobody mentions stay.
    """
    standing: Mapping[tuple[str, str, str, str], list[CrossReference]] = defaultdict(list)
    for row in current:
        standing[row.key].append(row)
    added: dict[int, CrossReference] = {}
    ended: dict[str, tuple[CrossReference, dt.date]] = {}
    retired: list[CrossReference] = []
    unchanged: list[int] = []
    clashes: list[tuple[int, CrossReference]] = []
    in_order = sorted(enumerate(wanted), key=lambda one: (one[1].key, one[1].starts))
    mentioned: dict[tuple[str, str, str, str], list[CrossReference]] = defaultdict(list)
    for number, row in in_order:
        known = standing[row.key]
        twice = next((one for one in mentioned[row.key] if one.overlaps(row)), None)
        mentioned[row.key].append(row)
        if twice is not None and not twice.says_as(row):
            clashes.append((number, twice))
            continue
        if twice is not None or any(one.says_as(row) for one in known):
            unchanged.append(number)
            continue
        for one in [one for one in known if one.overlaps(row)]:
            if one.starts == row.starts:
                retired.append(one)
                known.remove(one)
            elif one.starts < row.starts and one.valid_to is None:
                until = row.starts - DAY
                ended[one.id] = (one, until)
                known[known.index(one)] = replace(one, valid_to=until)
            else:
                clashes.append((number, one))
                break
        else:
            added[number] = row
            known.append(row)
    return Plan(
        add=tuple(added[number] for number in sorted(added)),
        end=tuple(ended.values()),
        retire=tuple(retired),
        unchanged=tuple(sorted(unchanged)),
        clashes=tuple(sorted(clashes, key=lambda one: one[0])),
    )
