"""A workspace: the folder with everything that makes this gateway this company's.

    gateway.yaml                          ourselves, targets, routes
    partners/<name>.yaml                  one agreement each; or partners/<name>/partner.yaml
    maps/  guides/                        partners' maps and guides, both as deltas
    certs/  keys/  data/                  public certificates, encrypted private keys, state

Reading reports everything wrong in all files at once. Configuration is never half loaded: one REJECT finding and
there is no workspace. The version of a file is the SHA-256 of its bytes, recorded with every document it decided about.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway.edi.delta import PartnerGuide
from gateway.edi.library import Guides
from gateway.errors import OurFault
from gateway.findings import FilePlace, Finding, Severity, worst
from gateway.partners import certificate_checks, pairs, secret_checks
from gateway.partners.agreement import Agreement
from gateway.partners.checks import Files, MapExists, MapHead, check
from gateway.partners.guides import GuideShelf
from gateway.settings import Settings
from gateway.yamltext import MAX_BYTES, YamlText, read_yaml, validate

SETTINGS_FILE = "gateway.yaml"
MAX_PARTNERS = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Workspace:
    """A workspace that was read and found sound. `findings` are the warnings that remain."""

    folder: Path
    settings: Settings
    settings_version: str
    """SHA-256 (hex) of gateway.yaml."""
    agreements: tuple[Agreement, ...]
    """In the order of their names."""
    versions: Mapping[str, str]
    """Partner's name to the SHA-256 (hex) of its file: which agreement decided."""
    guides: Mapping[str, PartnerGuide]
    """Every guide that an agreement names."""
    standard: Guides
    """The guides that come with the gateway, those of whole versions in the workspace before them."""
    texts: Mapping[str, bytes]
    """Partner's name to its file, word for word."""
    files: Mapping[str, str]
    """Partner's name to its file's name."""
    findings: tuple[Finding, ...] = ()


def load(
    folder: Path,
    *,
    now: datetime | None = None,
    map_exists: MapExists | None = None,
    map_head: MapHead | None = None,
    ignoring: Collection[str] = (),
) -> Workspace:
    """The workspace in `folder`; OurFault carrying all findings of all files when it is not sound.

    `now` (default: the clock) decides about expired certificates. `map_exists` answers None for a map that exists,
    else the near miss or ""; without it map names are not checked. `map_head` says for which documents a map is.
    Findings of the rules `ignoring` do not count: trying an agreement needs no certificates.
    """
    workspace, findings = examine(folder, now=now, map_exists=map_exists, map_head=map_head, ignoring=ignoring)
    if workspace is None:
        wrong = [finding for finding in findings if finding.severity is Severity.REJECT]
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        remedy = wrong[0].fix if len(wrong) == 1 else "see them all: gateway partner check"
        raise OurFault(f"the configuration is wrong: {wrong[0].text}{more}", remedy=remedy, findings=findings)
    return workspace


def load_settings(folder: Path) -> Settings:
    """Only gateway.yaml: for commands that look at the store and must work while a partner's file is being mended.

    Raises OurFault with its findings.
    """
    if not (folder / SETTINGS_FILE).is_file():
        raise _no_workspace(folder)
    findings: list[Finding] = []
    source = _read(folder, SETTINGS_FILE, {}, findings)
    settings, wrong = validate(source, Settings) if source.lines or not findings else (None, ())
    if settings is None:
        findings += wrong
        remedy = findings[0].fix
        raise OurFault(f"{SETTINGS_FILE} is wrong: {findings[0].text}", remedy=remedy, findings=tuple(findings))
    return settings


