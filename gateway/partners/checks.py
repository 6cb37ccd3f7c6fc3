"""Rules between fields and between files of a workspace: every mistake a finding at its line, none hiding another.

Works on the files' text trees, not on the models, so that a wrong value in one place never keeps a wrong reference
elsewhere from being reported. `RULES` is the documentation of what is checked.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from gateway.edi.delta import PartnerGuide
from gateway.errors import OurFault
from gateway.findings import Finding, Severity
from gateway.mapping import Head
from gateway.partners import as2_checks, certificate_checks, route_checks, secret_checks
from gateway.partners.agreement import SET, VERSIONS, Kind, Standard, standard_of
from gateway.partners.certificate_facts import weakness
from gateway.partners.dialects import ID_TWICE, MODELS, identity_of, value_of, wrong_in, wrong_versions
from gateway.partners.keys import load_certificate
from gateway.yamltext import Path as Keys
from gateway.yamltext import YamlText, near_miss

MapExists = Callable[[str], str | None]
"""None when a map of that name exists; otherwise the name that was probably meant, or "" when none is near."""
MapHead = Callable[[str], Head | None]
"""For which documents a map is; None where that cannot be told."""

RULES: Mapping[str, str] = {
    "workspace.channel_incomplete": "Channel as2 needs the section as2, x12 for sets such as 850, edifact for messages "
    "such as ORDERS (a note while it is a draft), and set and map for every document.",
    "workspace.our_identity": "We have an identity in every standard that a partner exchanges.",
    "workspace.delimiters": "The delimiters of a standard differ from each other.",
    "workspace.una": "Without UNA the service characters are those of the syntax.",
    "workspace.repertoire": "The identities in UNB have characters of the syntax that is written, and fit it.",
    "workspace.no_guide": "There is a guide for the set that we send, in the version that we send.",
    "workspace.name": "`name` in a partner's file, when given, is the file's name.",
    "workspace.as2_id_twice": "Two exchanging partners never have one AS2 name; nobody has ours.",
    "workspace.x12_id_twice": "Two exchanging partners never have one ISA identity; nobody has ours.",
    "workspace.edifact_id_twice": "Two exchanging partners never have one UNB identity; nobody has ours.",
    "workspace.party_id_twice": "A party id names one exchanging partner only.",
    "workspace.certificate": "Every certificate named is a PEM file that can be read, with a key fit for AS2.",
    "workspace.certificate_expired": "A certificate is valid now (a warning: the partner may be about to replace it).",
    "workspace.public_url": "Where a partner's receipts are to come by themselves, listen.public_url says where to.",
    "workspace.tls": "The files of listen.tls are there.",
    "workspace.unknown_target": "A route's and a partner's target stands in gateway.yaml.",
    "workspace.unknown_partner": "A route's and a webhook's partners have agreements.",
    "workspace.unknown_map": "Every map named exists.",
    "workspace.wrong_map": "A map is for the document it stands at: its set (json at a target) and its canonical kind.",
    "workspace.unknown_guide": "Every guide named exists: a file in guides/, `guide` in a map, or one of the gateway.",
    "workspace.wrong_guide": "A guide is for the set it stands at and, where we send, for the version we send.",
    "workspace.read_as": "A version that is read as another one has no guides of its own, and the other one has.",
    "workspace.guide_twice": "A guide stands in guides/, or in the map of its name under `guide`, not in both.",
    "workspace.placeholder": "A call's path has no other placeholders than {number}, {order_number} and {partner}; a "
    "look-up's also {idempotency_key} and {document_id}; that of a compensation or replacement {their_id} as well.",
    **as2_checks.RULES,
    "workspace.no_call": "Each target of a route with several has a call for what partners may send there (a warning).",
    "workspace.nowhere_to_go": "What a partner may send has a target that takes it (a warning: else it waits).",
    **certificate_checks.RULES,
    **route_checks.RULES,
    **secret_checks.RULES,
}
ONLY_TO_RUN = (
    as2_checks.ONLY_TO_RUN
    | frozenset(certificate_checks.RULES)
    | {
        "workspace.certificate",
        "workspace.certificate_expired",
        "workspace.public_url",
        "workspace.tls",
    }
)
"""Rules of what only a running gateway needs: an agreement can be tried without any key."""
PLACEHOLDERS = ("number", "order_number", "partner")
LOOKUP_PLACEHOLDERS = (*PLACEHOLDERS, "idempotency_key", "document_id")
LATER_PLACEHOLDERS = (*LOOKUP_PLACEHOLDERS, "their_id")
_WAYS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    ((), PLACEHOLDERS),
    (("lookup",), LOOKUP_PLACEHOLDERS),
    (("compensate",), LATER_PLACEHOLDERS),
    (("replace",), LATER_PLACEHOLDERS),
)
"""The ways of calling a target, by their section in a call, and what their paths may name."""
GuideOf = Callable[[str], tuple[PartnerGuide | None, tuple[Finding, ...]]]
"""A guide by its name, and everything wrong in its files."""
SILENT = ("draft", "suspended", "retired")
"""Agreements of these states may share their identities with others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """What was read: `gateway.yaml` and one tree per partner's name, whatever is wrong in them."""

    folder: Path
    settings: YamlText
    partners: Mapping[str, YamlText]
    now: datetime
    map_exists: MapExists | None = None
    map_head: MapHead | None = None
    guide_of: GuideOf | None = None
    knows_version: Callable[[str], bool] | None = None
    """Whether there is a guide for a version: 004010, D96A."""
    first_pair_retired: bool = False
    """Whether identity.certificate counts no more, because others have followed it."""


