"""`gateway webhook rotate`: a new signing secret in front of the one before; both sign until the old one is dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.answers import AsJson, WorkspaceFolder, answering, run, say, show, show_json
from gateway.cli.reference_asking import who
from gateway.cli.webhook_asking import By, Reason, WebhookName, one_of
from gateway.connectors.webhook_secrets import MOST, SigningSecret, new_secret, read_secrets
from gateway.errors import OurFault
from gateway.partners.keys import write_file
from gateway.partners.one_writer import one_writer


def rotate(
    name: WebhookName,
    *,
    asymmetric: Annotated[
        bool, typer.Option("--asymmetric", help="An Ed25519 key (v1a): the receiver gets the public half.")
    ] = False,
    finish: Annotated[
        bool, typer.Option("--finish", help="Make none: drop all but the newest, once the receiver has that.")
    ] = False,
    by: By = None,
    reason: Reason = "",
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Make a signing secret for a webhook, or its first one, and print what the receiver needs; once.

    The one before signs, too, until --finish. A server that runs signs with it from the next event on.

    Example: gateway webhook rotate erp --reason "yearly"
    """
    with answering(), one_writer(workspace):  # of two at once the last would drop the secret that the first printed
        loaded, endpoint = one_of(workspace, name)
        where = endpoint.webhook.secrets
        if where.file is None:
            raise OurFault(
                f"the secrets of {name} stand in the environment variable {where.env}, which no command changes",
                remedy="put a new one in front of the old one there, a blank between; or name a file under secrets",
            )
        path = loaded.folder / where.file
        before = read_secrets(f"webhook {name}", where.read(loaded.folder)) if path.exists() else ()
        if finish and not before:
            raise OurFault(f"{name} has no secret yet", remedy=f"make one: gateway webhook rotate {name}")
        kept = before[:1] if finish else (new_secret(asymmetric=asymmetric), *before)[:MOST]
        _write(path, kept)
        run(_recorded(workspace, name, len(kept), who(by), reason))
        if as_json:
            show_json({"webhook": name, "secrets": len(kept), "shown": None if finish else kept[0].shown})
        elif finish:
            show(f"{name} signs with its newest secret only")
        else:
            say(f"What the receiver of {name} verifies with; it is shown only now, and stands in {path}:")
            show(kept[0].shown)
            if before:
                say(
                    f"The one before signs, too. When the receiver has this one: gateway webhook rotate {name} --finish"
                )


def _write(path: Path, secrets: tuple[SigningSecret, ...]) -> None:
    text = "".join(f"{one.text}\n" for one in secrets)
    write_file(path, text.encode(), mode=0o600, overwrite=True)


async def _recorded(workspace: Path, name: str, count: int, by: str, reason: str) -> None:
    from gateway.wiring import open_store  # noqa: PLC0415  only commands that need the store load it

    async with open_store(workspace) as store:
        await store.webhook_rotated(name, secrets=count, by=by, reason=reason)
