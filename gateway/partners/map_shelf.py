"""The maps of a workspace as they were when it was read: each text read once, each content checked and compiled once.

500 partners that extend one map without a word of their own share one compiled map; a map that nobody has needed yet is
not compiled, but its content was checked: now, or before by the same code (`MapCache.sound` remembers by hash).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Lock

from gateway.errors import OurFault
from gateway.findings import Finding
from gateway.mapping import (
    Head,
    JsonMap,
    Link,
    Map,
    chain,
    compile_json_map,
    compile_map,
    from_folders,
    head,
    shipped,
    version,
)
from gateway.mapping.hooks import NO_HOOKS, Hooks

JSON = "json"
"""The document of maps for an ERP's bodies."""
MOST_COMPILED = 64
"""Compiled maps kept ready, those used last; one of its own takes about 2 MB and 20 ms, a delta a part."""

MOST_FROM_CHECKING = 16
"""Of the maps that were compiled only to check them: most partners say nothing in the next hour."""


class MapCache:
    """Maps by their content, over all partners and over every reading of the workspace. Used by several threads."""

    def __init__(self, sound: Mapping[str, Head] | None = None, *, most: int = MOST_COMPILED) -> None:
        self.sound = dict(sound or {})
        """Contents that break no law, by hash, and what they are for."""
        self._most = most
        self._made: OrderedDict[str, Map] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._made)

    def map(self, name: str, content: str, texts: Mapping[str, tuple[str, str]], hooks: Hooks = NO_HOOKS) -> Map:
        """The compiled map of this content hash, under this name. OurFault with every problem of it."""
        with self._lock:
            known = self._made.get(content)
            if known is not None:
                self._made.move_to_end(content)
        if known is None:
            # What is made anew here, on the way of a message, was found sound before: its hooks are not run for it.
            known = compile_map(name, texts.__getitem__, replace(hooks, shown=content in self.sound))
            self.keep(known)
        return known if known.name == name else replace(known, name=name)

    def keep(self, made: Map) -> None:
        """Have this one ready."""
        with self._lock:
            self._made[made.hash] = made
            self._made.move_to_end(made.hash)
            while len(self._made) > self._most:
                self._made.popitem(last=False)


class MapShelf:
    """The maps in `maps/` of the workspace in `folder`, and the shipped ones behind them."""

    def __init__(self, folder: Path, cache: MapCache | None = None, hooks: Hooks = NO_HOOKS) -> None:
        self._find = from_folders(folder / "maps", shipped())
        self.hooks = hooks
        self._cache = MapCache() if cache is None else cache
        self._read: dict[str, tuple[str, str]] = {}
        self._chains: dict[str, tuple[Link, ...]] = {}
        self._versions: dict[str, str] = {}
        self._faults: dict[str, tuple[Finding, ...]] = {}

    def chain(self, name: str) -> tuple[Link, ...]:
        """The texts that a map is made of, itself first, as they were when first asked for; empty for no map."""
        if name not in self._chains:
            try:
                links = chain(name, self._text)
            except OSError:
                links = ()
            self._chains[name] = links
            if self.hooks.text and any("hooks:" in link.text for link in links):
                links = (*links, Link(name="hooks", file="hooks.py", text=self.hooks.text))
                self._chains[name] = links
            self._versions[name] = version(links)
        return self._chains[name]

    def version(self, name: str) -> str:
        """Its content hash: `Map.hash`, without compiling it."""
        self.chain(name)
        return self._versions[name]

    def head(self, name: str) -> Head | None:
        """For which documents a map is; a content that is new is compiled, and so checked, now."""
        found = self._cache.sound.get(self.version(name))
        if found is not None:
            return found
        links = self.chain(name)
        named = [link.name for link in links if link.file != "hooks.py"]
        base = head(named[-1], self._text) if named else None
        is_body = base is not None and base.document == JSON
        made: Map | JsonMap
        try:
            made = compile_json_map(name, self._text) if is_body else compile_map(name, self._text, self.hooks)
        except OurFault as fault:
            self._faults[name] = fault.findings
            try:
                return head(name, self._text)
            except OSError:
                return None
        except OSError:
            return None
        if isinstance(made, Map) and len(self._cache) < MOST_FROM_CHECKING:
            self._cache.keep(made)
        found = Head(document=made.document if isinstance(made, Map) else JSON, canonical=made.canonical)
        self._cache.sound[made.hash] = found
        return found

    def check(self, names: Iterable[str]) -> tuple[Finding, ...]:
        """Everything wrong in the maps of these names; what bases have in common is told once."""
        found: dict[Finding, None] = {}
        for name in names:
            if name not in self._faults:
                self.head(name)
            found.update(dict.fromkeys(self._faults.get(name, ())))
        return tuple(found)

    def sound(self, names: Iterable[str]) -> dict[str, Head]:
        """Of these maps what was found sound, by content hash. The cache forgets all others."""
        hashes = {self.version(name) for name in names}
        found = {content: head for content, head in self._cache.sound.items() if content in hashes}
        self._cache.sound = found
        return dict(found)

    def map(self, name: str) -> Map:
        """The compiled map. OurFault where it is not sound."""
        return self._cache.map(
            name, self.version(name), {link.name: (link.file, link.text) for link in self.chain(name)}, self.hooks
        )

    def json_map(self, name: str) -> JsonMap:
        """The compiled map of an ERP's bodies. OurFault where it is not sound."""
        return compile_json_map(name, self._text)

    def of(self, names: Iterable[str]) -> Mapping[str, Map]:
        """The maps of these names, each compiled when it is taken."""
        return _Maps(self, names)

    def _text(self, name: str) -> tuple[str, str]:
        if name not in self._read:
            self._read[name] = self._find(name)
        return self._read[name]


class _Maps(Mapping[str, Map]):
    def __init__(self, shelf: MapShelf, names: Iterable[str]) -> None:
        self._shelf = shelf
        self._names = frozenset(names)

    def __getitem__(self, name: str) -> Map:
        if name not in self._names:
            raise KeyError(name)
        return self._shelf.map(name)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._names))

    def __len__(self) -> int:
        return len(self._names)
