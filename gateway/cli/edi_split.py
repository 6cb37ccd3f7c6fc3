"""`gateway edi split`: an interchange into files, each valid by itself."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from gateway.cli.answers import FINDINGS, answering, show
from gateway.cli.edi_files import Source, blocks, sources
from gateway.cli.edi_progress import Meter
from gateway.cli.edi_reading import Charset, Files, Partner, Reading, Tolerate, Workspace, reading
from gateway.cli.edi_splitter import Partial, Piece, Splitter, Unit
from gateway.cli.edi_window import Window
from gateway.cli.printable import printable
from gateway.errors import OurFault, PartnerFault

Into = Annotated[Path, typer.Option("--into", file_okay=False, help="The folder for the files; made if need be.")]
By = Annotated[Unit, typer.Option("--by", help="What becomes a file of its own.")]
PartialMode = Annotated[
    Partial | None,
    typer.Option("--partial", help="What a refused set takes with it.", show_default="as the agreement says, or set"),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object per file or set left out, one line each.")]


def split(
    files: Files,
    *,
    into: Into,
    by: By = Unit.MESSAGE,
    partial: PartialMode = None,
    as_json: AsJson = False,
    tolerate: Tolerate = None,
    charset: Charset = None,
    partner: Partner = None,
    workspace: Workspace = Path(),
) -> None:
    """Split interchanges into files: each set, group or interchange by itself, its envelope around it, counts right.

    The bytes of a set stay as they came. Nothing stands before the trailers were judged: what is refused there leaves
    no file. No file is ever replaced. Exit code 1 when anything was left out.

    Example: gateway edi split in/day.edi --into sets --by message
    """
    told = _Told(as_json=as_json)
    with answering():
        how = reading(tolerate, charset, partner, workspace)
        mode = partial or Partial(how.partial)
        inputs = sources(files)
        with Meter(inputs, quiet=as_json) as meter:
            for one in inputs:
                try:
                    into.mkdir(parents=True, exist_ok=True)
                    _split(one, how, meter, lambda window: Splitter(into, by, mode, window), told)
                except BrokenPipeError:
                    raise
                except OSError as error:
                    raise OurFault(
                        f"cannot write into {into}: {error.strerror}",
                        remedy="check its rights and the space on the disk",
                    ) from error
    if not as_json:
        show(f"{told.written:,} written, {told.left_out:,} left out")
    if told.left_out:
        raise typer.Exit(FINDINGS)


def _split(source: Source, how: Reading, meter: Meter, make: Callable[[Window], Splitter], told: _Told) -> None:
    """Split one input; what was provisional is gone afterwards, whatever happened."""
    window = Window(blocks(source, meter.add), unwrapped=how.tolerances.wrapped_lines)
    splitter = make(window)
    try:
        for event in how.events(window):
            for piece in splitter.event(event):
                told.piece(piece)
    except PartnerFault as fault:
        for piece in splitter.broken_off(str(fault)):
            told.piece(piece)
        told.fault(source.name, fault)
    finally:
        splitter.close()


@dataclass(slots=True)
class _Told:
    """Says what became of what, and counts it."""

    as_json: bool
    written: int = 0
    left_out: int = 0

    def piece(self, piece: Piece) -> None:
        self.written += piece.file is not None
        self.left_out += piece.file is None
        if self.as_json:
            sys.stdout.write(json.dumps(asdict(piece)) + "\n")
            return
        what = " ".join(one for one in (piece.type or piece.unit.value, piece.control_number) if one)
        if piece.file is None:
            show(Text.assemble(("left out ", "bold red"), printable(f"{what}: {piece.reason}")))
        else:
            many = "" if piece.messages == 1 else f", {piece.messages:,} sets"
            show(Text.assemble(("written  ", "green"), printable(f"{piece.file}  {what}{many}, {piece.bytes:,} bytes")))

    def fault(self, name: str, fault: PartnerFault) -> None:
        self.left_out += 1
        if self.as_json:
            sys.stdout.write(json.dumps({"input": name, "file": None, "reason": str(fault)}) + "\n")
        else:
            show(Text.assemble(("stopped  ", "bold red"), printable(f"{name}: {fault}")))
            for found in fault.findings:
                show(f"         {printable(found.fix)}")
