"""Findings about certificates beyond their files: our further pairs, what ends soon, what a key may not be used for.

Asked when the settings and agreements could be read; `gateway.partners.checks` looks at each file that they name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

from cryptography import x509

from gateway.errors import OurFault
from gateway.findings import FilePlace, Finding, Severity
from gateway.partners import keys, pairs
from gateway.partners.agreement import Agreement
from gateway.partners.as2_channel import As2Channel
from gateway.partners.authorities import load_authorities
from gateway.partners.certificate_facts import days_left, may_receive, may_sign, unfit
from gateway.partners.inventory import Held, Role, due, inventory
from gateway.partners.revocation import CrlShelf, is_address, issued, out_of_date, signed_by
from gateway.settings import Settings
from gateway.yamltext import YamlText, near_miss

URGENT_DAYS = 30
"""From here on a note becomes a warning."""

RULES: Mapping[str, str] = {
    "workspace.pairs": "certs/ours.yaml names pairs once, with files that are there, and partners that exist.",
    "workspace.certificate_expiring": "What nothing follows ends in more than 90 days (a note, from 30 on a warning).",
    "workspace.trust": "Trust by chain names its authorities and the signer's subject; revocation names its lists; the "
    "files are there, and a list of a file is signed and not too old (a warning).",
    "workspace.certificate_use": "A partner's certificates allow what is done with them (a warning).",
    "workspace.encrypt_for": "as2.encrypt_for is one of as2.certificates.",
}


def check(
    folder: Path,
    settings: Settings,
    agreements: Iterable[Agreement],
    now: datetime,
    place: Callable[[str, tuple[str | int, ...]], FilePlace],
) -> Iterator[Finding]:
    """Everything that is wrong or near its end; `place` finds a partner's key ("" is gateway.yaml)."""
    known = tuple(agreements)
    try:
        ours, source = pairs.read(folder)
    except OurFault as fault:
        yield from fault.findings or (
            _finding("pairs", FilePlace(file=pairs.FILE), str(fault), "a sound file", fault.remedy),
        )
        return
    yield from _pairs(folder, ours, source, [one.name for one in known])
    held = inventory(folder, settings, known)
    yield from _expiring(held, now, source, place)
    for one in known:
        if one.as2 is not None and one.as2.encrypt_for not in {None, *one.as2.certificates}:
            said, wanted = str(one.as2.encrypt_for), f"one of {', '.join(one.as2.certificates)}"
            fix = "name one of them, or leave the key out"
            yield _finding("encrypt_for", place(one.name, ("as2", "encrypt_for")), said, wanted, fix)
        if one.as2 is not None:
            yield from _trust(folder, one.as2, now, partial(_key, place, one.name))
        if one.as2 is not None and one.exchanges:
            yield from _uses(
                one, [each for each in held if each.role is Role.THEIRS and each.partner == one.name], place
            )


def _pairs(folder: Path, ours: pairs.OurPairs, source: YamlText, partners: list[str]) -> Iterator[Finding]:
    names = [pairs.FIRST]
    for index, one in enumerate(ours.pairs):
        at = ("pairs", index)
        if one.name in names:
            yield _finding("pairs", source.place((*at, "name")), one.name, "a name of its own", "rename one of them")
        names.append(one.name)
        if not (folder / one.key).is_file():
            fix = "restore it from a backup, or take the pair out"
            yield _finding("pairs", source.place((*at, "key")), f"no file {one.key}", "its private key", fix)
        try:
            why = unfit(keys.load_certificate(folder / one.certificate))
        except OurFault as fault:
            why = str(fault).removeprefix(f"{folder}/")
        if why:
            yield _finding("pairs", source.place((*at, "certificate")), why, "a certificate fit for AS2", "replace it")
        for partner in one.partners:
            yield from _known(source, (*at, "partners", partner), partner, partners)
    for index, name in enumerate(ours.retired):
        yield from _known(source, ("retired", index), name, names)


def _known(source: YamlText, at: tuple[str | int, ...], name: str, names: list[str]) -> Iterator[Finding]:
    if name not in names:
        meant = near_miss(name, names)
        fix = f"write {meant}" if meant else "remove it"
        yield _finding("pairs", source.place(at), repr(name), f"one of {', '.join(names)}", fix)


def _expiring(
    held: tuple[Held, ...],
    now: datetime,
    source: YamlText,
    place: Callable[[str, tuple[str | int, ...]], FilePlace],
) -> Iterator[Finding]:
    for one, days in due(held, now):
        left = days_left(one.certificate, now)
        if not days:  # it has expired, which is another rule's
            continue
        if one.role is Role.THEIRS:
            at, fix = (
                place(one.partner, ("as2", "certificates")),
                "ask for the next one, then: gateway certificate import",
            )
        elif one.role is Role.OURS:
            at = place("", ("identity", "certificate")) if one.name == pairs.FIRST else source.place(("pairs",))
            fix = "make the next one: gateway certificate new"
        else:
            at, fix = place(one.partner, ()), "ask for the next one, and put it there"
        said = f"{one.file} ends on {one.certificate.not_valid_after_utc:%Y-%m-%d}, in {left} days"
        severity = Severity.ACCEPT_WITH_ERRORS if left < URGENT_DAYS else Severity.ACCEPT
        yield _finding("certificate_expiring", at, said, "one that follows it", fix, severity)


