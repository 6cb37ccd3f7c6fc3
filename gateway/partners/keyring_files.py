"""The keyring of a workspace: its files read and opened, nothing decided."""

from __future__ import annotations

from gateway.partners import keys, pairs
from gateway.partners.confirmations import Confirmations
from gateway.partners.keyring import Keyring
from gateway.partners.workspace import Workspace


def load_keyring(workspace: Workspace, confirmations: Confirmations | None = None) -> Keyring:
    """Our key pairs and the partners' certificates. OurFault for the first that is missing or cannot be opened."""
    ours, uses = pairs.load(workspace.folder, workspace.settings)
    channels = {one.name: one.as2 for one in workspace.agreements if one.as2 is not None}
    return Keyring(
        ours=ours,
        uses=uses,
        theirs={
            name: keys.load_certificates(workspace.folder, channel.certificates) for name, channel in channels.items()
        },
        accept_expired_until={
            name: channel.accept_expired_until
            for name, channel in channels.items()
            if channel.accept_expired_until is not None
        },
        confirmations=Confirmations() if confirmations is None else confirmations,
    )
