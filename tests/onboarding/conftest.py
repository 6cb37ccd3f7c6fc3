"""What is inferred by: the shipped guides and maps, and files made from a few segments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.edi.library import standard
from gateway.mapping import from_folders, shipped
from gateway.onboarding.infer import infer
from gateway.onboarding.outcome import Inference, Known
from gateway.onboarding.samples import Sample
from gateway.partners.map_names import map_names

SAMPLES = Path(__file__).parents[2] / "samples"

Infer = Callable[..., Inference]
Interchange = Callable[..., bytes]


@pytest.fixture(scope="session")
def known() -> Known:
    """The shipped guides and maps; we are HARBORLINE."""
    find = from_folders(shipped())
    return Known(
        guides=standard(),
        maps=find,
        map_names=map_names(Path("/nowhere")),
        ours=frozenset({("ZZ", "HARBORLINE"), ("14", "4300000000004")}),
    )


@pytest.fixture(scope="session")
def inferred(known: Known) -> Infer:
    """Infer from bytes, as files named 1.edi, 2.edi, …."""

    def run(*files: bytes, **options: object) -> Inference:
        samples = [
            Sample(name=f"{number}.edi", blocks=lambda data=data: [data])  # type: ignore[misc]
            for number, data in enumerate(files, 1)
        ]
        return infer(samples, known, **options)  # type: ignore[arg-type]

    return run


@pytest.fixture(scope="session")
def interchange() -> Interchange:
    """An interchange of one set: `interchange("855", "BAK*…", "CTT*1")`."""

    def make(type_: str, *segments: str, sender: str = "ACME", version: str = "004010", number: int = 1) -> bytes:
        group = {"850": "PO", "855": "PR", "856": "SH"}[type_]
        lines = [
            f"ISA*00*{'':10}*00*{'':10}*ZZ*{sender:<15}*ZZ*{'HARBORLINE':<15}*261121*0915*U*00401*{number:09d}*0*P*>",
            f"GS*{group}*{sender}*HARBORLINE*20261121*0915*{number}*X*{version}",
            f"ST*{type_}*0001",
            *segments,
            f"SE*{len(segments) + 2}*0001",
            f"GE*1*{number}",
            f"IEA*1*{number:09d}",
        ]
        return "".join(f"{line}~" for line in lines).encode()

    return make
