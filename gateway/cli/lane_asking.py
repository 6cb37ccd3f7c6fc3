"""What the commands of `gateway lane` share: lanes by name, times as people say them, the store of the workspace."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gateway.errors import OurFault
from gateway.partners.workspace import partner_files
from gateway.yamltext import near_miss

if TYPE_CHECKING:
    from gateway.store import Store

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LONGEST = timedelta(days=366)


def complete_lane(context: typer.Context, incomplete: str) -> list[str]:
    """The lanes that there are; nothing where the store cannot be read."""
    folder = Path(context.params.get("workspace") or ".")
    try:
        return [name for name in asyncio.run(_names(folder)) if name.startswith(incomplete)]
    except Exception:  # noqa: BLE001  a completion has nobody to tell
        return []


async def _names(folder: Path) -> list[str]:
    from gateway.partners import workspace as files  # noqa: PLC0415  only when something is completed
    from gateway.store import Store  # noqa: PLC0415
    from gateway.wiring import database_url, now  # noqa: PLC0415

    settings = files.load_settings(folder)
    url = database_url(folder, settings)
    store = await Store.open(url, payloads=folder / settings.database.payloads, clock=now)
    try:
        return await store.lane_names()
    finally:
        await store.close()


async def known(store: Store, folder: Path, name: str, *, new: bool) -> str:
    """The lane of this name. With `new` one that had no work yet will do, if it is a lane of one of our partners."""
    names = await store.lane_names()
    if name in names:
        return name
    partner, _, rest = name.partition(":")
    if new and re.fullmatch(r"(inbound|outbound):[A-Za-z0-9][A-Za-z0-9_-]{0,63}", rest):
        partners = [one for one, _ in partner_files(folder)]
        if partner in partners:
            return name
    meant = near_miss(name, names)
    remedy = f"did you mean {meant}?" if meant else f"lanes are: {', '.join(names[:20]) or 'none yet'}"
    raise OurFault(f"there is no lane {name!r}", remedy=remedy)


def until_of(for_: str | None, until: str | None, now: datetime) -> datetime | None:
    """The end of a pause; None where none was named."""
    if for_ is not None and until is not None:
        raise OurFault("--for and --until name two ends", remedy="leave one of them out")
    if for_ is not None:
        found = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", for_)
        if found is None:
            raise OurFault(f"{for_!r} is no time", remedy="say for example 30m, 2h or 3d")
        end = now + timedelta(seconds=int(found[1]) * _UNITS[found[2]])
    elif until is not None:
        try:
            end = datetime.fromisoformat(until)
        except ValueError:
            raise OurFault(f"{until!r} is no time", remedy="say for example 2026-03-01T18:00+01:00") from None
        end = end if end.tzinfo is not None else end.astimezone()
    else:
        return None
    if end <= now:
        raise OurFault("the end of the pause is past", remedy="name a later one; gateway lane resume ends a pause now")
    if end > now + LONGEST:
        raise OurFault("the pause is longer than a year", remedy="leave the end out: it lasts until it is lifted")
    return end.astimezone(UTC)


def age(since: datetime | None, now: datetime) -> str:
    """`3 s`, `12 min`, `5 h`, `4 d`; `in 3 s` where it is yet to come."""
    if since is None:
        return "-"
    seconds = (now - since).total_seconds()
    for unit, size, least in (("d", 86_400, 172_800), ("h", 3600, 7200), ("min", 60, 120)):
        if abs(seconds) >= least:
            told = f"{abs(seconds) / size:.0f} {unit}"
            break
    else:
        told = f"{abs(seconds):.0f} s"
    return told if seconds >= 0 else f"in {told}"
