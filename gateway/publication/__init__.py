"""Publishing: the trail's facts as CloudEvents, who asked for which, and the document that describes them.

Pure: no I/O and no clock. The store writes what the `Announcer` makes in the commit of the fact; `gateway.worker`
takes it from there.
"""

from gateway.publication.announcer import Announcement, Announcer, Written, cloud_event
from gateway.publication.subscribers import STREAM, WEBHOOKS, Endpoint, Subscribers
from gateway.publication.telling import NOTIFY

__all__ = [
    "NOTIFY",
    "STREAM",
    "WEBHOOKS",
    "Announcement",
    "Announcer",
    "Endpoint",
    "Subscribers",
    "Written",
    "cloud_event",
]
