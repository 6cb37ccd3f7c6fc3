"""One cause, one finding: after a segment without a place the walk goes on where the document goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

BODIES = {
    "850": (
        "BEG*00*SA*PO-7001**20260102 REF*DP*038 N1*BY*Buyer*92*B01 N3*Street_1 N4*City N1*ST*Store*92*W01 N3*Street_2 "
        "PO1*1*10*EA*2.5**BP*BOLT-8 PID*F****Bolt SCH*10*EA***002*20260110 PO1*2*5*EA*1**BP*NUT-8 PID*F****Nut CTT*2 AMT*TT*30"
    ),
    "856": (
        "BSN*00*SH-900*20260110*1200*0001 HL*1**S TD1*CTN*2 REF*BM*1 N1*ST*Store*92*W01 N3*Street_2 HL*2*1*O PRF*PO-7001 "
        "HL*3*2*P MAN*GM*00000715670002152360 HL*4*3*I LIN**BP*BOLT-8 SN1**6*EA PID*F****Bolt CTT*4"
    ),
    "ORDERS": (
        "BGM+220+PO-7001+9 DTM+137:20260102:102 RFF+CT:1 NAD+BY+1::9 CTA+OC+:Dana COM+x:EM NAD+SU+2::9 CUX+2:EUR:9 "
        "LIN+1++3:EN PIA+1+A:SA QTY+21:10:PCE PRI+AAA:2.5 RFF+ON:1 LIN+2++4:EN PIA+1+B:SA QTY+21:5:PCE PRI+AAA:3 "
        "UNS+S MOA+79:40 CNT+2:2"
    ),
    "DESADV": (
        "BGM+351+LS-1+9 DTM+137:20260110:102 RFF+ON:1 NAD+BY+1::9 NAD+SU+2::9 CTA+GR+:Tor CPS+1 PAC+1++201 CPS+2+1 "
        "PAC+2++CT PCI+33E GIN+BJ+354199992000000029 LIN+1++3:EN QTY+12:10:PCE RFF+ON:1 CPS+3+1 PAC+1++CT LIN+2++4:EN "
        "QTY+12:5:PCE CNT+2:2"
    ),
}
HEADS = {
    "850": ("GS*PO*AA*BB*20260105*0930*7*X*004010", "ST*850*0001", "SE*{}*0001", "GE*1*7", "IEA*1*000000001"),
    "856": ("GS*SH*AA*BB*20260105*0930*7*X*004010", "ST*856*0001", "SE*{}*0001", "GE*1*7", "IEA*1*000000001"),
    "ORDERS": ("UNH+1+ORDERS:D:96A:UN", "UNT+{}+1", "UNZ+1+R1"),
    "DESADV": ("UNH+1+DESADV:D:96A:UN", "UNT+{}+1", "UNZ+1+R1"),
}
ISA = "ISA*00*          *00*          *ZZ*SUPPLIER       *ZZ*DISTRIBUTOR    *260105*0930*U*00401*000000001*0*T*>"
UNB = "UNB+UNOC:3+1:14+2:14+260105:0930+R1"

# The document; the segment that is damaged, by its place in the body from 1; what stands there instead; what is found,
# each with the position of its segment (ST and UNH are 1).
CASES: list[tuple[str, int, str, str]] = [
    ("850", 1, "", "x"),
    ("850", 3, "", "x"),
    ("850", 8, "", "x"),
    ("850", 2, "QQQ*1 REF*DP*038", "x"),
    ("850", 5, "HL*1**S N4*City", "x"),
    ("850", 7, "N3*Street_2 REF*DP*1 BEG*00*SA*PO-7001**20260102", "x"),
    ("850", 4, "N4*City N3*Street_1", "x"),
    ("850", 9, "PID*F****Bolt CUR*BY*EUR", "x"),
    ("850", 13, "CTT*2 CTT*2", "x"),
    ("850", 11, "N3*Street PO1*2*5*EA*1**BP*NUT-8", "x"),
    ("850", 8, "PO1*1*10*EA*2.5**BP*BOLT-8 FOB*CC BEG*00*SA*1**20260102", "x"),
    ("856", 5, "", "x"),
    ("856", 11, "", "x"),
    ("856", 12, "", "x"),
    ("856", 2, "", "x"),
    ("856", 10, "MAN*GM*00000715670002152360 PRF*PO-7001", "x"),
    ("856", 13, "SN1**6*EA QQQ*1 QQQ*2", "x"),
    ("856", 3, "REF*BM*1 TD1*CTN*2", "x"),
    ("856", 4, "", "x"),
    ("ORDERS", 1, "", "x"),
    ("ORDERS", 2, "RFF+CT:1 DTM+137:20260102:102", "x"),
    ("ORDERS", 5, "", "x"),
    ("ORDERS", 14, "", "x"),
    ("ORDERS", 9, "", "x"),
    ("ORDERS", 10, "QTY+21:10:PCE PIA+1+A:SA", "x"),
    ("ORDERS", 18, "UNS+S UNS+S", "x"),
    ("ORDERS", 18, "", "x"),
    ("ORDERS", 12, "PRI+AAA:2.5 QQQ+1", "x"),
    ("ORDERS", 12, "PRI+AAA:2.5 CPS+1", "x"),
    ("ORDERS", 11, "QTY+21:10:PCE BGM+220+1+9", "x"),
    ("ORDERS", 19, "MOA+79:40 LIN+3++5:EN QTY+21:1", "x"),
    ("DESADV", 7, "", "x"),
    ("DESADV", 8, "", "x"),
    ("DESADV", 10, "", "x"),
    ("DESADV", 13, "", "x"),
    ("DESADV", 11, "", "x"),
    ("DESADV", 14, "SEL+1 QTY+12:10:PCE", "x"),
    ("DESADV", 13, "UNS+S LIN+1++3:EN", "x"),
    ("DESADV", 4, "CTA+GR+:Tor NAD+BY+1::9", "x"),
    ("DESADV", 15, "RFF+ON:1 PAC+1++CT", "x"),
]


def document(kind: str, place: int, instead: str) -> bytes:
    """The document with that segment replaced, counted as it then is."""
    body = BODIES[kind].split(" ")
    body[place - 1 : place] = instead.split(" ") if instead else []
    segments = _around(kind, body)
    return "".join(one.replace("_", " ") + ("~" if kind.isdigit() else "'") for one in segments).encode()


def _around(kind: str, body: list[str]) -> list[str]:
    heads = HEADS[kind]
    split = 2 if kind.isdigit() else 1
    tail = [heads[split].format(len(body) + 2), *heads[split + 1 :]]
    return [ISA if kind.isdigit() else UNB, *heads[:split], *body, *tail]


def found(read: Any) -> str:  # noqa: ANN401  conftest's Answered
    """The findings in short: rule and segment."""
    return " ".join(f"{one.rule.removeprefix('edi.')}@{one.place.segment}{one.place.tag}" for one in read.findings)


@pytest.mark.parametrize("kind", BODIES)
def test_the_documents_are_right_before_they_are_damaged(kind: str, answered: Callable[..., Any]) -> None:
    """Replacing a segment by itself changes nothing."""
    first = BODIES[kind].partition(" ")[0]
    assert found(answered(document(kind, 1, first))) == ""


@pytest.mark.parametrize(("kind", "place", "instead", "wanted"), CASES)
def test_a_damage_is_told_once_and_where_it_is(
    kind: str, place: int, instead: str, wanted: str, answered: Callable[..., Any]
) -> None:
    """What comes behind it is read as if nothing had been."""
    assert found(answered(document(kind, place, instead))) == wanted
