"""`gateway message export` and `send`, and what `show` tells of messages with several files."""

from __future__ import annotations

import asyncio
import json
import sys
import types
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from gateway import as2
from gateway.cli import app
from gateway.cli.message_files import safe_name
from gateway.partners.agreement import Agreement
from gateway.pipeline.files import File
from gateway.ports import Changes, Channel, Direction, MessageState, NewMessage, new_id
from gateway.settings import Settings
from gateway.store import Store

US = {"name": "Us", "as2_id": "US", "x12": {"qualifier": "ZZ", "id": "HARBORLINE"}, "certificate": "us.pem"}
THEY = {
    "name": "acme",
    "title": "Acme",
    "ids": [{"scheme": "gln", "value": "1"}],
    "channel": "as2",
    "as2": {"id": "ACME", "url": "http://127.0.0.1:1/", "certificates": ["acme.pem"]},
    "x12": {"identity": {"qualifier": "ZZ", "id": "ACMETOOLS"}},
    "documents": {"send": {"purchase_order": {"set": "850", "map": "x12/850"}}},
}
ISA = (
    b"ISA*00*          *00*          *ZZ*HARBORLINE     *ZZ*ACMETOOLS      *260302*0800*U*00401*000000012*0*P*>~"
    b"GS*PO*HARBORLINE*ACMETOOLS*20260302*0800*12*X*004010~ST*850*0001~BEG*00*SA*1**20260302~SE*3*0001~GE*1*12~"
    b"IEA*1*000000012~"
)
PDF = b"%PDF-1.7\n" + bytes(range(256))


def now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


@pytest.fixture
def store_of(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """The store that commands find instead of a workspace's, and a workspace with one partner."""
    workspace = types.SimpleNamespace(
        settings=Settings.model_validate({"identity": US}), agreements=(Agreement.model_validate(THEY),)
    )

    @asynccontextmanager
    async def open_store(_workspace: Path) -> AsyncIterator[Store]:
        store = await Store.open(sqlite_url, payloads=tmp_path / "payloads", clock=now)
        try:
            yield store
        finally:
            await store.close()

    wiring = types.ModuleType("gateway.wiring")
    wiring.__dict__.update(open_store=open_store, load=lambda _folder: workspace, now=now)
    monkeypatch.setitem(sys.modules, "gateway.wiring", wiring)
    monkeypatch.setattr("gateway.wiring", wiring, raising=False)
    return lambda: open_store(tmp_path)


def kept(store_of: Callable[[], Any], payload: bytes, content_type: str, filename: str | None = None) -> str:
    """A message with that payload, received."""
    id_ = new_id(now())
    message = NewMessage(
        id=id_,
        partner="acme",
        direction=Direction.INBOUND,
        channel=Channel.AS2,
        state=MessageState.PROCESSED,
        at=now(),
        payload=payload,
        content_type=content_type,
        filename=filename,
    )

    async def store() -> None:
        async with store_of() as opened:
            await opened.apply(Changes(messages=(message,)))

    asyncio.run(store())
    return id_


def several(*names: str | None) -> as2.Joined:
    """An order and a drawing under these names."""
    files = [("application/edi-x12", ISA), ("application/pdf", PDF)]
    return as2.join(
        [
            as2.Attachment(content_type=type_, filename=name, data=data)
            for name, (type_, data) in zip(names, files, strict=True)
        ]
    )


def call(*arguments: object) -> Any:
    """The outcome of a command."""
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_each_file_of_a_message_is_exported_and_none_is_ever_replaced(
    store_of: Callable[[], Any], tmp_path: Path
) -> None:
    """Decoded, under the sender's names; a second time beside them, with numbers."""
    joined = several("order 12.edi", "Zeichnung ü.pdf")
    id_ = kept(store_of, joined.content, joined.content_type)
    folder = tmp_path / "new" / "out"
    first = call("message", "export", id_, "--to", folder)
    assert first.exit_code == 0, first.output
    assert str(folder / "order 12.edi") in first.stdout
    again = json.loads(call("message", "export", id_, "--to", folder, "--json").stdout)
    assert [Path(one["file"]).name for one in again] == ["order 12 2.edi", "Zeichnung ü 2.pdf"]
    assert again[1]["sha256"] == sha256(PDF).hexdigest()
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert found == {
        "order 12.edi": ISA,
        "order 12 2.edi": ISA,
        "Zeichnung ü.pdf": PDF,
        "Zeichnung ü 2.pdf": PDF,
    }


def test_a_message_of_one_file_is_exported_as_it_is(store_of: Callable[[], Any], tmp_path: Path) -> None:
    """Under its name, or its place and type; a link that stands there is not followed."""
    outside = tmp_path / "outside"
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "in.edi").symlink_to(outside)
    id_ = kept(store_of, ISA, "application/edi-x12", "in.edi")
    assert call("message", "export", id_, "--to", folder).exit_code == 0
    assert (folder / "in 2.edi").read_bytes() == ISA
    assert not outside.exists()
    nameless = kept(store_of, ISA, "application/edi-x12; x=y")
    assert call("message", "export", nameless, "--to", folder).exit_code == 0
    assert (folder / "file-1.edi").read_bytes() == ISA


