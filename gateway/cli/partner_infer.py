"""`gateway partner infer`: a partner from their sample files, and later files held against what was inferred."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from gateway.cli.answers import COLOURS, FINDINGS, AsJson, answering, say, show, show_findings, show_json, show_table
from gateway.cli.edi_files import Source, blocks, sources
from gateway.cli.edi_progress import Meter
from gateway.cli.edi_reading import Files, of_partner
from gateway.cli.printable import printable
from gateway.edi.library import standard
from gateway.errors import OurFault
from gateway.findings import EdiPlace, FilePlace, Severity, worst
from gateway.mapping import from_folders, shipped
from gateway.onboarding.drift import Drift, drift
from gateway.onboarding.infer import infer
from gateway.onboarding.observe import Observer
from gateway.onboarding.outcome import Inference, Known
from gateway.onboarding.profile import joined, load_profile, saved
from gateway.onboarding.report import as_json as report_json
from gateway.onboarding.report import as_markdown, rows, unused, verdict
from gateway.onboarding.rules import finding
from gateway.onboarding.samples import How, Identity, Sample, observe, survey
from gateway.partners.agreement_files import check_name, write_new
from gateway.partners.guide_files import with_workspace_guides
from gateway.partners.keys import write_file
from gateway.partners.map_names import known_maps, map_heads, map_names
from gateway.partners.workspace import SETTINGS_FILE, examine, load_settings

MOST_ROWS = 60
"""Rows that are shown; a page and a program get all of them."""
COLOURED = {"wrong": COLOURS[Severity.REJECT], "refused": COLOURS[Severity.REJECT], "field": "yellow", "note": "dim"}


def _partners(incomplete: str) -> list[str]:
    """Names of partners with a profile, for tab completion."""
    return sorted(
        name
        for path in Path("partners").glob("*.profile.json")
        if (name := path.name.removesuffix(".profile.json")).startswith(incomplete)
    )


def infer_(
    files: Files,
    *,
    name: Annotated[str | None, typer.Option(help="The partner's name here; made from their id when absent.")] = None,
    into: Annotated[
        Path,
        typer.Option(
            "--into",
            "--workspace",
            envvar="GATEWAY_WORKSPACE",
            help="The workspace that the files are written into.",
            show_default="the current folder",
        ),
    ] = Path(),
    sender: Annotated[
        str | None, typer.Option(help="Whose files they are, where several senders wrote them: id or QUALIFIER/ID.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Narrow the guides to what came: forbid the rest, close codes.")
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(
            help="Write nothing: say what the files have that this partner's profile has not.", autocompletion=_partners
        ),
    ] = None,
    learn: Annotated[bool, typer.Option("--learn", help="With --against: take what is new into the profile.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the files instead of writing them.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put new guides, maps and profile for the old ones, kept as .before.")
    ] = False,
    md: Annotated[Path | None, typer.Option("--md", help="Write the report as Markdown into this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Infer a partner from sample files of theirs: agreement, guides, maps and profile, and a report of what they need.

    Reads X12 and EDIFACT of one sender. The agreement is a draft: what only a person knows stands in it as TODO. The
    guide and map deltas hold what the samples have beyond the gateway's own, and no more. Nothing is written over
    without --replace, and an agreement never. Exit code 1 when samples are wrong in ways that no delta mends, or when
    --against finds news.

    Example: gateway partner infer samples/tidewater --name tidewater --into /srv/gateway --dry-run
    """
    with answering():
        read = sources(files)
        if against is not None:
            _against(read, against, into, as_json=as_json, learn=learn)
            return
        if name is not None:
            check_name(name)
        if not dry_run and not (into / SETTINGS_FILE).is_file():
            raise OurFault(
                f"{into} is no workspace: it has no {SETTINGS_FILE}",
                remedy="name one with --into, make one with gateway init DIR, or only look with --dry-run",
            )
        with Meter(read, quiet=as_json) as meter:
            known = _known(into)
            found = infer(_samples(read, meter), known, name=name, sender=sender, strict=strict)
        check_name(found.name)
        if md is not None:
            _report(md, as_markdown(found, known.guides))
        files_ = found.files()
        own = f"partners/{found.name}.yaml"
        if replace and (into / own).exists():
            del files_[own]  # a person has filled it in
        if not dry_run:
            write_new(into, files_, replace=replace)
        if as_json:
            show_json({**report_json(found, known.guides), **({"contents": found.files()} if dry_run else {})})
        else:
            _show(found, known, files_, dry_run=dry_run)
        wrong = _checked(found, into, quiet=as_json) if not dry_run else False
        if wrong or any(one.part in {"wrong", "refused", "field"} for one in rows(found)):
            raise typer.Exit(FINDINGS)


def _known(into: Path) -> Known:
    return Known(
        guides=with_workspace_guides(standard(), into),
        maps=from_folders(into / "maps", shipped()),
        map_names=map_names(into),
        ours=_ours(into),
    )


def _ours(into: Path) -> frozenset[Identity]:
    """Our identities in any standard; none where there is no workspace."""
    if not (into / SETTINGS_FILE).is_file():
        return frozenset()
    identity = load_settings(into).identity
    found = (getattr(identity, standard, None) for standard in ("x12", "edifact"))
    return frozenset((one.qualifier or "", one.id) for one in found if one is not None)


