"""One cause, one finding: after a segment without a place the walk goes on where the document goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

BODIES = {
    "850": (
        "BEG*00*SA*PO-7001**20260102 REF*DP*038 N1*BY*Buyer*92*B01 N3*Street_1 N4*City N1*ST*Store*92*W01 N3*Street_2 "
        "PO1*1*10*EA*2.5**BP*BOLT-8 PID*F****Bolt SCH*10*EA***002*20260110 PO1*2*5*EA*1**BP*NUT-8 PID*F****Nut "
        "CTT*2 AMT*TT*30"
    ),
    "856": (
        "BSN*00*SH-900*20260110*1200*0001 HL*1**S TD1*CTN*2 REF*BM*1 N1*ST*Store*92*W01 N3*Street_2 HL*2*1*O "
        "PRF*PO-7001 "
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
# each with the position and tag of its segment (ST and UNH are 1).
CASES: list[tuple[str, int, str, str]] = [
    ("850", 1, "", "segment.missing@2BEG"),
    ("850", 3, "", "segment.loop_start_missing@4N1"),
    ("850", 8, "", "segment.loop_start_missing@9PO1"),
    ("850", 2, "QQQ*1 REF*DP*038", "segment.unknown@3QQQ"),
    ("850", 5, "HL*1**S N4*City", "segment.not_in_set@6HL"),
    ("850", 7, "N3*Street_2 REF*DP*1 BEG*00*SA*PO-7001**20260102", "segment.out_of_sequence@10BEG"),
    ("850", 4, "N4*City N3*Street_1", "segment.out_of_sequence@6N3"),
    ("850", 9, "PID*F****Bolt CUR*BY*EUR", "segment.out_of_sequence@11CUR"),
    ("850", 13, "CTT*2 CTT*2", "segment.too_many_loops@15CTT"),
    ("850", 11, "N3*Street PO1*2*5*EA*1**BP*NUT-8", "segment.loop_start_missing@12N1"),
    ("850", 8, "PO1*1*10*EA*2.5**BP*BOLT-8 FOB*CC BEG*00*SA*1**20260102", "segment.out_of_sequence@11BEG"),
    ("856", 5, "", "segment.loop_start_missing@6N1"),
    ("856", 11, "", "segment.out_of_sequence@12LIN"),
    ("856", 2, "", "segment.loop_start_missing@3HL"),
    ("856", 10, "MAN*GM*00000715670002152360 PRF*PO-7001", "segment.out_of_sequence@12PRF"),
    ("856", 13, "SN1**6*EA QQQ*1 QQQ*2", "segment.unknown@15QQQ segment.unknown@16QQQ"),
    ("856", 3, "REF*BM*1 TD1*CTN*2", "segment.out_of_sequence@5TD1"),
    ("ORDERS", 1, "", "segment.missing@2BGM"),
    ("ORDERS", 2, "RFF+CT:1 DTM+137:20260102:102", "segment.missing@3DTM"),
    ("ORDERS", 5, "", "segment.loop_start_missing@6CTA"),
    ("ORDERS", 14, "", "segment.out_of_sequence@15PIA"),
    ("ORDERS", 9, "", "segment.loop_start_missing@10LIN"),
    ("ORDERS", 10, "QTY+21:10:PCE PIA+1+A:SA", "segment.out_of_sequence@12PIA"),
    ("ORDERS", 18, "UNS+S UNS+S", "segment.too_many@20UNS"),
    ("ORDERS", 18, "", "segment.missing@19UNS"),
    ("ORDERS", 12, "PRI+AAA:2.5 QQQ+1", "segment.unknown@14QQQ"),
    ("ORDERS", 12, "PRI+AAA:2.5 CPS+1", "segment.not_in_set@14CPS"),
    ("ORDERS", 11, "QTY+21:10:PCE BGM+220+1+9", "segment.out_of_sequence@13BGM"),
    ("ORDERS", 19, "MOA+79:40 LIN+3++5:EN QTY+21:1", "segment.out_of_sequence@21LIN"),
    ("DESADV", 7, "", "segment.loop_start_missing@8CPS"),
    ("DESADV", 10, "", "segment.loop_start_missing@11PAC"),
    ("DESADV", 13, "", "segment.loop_start_missing@14LIN"),
    ("DESADV", 11, "", "segment.loop_start_missing@12PCI"),
    ("DESADV", 14, "SEL+1 QTY+12:10:PCE", "segment.unexpected@15SEL"),
    ("DESADV", 13, "UNS+S LIN+1++3:EN", "segment.not_in_set@14UNS"),
    ("DESADV", 4, "CTA+GR+:Tor NAD+BY+1::9", "segment.loop_start_missing@5NAD"),
    ("DESADV", 15, "RFF+ON:1 PAC+1++CT", "segment.out_of_sequence@17PAC"),
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


def found(read: Any) -> str:
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
