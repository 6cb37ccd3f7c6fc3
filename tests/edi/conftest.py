"""Small builders: bodies of valid sets, and an interchange around them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.edi import acknowledge, edifact_write, reading, write, x12
from gateway.edi.interchange import Group, Interchange
from gateway.edi.library import Guides, standard
from gateway.edi.syntax import Syntax
from gateway.edi.tolerances import Limits
from gateway.edi.tree import Loop, Message
from gateway.findings import Finding

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """A file as it was read, all that was found in it, and what the gateway answers, one segment a line."""

    interchanges: tuple[Interchange, ...]
    findings: tuple[Finding, ...]
    answer: bytes

    @property
    def rules(self) -> list[str]:
        """The rules that were broken, in the order they were found."""
        return [one.rule for one in self.findings]


def found_in(interchanges: Iterable[Interchange]) -> Iterable[Finding]:
    """Everything found in a file, wherever it hangs."""
    for interchange in interchanges:
        yield from interchange.findings
        for group in interchange.groups:
            yield from group.findings
            for one in group.messages:
                yield from one.findings


def _answers(interchanges: Sequence[Interchange], guides: Guides) -> Iterable[bytes]:
    number = 0
    for interchange in interchanges:
        if interchange.standard == "edifact":
            root = acknowledge.compose_contrl(interchange)
            if root is None:
                continue
            number += 1
            fourth = interchange.version.endswith(":4")
            syntax = Syntax(version=4 if fourth else 3, newline="\n")
            contrl = edifact_write.Outgoing(
                type="CONTRL", version="41" if fourth else "D3", control_reference=str(number), root=root
            )
            yield edifact_write.write_message(contrl, syntax)
            continue
        if acknowledge.wants_ta1(interchange):
            loop = Loop("", [acknowledge.compose_ta1(interchange)])
            yield from write.write_message("TA1", 1, loop, newline="\n").splitlines(keepends=True)[1:-1]
        for group in interchange.groups:
            if not acknowledge.wants_997(interchange, group):
                continue
            version = "005010" if group.version.startswith("005010") else "004010"
            composed = acknowledge.compose_functional(group, guides=guides, version=version, implementation=True)
            assert composed is not None
            number += 1
            yield write.write_message(composed[0], number, composed[1], newline="\n")


def answer_to(data: bytes, *, guides: Guides, only_x12: bool = False, limits: Limits | None = None) -> Answered:
    """Read a file and answer it: TA1, 997 (999 for 005010) or CONTRL; what was found where nothing can be answered."""
    whole = (x12.read_whole if only_x12 else reading.read_whole)(data, guides=guides, limits=limits)
    found = tuple(found_in(whole.interchanges))
    if whole.fault is not None and not whole.interchanges:
        found = whole.fault.findings
    lines = list(_answers(whole.interchanges, guides))
    if not whole.interchanges:
        lines = [f"unreadable: {one.text}\n".encode() for one in found]
    return Answered(interchanges=whole.interchanges, findings=found, answer=b"".join(lines) or b"no answer is due\n")


@pytest.fixture
def answered(guides: Guides) -> Callable[..., Answered]:
    """Reader and acknowledgments in one."""
    return lambda data, **options: answer_to(data, guides=options.pop("guides", guides), **options)