def check(files: Files) -> tuple[Finding, ...]:
    """Everything wrong between fields and files, file by file."""
    return tuple(finding for rule in _CHECKS for finding in rule(files))


def at(tree: object, *keys: str | int) -> Any:
    """The value at `keys`, or None where the tree has another shape."""
    for key in keys:
        if isinstance(tree, dict):
            tree = tree.get(key)
        elif isinstance(tree, list) and isinstance(key, int) and key < len(tree):
            tree = tree[key]
        else:
            return None
    return tree


def _items(tree: object) -> list[tuple[str | int, Any]]:
    """The entries of a section or list; anything else has none."""
    if isinstance(tree, dict):
        return list(tree.items())
    return list(enumerate(tree)) if isinstance(tree, list) else []


def _finding(
    source: YamlText, keys: Keys, rule: str, *, said: str, wanted: str, fix: str, severity: Severity = Severity.REJECT
) -> Finding:
    assert f"workspace.{rule}" in RULES
    return Finding(
        rule=f"workspace.{rule}", place=source.place(keys), said=said, wanted=wanted, fix=fix, severity=severity
    )


def _documents(partner: YamlText, direction: str) -> Iterator[tuple[Keys, str, Any]]:
    for kind, rule in _items(at(partner.data, "documents", direction)):
        yield ("documents", direction, kind), str(kind), rule


def _channel(files: Files) -> Iterator[Finding]:
    for name, partner in files.partners.items():
        given = at(partner.data, "name")
        if given is not None and given != name:
            said, wanted, fix = repr(given), f"{name}, as the file is named", "remove the line or rename the file"
            yield _finding(partner, ("name",), "name", said=said, wanted=wanted, fix=fix)
        if at(partner.data, "channel") != "as2":
            continue
        # A draft may wait for what only the partner knows: its station, its certificate.
        severity = Severity.ACCEPT if at(partner.data, "status") == "draft" else Severity.REJECT
        rules = [one for direction in ("send", "receive") for one in _documents(partner, direction)]
        spoken = [standard for _, _, rule in rules if (standard := _standard(rule))]
        # Without any document, or without a set in it, X12 is as good a guess as any.
        for section in ("as2", *(sorted(set(spoken)) or _sections(partner) or ("x12",))):
            if at(partner.data, section) is None:
                example = next((str(at(rule, "set")) for _, _, rule in rules if _standard(rule) == section), None)
                wanted = f"the section {section}, for " + (f"set {example}" if example else "channel as2")
                said, fix, which = f"no {section}", f"add {section}:", "channel_incomplete"
                yield _finding(partner, ("channel",), which, said=said, wanted=wanted, fix=fix, severity=severity)
        for keys, kind, rule in rules:
            for key in ("set", "map"):
                if at(rule, key) is None and (rule is None or isinstance(rule, dict)):
                    wanted, fix = f"a {key} for {kind}, for channel as2", f"add {key}: …"
                    yield _finding(
                        partner, (*keys, key), "channel_incomplete", said=f"no {key}", wanted=wanted, fix=fix
                    )


def _standard(rule: object) -> Standard | None:
    """The standard of a document's rule, None where it does not say one."""
    said = at(rule, "set")
    return standard_of(said) if isinstance(said, str) and re.fullmatch(SET, said) else None


def _sections(partner: YamlText) -> tuple[Standard, ...]:
    """The standards that a partner's file has a section for."""
    return tuple(standard for standard in MODELS if at(partner.data, standard) is not None)


