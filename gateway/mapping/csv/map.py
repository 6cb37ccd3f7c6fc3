"""A compiled CSV map: `read` takes a file to documents, `write` documents to a file.

Rows with the same values in the columns of `key` are one document, wherever they stand. A document's fields repeat on
each of its rows; an empty cell repeats what stands above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.canonical.shape import near
from gateway.errors import OurFault
from gateway.findings import Finding, JsonPlace, RowPlace
from gateway.mapping.csv.compile import ROWS, CsvCompiler, read_dialect
from gateway.mapping.csv.text import Dialect, Table, read_table, write_table
from gateway.mapping.json.scope import JsonReadState, JsonScope, UnmappedMember
from gateway.mapping.json.text import read_pointer
from gateway.mapping.known import Known
from gateway.mapping.map import Sources
from gateway.mapping.overlay import CSV
from gateway.mapping.rows import Rows, split
from gateway.mapping.rules import Problems, finding
from gateway.mapping.segments.shared import compile_codes
from gateway.mapping.source import Node
from gateway.mapping.state import Json, WriteState
from gateway.mapping.texts import (
    TextExample,
    TextLoad,
    TextReading,
    TextWriting,
    compare_reading,
    compare_writing,
    note_lost,
    place_of,
    read_examples,
    read_heading,
    refused,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CsvMap:
    """One kind of file, both ways. Immutable and shareable between threads."""

    name: str
    canonical: str
    """The canonical kind: purchase_order."""
    hash: str
    """SHA-256 over all sources, the version of the map."""
    examples: tuple[TextExample, ...]
    writes_only: bool
    dialect: Dialect
    key: tuple[str, ...]
    """The columns that tell documents apart."""
    scope: JsonScope
    known: Known
    default: tuple[tuple[str, str], ...]
    """Pointer and usual value of fields that the wire has no place for."""

    def read(self, data: bytes) -> tuple[TextReading, ...]:
        """The documents of the file, each with its findings; what is wrong with the file stands in the first."""
        if self.writes_only:
            raise OurFault(
                f"The map {self.name} only writes: it says one_way: write",
                remedy="Read with a map that goes both ways.",
            )
        table, wrong = read_table(data, self.dialect)
        missing = [] if table is None else [name for name in self.key if name not in table.header]
        if table is None or missing or not table.rows:
            if table is not None and not wrong:
                said = ", ".join(table.header)[:80] if missing else "no row below the header"
                wanted = f"the column {missing[0]}" + near(missing[0], table.header) if missing else "rows"
                wrong = (finding("map.csv.header", RowPlace(row=1), said=said, wanted=wanted),)
            return (TextReading(document={}, unmapped=(), findings=wrong),)
        readings = [self._document(rows) for rows in self._grouped(table)]
        readings[0] = replace(readings[0], findings=(*wrong, *readings[0].findings))
        return tuple(readings)

    def _grouped(self, table: Table) -> list[list[tuple[int, Json]]]:
        """The rows of each document, in the order of their first rows; one without a key repeats the row's above it."""
        found: dict[tuple[str, ...], list[tuple[int, Json]]] = {}
        above: tuple[str, ...] = ()
        for number, cells in table.rows:
            row = {name: cell for name, cell in zip(table.header, cells, strict=True) if cell}
            key = tuple(row.get(name, "") for name in self.key)
            above = key if any(key) or not above else above
            found.setdefault(above, []).append((number, row))
        return list(found.values())

    def _document(self, rows: list[tuple[int, Json]]) -> TextReading:
        head: Json = {}
        state = JsonReadState()
        below: list[Json] = []
        for number, row in rows:
            part, rest = split(row, self.scope.names)
            below.append(rest)
            for name, value in part.items():
                if head.setdefault(name, value) != value:
                    place = RowPlace(row=number, column=name)
                    state.findings.append(finding("map.csv.repeated", place, said=value, wanted=head[name]))
        document: Json = {}
        numbers = [number for number, _ in rows]
        self.scope.read({**head, ROWS: below}, document, state, "")
        return TextReading(
            document=document,
            unmapped=tuple(_unmapped(one, numbers) for one in state.unmapped),
            findings=tuple(_placed(one, numbers) for one in state.findings),
        )

    def write(self, documents: Iterable[Mapping[str, Any]]) -> TextWriting:
        """The file that says the documents (canonical JSON as `canonical.dump` gives it)."""
        state = WriteState()
        rows: list[Json] = []
        seen: set[tuple[str, ...]] = set()
        for document in documents:
            head, _ = self.scope.write(dict(document), state, "")
            note_lost(document, self.canonical, self.known, self.default, state)
            below = head.pop(ROWS, None) or [{}]
            key = tuple(head.get(name, "") for name in self.key)
            if key in seen:
                state.lose("", " ".join(key), f"another {', '.join(self.key)} than an earlier document's")
            seen.add(key)
            rows += [{**head, **row} for row in below]
        columns = list(dict.fromkeys([*_columns(self.scope), *(name for row in rows for name in row)]))
        cells = [[row.get(name, "") for name in columns] for row in rows]
        data, wrong = write_table(columns, cells, self.dialect)
        if wrong:
            state.lose("", wrong, f"characters that {self.dialect.encoding} has")
        return TextWriting(data=data, lost=tuple(state.lost), findings=tuple(state.findings))