def _samples(read: list[Source], meter: Meter | None = None) -> list[Sample]:
    """The files as they are read, several times over; only the first time counts for the bar."""
    told: set[str] = set()

    def progress(name: str, count: int) -> None:
        if meter is not None and name not in told:
            meter.add(count)

    def once(source: Source) -> Any:
        yield from blocks(source, partial(progress, source.name))
        told.add(source.name)

    for source in read:
        if source.name == "-":
            raise OurFault("standard input can be read only once", remedy="write it into a file, and name that")
    folder = Path(os.path.commonpath([Path(source.name).parent for source in read]))
    return [
        Sample(name=Path(source.name).relative_to(folder).as_posix(), blocks=partial(once, source)) for source in read
    ]


def _show(found: Inference, known: Known, written: Mapping[str, str], *, dry_run: bool) -> None:
    profile = found.profile
    others = f", {found.others} interchanges of others passed over" if found.others else ""
    show(f"{found.name}: {profile.partner}, {profile.files} files, {profile.interchanges} interchanges{others}")
    for one in found.outcomes:
        by = f"taken {verdict(one.first)} by {one.base}" if one.base else "there is no guide for it"
        then = f", {verdict(one.then)} with {one.guide_name}" if one.guide_text else ""
        through = f"; map {one.map_name if one.map_text else one.base_map}" if one.base_map else "; no map"
        never = len(unused(one, known.guides))
        rest = f"; {never} places of the guide never came" if one.base else ""
        show(f"  {one.kind[1]} {one.observed.version}: {one.observed.documents} came, {by}{then}{through}{rest}")
    listed = rows(found)
    if listed:
        show("")
        show_table(
            ("set", "part", "where", "what", "times", "first seen"),
            (
                [
                    one.set,
                    Text(one.part, style=COLOURED.get(one.part, "")),
                    printable(one.where),
                    printable(one.what),
                    str(one.count),
                    printable(one.example),
                ]
                for one in listed[:MOST_ROWS]
            ),
        )
        if len(listed) > MOST_ROWS:
            show(f"and {len(listed) - MOST_ROWS} more: --md FILE or --json has all of them")
    show("")
    for path, text in written.items():
        if not dry_run:
            show(f"wrote {path}")
        elif not path.endswith(".json"):
            show(Text(f"----- {path}", style="bold"))
            show(text)
    if not dry_run:
        say(f"Next: look through partners/{found.name}.yaml (TODO), then gateway partner check {found.name}")


def _checked(found: Inference, into: Path, *, quiet: bool) -> bool:
    """What the workspace says to the new files; whether anything of it is wrong."""
    _, findings = examine(into, map_exists=known_maps(into), map_head=map_heads(into))
    written = set(found.files())
    mine = [one for one in findings if isinstance(one.place, FilePlace) and one.place.file in written]
    if not quiet:
        show_findings(one for one in mine if one.severity is not Severity.ACCEPT)
    return worst(mine) is Severity.REJECT


def _report(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OurFault(f"cannot write {path}: {error.strerror}", remedy="name a file that can be written") from error


def _against(read: list[Source], name: str, into: Path, *, as_json: bool, learn: bool) -> None:
    """Later files against a saved profile."""
    check_name(name)
    profile = load_profile(into / f"partners/{name}.profile.json")
    own = of_partner(name, into, with_workspace_guides(standard(), into))
    tolerances = tuple(one for one in type(own.tolerances).__dataclass_fields__ if getattr(own.tolerances, one))
    how = How(guides=own.guides, tolerances=tolerances, charset=own.charset)
    qualifier, _, own_id = profile.partner.partition("/")
    partner: Identity = (qualifier, own_id)
    samples = _samples(read)
    pairs = survey(samples, how).pairs
    observer = Observer(partner, own.guides)
    observe(samples, how, observer, lambda _, __: None)
    news = [*_strangers(pairs, {partner} | _ours(into), profile.partner), *drift(profile, observer.profile())]
    if as_json:
        show_json([_news_json(one) for one in news])
    else:
        show_table(
            ("rule", "what is new", "before", "times", "first seen"),
            (
                [
                    one.finding.rule,
                    printable(one.finding.said),
                    printable(one.finding.wanted),
                    str(one.count),
                    printable(f"{one.file}, {one.finding.place}"),
                ]
                for one in news
            ),
        )
        seen = observer.interchanges
        show(f"{seen} interchange{'' if seen == 1 else 's'} of {profile.partner}: {len(news) or 'nothing'} new")
    if learn:
        path = into / f"partners/{name}.profile.json"
        write_file(path, saved(joined(profile, observer.profile())).encode(), mode=0o644, overwrite=True)
        say(f"learned into {path}")
    elif news:
        raise typer.Exit(FINDINGS)


def _strangers(pairs: Mapping[tuple[Identity, Identity], int], known: set[Identity], partner: str) -> list[Drift]:
    """Senders that are neither the partner nor we."""
    counts: dict[Identity, int] = {}
    for (sender, _), count in pairs.items():
        if sender not in known:
            counts[sender] = counts.get(sender, 0) + count
    return [
        Drift(finding=finding("profile.sender", EdiPlace(), said="/".join(one), wanted=partner), count=count, file="")
        for one, count in counts.items()
    ]


def _news_json(one: Drift) -> dict[str, Any]:
    found = one.finding
    return {
        "rule": found.rule,
        "severity": found.severity.value,
        "said": found.said,
        "wanted": found.wanted,
        "fix": found.fix,
        "count": one.count,
        "file": one.file,
        "place": str(found.place),
    }
