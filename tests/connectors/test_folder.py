"""Facts about the folder target."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.connectors.folder import FolderConnector, safe_name
from gateway.errors import DeliveryFailed, Outcome
from gateway.ports import Delivery
from gateway.settings import FolderTarget

TARGET = FolderTarget(kind="folder", path="mailbox")


async def test_a_document_becomes_one_file_named_by_number_and_id(tmp_path: Path, delivery: Delivery) -> None:
    """The whole canonical JSON, in a folder for its kind, and nothing half written beside it."""
    delivered = await FolderConnector("mailbox", TARGET, tmp_path).deliver(delivery)
    files = list((tmp_path / "mailbox").rglob("*"))
    file = tmp_path / "mailbox/order_acknowledgement/A_1_--0193-d.json"
    assert set(files) == {file.parent, file}
    assert json.loads(file.read_text("utf-8")) == delivery.body
    assert (delivered.status, delivered.their_id) == (201, file.name)


async def test_the_same_document_again_changes_nothing(tmp_path: Path, delivery: Delivery) -> None:
    """A repeat finds its file."""
    connector = FolderConnector("mailbox", TARGET, tmp_path)
    await connector.deliver(delivery)
    assert (await connector.deliver(delivery)).status == 200
    assert len(list((tmp_path / "mailbox").rglob("*.json"))) == 1


@pytest.mark.parametrize("hostile", ["../../etc/passwd", "/etc/passwd", "a\0b", "..", "", "ä" * 500, "C:\\x"])
def test_no_number_leaves_the_folder(hostile: str) -> None:
    """File names are portable, bounded, not hidden and never empty."""
    name = safe_name(hostile)
    assert name == Path(name).name
    assert 0 < len(name) <= 80
    assert not name.startswith(".")


async def test_a_disk_that_refuses_is_transient(tmp_path: Path, delivery: Delivery) -> None:
    """A file stands where the folder should be: an operator can mend that."""
    (tmp_path / "mailbox").write_text("in the way")
    with pytest.raises(DeliveryFailed) as caught:
        await FolderConnector("mailbox", TARGET, tmp_path).deliver(delivery)
    assert caught.value.outcome is Outcome.TRANSIENT
