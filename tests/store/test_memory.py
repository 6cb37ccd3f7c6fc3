"""A message of 64 MB is built, opened and stored by a process that grows by a fraction of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

MEGABYTE = 2**20
SIZE = 64 * MEGABYTE
ALLOWED = 16 * MEGABYTE

SCRIPT = """
import asyncio, json, resource, sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from bench.as2 import make_pair
from bench.large import payload_of
from gateway import as2
from gateway.ports import Changes, Channel, Direction, MessageState, NewMessage, new_id
from gateway.store import Store, migrate

folder, size = Path(sys.argv[1]), int(sys.argv[2])
now = datetime.now(UTC)
acme, ours = make_pair("acme"), make_pair("ours")

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

async def main():
    url = f"sqlite:///{folder}/gateway.db"
    await migrate(url)
    store = await Store.open(url, payloads=folder / "payloads", clock=lambda: now)

    def message(**content):
        return NewMessage(id=new_id(now), partner="acme", direction=Direction.INBOUND, channel=Channel.AS2,
                          state=MessageState.RECEIVED, at=now, **content)

    def exchange(payload, compress):
        built = as2.build_message(
            payload, content_type="application/octet-stream", filename=None, as2_from="acme", as2_to="ours",
            message_id="<1@acme>", date=now, subject="large", sign_with=acme, encrypt_for=[ours.certificate],
            compress=compress, receipt=as2.ReceiptKind.SIGNED, spool=partial(store.spool, kept=True))
        opened = as2.open_message(
            built.headers, built.body, keys=[ours], partner_certificates=[acme.certificate],
            policy=as2.Policy(max_size=2 * size, max_inflated=2 * size), spool=store.spool)
        assert opened.mic == built.mic
        file = store.spool(kept=True)
        for piece in opened.payload.pieces():
            file.write(piece)
        return built.body.source, file

    small = payload_of(folder, 2 * 2**20)
    await store.apply(Changes(messages=(message(payload=exchange(small, True)[1]),)))
    before = peak()
    for compress, some in ((False, size), (True, size // 4)):
        raw, file = exchange(payload_of(folder, some), compress)
        new = message(payload=file, raw=raw)
        await store.apply(Changes(messages=(new,)))
        found = await store.octets(new.id)
        assert found.size == some, found
    assert (await store.verify({})).problems == ()
    print(json.dumps({"grown": peak() - before}))
    await store.close()

asyncio.run(main())
"""


@pytest.mark.process
def test_a_large_message_takes_a_fraction_of_its_size_in_memory(tmp_path: Path) -> None:
    """Built, opened, stored, read and audited, compressed too: 64 MB with less than 16 MB more of memory."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), str(SIZE)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["grown"] < ALLOWED
