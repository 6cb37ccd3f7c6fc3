"""`gateway certificate roll | letter | confirm | retire`: from the old certificate to the new one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.as2 import fingerprint
from gateway.cli.answers import AsJson, WorkspaceFolder, answering, say, show, show_json, show_table
from gateway.cli.certificate_asking import Desk, PairName, Partner, complete_pair, moment_of, note, open_desk
from gateway.cli.partner_names import complete_partner
from gateway.errors import OurFault
from gateway.partners import agreement_certificates, keys, pairs
from gateway.partners.agreement import Agreement
from gateway.partners.certificate_facts import expired, may_sign
from gateway.partners.confirmations import Reached, Stage, Whose
from gateway.partners.inventory import Held, Role
from gateway.partners.letter import letter
from gateway.partners.one_writer import one_writer

Certificate = Annotated[
    str,
    typer.Argument(
        metavar="CERTIFICATE",
        help="Our pair's name; a partner's file or fingerprint's beginning.",
        autocompletion=complete_pair,
    ),
]


def roll(
    name: PairName,
    *,
    begins: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="now, a day (0:00 UTC), or a time with its zone.")
    ] = None,
    partner: Partner = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="Take the date back: the one before signs.")] = False,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Plan from when we sign with a pair, for all partners or one; who is to be told before.

    Nothing changes before that date, and we decrypt with the old and the new one all the time. Without --from it says
    how far each partner has come.

    Example: gateway certificate roll as2-2027 --from 2027-01-31
    """
    with answering(), one_writer(workspace) if begins is not None or cancel else nullcontext():
        desk = open_desk(workspace)
        held = desk.pair(name)
        partners = (desk.partner(partner),) if partner else desk.over_as2
        if begins is not None or cancel:
            held = _planned(desk, held, partner, begins, cancel=cancel)
        rows = [_told(desk, held, one) for one in partners]
        if as_json:
            show_json({"name": name, "sha256": held.fingerprint, "partners": rows})
            return
        if cancel:
            whose = f"the date of {partner} alone" if partner else "every date"
            show(f"{name}: {whose} is taken back")
        show_table(
            ("partner", "signs from", "has it", "contact"),
            ([row["partner"], row["from"] or "not planned", row["stage"], row["contact"] or ""] for row in rows),
        )
        waiting = [row["partner"] for row in rows if row["stage"] == "not told" and row["from"]]
        if waiting:
            say(f"To be told: {', '.join(waiting[:10])}{' …' if len(waiting) > 10 else ''}")  # noqa: PLR2004  a line
            say(f"The text for each, with the certificate: gateway certificate letter {name} --partner NAME, or -o DIR")


def _planned(desk: Desk, held: Held, partner: str | None, begins: str | None, *, cancel: bool) -> Held:
    ours, _ = pairs.read(desk.workspace.folder)
    further = ours.named(held.name)
    if further is None:
        raise OurFault(
            f"{held.name} is the first pair: it signs whenever no other one does",
            remedy="to go back to it cancel the other: gateway certificate roll NAME --cancel",
        )
    if cancel:
        dates = {key: value for key, value in further.partners.items() if partner is not None and key != partner}
        changed: dict[str, Any] = {"partners": dates} if partner else {"partners": {}, "sign_from": None}
    else:
        assert begins is not None
        since = moment_of(begins, desk.now)
        if held.retired or expired(held.certificate, since) or not may_sign(held.certificate):
            raise OurFault(
                f"{held.name} cannot sign from {since:%Y-%m-%d} on: it is retired, expired by then, or may not sign",
                remedy=f"look at it: gateway certificate show {held.name}",
            )
        if held.certificate.not_valid_before_utc > since:
            raise OurFault(
                f"{held.name} is valid from {held.certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on only",
                remedy="choose a later date",
            )
        changed = {"partners": {**further.partners, partner: since}} if partner else {"sign_from": since}
    new = further.model_copy(update=changed)
    planned = replace(held, use=new.use)
    current = [one for one in desk.ours if not one.retired]
    _check_signing(desk, current, [planned if one is held else one for one in current], "by this plan")
    pairs.write(
        desk.workspace.folder,
        ours.model_copy(update={"pairs": tuple(new if one.name == held.name else one for one in ours.pairs)}),
    )
    return planned