def test_what_cannot_be_exported_says_why(store_of: Callable[[], Any], tmp_path: Path) -> None:
    """Exit 2: no such message, bytes purged, a folder that is none."""
    missing = call("message", "export", "nobody", "--to", tmp_path)
    assert (missing.exit_code, "no message nobody" in missing.stderr) == (2, True)
    id_ = kept(store_of, ISA, "application/edi-x12")
    (tmp_path / "file").write_text("x")
    assert call("message", "export", id_, "--to", tmp_path / "file" / "below").exit_code == 2
    assert call("message", "purge", id_, "--by", "ann", "--reason", "test").exit_code == 0
    purged = call("message", "export", id_, "--to", tmp_path)
    assert (purged.exit_code, "purged" in purged.stderr) == (2, True)
    odd = kept(store_of, b"x", "multipart/related; boundary=b")
    told = call("message", "export", odd, "--to", tmp_path)
    assert (told.exit_code, "cannot be told apart" in told.stderr) == (2, True)


def test_show_lists_the_files_of_a_message(store_of: Callable[[], Any]) -> None:
    """Name, type, whether it is read, size and hash; also for programs."""
    joined = several("order.edi", "plan.pdf")
    id_ = kept(store_of, joined.content, joined.content_type)
    shown = call("message", "show", id_).stdout
    assert "2 files" in shown
    assert sha256(PDF).hexdigest() in shown
    found = json.loads(call("message", "show", id_, "--json").stdout)["attachments"]
    assert [(one["name"], one["edi"], one["size"]) for one in found] == [
        ("order.edi", True, len(ISA)),
        ("plan.pdf", False, len(PDF)),
    ]
    alone = kept(store_of, ISA, "application/edi-x12", "in.edi")
    assert json.loads(call("message", "show", alone, "--json").stdout)["attachments"] == []


def test_files_are_sent_one_by_one_or_together(store_of: Callable[[], Any], tmp_path: Path) -> None:
    """Each as a message of its own; with --together as attachments of one, byte for byte."""
    order, plan = tmp_path / "order.edi", tmp_path / "plan ü.pdf"
    order.write_bytes(ISA)
    plan.write_bytes(PDF)
    apart = json.loads(call("message", "send", order, plan, "--partner", "acme", "--json").stdout)
    one = json.loads(call("message", "send", plan, order, "--partner", "acme", "--together", "--json").stdout)

    async def sent() -> list[tuple[Any, bytes]]:
        async with store_of() as store:
            ids = [*(each["id"] for each in apart), one["id"]]
            return [(await store.message(id_), await store.payload(id_)) for id_ in ids]

    first, second, both = asyncio.run(sent())
    assert (first[0].content_type, first[1]) == ("application/edi-x12", ISA)
    assert (second[0].content_type, second[1]) == ("application/pdf", PDF)
    files = as2.split(both[0].content_type, both[1])
    assert [(file.filename, file.media_type, bytes(file.data)) for file in files] == [
        ("order.edi", "application/edi-x12", ISA),
        ("plan ü.pdf", "application/pdf", PDF),
    ]
    assert both[0].wait_key == first[0].wait_key
    assert both[0].wait_key is not None


