"""What a syntax identifier (0001) says of the characters of an interchange: its charset, and for levels A and B a list.

ISO 9735:1988 5 lists the characters of levels A and B; ISO 9735-1:1998 takes ISO 646 without the positions that nations
and applications may use otherwise. Levels C to L are parts of ISO 8859, W and Y are ISO 10646.
"""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase, digits

from gateway.edi.writing import Repertoire
from gateway.errors import OurFault

CHARSETS: dict[str, str] = {
    "UNOA": "ascii",
    "UNOB": "ascii",
    "UNOC": "iso8859-1",
    "UNOD": "iso8859-2",
    "UNOE": "iso8859-5",
    "UNOF": "iso8859-7",
    "UNOG": "iso8859-3",
    "UNOH": "iso8859-4",
    "UNOI": "iso8859-6",
    "UNOJ": "iso8859-8",
    "UNOK": "iso8859-9",
    "UNOL": "iso8859-15",
    "UNOW": "utf-8",
    "UNOY": "utf-8",
}
"""The charset by syntax identifier. UNOX (ISO 2022, escape sequences) says none: it must be agreed."""

_LEVEL_A = ascii_uppercase + digits + " .,-()/='+:?!\"%&*;<>"
_ADDED_IN_4 = "_"


def charset_of(syntax: str) -> str:
    """The charset of a syntax identifier. Raises OurFault for one that has none."""
    charset = CHARSETS.get(syntax)
    if charset is None:
        raise OurFault(f"the charset of {syntax} is not known", remedy="agree on a charset with the partner")
    return charset


def repertoire_of(syntax: str, syntax_version: int) -> Repertoire | None:
    """The characters of UNOA and UNOB; None for the others, which have what their charset has."""
    if syntax not in ("UNOA", "UNOB"):
        return None
    characters = _LEVEL_A + (_ADDED_IN_4 if syntax_version >= 4 else "")  # noqa: PLR2004  the syntax that names ISO 646
    return Repertoire(name=syntax, characters=characters + (ascii_lowercase if syntax == "UNOB" else ""))
