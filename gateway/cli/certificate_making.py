"""`gateway certificate new`: a key pair of ours, with a certificate of its own or a request for an authority."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.as2 import fingerprint
from gateway.cli.answers import AsJson, WorkspaceFolder, answering, say, show, show_json
from gateway.errors import OurFault
from gateway.partners import keys, pairs
from gateway.partners.certificate_making import DEFAULT_KIND, KINDS, request, self_signed
from gateway.partners.one_writer import one_writer
from gateway.partners.workspace import load_settings


def _complete(incomplete: str) -> list[str]:
    return [name for name in KINDS if name.startswith(incomplete)]


def new(
    name: Annotated[str, typer.Argument(help="What to call it: small letters, digits, - and _, such as as2-2027.")],
    *,
    key: Annotated[
        str, typer.Option("--key", help=f"Kind of key: {', '.join(KINDS)}.", autocompletion=_complete)
    ] = DEFAULT_KIND,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long the certificate is valid.")] = 1095,
    as_request: Annotated[
        bool,
        typer.Option("--request", help="Write a request for a certification authority; import brings its answer."),
    ] = False,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Make a key pair of ours. It decrypts from now on, and signs from the date that `certificate roll` gives it.

    The private key is encrypted with the workspace's passphrase. A running gateway takes the pair up by itself.

    Example: gateway certificate new as2-2027 --days 1095
    """
    with answering(), one_writer(workspace):
        settings = load_settings(workspace)
        ours, _ = pairs.read(workspace)
        files = free(workspace, ours, name)
        if key not in KINDS:
            raise OurFault(f"there is no kind of key {key}", remedy=f"kinds are: {', '.join(KINDS)}")
        passphrase = keys.workspace_passphrase(workspace, settings)
        private = KINDS[key]()
        us = settings.identity
        keys.write_private_key(workspace / files.key, private, passphrase)
        if as_request:
            asked = f"certs/{name}.csr"
            signing = request(private, company=us.name, as2_id=us.as2_id)
            keys.write_file(workspace / asked, signing.public_bytes(Encoding.PEM), mode=0o644)
            written = [files.key, asked]
            following = f"Next: send {asked} to the authority, then: gateway certificate import ANSWER --name {name}"
        else:
            pair = self_signed(private, company=us.name, as2_id=us.as2_id, now=datetime.now(UTC), days=days)
            keys.write_certificate(workspace / files.certificate, pair.certificate)
            pairs.write(workspace, ours.model_copy(update={"pairs": (*ours.pairs, files)}))
            written = [files.key, files.certificate, pairs.FILE]
            following = f"Next: gateway certificate roll {name} --from DATE tells whom to send it"
        if as_json:
            sha256 = None if as_request else fingerprint(pair.certificate)
            show_json({"name": name, "written": written, "sha256": sha256})
            return
        for file in written:
            show(f"wrote {file}")
        say(following)


def free(folder: Path, ours: pairs.OurPairs, name: str) -> pairs.FurtherPair:
    """The files that a pair of this name gets; OurFault where the name or a file of it is taken."""
    try:
        made = pairs.FurtherPair(name=name, certificate=f"certs/{name}.pem", key=f"keys/{name}.key")
    except ValueError:
        raise OurFault(
            f"{name!r} cannot be a pair's name", remedy="small letters, digits, - and _, such as as2-2027"
        ) from None
    if name == pairs.FIRST or ours.named(name):
        raise OurFault(f"there is a pair {name} already", remedy="take another name, such as one with the year")
    for file in (made.key, made.certificate):
        if (folder / file).exists():
            raise OurFault(f"{file} is there already", remedy="take another name, or move the file away")
    return made
