"""Make the environments of the test peers: `python tests/make_peers.py FOLDER`, then set GATEWAY_PEERS=FOLDER.

Peers are GPL, need old dependencies, or are mere witnesses: they run as processes of their own and are never imported
by the gateway.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """An environment: what is installed in it, and what must then be importable."""

    name: str
    requirements: tuple[str, ...]
    imports: str


PEERS = (
    Peer(name="pyas2lib", requirements=("pyas2lib==1.4.4",), imports="pyas2lib"),
    # Its own pin is pyas2lib 1.4.3: the library runs in two versions here.
    Peer(
        name="django-pyas2",
        requirements=("django-pyas2==1.2.3", "django>=5.2,<5.3", "gunicorn>=23"),
        imports="pyas2lib, pyas2, gunicorn",
    ),
    Peer(name="pyx12", requirements=("pyx12==4.0.0",), imports="pyx12"),
    Peer(name="pydifact", requirements=("pydifact==0.2.3",), imports="pydifact"),
)


def widen_version_pattern(environment: Path) -> None:
    """Let oscrypto 1.3.0 (pyas2lib needs it) recognise OpenSSL 3.0.10 and later: its pattern ends after one digit."""
    for module in environment.glob("lib/python3*/site-packages/oscrypto/_openssl/_libcrypto_c*.py"):
        text = module.read_text()
        module.write_text(text.replace(r"\\b(\\d\\.\\d\\.\\d[a-z]*)\\b", r"\\b(\\d\\.\\d\\.\\d+[a-z]*)\\b"))


def main(folder: Path) -> None:
    """Make what is not there yet."""
    for peer in PEERS:
        environment = folder / peer.name
        python = environment / "bin" / "python"
        made = environment / ".made"
        wanted = "\n".join(peer.requirements)
        if not made.exists() or made.read_text() != wanted:
            venv.create(environment, with_pip=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *peer.requirements], check=True)
            widen_version_pattern(environment)
            subprocess.run([python, "-c", f"import {peer.imports}"], check=True)
            made.write_text(wanted)
        sys.stdout.write(f"{peer.name}: {environment}\n")
    sys.stdout.write(f"export GATEWAY_PEERS={folder}\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tests/make_peers.py FOLDER")
    main(Path(os.path.realpath(sys.argv[1])))