def _dialects(files: Files) -> Iterator[Finding]:
    """Each x12 and edifact section in itself, and who we are in it."""
    for partner in files.partners.values():
        for standard in _sections(partner):
            section = at(partner.data, standard)
            if not isinstance(section, dict):
                continue
            knows = files.knows_version
            versions = wrong_versions(section, knows) if knows is not None else ()
            for one in (*wrong_in(standard, section), *versions):
                keys: Keys = (standard, *one.keys)
                yield _finding(partner, keys, one.rule, said=one.said, wanted=one.wanted, fix=one.fix)
            ours = at(files.settings.data, "identity", standard) or section.get("our_identity")
            if ours is None and files.settings.data is not None:
                wanted = f"identity: {standard}: in gateway.yaml, or our_identity here"
                fix = f"add {standard}: under identity: in gateway.yaml"
                said = f"no {standard} identity of ours"
                yield _finding(partner, (standard,), "our_identity", said=said, wanted=wanted, fix=fix)


def _identities(files: Files) -> Iterator[Finding]:
    """AS2 names, ISA and UNB identities and party ids; each table maps an identity to where it stood first."""
    ours = files.settings
    as2: dict[Any, str] = {str(at(ours.data, "identity", "as2_id")): "ourselves, in gateway.yaml"}
    wire: dict[Standard, dict[Any, str]] = {
        one: {identity_of(at(ours.data, "identity", one)): "ourselves, in gateway.yaml"} for one in MODELS
    }
    parties: dict[Any, str] = {}
    for name, partner in files.partners.items():
        if at(partner.data, "status") in SILENT:
            continue
        claims: list[tuple[dict[Any, str], str, Keys, Any]] = [
            (as2, "as2_id_twice", ("as2", "id"), at(partner.data, "as2", "id")),
            *(
                (wire[one], ID_TWICE[one], (one, "identity", "id"), identity_of(at(partner.data, one, "identity")))
                for one in MODELS
            ),
        ]
        for number, party in _items(at(partner.data, "ids")):
            pair = (at(party, "scheme"), at(party, "value"))
            claims.append((parties, "party_id_twice", ("ids", number), pair if None not in pair else None))
        for table, rule, keys, claim in claims:
            if not _hashable(claim):
                continue
            first = table.setdefault(claim, f"{name}, in {partner.place(keys)}")
            if first != f"{name}, in {partner.place(keys)}":
                said = " ".join(filter(None, claim)) if isinstance(claim, tuple) else claim
                wanted = f"an id of its own; this one is that of {first}"
                yield _finding(
                    partner, keys, rule, said=said, wanted=wanted, fix="correct one of the two, or retire an agreement"
                )


def _hashable(claim: object) -> bool:
    parts = claim if isinstance(claim, tuple) else (claim,)
    return all(isinstance(part, str) for part in parts)


def _as2(files: Files) -> Iterator[Finding]:
    """Each as2 section in itself: files of TLS, what a switch lets in."""
    client_ca = at(files.settings.data, "listen", "tls", "client_ca") is not None
    for partner in files.partners.values():
        section = at(partner.data, "as2")
        if isinstance(section, dict):
            for one in as2_checks.wrong_in(section, files.folder, client_ca=client_ca):
                yield _finding(
                    partner,
                    ("as2", *one.keys),
                    one.rule,
                    said=one.said,
                    wanted=one.wanted,
                    fix=one.fix,
                    severity=one.severity,
                )


def _certificates(files: Files) -> Iterator[Finding]:
    own = at(files.settings.data, "identity", "certificate") or "certs/gateway.pem"
    named: list[tuple[YamlText, Keys, Any]] = []
    if not files.first_pair_retired:
        named.append((files.settings, ("identity", "certificate"), own))
    for partner in files.partners.values():
        certificates = at(partner.data, "as2", "certificates")
        named += [(partner, ("as2", "certificates", index), file) for index, file in _items(certificates)]
    for source, keys, file in named:
        if isinstance(file, str):
            yield from _certificate(files, source, keys, file)


