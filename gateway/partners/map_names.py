"""Which maps there are, by name: `maps/acme/855.yaml` in the workspace or shipped with the gateway is `acme/855`.

Names only; what stands in a map is `gateway.mapping`'s business.
"""

from __future__ import annotations

from pathlib import Path

import gateway
from gateway.partners.checks import MapExists
from gateway.yamltext import near_miss


def known_maps(folder: Path) -> MapExists:
    """Answers for the workspace in `folder`: None for a map that exists, else the near miss, or ""."""
    names = map_names(folder)

    def exists(name: str) -> str | None:
        return None if name in names else near_miss(name, names) or ""

    return exists


def map_names(folder: Path) -> frozenset[str]:
    """The names of all maps of the workspace in `folder` and of those shipped."""
    return frozenset(
        path.relative_to(root).with_suffix("").as_posix()
        for root in (folder / "maps", *_shipped())
        for path in root.glob("**/*.yaml")
    )


def _shipped() -> tuple[Path, ...]:
    """In a wheel the maps are inside the package, in a checkout beside it."""
    package = Path(gateway.__file__).parent
    beside = package.parent / "maps" if (package.parent / "pyproject.toml").is_file() else None
    return tuple(root for root in (package / "maps", beside) if root is not None)
