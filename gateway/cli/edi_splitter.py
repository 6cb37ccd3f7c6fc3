"""Splitting: every set, group or interchange becomes a file with its envelope around it, its bytes as they came.

Two phases: what is read is written into a hidden folder beside the results, and only when the interchange's trailer was
judged are the files that stand moved to their names. Memory is one set; what is to be moved stands in a journal there.
"""

from __future__ import annotations

import filecmp
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from gateway.cli.edi_window import Window
from gateway.edi.delimiters import Delimiters
from gateway.edi.interchange import Event, GroupEnd, GroupStart, InterchangeEnd, InterchangeStart, Ta1
from gateway.edi.tree import Message, Verdict, verdict_of
from gateway.findings import Finding, Severity

LONGEST = 40
"""Characters of one part of a file's name."""


class Unit(StrEnum):
    """What becomes one file, or what is refused together."""

    MESSAGE = "message"
    GROUP = "group"
    INTERCHANGE = "interchange"


class Partial(StrEnum):
    """What one refused set takes with it."""

    SET = "set"
    GROUP = "group"
    INTERCHANGE = "interchange"


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A file, or a set that became none. `file` is its path, None when it was left out; then `reason` says why."""

    unit: Unit
    standard: str
    sender: str
    type: str
    version: str
    interchange: str
    group: str
    control_number: str
    messages: int
    bytes: int
    outcome: Verdict
    file: str | None = None
    reason: str | None = None


class Splitter:
    """Takes the events of a file and makes files. `close` must be called, whatever happened."""

    def __init__(self, into: Path, by: Unit, partial: Partial, window: Window) -> None:
        self._into = into
        self._by = by
        self._partial = partial
        self._window = window
        self._clashes = 1
        self._open: _Interchange | None = None

    def event(self, event: Event) -> Iterator[Piece]:
        """Take in one event; the pieces of an interchange come when its trailer was judged."""
        match event:
            case InterchangeStart():
                self._open = _Interchange(self._into, self._by, self._partial, self._window, event)
            case InterchangeEnd():
                reason = _refusal(event.findings) if event.envelope is Verdict.REJECTED else None
                yield from self._finish(reason)
            case _:
                assert self._open is not None
                self._open.event(event)

    def broken_off(self, reason: str) -> Iterator[Piece]:
        """The reading ended inside an interchange: nothing of it stands."""
        if self._open is not None:
            yield from self._finish(reason)

    def close(self) -> None:
        """Remove what was provisional."""
        if self._open is not None:
            self._open.discard()
            self._open = None

    def _finish(self, reason: str | None) -> Iterator[Piece]:
        assert self._open is not None
        for staged, piece in self._open.finish(reason):
            yield piece if staged is None else replace(piece, file=str(self._place(staged, piece)))
        self.close()

    def _place(self, staged: Path, piece: Piece) -> Path:
        """Move a file to its name. A file of that name is never replaced; one with the same bytes is the same."""
        name = file_name(*_parts(piece))
        path = self._into / f"{name}.edi"
        while path.exists():
            if filecmp.cmp(staged, path, shallow=False):
                staged.unlink()
                return path
            self._clashes += 1
            path = self._into / f"{name}~{self._clashes}.edi"
        return staged.rename(path)


class _Interchange:
    """The provisional files of one interchange."""

    def __init__(self, into: Path, by: Unit, partial: Partial, window: Window, start: InterchangeStart) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix=".split-", dir=into))
        self._journal = (self._folder / "journal").open("w+", encoding="utf-8")
        self._by = by
        self._partial = partial
        self._window = window
        self._start = start
        self._delimiters: Delimiters = start.delimiters
        self._header, self._newline = self._head(start.offset)
        self._refused: dict[int, str] = {}
        """Why groups were refused, by their number in the interchange."""
        self._group: GroupStart | None = None
        self._group_header = b""
        self._groups = 0
        self._sets = 0
        """Sets that stand: of the group, or of all groups where the file is the interchange."""
        self._kept_groups = 0
        self._total = 0
        """Sets of the interchange that stand; UNZ counts them where there is no UNG."""
        self._spoilt: str | None = None
        """Why a set of the group was refused, if one was."""
        self._any_refused: str | None = None
        self._file: BinaryIO | None = None
        self._names = 0
        self._noted = 0
        if by is Unit.INTERCHANGE:
            self._file = self._new(self._header)
        self._mark = len(self._header)

    # ---- events

    def event(self, event: Event) -> None:
        match event:
            case GroupStart():
                self._begin_group(event)
            case Message():
                self._message(event)
            case GroupEnd():
                self._end_group(event)
            case Ta1() if self._file is not None:
                end = self._window.segment_end(event.segment.offset, self._delimiters)
                self._mark += self._file.write(self._window.stretch(event.segment.offset, end))
            case _:
                pass

    def _begin_group(self, start: GroupStart) -> None:
        self._groups += 1
        self._sets, self._spoilt, self._group = 0, None, start
        end = self._window.segment_end(start.offset, self._delimiters)
        explicit = bool(start.functional_id or start.control_number)
        self._group_header = self._window.stretch(start.offset, end) if explicit else b""
        if self._by is Unit.GROUP:
            self._file = self._new(self._header)
        if self._file is not None:
            self._file.write(self._group_header)

    def _message(self, message: Message) -> None:
        end = self._window.behind_breaks(message.end)
        raw = self._window.stretch(message.offset, end)
        self._window.forget(end)
        piece = self._piece(message.type, message.version, message.control_number, message.outcome)
        piece = replace(piece, unit=Unit.MESSAGE)
        if message.outcome is Verdict.REJECTED:
            self._spoilt = _refusal(message.findings)
            self._note(None, replace(piece, reason=self._spoilt))
            return
        self._sets += 1
        if self._file is not None:
            self._file.write(raw)
            return
        body = self._header + self._group_header + raw + self._group_trailer(1) + self._trailer(1)
        with self._new(body) as stream:
            self._note(stream.name, replace(piece, messages=1, bytes=len(body)))

    def _end_group(self, end: GroupEnd) -> None:
        refused = _refusal(end.findings) if verdict_of(end.findings) is Verdict.REJECTED else None
        if refused is None and self._partial is not Partial.SET and self._spoilt is not None:
            refused = f"another set of the group was refused: {self._spoilt}"
        self._any_refused = self._any_refused or refused or self._spoilt
        if refused is not None:
            self._refused[self._groups] = refused
            if not end.received or (self._by is Unit.INTERCHANGE and self._sets):
                # No piece of its own tells of this group.
                piece = self._piece(end.start.functional_id, end.start.version, end.start.control_number, end.outcome)
                self._note(None, replace(piece, unit=Unit.GROUP, reason=refused))
        stands = refused is None and self._sets > 0
        if self._by is Unit.GROUP:
            assert self._file is not None
            self._file.write(self._group_trailer(self._sets) + self._trailer(self._sets))
            name, size = self._file.name, self._file.tell()
            self._file.close()
            self._file = None
            if self._sets:
                piece = self._piece(end.start.functional_id, end.start.version, end.start.control_number, end.outcome)
                self._note(name, replace(piece, messages=self._sets, bytes=size))
            if not stands:
                Path(name).unlink()
        elif self._file is not None:
            if stands:
                self._file.write(self._group_trailer(self._sets))
                self._mark = self._file.tell()
            else:
                self._file.truncate(self._mark)
                self._file.seek(self._mark)
        elif not stands:
            shutil.rmtree(self._folder / str(self._groups), ignore_errors=True)
        if stands:
            self._kept_groups += 1
            self._total += self._sets
        self._group = None

    # ---- the end

    def finish(self, reason: str | None) -> Iterator[tuple[Path | None, Piece]]:
        """Every piece in the order of the file, with its provisional file where it stands."""
        if reason is None and self._partial is Partial.INTERCHANGE and self._any_refused is not None:
            reason = f"a part of the interchange was refused: {self._any_refused}"
        if self._by is Unit.INTERCHANGE and self._file is not None:
            self._file.write(self._trailer(self._total))
            piece = self._piece("", self._start.version, self._start.control_number, Verdict.ACCEPTED)
            if self._any_refused or reason:
                piece = replace(piece, outcome=Verdict.REJECTED if reason else Verdict.ACCEPTED_WITH_ERRORS)
            name, size = self._file.name, self._file.tell()
            self._file.close()
            self._file = None
            self._groups = 0
            if self._mark > len(self._header):
                self._note(name, replace(piece, messages=self._total, bytes=size))
        if reason is not None and not self._noted:
            piece = self._piece("", self._start.version, self._start.control_number, Verdict.REJECTED)
            self._note(None, replace(piece, unit=Unit.INTERCHANGE, reason=reason))
        self._journal.seek(0)
        for line in self._journal:
            group, name, values = json.loads(line)
            piece = Piece(**{**values, "unit": Unit(values["unit"]), "outcome": Verdict(values["outcome"])})
            why = piece.reason or self._refused.get(group) or reason
            if why is None:
                yield Path(name), piece
            else:
                yield None, replace(piece, reason=why, outcome=Verdict.REJECTED, bytes=0)

    def discard(self) -> None:
        if self._file is not None:
            self._file.close()
        self._journal.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    # ---- pieces

    def _new(self, begin: bytes) -> BinaryIO:
        """A new provisional file; those of one group lie in one folder."""
        self._names += 1
        folder = self._folder / str(self._groups)
        folder.mkdir(exist_ok=True)
        stream = (folder / str(self._names)).open("wb")
        stream.write(begin)
        return stream

    def _note(self, name: str | None, piece: Piece) -> None:
        self._noted += 1
        self._journal.write(json.dumps([self._groups, name, asdict(piece)]) + "\n")

    def _piece(self, type_: str, version: str, number: str, outcome: Verdict) -> Piece:
        return Piece(
            unit=self._by,
            standard=self._start.standard,
            sender=self._start.sender,
            type=type_,
            version=version,
            interchange=self._start.control_number,
            group="" if self._group is None else self._group.control_number,
            control_number=number,
            messages=0,
            bytes=0,
            outcome=outcome,
        )

    # ---- envelopes

    def _head(self, offset: int) -> tuple[bytes, bytes]:
        """The header as it came, with a UNA before it, and the line break behind it."""
        begin, service = self._window.header(offset)
        raw = self._window.stretch(begin, self._window.segment_end(service, self._delimiters))
        return raw, raw[len(raw.rstrip(b"\r\n")) :] if self._delimiters.segment not in "\r\n" else b""

    def _group_trailer(self, sets: int) -> bytes:
        if not self._group_header:
            return b""
        assert self._group is not None
        return self._segment("UNE" if self._edifact else "GE", sets, self._group.control_number)

    def _trailer(self, sets: int) -> bytes:
        groups = self._kept_groups if self._by is Unit.INTERCHANGE else 1
        count = groups if self._group_header or not self._edifact else sets
        return self._segment("UNZ" if self._edifact else "IEA", count, self._start.control_number)

    @property
    def _edifact(self) -> bool:
        return self._start.standard == "edifact"

    def _segment(self, tag: str, count: int, number: str) -> bytes:
        release = self._delimiters.release
        if release is not None:
            number = "".join(release + c if c in self._delimiters.all else c for c in number)
        text = self._delimiters.element.join((tag, str(count), number)) + self._delimiters.segment
        return text.encode("utf-8", "replace") + self._newline


def file_name(*parts: str) -> str:
    """A name made of what a partner sent: letters, digits, points, hyphens; never a path, never hidden."""
    return "_".join(re.sub(r"[^A-Za-z0-9.-]+", "-", part)[:LONGEST].strip(".-") or "none" for part in parts)


def _parts(piece: Piece) -> list[str]:
    numbers = [piece.interchange]
    if piece.unit is not Unit.INTERCHANGE:
        numbers += [piece.group] if piece.group else []
    if piece.unit is Unit.MESSAGE:
        numbers.append(piece.control_number)
    return [one for one in (piece.sender, piece.type, *numbers) if one]


def _refusal(findings: tuple[Finding, ...]) -> str:
    """The first thing that refuses, in words."""
    return next((f"{one.text} [{one.rule}]" for one in findings if one.severity is Severity.REJECT), "it is rejected")
