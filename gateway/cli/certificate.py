"""`gateway certificate list | show`: ours and our partners' certificates, their state, and how far each has come."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rich.text import Text

from gateway.cli import certificate_import, certificate_making, certificate_rolling
from gateway.cli.answers import FINDINGS, AsJson, WorkspaceFolder, answering, show, show_json, show_table
from gateway.cli.certificate_asking import Desk, Partner, complete_pair, open_desk
from gateway.cli.printable import printable
from gateway.errors import OurFault
from gateway.partners.certificate_facts import (
    days_left,
    expired,
    is_authority,
    key_words,
    may_receive,
    may_sign,
    subject,
    usages,
    with_colons,
)
from gateway.partners.confirmations import Stage, Whose
from gateway.partners.inventory import THRESHOLDS, Held, Role, threshold

app = typer.Typer(no_args_is_help=True, help="Certificates and keys of AS2: ours, our partners', their rollover.")
app.command()(certificate_making.new)
app.command("import")(certificate_import.import_)

COLOURS = {"expired": "bold red", "expiring": "yellow", "retired": "dim", "followed": "dim"}
SHOWN_DIGITS = 16


@app.command("list")
def list_(
    *,
    partner: Partner = None,
    expiring: Annotated[
        str | None, typer.Option(metavar="DAYS", help="Only those that end within so many days, such as 30d.")
    ] = None,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """List certificates: what for, until when, and how far they have come with each partner.

    With --expiring only those that end soon and that nothing follows; exit code 1 when there are some.

    Example: gateway certificate list --expiring 30d
    """
    with answering():
        within = None if expiring is None else _days(expiring)
        desk = open_desk(workspace)
        if partner is not None:
            desk.partner(partner)
        rows = [one for one in desk.held if partner is None or one.partner in {"", partner}]
        if within is not None:
            last = desk.now + timedelta(days=within)
            rows = [one for one in rows if _ends(one, desk, last)]
        if as_json:
            show_json([summary(one, desk, partner) for one in rows])
        elif rows:
            show_table(
                ("for", "name", "state", "ends", "days", "SHA-256", "with partners", "subject"),
                (_row(one, desk, partner) for one in rows),
            )
        else:
            show("no certificate ends in that time" if within is not None else "there are no certificates")
        if within is not None and rows:
            raise typer.Exit(FINDINGS)


@app.command("show")
def show_(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Our pair's name, a file, or a fingerprint's beginning.", autocompletion=complete_pair
        ),
    ],
    *,
    pem: Annotated[bool, typer.Option("--pem", help="Print the certificate itself, to be sent on.")] = False,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show all about one certificate, with its fingerprints as partners ask for them.

    Example: gateway certificate show gateway --pem
    """
    with answering():
        desk = open_desk(workspace, stages=not pem)
        held = desk.find(name)
        if pem:
            typer.echo(held.certificate.public_bytes(Encoding.PEM).decode("ascii"), nl=False)
            return
        details = summary(held, desk, None) | _details(held.certificate)
        if as_json:
            show_json(details)
            return
        for key, value in details.items():
            if key != "partners" and value not in (None, []):
                text = ", ".join(map(str, value)) if isinstance(value, list) else value
                show(Text.assemble((f"{key.replace('_', ' '):<22}", "bold"), printable(text)))
        for one in details["partners"]:
            show(Text.assemble((f"{'with ' + one['partner']:<22}", "bold"), f"{one['stage']}: {printable(one['how'])}"))


def state(held: Held, desk: Desk) -> str:
    """One word for people: retired, expired, expiring, followed, not yet, valid."""
    if held.retired:
        return "retired"
    if expired(held.certificate, desk.now):
        return "expired"
    if held.certificate.not_valid_before_utc > desk.now:
        return "not yet"
    if threshold(held, desk.held, desk.now) is not None:
        return "expiring"
    return "followed" if days_left(held.certificate, desk.now) < THRESHOLDS[0] else "valid"


def summary(held: Held, desk: Desk, partner: str | None) -> dict[str, Any]:
    """What programs get of one."""
    begins = held.use.begins(partner or "") if held.use else None
    return {
        "role": held.role.value,
        "partner": held.partner or None,
        "name": held.name,
        "file": held.file,
        "state": state(held, desk),
        "subject": subject(held.certificate),
        "not_before": held.certificate.not_valid_before_utc.isoformat(),
        "not_after": held.certificate.not_valid_after_utc.isoformat(),
        "days_left": days_left(held.certificate, desk.now),
        "sha256": held.fingerprint,
        "signs": None if held.use is None else _signs(begins, desk.now),
        "partners": [
            {"partner": one.partner, "stage": one.stage.value, "how": one.how, "at": one.at, "message": one.message_id}
            for one in _stages(held, desk, partner)
        ],
    }


