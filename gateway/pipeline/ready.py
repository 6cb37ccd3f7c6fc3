"""Files that somebody else wrote, to be sent as they are: each as a message of its own, or several as one (RFC 6362).

Nothing in them is changed or numbered. An interchange is read only to know what will close the message: the 997 or
CONTRL that it waits for, and the TA1 or CONTRL that names it by its control number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.edi import library
from gateway.edi.reading import standard_at
from gateway.errors import OurFault, PartnerFault
from gateway.partners.agreement import Agreement
from gateway.pipeline import files, identity, standards
from gateway.pipeline.bodies import Body, size_of, start_of, whole_of
from gateway.pipeline.outgoing import outbound_message, send_job
from gateway.ports import Changes, NaturalKeyTaken, Queries, Store, new_id
from gateway.settings import Settings

Named = tuple[str, Body]
"""A file's name, without its path, and its bytes, in a file of the spool when they are many."""
NUMBERS_KNOWN = 100
"""Interchanges of a message that a TA1 or CONTRL finds by their numbers."""
LONGEST_NUMBER = 35
"""Characters of 0020 (ISO 9735-1 syntax 4; ISA13 has nine)."""
_TRIES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class _Closing:
    """What closes a message of files."""

    wait_key: str | None = None
    numbered: tuple[str, ...] = ()
    """The identities of its interchanges."""


async def queue(store: Store, queries: Queries, ready: Iterable[Changes]) -> list[str]:
    """Store what is ready, all of it or nothing; the messages' ids. A file may go out again under its old number."""
    parts = list(ready)
    whole = Changes(
        messages=tuple(message for one in parts for message in one.messages),
        jobs=tuple(job for one in parts for job in one.jobs),
    )
    claimed = [claim for one in parts for claim in one.keys]
    for _ in range(_TRIES):
        try:
            await store.apply(replace(whole, keys=await _free(queries, claimed)))
        except NaturalKeyTaken:  # the same file went out by another command, just now
            continue
        return [message.id for message in whole.messages]
    await store.apply(whole)
    return [message.id for message in whole.messages]


async def _free(queries: Queries, claimed: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Each identity as that of the sending that it is; none for what was sent too often."""
    taken: dict[str, str] = {}
    for file_key, owner in claimed:
        for key in identity.sendings(file_key):
            if key not in taken and await queries.key_owner(key) is None:
                taken[key] = owner
                break
    return tuple(taken.items())


def ready_file(settings: Settings, agreement: Agreement, payload: Body, filename: str, now: datetime) -> Changes:
    """A file as a message; its first group, or its 0031, says what closes it. Raises OurFault for what cannot go."""
    content_type = files.media_type_of(filename, start_of(payload, files.START_SEEN))
    if content_type == files.UNKNOWN:
        raise OurFault(
            f"{filename} begins with no interchange, and its name does not say what else it is",
            remedy="check it with gateway edi check, or send it as an attachment, with --together",
        )
    return _message(
        settings,
        agreement,
        payload,
        content_type,
        filename,
        _closing(settings, agreement, [(filename, payload)]),
        now,
    )


def ready_together(settings: Settings, agreement: Agreement, together: Sequence[Named], now: datetime) -> Changes:
    """Several files as one message. What closes it is what closes the last interchange, as in a file of several."""
    joined = files.joined([(name, whole_of(data)) for name, data in together])
    closed_by = _closing(settings, agreement, together)
    return _message(settings, agreement, joined.content, joined.content_type, None, closed_by, now)


def _message(  # noqa: PLR0917  two callers, in this order
    settings: Settings,
    agreement: Agreement,
    payload: Body,
    content_type: str,
    filename: str | None,
    closed_by: _Closing,
    now: datetime,
) -> Changes:
    message_id = new_id(now)
    message = outbound_message(
        settings,
        agreement,
        message_id=message_id,
        payload=payload,
        content_type=content_type,
        filename=filename,
        now=now,
        wait_key=closed_by.wait_key,
    )
    keys = tuple((key, message_id) for key in closed_by.numbered)
    return Changes(messages=(message,), jobs=(send_job(agreement, message_id, now),), keys=keys)


def _closing(settings: Settings, agreement: Agreement, named: Sequence[Named]) -> _Closing:
    """What closes a message of these files."""
    wait_key: str | None = None
    numbered: dict[str, None] = {}
    for name, body in named:
        if standard_at(start_of(body, files.START_SEEN)) is None:
            continue
        if size_of(body) > settings.max_interchange_bytes:
            raise OurFault(
                f"{name} has {size_of(body)} bytes, more than an EDI file that is read",
                remedy="split it, or raise max_interchange_bytes in gateway.yaml",
            )
        data = whole_of(body)
        wire = standards.of_payload(agreement, data)
        try:
            interchanges = wire.reader.read_all(data, guides=library.standard())
        except PartnerFault as fault:
            raise OurFault(f"{name} is no whole interchange: {fault}", remedy="gateway edi check says more") from fault
        wait_key = wire.file_wait_key(agreement, interchanges) or wait_key
        numbers = (one.control_number for one in interchanges)
        numbered |= {wire.sent_file_key(agreement, one): None for one in numbers if 0 < len(one) <= LONGEST_NUMBER}
    return _Closing(wait_key=wait_key, numbered=tuple(numbered)[:NUMBERS_KNOWN])
