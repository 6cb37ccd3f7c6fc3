"""Values that make a generated document look like one: by element number, for the elements that everybody knows.

Facts of use, no code lists: an element that is not here gets any value of its type and lengths.
"""

from __future__ import annotations

from collections.abc import Mapping

_RAW_X12: Mapping[str, str] = {
    "19": "CHICAGO,DENVER,EL PASO,MONTREAL,OAKLAND",
    "26": "US,CA,MX,DE",
    "66": "1,9,91,92",
    "81": "12,240.5,1800,7.25",
    "88": "GM,UP",
    "91": "1,2,5",
    "92": "SA,NE,KN,RL",
    "98": "ST,SF,BY,SE,BT",
    "100": "USD,CAD,EUR",
    "103": "CTN25,PLT94",
    "116": "60601,80202,94607-1234,20095",
    "128": "DP,VN,CO,IA,BM,CN",
    "143": "810,850,855,856,860,865",
    "145": "PO,PR,SH,PC,CA",
    "156": "IL,CO,CA,TX",
    "187": "G,N",
    "235": "BP,VP,UP,EN,MG",
    "306": "0,1,2",
    "309": "OR,DE,CA",
    "329": "0001,0002,000047",
    "353": "00,01,05,06",
    "355": "EA,CA,CT,PL,LB,KG,FT,BX",
    "374": "002,010,011,017,067,068",
    "479": "PO,PR,SH,PC,CA",
    "480": "004010,005010,004010VICS",
    "559": "AB,AX,VI",
    "587": "AC,AD,AK,RD",
    "639": "PE,UM,CP",
    "640": "01,02,04",
    "668": "IA,IB,IC,IQ,IR,ID",
    "670": "AI,CA,DI,PC,QI,RZ",
    "721": "PO1,N1,REF,DTM,HL",
    "1005": "0001,0002,0004",
}
_RAW_EDIFACT: Mapping[str, str] = {
    "0007": "1,14,ZZZ,31B",
    "0013": "UNB,UNH,UNT,UNZ",
    "0017": "260105,20260105",
    "0019": "0930",
    "0029": "A",
    "0051": "UN",
    "0052": "D",
    "0054": "96A,01B",
    "0057": "EAN008,EAN010",
    "0065": "ORDERS,ORDRSP,DESADV,ORDCHG",
    "0081": "S,D",
    "0083": "4,7,8",
    "0085": "12,13,15,21,29,35,39",
    "0135": "UNB,UNH,UNT,UNZ",
    "1001": "220,230,231,351,380",
    "1131": "ZZZ,52",
    "1153": "ON,CR,DQ,VN,AAK",
    "1225": "4,5,9,29",
    "1229": "1,2,3,5",
    "2005": "2,11,35,137,64,63",
    "2379": "102",
    "3035": "BY,SU,DP,IV",
    "3055": "9,92,91",
    "3139": "IC,OC,PD",
    "3155": "EM,TE,FX",
    "3207": "DE,FR,AT,US,NL",
    "3227": "1,5,7,18",
    "4343": "AP,AC,NA",
    "4347": "1,5",
    "4451": "AAI,DEL,ORI,PUR",
    "5025": "9,79,128,203",
    "5125": "AAA,AAB,INV",
    "5153": "VAT",
    "6063": "12,21,113,194",
    "6069": "1,2",
    "6311": "AAE,PD,WT",
    "6313": "AAB,WT,LN",
    "6343": "9,10,11",
    "6345": "EUR,USD,GBP",
    "6347": "2,3",
    "6411": "PCE,KGM,MTR,CT",
    "7065": "CT,PX,201",
    "7075": "1,2,3",
    "7077": "A,C,F",
    "7143": "EN,SA,BP,IN",
    "7405": "AW,BJ,BN",
    "8051": "10,20,30",
}
CODES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "x12": {number: tuple(values.split(",")) for number, values in _RAW_X12.items()},
    "edifact": {number: tuple(values.split(",")) for number, values in _RAW_EDIFACT.items()},
}
"""By standard and element number."""

LINE_NUMBERS: Mapping[str, frozenset[str]] = {"x12": frozenset({"350"}), "edifact": frozenset({"1082"})}
"""The elements that number the lines of a document."""
LINE_COUNTS: Mapping[str, frozenset[str]] = {"x12": frozenset({"354"}), "edifact": frozenset({"6066"})}
"""The elements that count them."""
DATES = frozenset({"2380"})
"""EDIFACT elements of no date type that hold one: 2379 says how it is written."""

WORDS = (
    "BOLT", "HEX", "M8", "WASHER", "STEEL", "A2-70", "ZINC PLATED", "Main warehouse", "Dock 4", "PALLET", "X-4711",
    "Northern Fasteners", "100 x 40", "(spare)", "No. 12/B", "RAL 7016", "valve", "left hand", "PO 88-1", "e.g. 5%",
)  # fmt: skip
FOREIGN = ("Müller", "Ångström", "Citroën", "naïve", "½ Zoll")
"""Words outside ASCII, in ISO 8859-1."""
