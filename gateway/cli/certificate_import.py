"""`gateway certificate import`: a partner's certificate into its agreement; ours as a key pair or an answer."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.as2 import fingerprint
from gateway.cli.answers import AsJson, WorkspaceFolder, answering, say, show, show_json
from gateway.cli.certificate_asking import Desk, Partner, PassphraseFile, PassphraseVariable, open_desk, passphrase
from gateway.cli.certificate_making import free
from gateway.errors import OurFault
from gateway.partners import agreement_certificates, keys, pairs
from gateway.partners.certificate_facts import may_receive, may_sign, subject, with_colons
from gateway.partners.certificate_reading import (
    Chain,
    check_usable,
    read_answer,
    read_bytes,
    read_chain,
    read_own,
)
from gateway.partners.one_writer import one_writer


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, help="PEM, DER, PKCS#7, or PKCS#12.")],
    *,
    partner: Partner = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Ours: what to call the pair, or the pair whose request was answered.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    passphrase_env: PassphraseVariable = None,
    force: Annotated[bool, typer.Option("--force", help="Take it though it has expired.")] = False,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Take a certificate into the workspace: a partner's with --partner, ours with --name.

    A partner's goes to certs/ and into its agreement; it encrypts once a signed exchange has confirmed it, or when the
    one before has expired. Ours is a key with its certificate (PKCS#12, or PEM with both), or an authority's answer to
    `certificate new --request`. Files that are there are never replaced.

    Example: gateway certificate import acme-2027.p7b --partner acme
    """
    with answering(), one_writer(workspace):
        if (partner is None) == (name is None):
            raise OurFault("whose is it?", remedy="say --partner NAME for a partner's, or --name NAME for ours")
        content = read_bytes(file)
        desk = open_desk(workspace, stages=False)
        if partner is not None:
            said = _theirs(desk, partner, read_chain(content, file.name), file.name, force=force)
        else:
            assert name is not None
            said = _ours(desk, name, content, file.name, given=passphrase_file, variable=passphrase_env, force=force)
        if as_json:
            show_json(said)
            return
        for one in said["written"]:
            show(f"wrote {one}")
        show(f"SHA-256 {said['sha256_with_colons']}")
        for line in said["notes"]:
            say(line)


def _theirs(desk: Desk, partner: str, chain: Chain, name: str, *, force: bool) -> dict[str, Any]:
    agreement = desk.partner(partner)
    certificate = chain.certificate
    check_usable(certificate, name, desk.now, bear_expired=force)
    folder = desk.workspace.folder
    assert agreement.as2 is not None
    for listed in agreement.as2.certificates:
        if (folder / listed).exists() and fingerprint(keys.load_certificate(folder / listed)) == fingerprint(
            certificate
        ):
            return _said(certificate, [], [f"it is in the agreement with {partner} already: {listed}"])
    if any(fingerprint(one.certificate) == fingerprint(certificate) for one in desk.ours):
        raise OurFault(f"{name} is our own certificate", remedy="ask the partner for theirs")
    awaited = next((one for one in agreement.as2.certificates if not (folder / one).exists()), None)
    target = awaited or _unused(folder, partner, certificate)
    keys.write_file(folder / target, chain.pem, mode=0o644)
    written = [target]
    if awaited is None:
        agreed = desk.workspace.files[partner]
        try:
            agreement_certificates.add(folder, agreed, target)
        except OurFault:
            (folder / target).unlink()
            raise
        written.append(agreed)
    notes = [f"Compare this fingerprint with {partner} by telephone before you rely on it."]
    if agreement.as2.encrypt_for is not None:
        notes.append(f"We go on encrypting for {agreement.as2.encrypt_for}, which as2.encrypt_for names.")
    if not may_receive(certificate):
        notes.append("Its key usage allows signing only: we never encrypt for it.")
    if not may_sign(certificate):
        notes.append(
            "Its key usage allows encrypting only. No signature can confirm it; when they use it, say so: "
            f"gateway certificate confirm {fingerprint(certificate)[:16]} --partner {partner}"
        )
    return _said(certificate, written, notes)


def _unused(folder: Path, partner: str, certificate: Any) -> str:
    plain = f"certs/{partner}.pem"
    return plain if not (folder / plain).exists() else f"certs/{partner}-{fingerprint(certificate)[:12]}.pem"


def _ours(
    desk: Desk, name: str, content: bytes, file: str, *, given: Path | None, variable: str | None, force: bool
) -> dict[str, Any]:
    folder, settings = desk.workspace.folder, desk.settings
    ours, _ = pairs.read(folder)
    secret = keys.workspace_passphrase(folder, settings)
    waiting = f"keys/{name}.key"
    notes = [f"Next: gateway certificate roll {name} --from DATE tells whom to send it"]
    if ours.named(name) is None and name != pairs.FIRST and (folder / waiting).exists():
        made = pairs.FurtherPair(name=name, certificate=f"certs/{name}.pem", key=waiting)
        chain = read_answer(content, file, keys.load_private_key(folder / waiting, secret))
        check_usable(chain.certificate, file, desk.now, bear_expired=force)
        written = []
    else:
        made = free(folder, ours, name)
        given_secret = passphrase(given, variable, ask=f"Passphrase of {file} (Enter: none)")
        own = read_own(content, file, given_secret)
        chain = own.chain
        check_usable(chain.certificate, file, desk.now, bear_expired=force)
        keys.write_private_key(folder / made.key, own.private_key, secret)
        written = [made.key]
        notes.append(f"{file} still holds the private key: delete it, or keep it as safe as a backup")
    keys.write_file(folder / made.certificate, chain.pem, mode=0o644)
    pairs.write(folder, ours.model_copy(update={"pairs": (*ours.pairs, made)}))
    return _said(chain.certificate, [*written, made.certificate, pairs.FILE], notes)


def _said(certificate: Any, written: list[str], notes: list[str]) -> dict[str, Any]:
    return {
        "written": written,
        "subject": subject(certificate),
        "sha256": fingerprint(certificate),
        "sha256_with_colons": with_colons(certificate, "sha256"),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "at": datetime.now(UTC).isoformat(),
        "notes": notes,
    }