def _certificate(files: Files, source: YamlText, keys: Keys, file: str) -> Iterator[Finding]:
    try:
        certificate = load_certificate(files.folder / file)
        weak = weakness(certificate)
    except OurFault as fault:
        said = str(fault).removeprefix(f"{files.folder}/")
        missing_ours = source is files.settings and not (files.folder / file).exists()
        fix = "make it, with the keys that are missing: gateway init DIR --keys-only" if missing_ours else fault.remedy
        yield _finding(source, keys, "certificate", said=said, wanted="a certificate in PEM form", fix=fix)
        return
    if weak:
        fix = "ask for a certificate with a stronger key"
        yield _finding(
            source, keys, "certificate", said=f"{file} has {weak}", wanted="RSA of 2048 bits or more, or EC", fix=fix
        )
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not since <= files.now <= until:
        said = f"{file} is valid from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC"
        wanted, fix = f"a certificate that is valid on {files.now:%Y-%m-%d}", "put the new certificate there"
        yield _finding(
            source, keys, "certificate_expired", said=said, wanted=wanted, fix=fix, severity=Severity.ACCEPT_WITH_ERRORS
        )


def _public_url(files: Files) -> Iterator[Finding]:
    """Asynchronous receipts need an address of ours that partners can reach."""
    if at(files.settings.data, "listen", "public_url") is not None:
        return
    for partner in files.partners.values():
        if at(partner.data, "as2", "receipt_mode") == "async" and at(partner.data, "as2", "receipt") != "none":
            yield _finding(
                partner,
                ("as2", "receipt_mode"),
                "public_url",
                said="async, and no listen.public_url in gateway.yaml",
                wanted="our address as partners reach it: their receipts come to /as2/receipts below it",
                fix="set listen.public_url in gateway.yaml, for example https://edi.example.com; or receipt_mode: sync",
            )


def _tls(files: Files) -> Iterator[Finding]:
    for key, file in _items(at(files.settings.data, "listen", "tls")):
        if isinstance(file, str) and not (files.folder / file).is_file():
            wanted, fix = "a PEM file", "put it there, or leave tls out behind a proxy that ends TLS"
            yield _finding(
                files.settings, ("listen", "tls", key), "tls", said=f"no file {file}", wanted=wanted, fix=fix
            )


def _references(files: Files) -> Iterator[Finding]:
    """Names that must stand elsewhere: targets, partners, maps."""
    readable = files.settings.data is not None
    targets = [str(name) for name, _ in _items(at(files.settings.data, "targets"))] if readable else None
    for number, route in _items(at(files.settings.data, "routes")):
        keys: Keys = ("routes", number)
        for where, target in _targets_of(route):
            yield from _known(files.settings, (*keys, *where), target, targets, "target")
        for index, partner in _items(at(route, "partner")):
            yield from _known(files.settings, (*keys, "partner", index), partner, list(files.partners), "partner")
    for name, webhook in _items(at(files.settings.data, "webhooks")):
        for index, partner in _items(at(webhook, "partners")):
            keys = ("webhooks", name, "partners", index)
            yield from _known(files.settings, keys, partner, list(files.partners), "partner")
    for name, target in _items(at(files.settings.data, "targets")):
        for kind, call in _items(at(target, "documents")):
            keys = ("targets", name, "documents", kind)
            yield from _call(files, keys, kind, call, targets)
        keys = ("targets", name, "lookup", "path")
        yield from _placeholders(files.settings, keys, at(target, "lookup", "path"), LOOKUP_PLACEHOLDERS)
    for partner in files.partners.values():
        yield from _known(partner, ("target",), at(partner.data, "target"), targets, "target")
        for direction in ("send", "receive"):
            for keys, kind, rule in _documents(partner, direction):
                yield from _map(files, partner, (*keys, "map"), at(rule, "map"), document=at(rule, "set"), kind=kind)


def _targets_of(route: object) -> Iterator[tuple[Keys, Any]]:
    """What a route names, one target or several, each with its place."""
    said = at(route, "to")
    if not isinstance(said, list):
        yield ("to",), said
    for index, one in _items(said) if isinstance(said, list) else ():
        yield ("to", index), at(one, "target") if isinstance(one, dict) else one


def _call(files: Files, keys: Keys, kind: object, call: object, targets: list[str] | None) -> Iterator[Finding]:
    """One call of a target, and those for its look-up, compensation and replacement."""
    for way, known in _WAYS:
        section = at(call, *way)
        yield from _placeholders(files.settings, (*keys, *way, "path"), at(section, "path"), known)
        yield from _map(files, files.settings, (*keys, *way, "map"), at(section, "map"), document="json", kind=kind)
    for index, target in _items(at(call, "compensate", "when")):
        yield from _known(files.settings, (*keys, "compensate", "when", index), target, targets, "target")


