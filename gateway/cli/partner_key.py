"""`gateway partner key`: API keys, made, listed and revoked. A key's text is shown once and kept nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from gateway.cli.answers import AsJson, WorkspaceFolder, answering, say, show, show_json, show_table
from gateway.errors import OurFault
from gateway.partners.api_keys import mint_api_key
from gateway.partners.workspace import load
from gateway.ports import ApiKey, Keys
from gateway.yamltext import near_miss

app = typer.Typer(no_args_is_help=True, help="API keys of partners and of the ERP.")
ResultT = TypeVar("ResultT")


@app.command()
def new(
    partner: Annotated[str | None, typer.Argument(help="Whose key; none with --erp.")] = None,
    *,
    name: Annotated[str, typer.Option(help="What the key is for, shown in the list.")] = "",
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days until it expires.")] = 365,
    erp: Annotated[bool, typer.Option("--erp", help="A key of the ERP scope: it sees all partners.")] = False,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Make an API key and print it, once: only its hash is stored.

    Example: gateway partner key new baltic --name "order robot" --days 365
    """
    with answering():
        if (partner is None) != erp:
            raise OurFault("a key is a partner's or the ERP's", remedy="give a partner's name, or --erp, not both")
        if partner is not None:
            names = [agreement.name for agreement in load(workspace).agreements]
            if partner not in names:
                meant = near_miss(partner, names)
                remedy = f"did you mean {meant}?" if meant else f"partners are: {', '.join(names) or 'none'}"
                raise OurFault(f"there is no partner {partner}", remedy=remedy)
        now = datetime.now(UTC)
        minted = mint_api_key()
        key = ApiKey(
            id=minted.id,
            partner=partner,
            scope="erp" if erp else "supplier",
            name=name,
            created_at=now,
            expires_at=now + timedelta(days=days),
            revoked_at=None,
            last_used_at=None,
        )
        _with_store(workspace, lambda keys: keys.add_key(key, secret_sha256=minted.secret_sha256))
        if as_json:
            show_json({**_json(key), "key": minted.text})
            return
        say(f"Key {key.id} for {partner or 'the ERP'}, valid until {key.expires_at:%Y-%m-%d}. It is shown only now:")
        show(minted.text)


@app.command("list")
def list_(
    partner: Annotated[str | None, typer.Argument(help="Only this partner's keys.")] = None,
    *,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """List API keys with their state; never their secrets.

    Example: gateway partner key list baltic
    """
    with answering():
        found = _with_store(workspace, lambda keys: keys.keys(partner=partner))
        if as_json:
            show_json([_json(key) for key in found])
            return
        now = datetime.now(UTC)
        show_table(
            ("id", "scope", "partner", "name", "state", "created", "expires", "last used"),
            (
                (
                    *(key.id, key.scope, key.partner or "", key.name, _state(key, now)),
                    *(_day(moment) for moment in (key.created_at, key.expires_at, key.last_used_at)),
                )
                for key in found
            ),
        )


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, from the list.")],
    *,
    workspace: WorkspaceFolder = Path(),
) -> None:
    """Make an API key useless from now on.

    Example: gateway partner key revoke 3f9c0a1b2c3d
    """
    with answering():
        if not _with_store(workspace, lambda keys: keys.revoke_key(key_id, datetime.now(UTC))):
            raise OurFault(f"there is no key {key_id}", remedy="see the ids: gateway partner key list")
        show(f"key {key_id} is revoked")


def _with_store(workspace: Path, action: Callable[[Keys], Awaitable[ResultT]]) -> ResultT:
    # Imported here: listing or checking partners must not pay for the database, the web server and the rest.
    from gateway.wiring import open_store  # noqa: PLC0415

    async def act() -> ResultT:
        async with open_store(workspace) as store:
            return await action(store)

    return asyncio.run(act())


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now else "valid"


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else ""


def _json(key: ApiKey) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(key).items()}
