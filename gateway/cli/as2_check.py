"""`gateway as2 check`: a station step by step, and a signed exchange with a partner's; what holds, what to do."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text
from yarl import URL

from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, run, show, show_json
from gateway.cli.partner_names import complete_partner, partner_named
from gateway.cli.printable import printable
from gateway.errors import DeliveryFailed, OurFault
from gateway.ports import Step

if TYPE_CHECKING:
    import aiohttp

    from gateway.connectors.way import Way

_MARKS = {True: ("✓", "green"), False: ("✗", "bold red"), None: ("!", "yellow")}
_LIMIT = 64 * 1024


def check(
    station: Annotated[
        str,
        typer.Argument(
            metavar="URL|PARTNER", help="An address, or a partner over AS2.", autocompletion=complete_partner
        ),
    ],
    *,
    no_exchange: Annotated[
        bool, typer.Option("--no-exchange", help="Send no test message, only look at the way to it.")
    ] = False,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Check the way to an AS2 station: name, connection, TLS, certificates, HTTP; with a partner a signed exchange.

    The exchange is a small text whose subject says that it is a test, with a signed receipt asked for. Nothing is
    stored on our side. Exit code 1: a step does not hold; what to do stands below it.

    Example: gateway as2 check acme --no-exchange
    """
    with answering():
        steps: list[Step] = []
        is_url = "://" in station
        if is_url and not _sound(station):
            raise OurFault(
                f"{printable(station)} is no address", remedy="give an https:// address, or a partner's name"
            )
        way = _address(URL(station)) if is_url else _partner(workspace, station, exchange=not no_exchange)
        run(_tell(way, steps, quiet=as_json))
        held = all(step.held is not False for step in steps)
        if as_json:
            show_json({"ok": held, "steps": [asdict(step) for step in steps]})
        if not held:
            raise typer.Exit(FINDINGS)


def _sound(text: str) -> bool:
    try:
        url = URL(text)
        return url.scheme in {"http", "https"} and bool(url.host) and url.user is None and bool(url.port)
    except ValueError:
        return False


async def _tell(way: AsyncIterator[Step], steps: list[Step], *, quiet: bool) -> None:
    """Each step as soon as it is known."""
    async for step in way:
        steps.append(step)
        if not quiet:
            _show(step)


async def _address(url: URL) -> AsyncIterator[Step]:
    from gateway.connectors.exchange import open_session  # noqa: PLC0415  help needs none of it
    from gateway.connectors.way import STRAIGHT  # noqa: PLC0415

    async with open_session() as session:
        async for step in _steps(url, session, STRAIGHT):
            yield step


async def _partner(workspace: Path, name: str, *, exchange: bool) -> AsyncIterator[Step]:
    from gateway.connectors.exchange import open_session  # noqa: PLC0415
    from gateway.connectors.way import Ways  # noqa: PLC0415
    from gateway.pipeline.trying import exchanged  # noqa: PLC0415
    from gateway.wiring import load, open_station  # noqa: PLC0415

    agreement = partner_named(load(workspace), name)
    if agreement.as2 is None:
        raise OurFault(f"{name} is no partner over AS2", remedy="gateway partner list shows who is")
    async with open_session() as session:
        whole = True
        way = Ways(workspace).of(f"station of {name}", agreement.as2.transport)
        async for step in _steps(URL(agreement.as2.url), session, way):
            whole = whole and step.held is not False
            yield step
    if not exchange:
        return
    if not agreement.exchanges:
        said = f"not tried: the agreement is {agreement.status.value}, nothing is exchanged"
        yield Step(name="exchange", held=None, said=said, fix="set its status to testing or active")
        return
    if not whole:
        yield Step(name="exchange", held=None, said="not tried: the way there does not hold")
        return
    async with open_station(workspace) as (station, _):
        async for step in exchanged(station, agreement):
            yield step


async def _steps(url: URL, session: aiohttp.ClientSession, way: Way) -> AsyncIterator[Step]:
    """Name, connection, TLS, then whether anybody speaks HTTP there."""
    from gateway.connectors.probing import probe  # noqa: PLC0415

    held = True
    async for step in probe(url, way=way, moment=datetime.now(UTC)):
        held = held and step.held is not False
        yield step
    if held:
        yield await _http(url, session, way)


async def _http(url: URL, session: aiohttp.ClientSession, way: Way) -> Step:
    """A GET, as a browser would look; a station may refuse it, but somebody must answer."""
    from gateway.connectors.exchange import exchange  # noqa: PLC0415

    began = time.monotonic()
    try:
        answer = await exchange(session, "GET", url, headers=way.headers, body=b"", seconds=20, limit=_LIMIT, way=way)
    except DeliveryFailed as failed:
        return Step(name="HTTP", held=False, said=str(failed), fix="a server listens there that does not speak HTTP")
    took = time.monotonic() - began
    facts = tuple(
        (name, answer.headers[name][:200]) for name in ("Server", "Allow", "Location") if name in answer.headers
    )
    said = f"GET is answered with {answer.status}"
    if answer.status == 404:  # noqa: PLR2004  Not Found
        fix = "there may be no station at this path: compare the address with theirs"
        return Step(name="HTTP", held=None, said=said, facts=facts, fix=fix, seconds=took)
    if answer.status // 100 == 3:  # noqa: PLR2004  a redirect
        fix = "redirects are never followed: use the address that it names"
        return Step(name="HTTP", held=None, said=said, facts=facts, fix=fix, seconds=took)
    held = None if answer.status // 100 == 5 else True  # noqa: PLR2004  their server's own faults
    fix = "" if held else "their server is up, what is behind it may not be: ask them"
    return Step(name="HTTP", held=held, said=said, facts=facts, fix=fix, seconds=took)


def _show(step: Step) -> None:
    mark, colour = _MARKS[step.held]
    took = "" if step.seconds is None else f"  ({step.seconds * 1000:.0f} ms)"
    show(Text.assemble((f"{mark} {step.name}", colour), f": {printable(step.said)}", (took, "dim")))
    for name, value in step.facts:
        show(Text.assemble((f"    {name}: ", "dim"), printable(value).replace("\n", " ")))
    if step.held is not True and step.fix:
        show(Text(f"    → {printable(step.fix)}", style="bold" if step.held is False else ""))
