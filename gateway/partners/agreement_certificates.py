"""The certificates in a partner's file: one put in or taken out, every other character left as it was.

The text is edited by line and read again: where the result would say anything else than what was wanted, nothing is
written and the operator is told the line to write.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path

from gateway.errors import OurFault
from gateway.partners.keys import write_file
from gateway.yamltext import YamlText, read_yaml

_KEYS = ("as2", "certificates")


def add(folder: Path, file: str, certificate: str) -> None:
    """Write `certificate` (a path) behind the others in the agreement `file`."""
    _change(folder, file, add=certificate)


def remove(folder: Path, file: str, certificate: str) -> None:
    """Take `certificate` (a path) out of the agreement `file`."""
    _change(folder, file, drop=certificate)


def _change(folder: Path, file: str, *, add: str | None = None, drop: str | None = None) -> None:
    try:
        with (folder / file).open(encoding="utf-8", newline="") as opened:  # its line ends stay as they are
            text = opened.read()
        mode = stat.S_IMODE((folder / file).stat().st_mode)
    except (OSError, UnicodeDecodeError) as error:
        raise OurFault(f"{file} cannot be read", remedy="make it a readable file in UTF-8") from error
    before = _listed(file, text)
    wanted = [one for one in before if one != drop] + ([add] if add else [])
    if not wanted:
        raise OurFault(
            f"{file}: {drop} is the partner's only certificate",
            remedy="import the new one first, or set the agreement's status to suspended",
        )
    changed = _edited(file, text, add, drop)
    if changed is None or not _says(file, changed, wanted):
        raise OurFault(
            f"{file}: its list of certificates is written in a way that is not changed here",
            remedy=f"under as2: write certificates: [{', '.join(wanted)}]",
        )
    write_file((folder / file).resolve(), changed.encode(), mode=mode, overwrite=True)


def _says(file: str, text: str, wanted: list[str]) -> bool:
    try:
        return _listed(file, text) == wanted
    except OurFault:
        return False


def _listed(file: str, text: str) -> list[str]:
    source = _read(file, text)
    found = source.data
    for key in _KEYS:
        found = found.get(key) if isinstance(found, dict) else None
    return [str(one) for one in found] if isinstance(found, list) else []


def _read(file: str, text: str) -> YamlText:
    source, wrong = read_yaml(file, text)
    if wrong:
        raise OurFault(f"{file} is wrong: {wrong[0].text}", remedy=wrong[0].fix, findings=wrong)
    return source


def _edited(file: str, text: str, add: str | None, drop: str | None) -> str | None:
    """The text with the change, or None where it has neither of the two forms of a list."""
    source = _read(file, text)
    head = source.lines.get(_KEYS)
    listed = _listed(file, text)
    if head is None or not listed:
        return None
    lines = text.splitlines(keepends=True)
    places = [source.lines[(*_KEYS, index)] for index in range(len(listed))]
    if places[0] > head:  # a block: one line each
        if len(set(places)) != len(places):
            return None
        if add is not None:
            last = lines[places[-1] - 1]
            indent = last[: len(last) - len(last.lstrip())]
            end = "\r\n" if "\r\n" in text else "\n"
            lines[places[-1] - 1] = last if last.endswith("\n") else f"{last}{end}"
            lines.insert(places[-1], f"{indent}- {add}{end}")
        else:
            del lines[places[listed.index(str(drop))] - 1]
        return "".join(lines)
    return _edited_flow(lines, head, listed, add, drop)


def _edited_flow(lines: list[str], head: int, listed: list[str], add: str | None, drop: str | None) -> str | None:
    """`certificates: [a, b]` on one line."""
    found = re.search(r"(\bcertificates\s*:\s*\[)([^\]]*)(\])", lines[head - 1])
    if found is None:
        return None
    if add is not None:
        items = f"{found[2].rstrip()}, {add}"
    else:
        parts = [one.strip() for one in found[2].split(",")]
        if len(parts) != len(listed):
            return None
        items = ", ".join(part for part, one in zip(parts, listed, strict=True) if one != drop)
    line = lines[head - 1]
    lines[head - 1] = f"{line[: found.start()]}{found[1]}{items}{found[3]}{line[found.end() :]}"
    return "".join(lines)