def _trust(folder: Path, channel: As2Channel, now: datetime, place: Callable[[str], FilePlace]) -> Iterator[Finding]:
    needed = (
        (channel.trust == "chain" and not channel.signer_ca, "trust", "signer_ca", "the authority's certificates"),
        (channel.trust == "chain" and not channel.signer_subject, "trust", "signer_subject", "who may sign"),
        (channel.revocation == "crl" and not channel.crls, "revocation", "crls", "the lists to ask"),
        (channel.revocation == "crl" and not channel.signer_ca, "revocation", "signer_ca", "who signs the lists"),
    )
    for lacking, key, other, words in needed:
        if lacking:
            yield _finding("trust", place(key), f"no {other}", f"{other}, {words}", f"add {other}: …")
    try:
        authorities = load_authorities(folder, channel.signer_ca)
    except OurFault as fault:
        said = str(fault).removeprefix(f"{folder}/")
        yield _finding("trust", place("signer_ca"), said, "PEM files with certificates", fault.remedy)
        return
    for file in channel.crls:
        if not is_address(file):
            yield from _list(folder, file, authorities, now, place("crls"))
    if channel.revocation == "crl" and channel.stale_crl == "refuse":
        yield from _unlisted(folder, channel.crls, authorities, place("crls"))


def _unlisted(
    folder: Path, sources: tuple[str, ...], authorities: tuple[x509.Certificate, ...], place: FilePlace
) -> Iterator[Finding]:
    """Authorities of which no list says whether they were revoked: where that is refused none of their signers counts.

    What was not fetched yet may be the list.
    """
    shelf = CrlShelf(folder)
    try:
        shelf.load(sources)
    except OurFault:  # it has its own finding
        return
    lists = [shelf.get(one) for one in sources]
    if None in lists:
        return
    for one in authorities:
        above = [each for each in authorities if each.subject == one.issuer != one.subject and issued(one, each)]
        if above and not any(signed_by(listed, each) for listed in lists if listed is not None for each in above):
            said = f"no list says whether {one.subject.rfc4514_string()} was revoked, and stale_crl is refuse"
            fix = "name the list of the authority above it, too: until then nobody whom it vouches for counts"
            wanted = f"a list of {one.issuer.rfc4514_string()}"
            yield _finding("trust", place, said, wanted, fix, Severity.ACCEPT_WITH_ERRORS)


def _key(place: Callable[[str, tuple[str | int, ...]], FilePlace], partner: str, key: str) -> FilePlace:
    return place(partner, ("as2", key))


def _list(
    folder: Path, file: str, authorities: tuple[x509.Certificate, ...], now: datetime, place: FilePlace
) -> Iterator[Finding]:
    shelf = CrlShelf(folder)
    try:
        shelf.load([file])
    except OurFault as fault:
        yield _finding("trust", place, str(fault), "a revocation list", fault.remedy)
        return
    listed = shelf.get(file)
    if listed is None or not any(signed_by(listed, one) for one in authorities):
        fix = "add the authority that signs it to signer_ca"
        yield _finding("trust", place, f"{file} is signed by nobody in signer_ca", "a list of an authority", fix)
    elif out_of_date(listed, now):
        said, fix = f"{file} is too old: its successor was due", "fetch the new one, or name its address"
        yield _finding("trust", place, said, "the current list", fix, Severity.ACCEPT_WITH_ERRORS)


def _uses(
    agreement: Agreement, theirs: list[Held], place: Callable[[str, tuple[str | int, ...]], FilePlace]
) -> Iterator[Finding]:
    assert agreement.as2 is not None
    wanted = (
        (agreement.as2.encrypt != "no", may_receive, "encrypt for", agreement.as2.encrypt_for),
        (agreement.as2.require_signature or agreement.as2.receipt == "signed", may_sign, "verify with", None),
    )
    for needed, fits, words, only in wanted:
        asked = [one for one in theirs if only in {None, one.file}]
        if needed and asked and not any(fits(one.certificate) for one in asked):
            said = f"the key usage of {', '.join(one.file for one in asked)} does not allow it"
            at = place(agreement.name, ("as2", "certificates"))
            fix = "ask the partner for a certificate for this use"
            yield _finding("certificate_use", at, said, f"a certificate to {words}", fix, Severity.ACCEPT_WITH_ERRORS)


def _finding(  # noqa: PLR0917  the parts of a finding
    rule: str, place: FilePlace, said: str, wanted: str, fix: str, severity: Severity = Severity.REJECT
) -> Finding:
    return Finding(rule=f"workspace.{rule}", place=place, said=said, wanted=wanted, fix=fix, severity=severity)