def _known(source: YamlText, keys: Keys, word: object, known: list[str] | None, what: str) -> Iterator[Finding]:
    if not isinstance(word, str) or known is None or word in known:
        return
    meant = near_miss(word, known)
    wanted = f"a {what} that is configured: {', '.join(known[:20]) or 'there are none'}"
    fix = f"write {meant}" if meant else f"configure {what} {word}, or name another"
    yield _finding(source, keys, f"unknown_{what}", said=repr(word), wanted=wanted, fix=fix)


def _map(
    files: Files, source: YamlText, keys: Keys, name: object, *, document: object, kind: object
) -> Iterator[Finding]:
    """A map exists and is for this document and kind; `document` is not known where the file does not say it."""
    if not isinstance(name, str) or files.map_exists is None:
        return
    meant = files.map_exists(name)
    if meant is not None:
        fix = f"write {meant}" if meant else f"write maps/{name}.yaml"
        yield _finding(
            source,
            keys,
            "unknown_map",
            said=repr(name),
            wanted="a map in maps/ or one shipped with the gateway",
            fix=fix,
        )
        return
    head = files.map_head(name) if files.map_head is not None else None
    if head is None or kind not in get_args(Kind):  # a misspelt kind is a finding already, and only one
        return
    for own, needed in ((head.document, document), (head.canonical, kind)):
        if isinstance(needed, str) and own != needed:
            said, wanted = f"{name}, a map for {own or 'no document'}", f"a map for {needed}"
            yield _finding(source, keys, "wrong_map", said=said, wanted=wanted, fix=f"name {wanted}")


def _guides(files: Files) -> Iterator[Finding]:
    """Every guide that is named: there, sound, and for this set. What is wrong in a guide's file is told once."""
    told: set[Finding] = set()
    for partner in files.partners.values():
        for direction in ("send", "receive"):
            for keys, _, rule in _documents(partner, direction):
                name = at(rule, "guide")
                if files.guide_of is None:
                    continue
                if not isinstance(name, str):
                    if direction == "send":
                        yield from _sendable(files, partner, keys, rule)
                    continue
                made, findings = files.guide_of(name)
                for found in findings:
                    if found.rule == "guide.missing" and found.said == name:
                        wanted, fix = "a guide in guides/ or one of the gateway", found.fix
                        yield _finding(
                            partner, (*keys, "guide"), "unknown_guide", said=repr(name), wanted=wanted, fix=fix
                        )
                    elif found not in told:
                        told.add(found)
                        yield found
                if made is not None:
                    yield from _fitting(partner, keys, made, set_=at(rule, "set"), sent=direction == "send")


def _fitting(partner: YamlText, keys: Keys, made: PartnerGuide, *, set_: object, sent: bool) -> Iterator[Finding]:
    guide = made.guide
    standard: Standard = "x12" if guide.standard == "x12" else "edifact"
    version = value_of(standard, at(partner.data, standard), "version") if sent else None
    for own, needed in ((guide.type, set_), (guide.version, version)):
        if isinstance(needed, str) and own != needed:
            said, wanted = f"{made.name}, a guide for {guide.name}", f"a guide for {needed}"
            yield _finding(partner, (*keys, "guide"), "wrong_guide", said=said, wanted=wanted, fix=f"name {wanted}")


def _sendable(files: Files, partner: YamlText, keys: Keys, rule: object) -> Iterator[Finding]:
    """What we send without a guide of the partner's own is checked by one of the gateway's."""
    standard, type_ = _standard(rule), at(rule, "set")
    if standard is None or files.guide_of is None or not isinstance(at(partner.data, standard), dict):
        return
    version = value_of(standard, at(partner.data, standard), "version")
    if not re.fullmatch(VERSIONS[standard], version):
        return  # reported already
    made, _ = files.guide_of(f"{standard}/{version}/{type_}")
    if made is None:
        said, wanted = f"no guide {standard}/{version}/{type_}", "a guide for what is sent: gateway edi guides"
        fix = f"choose another {standard}: version, or put guides/{standard}/{version}/{type_}.yaml there"
        yield _finding(partner, (*keys, "set"), "no_guide", said=said, wanted=wanted, fix=fix)


def _placeholders(source: YamlText, keys: Keys, path: object, known: tuple[str, ...]) -> Iterator[Finding]:
    if not isinstance(path, str):
        return
    wanted = " ".join(f"{{{name}}}" for name in known)
    try:
        unknown = [field for _, field, _, _ in string.Formatter().parse(path) if field not in {None, *known}]
    except ValueError:
        unknown = [path]
    for field in unknown:
        meant = near_miss(str(field), known)
        fix = f"write {{{meant}}}" if meant else "use one of these, or plain text"
        yield _finding(source, keys, "placeholder", said=repr(field), wanted=wanted, fix=fix)