def _signs(begins: datetime | None, now: datetime) -> str:
    if begins is None:
        return "no: it only decrypts"
    if begins.year == 1:
        return "from ever"
    return f"{'since' if begins <= now else 'from'} {begins:%Y-%m-%d %H:%M} UTC"


def _stages(held: Held, desk: Desk, partner: str | None) -> list[Any]:
    if held.role not in {Role.OURS, Role.THEIRS}:
        return []
    whose = Whose.OURS if held.role is Role.OURS else Whose.THEIRS
    names = [held.partner] if held.partner else [one.name for one in desk.over_as2]
    found = (desk.stage(name, whose, held.fingerprint) for name in names if partner in {None, name})
    return [one for one in found if one is not None]


def _row(held: Held, desk: Desk, partner: str | None) -> list[str | Text]:
    said = state(held, desk)
    words = Text(said, style=COLOURS.get(said, "green"))
    if held.use is not None and not held.retired:
        words.append(f"; signs {_signs(held.use.begins(partner or ''), desk.now)}", style="none")
    return [
        held.role.value,
        f"{held.partner}: {held.file}" if held.partner else held.name,
        words,
        f"{held.certificate.not_valid_after_utc:%Y-%m-%d}",
        str(days_left(held.certificate, desk.now)),
        held.fingerprint[:SHOWN_DIGITS],
        _progress(held, desk, partner),
        printable(subject(held.certificate)),
    ]


def _progress(held: Held, desk: Desk, partner: str | None) -> str:
    if held.role is Role.THEIRS:
        found = desk.stage(held.partner, Whose.THEIRS, held.fingerprint)
        return Stage.IMPORTED.value if found is None else found.stage.value
    if held.role is not Role.OURS or held.retired:
        return ""
    asked = [one.name for one in desk.over_as2 if partner in {None, one.name}]
    if partner is not None:
        found = desk.stage(partner, Whose.OURS, held.fingerprint)
        return "not told" if found is None else found.stage.value
    confirmed = sum(1 for one in _stages(held, desk, None) if one.stage is Stage.CONFIRMED)
    return f"confirmed by {confirmed} of {len(asked)}" if asked else ""


def ways(folder: Path, partner: str) -> list[dict[str, str]]:
    """How far each certificate has come with one partner, ours and theirs; retired ones left out."""
    desk = open_desk(folder)
    rows = [one for one in desk.held if not one.retired and (one.role is Role.OURS or one.partner == partner)]
    return [
        {
            "whose": one.role.value,
            "name": one.name,
            "sha256": one.fingerprint,
            "state": state(one, desk),
            "stage": _progress(one, desk, partner),
        }
        for one in rows
        if one.role in {Role.OURS, Role.THEIRS}
    ]


def _details(certificate: x509.Certificate) -> dict[str, Any]:
    may = [word for word, fits in (("sign", may_sign(certificate)), ("encrypt", may_receive(certificate))) if fits]
    return {
        "issuer": certificate.issuer.rfc4514_string(),
        "self_signed": certificate.issuer == certificate.subject,
        "authority": is_authority(certificate),
        "serial": f"{certificate.serial_number:X}",
        "key": key_words(certificate),
        "key_usage": sorted(usages(certificate) or ()) or None,
        "may": may,
        "signature_algorithm": certificate.signature_algorithm_oid._name,  # noqa: SLF001  the only place with the name
        "sha256_with_colons": with_colons(certificate, "sha256"),
        "sha1_with_colons": with_colons(certificate, "sha1"),
    }


def _ends(held: Held, desk: Desk, last: datetime) -> bool:
    """Whether it ends by then, and nothing follows it."""
    return held.certificate.not_valid_after_utc <= last and threshold(held, desk.held, last) is not None


def _days(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,5})\s*d?", text.strip())
    if found is None:
        raise OurFault(f"{text!r} is no number of days", remedy="write for example 30d")
    return int(found[1])


for command in (
    certificate_rolling.roll,
    certificate_rolling.letter_,
    certificate_rolling.confirm,
    certificate_rolling.retire,
):
    app.command(command.__name__.strip("_"))(command)
