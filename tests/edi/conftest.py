"""Small builders: bodies of valid sets, and an interchange around them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from gateway.edi import x12
from gateway.edi.interchange import Group, Interchange
from gateway.edi.library import Guides, standard
from gateway.edi.tree import Message

ISA = "ISA*00*          *00*          *ZZ*SUPPLIER       *ZZ*DISTRIBUTOR    *260105*0930*U*00401*000000001*0*T*>"
FUNCTIONAL = {"850": "PO", "855": "PR", "856": "SH", "997": "FA"}
BODIES = {
    "850": [
        "BEG*00*SA*PO-7001**20260102",
        "N1*ST*Main warehouse*92*W01",
        "PO1*1*10*EA*2.50**BP*BOLT-8",
        "CTT*1",
    ],
    "855": [
        "BAK*00*AC*PO-7001*20260102",
        "N1*SE*Northern Fasteners*92*SUP01",
        "PO1*1*10*EA*2.50**BP*BOLT-8",
        "ACK*IA*6*EA*068*20260110",
        "ACK*IB*4*EA*068*20260120",
        "CTT*1",
    ],
    "856": [
        "BSN*00*SH-900*20260110*1200*0001",
        "HL*1**S",
        "HL*2*1*O",
        "PRF*PO-7001",
        "HL*3*2*P",
        "MAN*GM*00000715670002152360",
        "HL*4*3*I",
        "LIN**BP*BOLT-8",
        "SN1**6*EA",
        "CTT*4",
    ],
    "997": ["AK1*PO*7", "AK9*A*1*1*1"],
}


def build(
    kind: str = "855",
    body: Sequence[str] | None = None,
    *,
    isa: str = ISA,
    version: str = "004010",
    newline: str = "",
    terminator: str = "~",
) -> bytes:
    """One interchange with one set of that kind around the body's segments."""
    inner = BODIES[kind] if body is None else body
    segments = [
        isa,
        f"GS*{FUNCTIONAL[kind]}*SUPPLIER*DISTRIBUTOR*20260105*0930*7*X*{version}",
        f"ST*{kind}*0001",
        *inner,
        f"SE*{len(inner) + 2}*0001",
        "GE*1*7",
        "IEA*1*000000001",
    ]
    return "".join(segment + terminator + newline for segment in segments).encode()


@pytest.fixture
def wrap() -> Callable[..., bytes]:
    """The builder of interchanges."""
    return build


@pytest.fixture
def bodies() -> dict[str, list[str]]:
    """Valid bodies by set."""
    return {kind: list(body) for kind, body in BODIES.items()}


@pytest.fixture
def guides() -> Guides:
    """The guides of the package."""
    return standard()


@pytest.fixture
def one(guides: Guides) -> Callable[..., Interchange]:
    """Read a file that holds one interchange."""

    def read(data: bytes, **options: object) -> Interchange:
        (interchange,) = x12.read_all(data, guides=guides, **options)  # type: ignore[arg-type]
        return interchange

    return read


@pytest.fixture
def message(one: Callable[..., Interchange]) -> Callable[..., Message]:
    """Read a file that holds one set."""

    def read(data: bytes, **options: object) -> Message:
        (group,) = one(data, **options).groups
        assert isinstance(group, Group)
        (only,) = group.messages
        return only

    return read


@pytest.fixture
def samples() -> Path:
    """The shared sample files; tests that need them are skipped, saying so, where there are none."""
    folder = os.environ.get("GATEWAY_SAMPLES")
    if not folder:
        pytest.skip("GATEWAY_SAMPLES names no folder of sample files")
    return Path(folder)