def test_files_too_large_for_memory_are_sent_shown_and_exported(store_of: Callable[[], Any], tmp_path: Path) -> None:
    """Alone and together: in pieces, byte for byte; the spool is empty afterwards."""
    plan, order = tmp_path / "plan.pdf", tmp_path / "order.edi"
    plan.write_bytes(PDF * 12_000)
    order.write_bytes(ISA + b"\r\n" * 600_000)
    sent = json.loads(call("message", "send", plan, order, "--partner", "acme", "--json").stdout)
    both = json.loads(call("message", "send", order, plan, "--together", "--partner", "acme", "--json").stdout)
    assert call("message", "show", sent[0]["id"], "--payload").stdout_bytes == plan.read_bytes()
    assert f"{plan.stat().st_size} bytes (--payload writes them)" in call("message", "show", sent[0]["id"]).stdout
    shown = json.loads(call("message", "show", both["id"], "--json").stdout)
    assert (shown["payload"], [one["name"] for one in shown["attachments"]]) == (None, ["order.edi", "plan.pdf"])
    for number, one in enumerate((sent[0]["id"], both["id"])):
        folder = tmp_path / f"out {number}"
        assert call("message", "export", one, "--to", folder).exit_code == 0
        assert (folder / "plan.pdf").read_bytes() == plan.read_bytes()
    assert list((tmp_path / "payloads" / "spool").iterdir()) == []


def test_an_interchange_larger_than_one_that_is_read_is_not_queued(store_of: Callable[[], Any], tmp_path: Path) -> None:
    """What would close it could not be known: exit 2, and the way out."""
    order = tmp_path / "order.edi"
    order.write_bytes(ISA + b"\r\n" * 50_000_001)
    result = call("message", "send", order, "--partner", "acme")
    assert (result.exit_code, "max_interchange_bytes" in result.stderr) == (2, True)
    assert call("message", "list").stdout.count("order.edi") == 0


def test_all_are_queued_or_none(store_of: Callable[[], Any], tmp_path: Path) -> None:
    """The second is no interchange: exit 2 with the way out, and nothing goes."""
    good, bad = tmp_path / "order.edi", tmp_path / "bad.edi"
    good.write_bytes(ISA)
    bad.write_bytes(b"hello")
    result = call("message", "send", good, bad, "--partner", "acme")
    assert result.exit_code == 2
    assert "--together" in result.stderr

    async def count() -> int:
        async with store_of() as store:
            return len(await store.messages())

    assert asyncio.run(count()) == 0


NAMED = {
    "order.edi": "order.edi",
    "../../etc/passwd": "etc-passwd",
    ".bashrc": "bashrc",
    "-rf": "rf",
    "a:b|c?.edi": "a-b-c-.edi",
    "NUL": "file-1.edi",
    "con.txt": "file-1.edi",
    "...": "file-1.edi",
    "x. ": "x",
    "ü 1 (2).edi": "ü 1 (2).edi",
    "ü" * 300 + ".edi": "ü" * 98 + ".edi",
    "a\nb\x1b[2J.edi": "a-b--2J.edi",
}


@pytest.mark.parametrize("name", NAMED)
def test_a_name_from_outside_is_made_safe(name: str) -> None:
    """Neither hidden, nor an option, nor a device, nor too long for a file system."""
    assert safe_name(File(name=name, content_type="application/edi-x12", data=b"", edi=True), 1) == NAMED[name]


@given(st.none() | st.text(max_size=400))
def test_every_name_can_be_written_and_stays_in_its_folder(name: str | None) -> None:
    """Whatever is in it."""
    made = safe_name(File(name=name, content_type="a/b", data=b"", edi=False), 7)
    assert Path(made).name == made
    assert made not in {"", ".", ".."}
    assert made[0] not in ".-"
    assert len(made.encode()) <= 200
    assert all(one.isprintable() for one in made)
