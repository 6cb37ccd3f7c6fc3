"""Asking before something large is done: yes or no in a terminal, `--yes` where nobody can be asked."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gateway.errors import OurFault

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; needed where nobody can be asked, as in a pipe.")]


def asked_first(question: str, *, yes: bool) -> bool:
    """Whether it shall be done. Raises OurFault where nobody can be asked and nothing was said."""
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise OurFault(f"{question} Nobody can be asked here", remedy="look at what is meant, then add --yes")
    return typer.confirm(question, err=True)