def _columns(scope: JsonScope) -> list[str]:
    """The columns in the order of the map: the document's, then those of each stage inwards."""
    found = [name for name in scope.names if name != ROWS]
    for rule in scope.lists:
        if isinstance(rule, Rows):
            found += [name for stage in rule.stages for name in stage.scope.names]
    return found


def _where(text: str, numbers: list[int]) -> RowPlace:
    pointer = read_pointer(text.replace("~", "~0")) or ()
    if pointer[:1] == (ROWS,) and len(pointer) > 1:
        return RowPlace(row=numbers[int(pointer[1])], column="/".join(pointer[2:]) or None)
    return RowPlace(row=numbers[0], column="/".join(pointer) or None)


def _placed(one: Finding, numbers: list[int]) -> Finding:
    return replace(one, place=_where(one.place.pointer, numbers)) if isinstance(one.place, JsonPlace) else one


def _unmapped(one: UnmappedMember, numbers: list[int]) -> UnmappedMember:
    return UnmappedMember(pointer=str(_where(one.pointer, numbers)), value=one.value)


def compile_csv_map(name: str, sources: Sources) -> CsvMap:
    """The CSV map `name` with its bases. OurFault with every problem as a finding where it breaks a law."""
    problems = Problems()
    heading = read_heading(name, sources, CSV, problems)
    made = None
    if heading is not None:
        node = heading.node
        dialect = read_dialect(node, problems)
        codes = compile_codes(node.keys.get("codes"), problems)
        compiler = CsvCompiler(
            heading.kind, codes, problems, comma=dialect.comma, writes_only=heading.writes_only
        )  # fmt: skip
        scope = compiler.top(node)
        made = CsvMap(
            name=name, canonical=heading.kind, hash=heading.hash, examples=read_examples(node, CSV, problems),
            writes_only=heading.writes_only, dialect=dialect, key=_key(node, problems), scope=scope,
            known=compiler.known, default=compiler.defaults(node),
        )  # fmt: skip
    if problems.findings or made is None:
        raise refused(name, problems)
    return made


def _key(node: Node, problems: Problems) -> tuple[str, ...]:
    spec = node.keys.get("key")
    fields = node.keys["fields"].keys if "fields" in node.keys else {}
    columns = tuple(each.text or "" for each in spec.items) if spec else ()
    if not columns:
        place = spec or node
        wanted = "the columns that tell documents apart"
        problems.add("map.key.missing", place.file, place.line, "key", said="nothing", wanted=wanted)
    for column in columns:
        if column not in fields and spec is not None:
            wanted = "a column of fields" + near(column, fields)
            problems.add("map.field.unknown", spec.file, spec.line, "key", said=column or "nothing", wanted=wanted)
    return columns


def check_csv_map(own: CsvMap, load: TextLoad) -> tuple[Finding, ...]:
    """Every example of `own` read and written; a finding where the result is not the file's."""
    found: list[Finding] = []
    for example in own.examples:
        loaded = load(example)
        documents = loaded[1] if loaded is not None and isinstance(loaded[1], list) else loaded and [loaded[1]]
        if loaded is None or not documents or not all(isinstance(each, dict) for each in documents):
            said = f"{example.wire}, {example.canonical}"
            found.append(finding("map.example.missing", place_of(example), said=said, wanted="both files"))
            continue
        data = loaded[0]
        readings = () if own.writes_only else own.read(data)
        if len(readings) != len(documents) and not own.writes_only:
            said = f"{example.wire}: {len(readings)} documents"
            wanted = f"the {len(documents)} of {example.canonical}"
            found.append(finding("map.example.read", place_of(example), said=said, wanted=wanted))
        for reading, wanted_document in zip(readings, documents, strict=False):
            found += compare_reading(own.canonical, example, reading, wanted_document)
        found += compare_writing(example, own.write(documents), data, all_of_it=not own.writes_only)
    return tuple(found)