def _destinations(files: Files) -> Iterator[Finding]:
    """What a partner may send has at least one target that takes it."""
    if files.settings.data is None:
        return
    targets = at(files.settings.data, "targets")
    for name, partner in files.partners.items():
        own = at(partner.data, "target")
        for keys, kind, _ in _documents(partner, "receive"):
            fitting = [own] if own else list(_routed(files.settings, name, kind))
            known = [at(targets, target) for target in fitting if isinstance(target, str) and at(targets, target)]
            if kind not in get_args(Kind) or len(known) < len(fitting):
                continue  # reported already
            if any(at(target, "kind") == "folder" or at(target, "documents", kind) is not None for target in known):
                continue
            said = f"no target takes {kind}" + (f" ({', '.join(map(str, fitting))} do not)" if fitting else "")
            wanted = "a route or a target of its own, and there a call for this document"
            fix = "add a route, or the call under targets: … documents:"
            yield _finding(
                partner, keys, "nowhere_to_go", said=said, wanted=wanted, fix=fix, severity=Severity.ACCEPT_WITH_ERRORS
            )


def _routes(files: Files) -> Iterator[Finding]:
    """The routes against each other, and what partners send against them."""
    if files.settings.data is None:
        return
    known = {name for name, _ in _items(at(files.settings.data, "targets"))}
    rules = [
        one
        for one in route_checks.rules_of([one for _, one in _items(at(files.settings.data, "routes"))])
        if one.targets and one.targets <= known  # else reported already
    ]
    for one in route_checks.wrong_between(rules):
        yield _finding(
            files.settings,
            ("routes", *one.keys),
            one.rule,
            said=one.said,
            wanted=one.wanted,
            fix=one.fix,
            severity=one.severity,
        )
    told: set[str] = set()
    for name, partner in files.partners.items():
        if at(partner.data, "target") is not None or at(partner.data, "status") in SILENT:
            continue
        for keys, kind, _ in _documents(partner, "receive"):
            gap = route_checks.gaps(rules, name, kind, files.now.date())
            if gap is not None and gap.said not in told:
                told.add(gap.said)
                yield _finding(
                    partner, keys, gap.rule, said=gap.said, wanted=gap.wanted, fix=gap.fix, severity=gap.severity
                )


def _each_takes_it(files: Files) -> Iterator[Finding]:
    """What goes to several targets can be taken by each of them: one without a call would be given up every time."""
    targets = at(files.settings.data, "targets")
    told: set[tuple[Any, ...]] = set()
    for name, partner in files.partners.items():
        if at(partner.data, "target") is not None:
            continue
        for _, kind, _ in _documents(partner, "receive"):
            for number, route in _items(at(files.settings.data, "routes")):
                if not isinstance(at(route, "to"), list) or not _may_route(route, name, kind):
                    continue
                for where, target in _targets_of(route):
                    known = at(targets, target) if isinstance(target, str) else None
                    if known is None or at(known, "kind") == "folder" or at(known, "documents", kind) is not None:
                        continue
                    keys: Keys = ("routes", number, *where)
                    if kind in get_args(Kind) and (keys, kind) not in told:
                        told.add((keys, kind))
                        yield _finding(
                            files.settings,
                            keys,
                            "no_call",
                            said=f"{target} has no call for {kind}, which {name} may send",
                            wanted="a call for it, or a route of its own that leaves this target out",
                            fix=f"add {kind}: under targets: {target}: documents:, or document: […] to the route",
                            severity=Severity.ACCEPT_WITH_ERRORS,
                        )


def _routed(settings: YamlText, partner: str, kind: str) -> Iterator[Any]:
    for _, route in _items(at(settings.data, "routes")):
        if _may_route(route, partner, kind):
            yield from (target for _, target in _targets_of(route))


def _may_route(route: object, partner: str, kind: str) -> bool:
    """Whether a route may fit, by partner and document alone."""
    return all(not (only := at(route, key)) or word in only for key, word in (("partner", partner), ("document", kind)))


_CHECKS: tuple[Callable[[Files], Iterator[Finding]], ...] = (
    _channel,
    _dialects,
    _identities,
    _certificates,
    _as2,
    _tls,
    _public_url,
    _references,
    _guides,
    _destinations,
    _routes,
    _each_takes_it,
)
