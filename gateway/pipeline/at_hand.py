"""The message that a job is about, and its bytes: what the claim brought along, else looked up."""

from __future__ import annotations

from gateway.errors import OurFault
from gateway.pipeline.station import Station
from gateway.ports import Job, Message, OctetSource


async def message_of(station: Station, job: Job) -> Message:
    """The job's message, as it was when the job was claimed. Raises OurFault when the store has none."""
    found = job.message or await station.queries.message(job.message_id)
    if found is None:
        raise OurFault(f"message {job.message_id} is not in the store", remedy="gateway audit verify")
    return found


async def payload_of(station: Station, job: Job) -> bytes:
    """The unwrapped bytes of the job's message. Raises OurFault when they were purged or changed."""
    return await station.queries.payload(job.message_id) if job.payload is None else job.payload


async def octets_of(station: Station, job: Job) -> bytes | OctetSource:
    """As `payload_of`, to be read in pieces where they stand in a file."""
    found = job.payload if job.payload is not None else await station.queries.octets(job.message_id)
    if found is None:
        raise OurFault(f"message {job.message_id} is not in the store", remedy="gateway audit verify")
    return found
