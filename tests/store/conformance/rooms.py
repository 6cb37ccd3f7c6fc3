"""A worker that only remembers what commits lease to it."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.ports import Job, NewJob
from gateway.store import Store


class Room:
    """A worker with so much room, which only remembers."""

    owner = "here"

    def __init__(self, room: int, *steps: str) -> None:
        self.room = room
        self.steps = frozenset(steps or ("read", "deliver"))
        self.leased: list[Job] = []
        self.left: list[NewJob] = []

    def reserve(self, wanted: int) -> int:
        """Some of the room."""
        given = min(wanted, self.room)
        self.room -= given
        return given

    def take(self, reserved: int, leased: Sequence[Job], left: Sequence[NewJob]) -> None:
        """Room that was not used comes back."""
        self.room += reserved - len(leased)
        self.leased += leased
        self.left += left


def worker(store: Store, room: int = 64, *steps: str) -> Room:
    """A worker of this process."""
    store.taker = taker = Room(room, *steps)
    return taker
