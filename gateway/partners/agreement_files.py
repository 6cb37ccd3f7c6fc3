"""New files of a workspace, none of them over another: all that are wanted, or nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from gateway.errors import OurFault
from gateway.partners.keys import write_file
from gateway.partners.workspace import partner_files

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")


def check_name(name: str) -> None:
    """OurFault for a name that no partner's file can have."""
    if _NAME.fullmatch(name) is None:
        raise OurFault(
            f"{name!r} cannot be a partner's name",
            remedy="small letters, digits, - and _, a letter first: --name acme",
        )


def write_new(folder: Path, files: Mapping[str, str], *, replace: bool = False) -> None:
    """Write all of `files` (path to text) below `folder`. OurFault, nothing written, where one is there already.

    With `replace` what was there is kept beside it, as `855.yaml.before`.
    """
    wanted = [name for name in files if name.startswith("partners/") and name.endswith(".yaml")]
    others = {own: file for own, file in partner_files(folder) if f"partners/{own}.yaml" in wanted}
    there = [name for name in files if (folder / name).exists()]
    there += [file for file in others.values() if file not in there and file not in files]
    if there and not replace:
        raise OurFault(
            f"{', '.join(sorted(there))} {'is' if len(there) == 1 else 'are'} there already",
            remedy="take another --name, or move them away first (infer: --replace writes over them)",
        )
    for name, text in files.items():
        path = folder / name
        try:
            if path.exists():
                path.replace(path.with_name(f"{path.name}.before"))
        except OSError as error:
            raise OurFault(f"cannot move {path}: {error.strerror}", remedy="make its folder writable") from error
        write_file(path, text.encode(), mode=0o644)
