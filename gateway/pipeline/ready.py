"""Files that somebody else wrote, to be sent as they are: each as a message of its own, or several as one (RFC 6362).

Nothing in them is changed or numbered. An interchange is read only to know what will close the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.edi import library
from gateway.edi.reading import standard_at
from gateway.errors import OurFault, PartnerFault
from gateway.partners.agreement import Agreement
from gateway.pipeline import files, standards
from gateway.pipeline.bodies import Body, size_of, start_of, whole_of
from gateway.pipeline.outgoing import outbound_message, send_job
from gateway.ports import Changes, new_id
from gateway.settings import Settings

Named = tuple[str, Body]
"""A file's name, without its path, and its bytes, in a file of the spool when they are many."""


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
        _wait_key(settings, agreement, [(filename, payload)]),
        now,
    )


def ready_together(settings: Settings, agreement: Agreement, together: Sequence[Named], now: datetime) -> Changes:
    """Several files as one message. What closes it is what closes the last interchange, as in a file of several."""
    joined = files.joined([(name, whole_of(data)) for name, data in together])
    closed_by = _wait_key(settings, agreement, together)
    return _message(settings, agreement, joined.content, joined.content_type, None, closed_by, now)


def _message(  # noqa: PLR0917  two callers, in this order
    settings: Settings,
    agreement: Agreement,
    payload: Body,
    content_type: str,
    filename: str | None,
    wait_key: str | None,
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
        wait_key=wait_key,
    )
    return Changes(messages=(message,), jobs=(send_job(agreement, message_id, now),))


def _wait_key(settings: Settings, agreement: Agreement, named: Sequence[Named]) -> str | None:
    """What closes a message of these files."""
    found: str | None = None
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
        found = wire.file_wait_key(agreement, interchanges) or found
    return found