def _told(desk: Desk, held: Held, agreement: Agreement) -> dict[str, Any]:
    begins = held.use.begins(agreement.name) if held.use else None
    found = desk.stage(agreement.name, Whose.OURS, held.fingerprint)
    contact = agreement.contact
    return {
        "partner": agreement.name,
        "from": None if begins is None or begins.year == 1 else f"{begins:%Y-%m-%d %H:%M} UTC",
        "stage": "not told" if found is None else found.stage.value,
        "how": None if found is None else found.how,
        "contact": (contact.email or contact.name) if contact else None,
    }


def letter_(
    name: PairName,
    *,
    partner: Partner = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Write one file for each partner there.")
    ] = None,
    workspace: WorkspaceFolder = Path(),
) -> None:
    """Print what a partner is told: the text of a mail with the certificate, its fingerprints and the date.

    Who got it is noted as told. Compare fingerprints by another way than the mail.

    Example: gateway certificate letter as2-2027 --partner acme
    """
    with answering():
        desk = open_desk(workspace, stages=False)
        held = desk.pair(name)
        if partner is None and output is None:
            raise OurFault("to whom?", remedy="say --partner NAME, or -o DIR for one file a partner")
        partners = (desk.partner(partner),) if partner else desk.over_as2
        if not partners:
            show("nobody is to be told: no partner exchanges over AS2")
        for one in partners:
            begins = held.use.begins(one.name) if held.use else None
            text = letter(desk.settings, one, held.certificate, None if begins is None or begins.year == 1 else begins)
            if output is None:
                typer.echo(text, nl=False)
            else:
                keys.write_file(output / f"{one.name}.txt", text.encode(), mode=0o644, overwrite=True)
                show(f"wrote {output / one.name}.txt")
        told = (_reached(one.name, Whose.OURS, held, Stage.SENT, "its letter was written") for one in partners)
        note(workspace, tuple(told))


def confirm(
    certificate: Certificate,
    *,
    partner: Annotated[
        str, typer.Option("--partner", metavar="NAME", help="With which partner.", autocompletion=complete_partner)
    ],
    imported: Annotated[
        bool, typer.Option("--imported", help="Only that they have imported ours; not that they use it.")
    ] = False,
    workspace: WorkspaceFolder = Path(),
) -> None:
    """Note what a partner said on the telephone: ours is in place there, or theirs is in use.

    Signed exchanges confirm by themselves; this is for certificates that never sign, and for the careful.

    Example: gateway certificate confirm as2-2027 --partner acme --imported
    """
    with answering():
        desk = open_desk(workspace, stages=False)
        desk.partner(partner)
        mine = [
            one for one in desk.held if one.role is Role.OURS or (one.role is Role.THEIRS and one.partner == partner)
        ]
        held = desk.find(certificate, mine)
        whose = Whose.OURS if held.role is Role.OURS else Whose.THEIRS
        stage = Stage.IMPORTED if imported else Stage.CONFIRMED
        note(workspace, [_reached(partner, whose, held, stage, "an operator said so")])
        show(f"{held.name} is {stage.value} with {partner}")


