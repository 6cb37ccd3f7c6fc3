"""A progress bar on stderr for work that takes longer than two seconds; nothing in a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from gateway.cli.edi_files import Source

PATIENCE = 2.0
"""Seconds of silence before the bar appears."""
READ = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
"""What the bar shows of bytes that are read."""
COUNTED = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
"""What it shows of anything else."""


class Meter:
    """Counts what is done of the total, and draws it once `PATIENCE` is over.

    Nothing is drawn when stderr is no terminal, or when `quiet`: JSON on the same terminal would tear the bar.
    """

    def __init__(
        self, work: Iterable[Source] | int, *, columns: Sequence[ProgressColumn] = READ, quiet: bool = False
    ) -> None:
        """`work` is what will be read, counted in bytes, or a total of anything."""
        sizes = [work] if isinstance(work, int) else [one.size for one in work]
        self._total = None if None in sizes else sum(size or 0 for size in sizes)
        self._columns = columns
        self._drawn = sys.stderr.isatty() and not (quiet and sys.stdout.isatty())
        self._began = time.monotonic()
        self._done = 0
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def add(self, count: int) -> None:
        """So much more is done."""
        self._done += count
        if not self._drawn:
            return
        if self._bar is None and time.monotonic() - self._began >= PATIENCE:
            # What goes to stdout on the same terminal is printed above the bar; in a pipe it is left alone.
            self._bar = Progress(
                *self._columns, console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty()
            )
            self._task = self._bar.add_task("", total=self._total)
            self._bar.start()
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
