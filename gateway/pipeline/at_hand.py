"""The message that a job is about, and its bytes: what the claim brought along, else looked up; within bounds whole."""

from __future__ import annotations

import asyncio

from gateway.errors import OurFault
from gateway.pipeline.station import Station
from gateway.ports import Job, Message, OctetSource, Queries

LOOKED_INTO = 256 * 1024 * 1024
"""Octets of a stored message that are looked into, which is done in memory and takes several times as many."""


async def message_of(station: Station, job: Job) -> Message:
    """The job's message, as it was when the job was claimed. Raises OurFault when the store has none."""
    found = job.message or await station.queries.message(job.message_id)
    if found is None:
        raise OurFault(f"message {job.message_id} is not in the store", remedy="gateway audit verify")
    return found


async def octets_of(station: Station, job: Job) -> bytes | OctetSource:
    """The unwrapped bytes of the job's message, to be read in pieces where they stand in a file.

    Raises OurFault when they were purged or changed.
    """
    found = job.payload if job.payload is not None else await station.queries.octets(job.message_id)
    if found is None:
        raise OurFault(f"message {job.message_id} is not in the store", remedy="gateway audit verify")
    return found


async def looked_into(queries: Queries, message_id: str, form: str) -> bytes | None:
    """The payload, or `raw`, of a stored message, whole. Raises OurFault when they were purged or are too many."""
    found = await queries.octets(message_id, form)
    if found is None or isinstance(found, bytes):
        return found
    if found.size > LOOKED_INTO:
        raise OurFault(
            f"the {form} of message {message_id} has {found.size} octets; {LOOKED_INTO} at most are looked into",
            remedy="`gateway message export` writes the payload of any message, in pieces",
        )
    return await asyncio.to_thread(found.read, 0, found.size)
