"""Law 1 on generated documents: read(write(d)) = d for whatever a map can express; and what is written is in order.

Hypothesis chooses the seeds; a document is drawn from the map's own rules: a new line of a map is tested with it.
GATEWAY_DOCUMENTS_PER_MAP says how many documents, 200 unless told.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.canonical import dump, parse
from gateway.edi import edifact_write, library, reading, write, x12
from gateway.edi.tree import Loop
from gateway.findings import Severity
from gateway.mapping import from_folders, head, shipped, shipped_map
from gateway.mapping.draw import draw

COUNT: Final = int(os.environ.get("GATEWAY_DOCUMENTS_PER_MAP", "200"))
FOLDER: Final = Path(str(shipped()))
NAMES: Final = sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.yaml"))


def document_of(name: str) -> str:
    """The set or message a map is for; `json` for bodies."""
    found = head(name, from_folders(shipped()))
    return found.document if found else ""


SEGMENT_MAPS: Final = [name for name in NAMES if document_of(name) not in {"", "json", "xml", "csv"}]
X12_MAPS: Final = [name for name in SEGMENT_MAPS if document_of(name).isdigit()]
ORDER_MESSAGES: Final = ["edifact/ORDERS", "edifact/ORDRSP", "edifact/ORDCHG"]
many = settings(max_examples=COUNT, deadline=None, derandomize=True, database=None)
seeds = given(seed=st.integers(min_value=0, max_value=2**32))


def drawn(name: str, seed: int) -> Any:
    """A canonical document that the map can express."""
    own = shipped_map(name)
    model, errors = parse(own.canonical, draw(own, seed))
    assert not errors
    assert model is not None
    return model


@pytest.mark.parametrize("name", SEGMENT_MAPS)
@many
@seeds
def test_what_is_written_is_read_again(name: str, seed: int) -> None:
    """Nothing is lost, nothing is changed, nothing is kept beside."""
    own = shipped_map(name)
    model = drawn(name, seed)
    made = json.loads(json.dumps(dump(model)))
    writing = own.write(made)
    assert not writing.lost
    assert all(finding.severity is Severity.ACCEPT for finding in writing.findings)
    reading = own.read(writing.root)
    again, errors = parse(own.canonical, reading.document)
    assert not errors
    assert not reading.unmapped
    assert again == model


def shape(loop: Loop) -> list[Any]:
    """The tags of a tree, loop by loop; a loop of one segment is that segment."""
    found = [shape(each) if isinstance(each, Loop) else each.tag for each in loop.children]
    return [each[0] if isinstance(each, list) and len(each) == 1 else each for each in found]


GROUPS: Final = {"850": "PO", "855": "PR", "856": "SH", "860": "PC", "865": "CA"}


@pytest.mark.parametrize("name", X12_MAPS)
@settings(max_examples=max(COUNT // 10, 20), deadline=None, derandomize=True, database=None)
@seeds
def test_what_is_written_stands_where_the_guide_looks_for_it(name: str, seed: int) -> None:
    """The reader puts each segment back into the loop that the map wrote it in: no line of a map is out of order."""
    own = shipped_map(name)
    root = own.write(json.loads(json.dumps(dump(drawn(name, seed))))).root
    envelope = write.Envelope(
        sender_qualifier="ZZ",
        sender="A",
        receiver_qualifier="ZZ",
        receiver="B",
        group_sender="AA",
        group_receiver="BB",
        control_number=1,
        group_control_number=1,
        functional_id=GROUPS[own.document],
        at=datetime(2026, 7, 14, tzinfo=UTC),
        version="005010" if "005010" in name else "004010",
    )
    payload = write.write_interchange(envelope, [write.Outgoing(type=own.document, control_number=1, root=root)])
    (interchange,) = x12.read_all(payload, guides=library.standard())
    (message,) = interchange.groups[0].messages
    # Drawn texts are too long for their elements: of a set with a hundred findings the reader reads no further.
    assume(all(finding.rule != "edi.message.too_many_findings" for finding in message.findings))
    order = {finding.rule for finding in message.findings if finding.rule.startswith("edi.segment.")}
    assert order <= {"edi.segment.too_many", "edi.segment.missing"}
    assert shape(message.root) == shape(root)


@pytest.mark.parametrize("version", ["D96A", "D01B"])
@pytest.mark.parametrize("name", ORDER_MESSAGES)
@settings(max_examples=max(COUNT // 10, 20), deadline=None, derandomize=True, database=None)
@seeds
def test_what_is_written_stands_where_the_directory_looks_for_it(name: str, version: str, seed: int) -> None:
    """The same for EDIFACT: one map is in the order of both directories."""
    own = shipped_map(name)
    root = own.write(json.loads(json.dumps(dump(drawn(name, seed))))).root
    envelope = edifact_write.Envelope(
        sender=edifact_write.Party(id="A"),
        receiver=edifact_write.Party(id="B"),
        control_reference="1",
        at=datetime(2026, 7, 14, tzinfo=UTC),
    )
    outgoing = edifact_write.Outgoing(type=own.document, version=version, control_reference="1", root=root)
    payload = edifact_write.write_interchange(envelope, [outgoing])
    (interchange,) = reading.read_all(payload, guides=library.standard())
    (message,) = interchange.groups[0].messages
    order = {finding.rule for finding in message.findings if finding.rule.startswith("edi.segment.")}
    assert order <= {"edi.segment.too_many", "edi.segment.too_many_loops", "edi.segment.missing"}
    assert shape(message.root) == shape(root)
