"""`gateway map show` and `gateway map list`: a map as it is written, or as it comes out of all its bases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.text import Text

from gateway.cli.answers import (
    FINDINGS,
    AsJson,
    answering,
    finding_json,
    say,
    show,
    show_findings,
    show_json,
    show_table,
)
from gateway.cli.map_files import HERE, Folder, MapArgument, sources
from gateway.errors import OurFault
from gateway.findings import FilePlace, Finding
from gateway.mapping import Resolved, finder, trace
from gateway.mapping.printed import Line, printed
from gateway.mapping.rules import Problems
from gateway.mapping.source import Node, read_source
from gateway.partners.map_names import map_names, map_users
from gateway.yamltext import near_miss

COLUMN = 96
"""Where the origins stand, so that they are read as a column."""


def show_(
    name: MapArgument,
    *,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="All bases applied, with the origin of each line of a delta.")
    ] = False,
    workspace: Folder = HERE,
    as_json: AsJson = False,
) -> None:
    """Print a map: its file and the bases it stands on, or with --resolved the outcome, itself a map that can be read.

    A line that comes from a delta ends with its file and line; what deltas took away is listed at the top.

    Example: gateway map show acme/855 --resolved
    """
    with answering():
        text = _file(name, workspace)
        problems = Problems()
        found = trace(name, finder(sources(workspace)), problems)
        wrong = [one for one in problems.findings if resolved or one.place == FilePlace(file=text[0])]
        if found.root is None and resolved:
            _refuse(name, problems.findings, as_json=as_json)
        if not resolved:
            _show_file(name, text, found, as_json=as_json)
            return
        assert found.root is not None
        lines = list(printed(found.root))
        if as_json:
            show_json(_json(name, found, lines, wrong))
        else:
            _print(name, found, lines)
            for one in wrong:
                say(f"{one.place}: {one.said}; expected {one.wanted}  [{one.rule}]")
        if wrong:
            raise typer.Exit(FINDINGS)


def list_(*, workspace: Folder = HERE, as_json: AsJson = False) -> None:
    """List all maps, the workspace's and the shipped ones: for which documents they are, and who uses them.

    Example: gateway map list
    """
    with answering():
        users = map_users(workspace)
        rows = [_row(name, workspace, users.get(name, ())) for name in sorted(map_names(workspace))]
    if as_json:
        show_json(rows)
        return
    columns = ("map", "document", "canonical", "extends", "examples", "used by")
    show_table(
        columns,
        (
            (
                row["map"], row["document"] or "?", row["canonical"] or "?", row["extends"] or "",
                str(row["examples"]), ", ".join(row["used_by"]),
            )
            for row in rows
        ),
    )  # fmt: skip


def _file(name: str, workspace: Path) -> tuple[str, str]:
    try:
        return sources(workspace)(name)
    except UnicodeDecodeError as error:
        raise OurFault(f"maps/{name}.yaml is no UTF-8", remedy=f"gateway map check {name} names the line") from error
    except (KeyError, OSError) as error:
        meant = near_miss(name, map_names(workspace))
        remedy = f"did you mean {meant}?" if meant else "list them: gateway map list"
        raise OurFault(f"there is no map {name}", remedy=remedy) from error


def _refuse(name: str, findings: list[Finding], *, as_json: bool) -> NoReturn:
    if as_json:
        show_json({"map": name, "findings": [finding_json(one) for one in findings]})
    else:
        show_findings(findings)
    raise typer.Exit(FINDINGS)


def _show_file(name: str, file: tuple[str, str], found: Resolved, *, as_json: bool) -> None:
    chain = [{"map": one, "file": where} for one, where in found.chain]
    if as_json:
        show_json({"map": name, "file": file[0], "chain": chain, "hash": found.hash, "text": file[1]})
        return
    show(Text(f"# {file[0]}" + "".join(f" → {where}" for _, where in found.chain[1:]), style="dim"))
    for line in file[1].splitlines():
        show(_inked(line))


def _print(name: str, found: Resolved, lines: list[Line]) -> None:
    base = found.chain[-1][1]
    show(Text(f"# {name}: " + " → ".join(file for _, file in found.chain), style="dim"))
    for one in found.removed:
        show(Text(f"# removed: {one.path}  # {one.file}:{one.line}", style="yellow"))
    for line in lines:
        text = _inked(line.text)
        if line.file != base:
            text.pad_right(max(COLUMN - len(line.text), 0))
            text.append(f"  # {line.file}:{line.line}", style="green")
        show(text)


def _inked(line: str) -> Text:
    """A line of YAML: its key stands out."""
    text = Text(line)
    if line.lstrip().startswith("#"):
        text.stylize("dim")
    else:
        text.highlight_regex(r"^\s*(?:- )?[^\s:{}\[\]#]+(?=:)", "cyan")
    return text


def _json(name: str, found: Resolved, lines: list[Line], wrong: list[Finding]) -> dict[str, Any]:
    assert found.root is not None
    return {
        "map": name,
        "hash": found.hash,
        "chain": [{"map": one, "file": file} for one, file in found.chain],
        "removed": [{"path": one.path, "file": one.file, "line": one.line} for one in found.removed],
        "lines": [{"text": line.text, "file": line.file, "line": line.line} for line in lines],
        "resolved": _data(found.root),
        "findings": [finding_json(one) for one in wrong],
    }


def _data(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: _data(one) for key, one in node.value.items()}
    return [_data(one) for one in node.value] if isinstance(node.value, list) else node.value


def _row(name: str, workspace: Path, users: tuple[str, ...]) -> dict[str, Any]:
    found = trace(name, finder(sources(workspace)), Problems())
    keys = found.root.keys if found.root is not None else {}
    own: Node | None = None
    if found.chain:
        own = read_source(found.chain[0][1], _file(name, workspace)[1], Problems())
    extends = own.keys.get("extends") if own is not None else None
    examples = keys.get("examples")
    return {
        "map": name,
        "file": found.chain[0][1] if found.chain else f"maps/{name}.yaml",
        "document": keys["document"].text if "document" in keys else None,
        "canonical": keys["canonical"].text if "canonical" in keys else None,
        "title": keys["title"].text if "title" in keys else None,
        "extends": extends.text if extends is not None else None,
        "examples": len(examples.items) if examples is not None else 0,
        "used_by": list(users),
        "hash": found.hash,
    }
