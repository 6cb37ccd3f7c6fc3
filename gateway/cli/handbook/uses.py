"""What a map does at each place of a guide: which rules take a segment, and which lines its elements.

Guide and map are walked side by side: a loop of the guide is where the map's rules for that loop apply. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gateway.edi.guide import Guide, LoopUse, Use
from gateway.mapping.map import Map
from gateway.mapping.paths import Path
from gateway.mapping.segments.hierarchy import DOCUMENT, Tree
from gateway.mapping.segments.inherit import Inherited
from gateway.mapping.segments.lens import Lens
from gateway.mapping.segments.packages import Packages
from gateway.mapping.segments.rule import Rule
from gateway.mapping.segments.scope import Scope
from gateway.mapping.segments.segment import SegmentLens, Selectors
from gateway.mapping.segments.several import Each, Repeated, Scalars
from gateway.mapping.segments.single import Ignored, Inside, One
from gateway.mapping.segments.words import Spot

FIRST = Spot(0, 1)
"""Element 01, where qualifiers stand."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Taking:
    """One rule of the map at a place of the guide."""

    lens: SegmentLens
    prefix: str
    """The object that its fields belong to: `lines[].responses[].`; empty for the document."""
    each: str = ""
    """The list that it makes an item of."""
    condition: str = ""
    number: int = 0
    """Only the n-th of its like, from 1; 0 for any."""
    level: str = ""
    """The level of the hierarchy that it holds for."""
    inherit: str = ""
    """The list whose items it speaks of."""
    ignored: bool = False

    def field(self, path: Path) -> str:
        """A field of the document by its whole name."""
        own = ".".join(map(str, path))
        return f"{self.prefix}{own}" if own else self.prefix.rstrip(".")


@dataclass(frozen=True, kw_only=True, slots=True)
class Spotted:
    """A place of the guide with what the map does there."""

    item: Use | LoopUse
    path: tuple[str, ...]
    """The loops above it."""
    takings: tuple[Taking, ...]
    """Of a loop those of the segment that starts it."""
    hierarchy: bool = False
    """Its numbers are the engine's: HL, CPS."""

    @property
    def used(self) -> bool:
        """Whether a line of the map reads or writes something of it."""
        return self.hierarchy or any(not one.ignored for one in self.takings)


@dataclass(frozen=True, slots=True)
class _Context:
    scope: Scope
    prefix: str = ""
    level: str = ""
    head: Taking | None = None
    """What the loop itself says: its list, its condition."""


@dataclass(slots=True)
class _Walk:
    found: list[Spotted] = field(default_factory=list)

    def items(self, items: Iterable[Use | LoopUse], contexts: list[_Context], path: tuple[str, ...], tree: str) -> None:
        for number, item in enumerate(items):
            if isinstance(item, LoopUse):
                self._loop(item, contexts, path)
            else:
                takings = tuple(_takings(item, contexts, first=bool(path) and not number))
                hierarchy = item.tag == tree and not number
                self.found.append(Spotted(item=item, path=path, takings=takings, hierarchy=hierarchy))

    def _loop(self, loop: LoopUse, contexts: list[_Context], path: tuple[str, ...]) -> None:
        inside: list[_Context] = []
        ignored: list[Taking] = []
        trees: list[Tree | Packages] = []
        for context in contexts:
            for rank, rule in _rules(context.scope, loop.name):
                lens = _lens(rule)
                if lens is not None and not _meets(lens.constants, loop.start.qualifiers):
                    continue
                head = _taking(context, rank, rule, lens or _NOTHING)
                match rule:
                    case Each() if rule.is_loop:
                        prefix = f"{head.field(rule.path)}[]."
                        inside.append(_Context(rule.scope, prefix, context.level, head))
                    case Inside():
                        inside.append(_Context(rule.scope, context.prefix, context.level, head))
                    case Tree() | Packages():
                        trees.append(rule)
                    case Ignored():
                        ignored.append(head)
                    case _:
                        pass
        inside += [
            _Context(level.scope, "" if level.kind == DOCUMENT else f"{level.kind}.", code)
            for tree in trees
            for code, level in tree.levels.items()
        ]
        first = tuple(_takings(loop.start, inside, first=True)) + tuple(ignored)
        hierarchy = bool(trees)
        self.found.append(Spotted(item=loop, path=path, takings=first, hierarchy=hierarchy))
        self.items(loop.items, inside, (*path, loop.name), loop.name if hierarchy else "")