def examine(
    folder: Path,
    *,
    now: datetime | None = None,
    map_exists: MapExists | None = None,
    map_head: MapHead | None = None,
    ignoring: Collection[str] = (),
    secrets: bool = False,
) -> tuple[Workspace | None, tuple[Finding, ...]]:
    """Everything wrong in `folder`, and the workspace when nothing of it is a REJECT. OurFault: no workspace at all.

    With `secrets` also what is wrong in secrets and private keys, which only the gateway's own machine has.
    """
    if not (folder / SETTINGS_FILE).is_file():
        raise _no_workspace(folder)
    findings: list[Finding] = []
    texts: dict[str, bytes] = {}
    source = _read(folder, SETTINGS_FILE, texts, findings)
    settings, wrong = validate(source, Settings) if source.lines or not findings else (None, ())
    findings += wrong
    trees: dict[str, YamlText] = {}
    agreements: list[Agreement] = []
    for name, file in _agreement_files(folder, findings):
        before = len(findings)
        trees[name] = tree = _read(folder, file, texts, findings)
        if len(findings) > before:
            continue
        agreement, wrong = validate(_named(tree, name), Agreement)
        findings += wrong
        agreements += [agreement] if agreement else []
    moment = now or datetime.now(UTC)
    shelf = GuideShelf(folder)
    files = Files(
        folder=folder,
        settings=source,
        partners=trees,
        now=moment,
        map_exists=map_exists,
        map_head=map_head,
        guide_of=shelf.resolve,
        knows_version=shelf.knows_version,
        first_pair_retired=_first_retired(folder),
    )
    if settings is not None:

        def place(partner: str, keys: tuple[str | int, ...]) -> FilePlace:
            return (trees[partner] if partner else source).place(keys)

        found = certificate_checks.check(folder, settings, agreements, moment, place)
        findings += (one for one in found if one.rule not in ignoring)
        if secrets:
            findings += secret_checks.check(folder, settings, agreements, place)
    findings += (one for one in check(files) if one.rule not in ignoring)
    findings.sort(key=_place)
    if settings is None or worst(findings) is Severity.REJECT:
        return None, tuple(findings)
    workspace = Workspace(
        folder=folder,
        settings=settings,
        settings_version=_sha256(texts[SETTINGS_FILE]),
        agreements=tuple(agreements),
        versions={name: _sha256(texts[tree.file]) for name, tree in trees.items()},
        texts={name: texts[tree.file] for name, tree in trees.items()},
        files={name: tree.file for name, tree in trees.items()},
        guides=shelf.sound(),
        standard=shelf.standard,
        findings=tuple(findings),
    )
    return workspace, tuple(findings)


def _first_retired(folder: Path) -> bool:
    try:
        return pairs.FIRST in pairs.read(folder)[0].retired
    except OurFault:
        return False  # told by the certificates' own checks


def agreement_of(name: str, file: str, text: bytes) -> tuple[Agreement | None, tuple[Finding, ...]]:
    """One agreement from its text alone, and what is wrong in it; what it names is not looked for."""
    tree, wrong = read_yaml(file, text)
    return (None, wrong) if wrong else validate(_named(tree, name), Agreement)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _no_workspace(folder: Path) -> OurFault:
    return OurFault(
        f"{folder} is no workspace: it has no {SETTINGS_FILE}",
        remedy="name the folder with --workspace or GATEWAY_WORKSPACE, or make one: gateway init DIR",
    )


def _read(folder: Path, file: str, texts: dict[str, bytes], findings: list[Finding]) -> YamlText:
    try:
        with (folder / file).open("rb") as handle:
            content = handle.read(MAX_BYTES + 1)
    except OSError as error:
        said, fix = error.strerror or "cannot be read", "make it readable for the gateway"
        findings.append(_wrong(file, "file.unreadable", said=said, wanted="a readable file", fix=fix))
        return YamlText(file=file, data=None)
    texts[file] = content
    tree, wrong = read_yaml(file, content)
    findings += wrong
    return tree


def partner_files(folder: Path) -> tuple[tuple[str, str], ...]:
    """(name, file) of every agreement's file, by file; a name may occur twice."""
    paths = [*(folder / "partners").glob("*.yaml"), *(folder / "partners").glob("*/partner.yaml")]
    return tuple(
        (
            path.parent.name if path.parent.parent == folder / "partners" else path.stem,
            path.relative_to(folder).as_posix(),
        )
        for path in sorted(paths)
    )


def _agreement_files(folder: Path, findings: list[Finding]) -> list[tuple[str, str]]:
    """(name, file) of every agreement, by name; two files of one name, or too many, are findings."""
    found: dict[str, str] = {}
    files = partner_files(folder)
    if len(files) > MAX_PARTNERS:
        said, wanted = f"{len(files)} partners", f"at most {MAX_PARTNERS}"
        fix = "divide them over several gateways"
        findings.append(_wrong("partners", "file.too_large", said=said, wanted=wanted, fix=fix))
        return []
    for name, file in files:
        if name in found:
            said, fix = f"{name} again (first in {found[name]})", "remove one of the two files"
            findings.append(_wrong(file, "file.name_twice", said=said, wanted="one file for a partner", fix=fix))
            continue
        found[name] = file
    return sorted(found.items())


def _named(tree: YamlText, name: str) -> YamlText:
    """The tree with the partner's name in it, as the model wants it."""
    if not isinstance(tree.data, dict | None):
        return tree
    return YamlText(file=tree.file, data={**(tree.data or {}), "name": name}, lines=tree.lines)


def _wrong(file: str, rule: str, *, said: str, wanted: str, fix: str) -> Finding:
    return Finding(rule=rule, place=FilePlace(file=file), said=said, wanted=wanted, fix=fix)


def _place(finding: Finding) -> tuple[bool, str, int]:
    place = finding.place
    assert isinstance(place, FilePlace)
    return place.file != SETTINGS_FILE, place.file, place.line or 0
