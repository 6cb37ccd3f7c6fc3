"""The keyring of a workspace: its files read and opened, nothing decided."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from gateway.partners import keys, pairs
from gateway.partners.as2_channel import As2Channel
from gateway.partners.authorities import load_authorities
from gateway.partners.confirmations import Confirmations
from gateway.partners.keyring import Keyring
from gateway.partners.revocation import CrlShelf, Revocation
from gateway.partners.trust import ChainTrust
from gateway.partners.workspace import Workspace


def load_keyring(
    workspace: Workspace, confirmations: Confirmations | None = None, shelf: CrlShelf | None = None
) -> Keyring:
    """Our key pairs and the partners' certificates. OurFault for the first that is missing or cannot be opened."""
    folder = workspace.folder
    lists = CrlShelf(folder) if shelf is None else shelf
    ours, uses = pairs.load(folder, workspace.settings)
    channels = {one.name: one.as2 for one in workspace.agreements if one.as2 is not None}
    revocations = {name: _revocation(folder, one, lists) for name, one in channels.items() if one.revocation == "crl"}
    return Keyring(
        ours=ours,
        uses=uses,
        theirs={name: keys.load_certificates(folder, one.certificates) for name, one in channels.items()},
        encrypt_for={
            name: keys.load_certificate(folder / one.encrypt_for)
            for name, one in channels.items()
            if one.encrypt_for is not None
        },
        accept_expired_until={
            name: one.accept_expired_until for name, one in channels.items() if one.accept_expired_until is not None
        },
        chains={
            name: ChainTrust(
                authorities=load_authorities(folder, one.signer_ca),
                subject=x509.Name.from_rfc4514_string(one.signer_subject or ""),
                revocation=revocations.get(name),
            )
            for name, one in channels.items()
            if one.trust == "chain"
        },
        revocations=revocations,
        confirmations=Confirmations() if confirmations is None else confirmations,
    )


def _revocation(folder: Path, channel: As2Channel, shelf: CrlShelf) -> Revocation:
    shelf.load(channel.crls)
    return Revocation(
        shelf=shelf,
        sources=channel.crls,
        authorities=load_authorities(folder, channel.signer_ca),
        stale=channel.stale_crl,
    )
