"""What the certificate commands ask for: the workspace and its certificates by name, their way, dates, secrets."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.answers import say
from gateway.cli.partner_names import complete_partner, partner_named
from gateway.errors import OurFault
from gateway.partners import pairs, workspace
from gateway.partners.agreement import Agreement
from gateway.partners.checks import ONLY_TO_RUN
from gateway.partners.confirmations import Reached, Stage, Whose
from gateway.partners.inventory import Held, Role, inventory
from gateway.partners.keys import MAX_PASSPHRASE_BYTES
from gateway.partners.workspace import Workspace
from gateway.settings import Settings
from gateway.yamltext import near_miss

FEWEST_DIGITS = 8
"""Of a fingerprint that is typed."""
ORDER = (Stage.SENT, Stage.IMPORTED, Stage.CONFIRMED)


def complete_pair(context: typer.Context, incomplete: str) -> list[str]:
    """The names of our pairs that begin so."""
    folder = Path(context.params.get("workspace") or ".")
    try:
        names = [pairs.FIRST, *(one.name for one in pairs.read(folder)[0].pairs)]
    except (OSError, OurFault):
        return []
    return [name for name in names if name.startswith(incomplete)]


PairName = Annotated[str, typer.Argument(metavar="NAME", help="Our pair's name.", autocompletion=complete_pair)]
Partner = Annotated[
    str | None, typer.Option("--partner", metavar="NAME", help="A partner.", autocompletion=complete_partner)
]
PassphraseFile = Annotated[
    Path | None, typer.Option("--passphrase-file", metavar="FILE", help="File with the passphrase of what is imported.")
]
PassphraseVariable = Annotated[
    str | None, typer.Option("--passphrase-env", metavar="NAME", help="Environment variable with that passphrase.")
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """A workspace with its certificates and what is known of their way."""

    workspace: Workspace
    held: tuple[Held, ...]
    reached: tuple[Reached, ...]
    now: datetime

    @property
    def settings(self) -> Settings:
        """gateway.yaml."""
        return self.workspace.settings

    @property
    def ours(self) -> tuple[Held, ...]:
        """Our pairs."""
        return tuple(one for one in self.held if one.role is Role.OURS)

    @property
    def over_as2(self) -> tuple[Agreement, ...]:
        """Partners that exchange over AS2 now."""
        return tuple(one for one in self.workspace.agreements if one.as2 is not None and one.exchanges)

    def partner(self, name: str) -> Agreement:
        """A partner with a section as2; OurFault with the near miss."""
        found = partner_named(self.workspace, name)
        if found.as2 is None:
            raise OurFault(f"{name} is no partner over AS2", remedy="only AS2 has certificates of this kind")
        return found

    def stage(self, partner: str, whose: Whose, fingerprint: str) -> Reached | None:
        """How far a certificate has come with a partner."""
        mine = [
            one for one in self.reached if (one.partner, one.whose, one.fingerprint) == (partner, whose, fingerprint)
        ]
        return max(mine, key=lambda one: ORDER.index(one.stage), default=None)

    def pair(self, name: str) -> Held:
        """Our pair of this name; OurFault with the near miss."""
        found = next((one for one in self.ours if one.name == name), None)
        if found is None:
            known = [one.name for one in self.ours]
            meant = near_miss(name, known)
            remedy = f"did you mean {meant}?" if meant else f"pairs are: {', '.join(known)}"
            raise OurFault(f"there is no key pair {name}", remedy=remedy)
        return found

    def find(self, word: str, among: Sequence[Held] | None = None) -> Held:
        """A certificate by a pair's name, its file, or the beginning of its fingerprint (with or without colons)."""
        candidates = self.held if among is None else among
        digits = re.sub(r"[^0-9a-f]", "", word.lower()) if re.fullmatch(r"[0-9A-Fa-f: ]+", word) else ""
        found = [one for one in candidates if word == one.name] or [
            one
            for one in candidates
            if word in {one.name, one.file} or (len(digits) >= FEWEST_DIGITS and one.fingerprint.startswith(digits))
        ]
        if len({one.fingerprint for one in found}) > 1:
            raise OurFault(f"{word} fits {len(found)} certificates", remedy="give more digits of the fingerprint")
        if not found:
            names = sorted({one.name for one in candidates})
            meant = near_miss(word, names)
            raise OurFault(
                f"there is no certificate {word}",
                remedy=f"did you mean {meant}?" if meant else "see them: gateway certificate list",
            )
        return found[0]


def open_desk(folder: Path, *, stages: bool = True) -> Desk:
    """Read the workspace; without its database the way of the certificates is not known, which is said."""
    loaded = workspace.load(folder, ignoring=ONLY_TO_RUN)
    reached: tuple[Reached, ...] = ()
    if stages:
        try:
            reached = asyncio.run(_reached(folder))
        except OurFault as fault:
            say(f"what partners have confirmed is not known: {fault}")
    return Desk(
        workspace=loaded,
        held=inventory(folder, loaded.settings, loaded.agreements),
        reached=reached,
        now=datetime.now(UTC),
    )


def note(folder: Path, reached: Sequence[Reached]) -> None:
    """Write down how far certificates have come."""
    from gateway.ports import Changes  # noqa: PLC0415
    from gateway.wiring import open_store  # noqa: PLC0415

    async def write() -> None:
        async with open_store(folder) as store:
            await store.apply(Changes(certificates=tuple(reached)))

    asyncio.run(write())


async def _reached(folder: Path) -> tuple[Reached, ...]:
    from gateway.wiring import open_store  # noqa: PLC0415  help needs none of it

    async with open_store(folder) as store:
        return tuple(await store.certificate_steps())


def moment_of(text: str, now: datetime) -> datetime:
    """`now`, a day (0:00 UTC) or a time with its zone. Raises OurFault."""
    if text == "now":
        return now.replace(microsecond=0)
    with contextlib.suppress(ValueError, OverflowError):
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return found.replace(tzinfo=UTC)
    raise OurFault(f"{text!r} is no date", remedy="write now, a day such as 2027-01-31, or 2027-01-31T06:00:00+01:00")


def passphrase(file: Path | None, variable: str | None, *, ask: str | None = None) -> bytes | None:
    """The passphrase of what is imported: from the environment, a file or a terminal; never an argument."""
    if variable is not None:
        value = os.environ.get(variable)
        if value is None:
            raise OurFault(f"environment variable {variable} is not set", remedy=f"set {variable} before")
        return value.encode()
    if file is not None:
        try:
            with file.open("rb") as opened:
                return opened.read(MAX_PASSPHRASE_BYTES + 2).rstrip(b"\r\n")
        except OSError as error:
            raise OurFault(f"{file}: {error.strerror}", remedy="name a file that can be read") from error
    if ask is not None and sys.stdin.isatty() and sys.stderr.isatty():
        told = typer.prompt(ask, hide_input=True, default="", show_default=False, err=True)
        return told.encode() if told else None
    return None