def retire(
    certificate: Certificate,
    *,
    partner: Partner = None,
    force: Annotated[bool, typer.Option("--force", help="Though a partner has not confirmed another one.")] = False,
    workspace: WorkspaceFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Let a certificate count no more: ours neither decrypts nor signs, a partner's leaves its agreement.

    Refused while a partner has not confirmed another one of ours, or while none of theirs is left. Files stay.

    Example: gateway certificate retire gateway
    """
    with answering(), one_writer(workspace):
        desk = open_desk(workspace)
        if partner is not None:
            changed, held = _retire_theirs(desk, partner, certificate, force=force)
            if (channel := desk.partner(partner).as2) is not None and channel.trust == "chain":
                say(f"With trust: chain what {partner} signs with it still counts, as long as its authority vouches")
                say("for it: set trust: pinned, or see that it is revoked and ask the list (as2.revocation).")
        else:
            changed, held = _retire_ours(desk, certificate, force=force)
        if as_json:
            show_json({"retired": held.name, "sha256": held.fingerprint, "written": [changed]})
            return
        show(f"{held.name} is retired: wrote {changed}")


def _retire_ours(desk: Desk, name: str, *, force: bool) -> tuple[str, Held]:
    held = desk.pair(name)
    ours, _ = pairs.read(desk.workspace.folder)
    others = [one for one in desk.ours if one.name != name and not one.retired]
    if held.retired:
        raise OurFault(f"{name} is retired already", remedy=f"to take it back remove it from `retired` in {pairs.FILE}")
    _check_signing(desk, [*others, held], others, f"without {name}")
    valid = [one for one in others if not expired(one.certificate, desk.now)]
    lacking = [one.name for one in desk.over_as2 if not _confirmed(desk, one.name, valid)]
    if lacking and not force:
        raise OurFault(
            f"no other certificate of ours is confirmed by {', '.join(lacking[:10])}"
            f" ({len(lacking)} of {len(desk.over_as2)} partners)",
            remedy="what they still encrypt for it could not be opened; wait, ask them, or say --force",
        )
    pairs.write(desk.workspace.folder, ours.model_copy(update={"retired": (*ours.retired, name)}))
    return pairs.FILE, held


def _check_signing(desk: Desk, before: Sequence[Held], after: Sequence[Held], when: str) -> None:
    """OurFault where after a change nothing would sign any more, for all or for a partner."""
    names = ("", *(one.name for one in desk.over_as2))
    unsigned = [one for one in names if _signs(before, one, desk.now) and not _signs(after, one, desk.now)]
    if unsigned:
        to = "" if "" in unsigned else f" to {', '.join(unsigned[:10])}"
        raise OurFault(
            f"{when} nothing would sign now{to}",
            remedy="plan the use of another pair first, --partner where a partner has a date of its own: "
            "gateway certificate new, gateway certificate roll",
        )


def _signs(pairs_of_ours: Sequence[Held], partner: str, now: datetime) -> bool:
    """Whether one of them signs for a partner now ("": for those that have no date of their own)."""
    dates = ((one.use.begins(partner), one.certificate) for one in pairs_of_ours if one.use)
    return any(
        begins is not None and begins <= now and may_sign(certificate) and not expired(certificate, now)
        for begins, certificate in dates
    )


def _confirmed(desk: Desk, partner: str, pairs_of_ours: Sequence[Held]) -> bool:
    found = (desk.stage(partner, Whose.OURS, one.fingerprint) for one in pairs_of_ours)
    return any(one is not None and one.stage is Stage.CONFIRMED for one in found)


def _retire_theirs(desk: Desk, partner: str, word: str, *, force: bool) -> tuple[str, Held]:
    desk.partner(partner)
    theirs = [one for one in desk.held if one.role is Role.THEIRS and one.partner == partner]
    held = desk.find(word, theirs)
    channel = desk.partner(partner).as2
    if channel is not None and channel.encrypt_for == held.file:
        raise OurFault(
            f"{held.file} is what we encrypt for, by as2.encrypt_for of {partner}",
            remedy="name another one there, or remove the line",
        )
    left = [one for one in theirs if one.fingerprint != held.fingerprint and not expired(one.certificate, desk.now)]
    proved = (desk.stage(partner, Whose.THEIRS, one.fingerprint) for one in left)
    if not force and not any(one is not None and one.stage is Stage.CONFIRMED for one in proved):
        raise OurFault(
            f"no other certificate of {partner} that is valid is confirmed",
            remedy="import the new one and wait for a signed exchange; or say --force",
        )
    file = desk.workspace.files[partner]
    agreement_certificates.remove(desk.workspace.folder, file, held.file)
    return file, held


def _reached(partner: str, whose: Whose, held: Held, stage: Stage, how: str) -> Reached:
    return Reached(partner=partner, whose=whose, fingerprint=fingerprint(held.certificate), stage=stage, how=how)
