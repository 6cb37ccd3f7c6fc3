"""Make the environments of the test peers: `python tests/make_peers.py FOLDER`, then set GATEWAY_PEERS=FOLDER.

Peers are GPL, need old dependencies, or are mere witnesses: they run as processes of their own and are never imported
by the gateway.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

PEERS = {"pyas2lib": ["pyas2lib==1.4.4"], "pyx12": ["pyx12==4.0.0"], "pydifact": ["pydifact==0.2.3"]}


def widen_version_pattern(environment: Path) -> None:
    """Let oscrypto 1.3.0 (pyas2lib needs it) recognise OpenSSL 3.0.10 and later: its pattern ends after one digit."""
    for module in environment.glob("lib/python3*/site-packages/oscrypto/_openssl/_libcrypto_c*.py"):
        text = module.read_text()
        module.write_text(text.replace(r"\\b(\\d\\.\\d\\.\\d[a-z]*)\\b", r"\\b(\\d\\.\\d\\.\\d+[a-z]*)\\b"))


def main(folder: Path) -> None:
    """Make what is not there yet."""
    for name, requirements in PEERS.items():
        environment = folder / name
        python = environment / "bin" / "python"
        if not python.exists():
            venv.create(environment, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True)
        widen_version_pattern(environment)
        subprocess.run([python, "-c", f"import {name}"], check=True)
        sys.stdout.write(f"{name}: {environment}\n")
    sys.stdout.write(f"export GATEWAY_PEERS={folder}\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tests/make_peers.py FOLDER")
    main(Path(os.path.realpath(sys.argv[1])))
