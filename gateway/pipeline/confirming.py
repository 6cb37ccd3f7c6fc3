"""What an exchange proves about certificates: whose signature counts now, and which certificates are in use.

Cheap where nothing is new: what is confirmed is remembered, and the store hears of it the first time only.
"""

from __future__ import annotations

from datetime import datetime

from gateway import as2
from gateway.errors import PartnerFault
from gateway.partners.confirmations import Reached, Stage, Whose
from gateway.pipeline.station import Station

UNKNOWN_SIGNER = "The message is not signed by a certificate known for this partner."
"""An expired signer is told what a stranger is told: who holds an old key learns nothing."""


def judge_signer(station: Station, partner: str, signer: str | None, at: datetime) -> None:
    """Raises As2Fault when the certificate that signed a message does not count at that moment."""
    if signer is not None and (reason := station.keyring.refusal(partner, signer, at)) is not None:
        raise as2.As2Fault(reason, refusal=as2.Refusal.AUTHENTICATION_FAILED, public=UNKNOWN_SIGNER)


def judge_receipt_signer(station: Station, partner: str, signer: str | None, at: datetime) -> None:
    """Raises PartnerFault when the certificate that signed a receipt does not count at that moment."""
    if signer is not None and (reason := station.keyring.refusal(partner, signer, at)) is not None:
        raise PartnerFault(f"the receipt proves nothing: {reason}")


def by_message(station: Station, partner: str, message_id: str, opened: as2.Opened) -> tuple[Reached, ...]:
    """What a message that was taken proves: they sign with theirs, they encrypt for ours.

    Only a signed one: anybody can encrypt for a certificate of ours, it is public.
    """
    if opened.signed_by is None:
        return ()
    return _new(
        station,
        partner,
        message_id,
        (Whose.THEIRS, opened.signed_by, "a message signed with it was verified"),
        (Whose.OURS, opened.encrypted_for, "a message encrypted for it was opened"),
    )


def by_receipt(
    station: Station, partner: str, message_id: str, verdict: as2.ReceiptVerdict, signed_with: str | None
) -> tuple[Reached, ...]:
    """What a receipt proves: they sign with theirs; where it is positive and signed, they verified ours."""
    verified = signed_with if verdict.processed and verdict.signed_by is not None and verdict.mic_matched else None
    return _new(
        station,
        partner,
        message_id,
        (Whose.THEIRS, verdict.signed_by, "a receipt signed with it was verified"),
        (Whose.OURS, verified, "a message signed with it got a signed positive receipt"),
    )


def _new(
    station: Station, partner: str, message_id: str, *proved: tuple[Whose, str | None, str]
) -> tuple[Reached, ...]:
    confirmed = station.keyring.confirmations
    return tuple(
        Reached(partner=partner, whose=whose, fingerprint=one, stage=Stage.CONFIRMED, how=how, message_id=message_id)
        for whose, one, how in proved
        if one is not None and (partner, whose, one) not in confirmed
    )
