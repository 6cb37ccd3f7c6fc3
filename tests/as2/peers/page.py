"""docs/interoperability.md, written from a run of the matrix: tables of what was run and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from .combinations import COMPRESS, ENCRYPT, RECEIPTS, SIGN, Combination, Result, Standing, Way
from .defects import DEFECTS, known

Table = Mapping[Combination, Result]

HEAD = """# Interoperability

Every combination of signature, encryption, compression and receipt, exchanged for real with stations that share no code
with the gateway. Written by `make peers` on {date}; do not edit.

| station | what it is | versions of this run |
|---|---|---|
{stations}

A cell says how many combinations of compression and receipt worked for that signature and encryption (in the second
table of a station the other way round): `9` means that all nine that exist worked, `**3 of 9**` that the others failed,
`none` that the station does not support it, `ours` that it is the gateway that does not. An exchange works when the
payload came byte for byte, both sides computed the same MIC, and the receipt was what had been asked for and was
believed by who asked. SHA-1 and 3DES are read where an agreement says so, and written `never`.
"""

RUN = """
## Running it

    make peers

makes the stations' environments under `.peers` (once; pip), runs the matrix and the other tests with them, and writes
this page. pyas2lib and django-pyas2 (both GPL) are processes of their own and never imported by the gateway. They need
oscrypto, whose last release (1.3.0) does not recognise OpenSSL 3.0.10 and later, because its version pattern allows a
single digit at the end: `Error detecting the version of libcrypto`. `tests/make_peers.py` widens that pattern in the
environment it makes (`\\d` to `\\d+` in `_libcrypto_cffi.py` and `_libcrypto_ctypes.py` of `oscrypto/_openssl`).
django-pyas2 keeps its files under Django's `MEDIA_ROOT`: its own setting `DATA_DIR` names a folder outside, which
Django 5 refuses.

### Another server

Any AS2 server that can be reached by URL is run by the same matrix, in the direction from us to it, and gets a section
on this page:

    # OpenAS2's usual address; mendelson's: http://192.0.2.10:8080/as2/HttpReceiver
    export GATEWAY_AS2_PEER_URL=http://192.0.2.10:10080/HttpReceiver
    export GATEWAY_AS2_PEER_NAME=OpenAS2A GATEWAY_AS2_OUR_NAME=OpenAS2B
    export GATEWAY_AS2_PEER_CERTIFICATE=openas2a.pem       # its certificate, with an RSA key
    export GATEWAY_AS2_OUR_KEY=ours.pem                    # our key and certificate; the certificate is known to it
    export GATEWAY_AS2_RECEIPTS=http://192.0.2.20:10081/   # where it reaches us with asynchronous receipts; optional
    make peers

A key for it:

    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=matrix -keyout ours.pem -out ours.crt
    cat ours.crt >> ours.pem

For the way back, send from it to a running gateway that has an agreement with it, and look: `gateway message list`.
"""

ODD = """
## What stations write oddly

Each row is a message or a receipt in `tests/as2/peers/quirks.py`, made as such a station makes it. `phax/phase2` is the
library as2-lib.

| read | told in |
|---|---|
{read}

Not read, on purpose:

| refused | why | told in |
|---|---|---|
{refused}
| HTTP headers folded over lines, in a request | RFC 9112 5.2 lets a server answer 400; in an answer they are read | \
OpenAS2/OpenAs2App#71, OxalisCommunity/oxalis#171 |
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """One station after its run."""

    what: str
    versions: Mapping[str, str]
    tables: Mapping[Way, Table]


def text(
    ran: Mapping[str, Ran],
    moment: datetime,
    *,
    read: Iterable[tuple[str, str]],
    refused: Iterable[tuple[str, str, str]],
) -> str:
    """The whole page."""
    stations = "\n".join(
        f"| {name} | {one.what} | {', '.join(f'{what} {version}' for what, version in one.versions.items())} |"
        for name, one in ran.items()
    )
    parts = [HEAD.format(date=f"{moment:%Y-%m-%d}", stations=stations)]
    parts += [_station(name, one) for name, one in ran.items()]
    parts += [_defects(ran), RUN]
    parts.append(
        ODD.format(
            read="\n".join(f"| {habit} | {source} |" for habit, source in read),
            refused="\n".join(f"| {habit} | {why} | {source} |" for habit, why, source in refused),
        )
    )
    return "".join(parts)


def _station(name: str, ran: Ran) -> str:
    titles = {Way.IN: "it sends, we receive", Way.OUT: "we send, it receives"}
    parts = [f"\n## {name}\n"]
    for way, table in ran.tables.items():
        parts.append(f"\n### {name}: {titles[way]}\n\n{_counts(table)}\n")
        if any(one.standing in {Standing.WORKS, Standing.FAILS} for one in table.values()):
            parts.append(f"\n{_grid(table, 'encrypt', 'sign')}\n")
            parts.append(f"\n{_grid(table, 'compress', 'receipt')}\n")
        parts.append(_reasons(name, table))
    return "".join(parts)


def _counts(table: Table) -> str:
    found = Counter(one.standing for one in table.values())
    run = found[Standing.WORKS] + found[Standing.FAILS]
    return (
        f"{run} combinations run: {found[Standing.WORKS]} work, {found[Standing.FAILS]} fail; "
        f"{found[Standing.NOT_THEIRS]} the station does not support, {found[Standing.NOT_OURS]} the gateway does not."
    )


AXES = {
    "sign": ("signature", SIGN),
    "encrypt": ("encryption", ENCRYPT),
    "compress": ("compression", COMPRESS),
    "receipt": ("receipt", RECEIPTS),
}


def _grid(table: Table, down: str, across: str) -> str:
    (row, rows), (column, columns) = AXES[down], AXES[across]
    lines = [f"| {row}, {column} | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name in rows:
        cells = [
            _cell(
                [found for one, found in table.items() if (getattr(one, down), getattr(one, across)) == (name, other)]
            )
            for other in columns
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(found: Sequence[Result]) -> str:
    standings = Counter(one.standing for one in found)
    run = standings[Standing.WORKS] + standings[Standing.FAILS]
    if not run:
        whys = {one.why for one in found if one.standing is Standing.NOT_OURS}
        return "none" if not whys else "never" if all("never" in why for why in whys) else "ours"
    return str(run) if not standings[Standing.FAILS] else f"**{standings[Standing.WORKS]} of {run}**"


def _reasons(name: str, table: Table) -> str:
    lines = []
    for standing, title in (
        (Standing.NOT_THEIRS, "The station does not support"),
        (Standing.NOT_OURS, "The gateway does not offer"),
    ):
        whys = Counter(one.why for one in table.values() if one.standing is standing)
        if whys:
            lines.append(f"{title}: {'; '.join(f'{why} ({count})' for why, count in whys.items())}.")
    fails: Counter[str] = Counter()
    for one, result in table.items():
        if result.standing is Standing.FAILS:
            defect = known(name, one)
            fails[f"[{defect.title}](#defects-of-stations)" if defect else f"{one}: {result.why}"] += 1
    lines += [f"Fails, {count} times: {why}." for why, count in fails.items()]
    return "".join(f"\n{line}\n" for line in lines)


def _defects(ran: Mapping[str, Ran]) -> str:
    lines = [f"\n- {name}, {defect.title}: {defect.proof}" for name in ran for defect in DEFECTS.get(name, ())]
    return f"\n## Defects of stations\n{''.join(lines)}\n"
