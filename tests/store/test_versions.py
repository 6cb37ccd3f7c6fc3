"""Versions by hash, on each database: kept once, read back word for word, never silently damaged."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select, update

from gateway.errors import OurFault
from gateway.ports import Source, Version, VersionKind
from gateway.store import Store
from gateway.store.tables import version, version_source

BASE = Source(name="x12/855", file="maps/x12/855.yaml", content="document: 855 # …\n".encode() * 500)


def delta(number: int) -> Version:
    """A partner's map on the base that all share."""
    own = Source(name=f"p{number}/855", file=f"maps/p{number}/855.yaml", content=b"extends: x12/855 # %d" % number)
    return Version(
        kind=VersionKind.MAP, hash=f"{number:064x}", name=f"p{number}/855", gateway="0.1.0", sources=(own, BASE)
    )


async def count(store: Store, table: Any) -> int:
    """Rows of a table."""
    return await store.database.read(
        lambda connection: connection.execute(select(func.count()).select_from(table)).scalar_one()
    )


async def test_what_was_put_is_read_back_word_for_word_by_its_hash(store: Store) -> None:
    """Kind and hash find it; a hash of another kind, or one that never was, finds nothing."""
    assert await store.put([delta(1), delta(2)]) == 2
    found = await store.get(VersionKind.MAP, delta(2).hash)
    assert found is not None
    assert (found.name, found.gateway, found.sources) == ("p2/855", "0.1.0", delta(2).sources)
    assert found.first_seen is not None
    assert await store.get(VersionKind.GUIDE, delta(2).hash) is None
    assert await store.get(VersionKind.MAP, "0" * 64) is None


async def test_the_same_version_again_and_a_base_of_many_are_stored_once(store: Store) -> None:
    """Also by another process that does not know what is there."""
    versions = [delta(number) for number in range(900)]
    assert await store.put(versions) == 900
    assert await store.put(versions) == 0
    store._shelved.clear()  # as a process that has just started
    assert await store.put([*versions, delta(900)]) == 1
    assert await count(store, version) == 901
    assert await count(store, version_source) == 902


async def test_one_content_under_two_names_is_found_by_its_hash(store: Store) -> None:
    """Two partners' maps that say the same: either is right."""
    one = delta(1)
    other = Version(kind=one.kind, hash=one.hash, name="q/855", gateway="0.1.0", sources=one.sources)
    assert await store.put([one, other]) == 2
    found = await store.get(VersionKind.MAP, one.hash)
    assert found is not None
    assert found.sources == one.sources


async def test_a_text_that_is_not_what_it_was_is_never_given_out(store: Store) -> None:
    """Its SHA-256 is its key: a changed or missing row is said, with the remedy."""
    await store.put([delta(1)])
    broken = update(version_source).values(content=b"nothing that inflates")
    await store.database.write(lambda connection: connection.execute(broken) and None)
    with pytest.raises(OurFault, match="not what it was") as damaged:
        await store.get(VersionKind.MAP, delta(1).hash)
    assert "backup" in damaged.value.remedy
