"""What is remembered of a message of ours, for whoever looks at its receipt again. Decides nothing."""

from __future__ import annotations

from gateway.as2 import Sent
from gateway.as2.explaining_receipts import hash_of
from gateway.pipeline import receipted
from gateway.pipeline.station import Station
from gateway.ports import Message


async def sent_of(station: Station, message: Message) -> Sent | None:
    """What its receipt must say, as the trail has it of its last posting; `None` for what was never posted.

    Of theirs, and of what was sent before the trail said it, the stored MIC, whose length tells its hash.
    """
    posted = receipted.postings(await station.queries.timeline(message_id=message.id))
    if posted:
        return posted[0].sent
    if message.mic is None or message.as2_message_id is None:
        return None
    return Sent(message_id=message.as2_message_id, mic=message.mic, mic_algorithm=hash_of(message.mic), signed=True)