_NOTHING = SegmentLens("", "", (), ())


def spotted(guide: Guide, own: Map) -> tuple[Spotted, ...]:
    """Every place of the guide in wire order, a loop before its first segment."""
    walk = _Walk()
    walk.items(guide.root.items, [_Context(own.scope)], (), "")
    return tuple(walk.found)


def _takings(use: Use, contexts: list[_Context], *, first: bool) -> Iterator[Taking]:
    for context in contexts:
        for rank, rule in _rules(context.scope, use.tag):
            if isinstance(rule, (Tree, Packages, Inside)) or (isinstance(rule, Each) and rule.is_loop):
                continue
            lens = _lens(rule)
            if lens is not None and _meets(lens.constants, use.qualifiers):
                own = _taking(context, rank, rule, lens)
                if first and rank == 0 and context.head is not None:
                    head = context.head
                    own = Taking(
                        lens=lens,
                        prefix=own.prefix,
                        each=head.each,
                        condition=head.condition,
                        number=head.number,
                        level=own.level,
                    )
                yield own


def _taking(context: _Context, rank: int, rule: Rule, lens: SegmentLens) -> Taking:
    condition = context.scope.conditions.get(rank)
    base = Taking(lens=lens, prefix=context.prefix)
    prefix, each, inherit = context.prefix, "", ""
    if isinstance(rule, (Each, Scalars)):
        each = base.field(rule.path)
        if isinstance(rule, Scalars) or not rule.is_loop:
            prefix = f"{each}[]."
    if isinstance(rule, Inherited):
        inherit = base.field(rule.path)
        prefix = f"{inherit}[]."
    return Taking(
        lens=lens,
        prefix=prefix,
        each=each,
        condition=condition.text if condition is not None else "",
        number=context.scope.counted.get(rank, 0),
        level=context.level,
        inherit=inherit,
        ignored=isinstance(rule, Ignored),
    )


def _rules(scope: Scope, name: str) -> Iterator[tuple[int, Rule]]:
    return ((rank, rule) for rank, rule in enumerate(scope.rules) if rule.name == name)


def _lens(rule: Rule) -> SegmentLens | None:
    match rule:
        case One() | Ignored() | Repeated() | Scalars() | Inherited():
            return rule.lens
        case Each() | Inside():
            return rule.first
        case _:
            return None


def _meets(constants: Selectors, qualifiers: frozenset[str]) -> bool:
    """Whether a rule can take a segment that only these qualifiers select."""
    if not qualifiers:
        return True
    return all(qualifiers.intersection(texts) for spot, texts in constants if spot == FIRST)


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What one rule of the map says of one component."""

    taking: Taking
    lens: Lens | None = None
    offset: int = 0
    """Its place among the texts that the line takes."""
    constant: tuple[str, ...] = ()
    ignored: bool = False


def said_of(takings: Iterable[Taking]) -> Mapping[Spot, tuple[Said, ...]]:
    """What the rules say of each component, by its spot."""
    found: dict[Spot, list[Said]] = {}
    for taking in takings:
        for spot, texts in taking.lens.constants:
            found.setdefault(spot, []).append(Said(taking=taking, constant=texts))
        for spot in taking.lens.ignored:
            found.setdefault(spot, []).append(Said(taking=taking, ignored=True))
        for lens in taking.lens.lenses:
            for offset, spot in enumerate(lens.address.spots()):
                found.setdefault(spot, []).append(Said(taking=taking, lens=lens, offset=offset))
            if lens.guard is not None:
                found.setdefault(lens.guard.spot, []).append(Said(taking=taking, constant=(lens.guard.value,)))
    return {spot: tuple(one) for spot, one in found.items()}
