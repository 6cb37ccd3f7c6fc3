"""X12 unit codes (element 355) and UN/ECE Recommendation 20: the codes that orders and ship notices use.

Recommendation 20 is published free by UNECE; the pairs are from public partner guides. A code that stands on
neither side is
kept as it is. The codes under `ALSO` are read as the word and kept beside it.
"""

from __future__ import annotations

from typing import Final

TO_REC20: Final[dict[str, str]] = {
    "EA": "EA",  # each
    "CA": "CT",  # case
    "DZ": "DZN",  # dozen
    "GS": "GRO",  # gross
    "PK": "PK",  # pack
    "BX": "BX",  # box
    "BG": "BG",  # bag
    "BA": "BL",  # bale
    "BO": "BO",  # bottle
    "CN": "CA",  # can
    "DR": "DR",  # drum
    "JR": "JR",  # jar
    "KT": "KT",  # kit
    "PR": "PR",  # pair
    "PL": "PF",  # pallet
    "RL": "RO",  # roll
    "SH": "ST",  # sheet
    "ST": "SET",  # set
    "TB": "TU",  # tube
    "PC": "C62",  # piece
    "KG": "KGM",
    "GR": "GRM",
    "LB": "LBR",
    "OZ": "ONZ",
    "TN": "STN",  # short ton
    "MP": "TNE",  # metric ton
    "FT": "FOT",
    "IN": "INH",
    "YD": "YRD",
    "MR": "MTR",
    "CM": "CMT",
    "MM": "MMT",
    "SF": "FTK",
    "SY": "YDK",
    "SM": "MTK",
    "CF": "FTQ",
    "CI": "INQ",
    "CR": "MTQ",
    "GA": "GLL",
    "QT": "QT",
    "PT": "PT",
    "LT": "LTR",
    "ML": "MLT",
    "HR": "HUR",
    "DA": "DAY",
    "MO": "MON",
    "YR": "ANN",
    "TH": "MIL",  # thousand
}

ALSO: Final[dict[str, str]] = {
    "CT": "CT",  # carton
    "UN": "C62",  # unit
    "CS": "CT",  # case, a common habit
    "PF": "PF",  # pallet
}
