"""`python -m bench.chaos.watched FOLDER serve --workspace W`: the gateway, with all that it does to files noted.

FOLDER gets `before`, a copy of the workspace as it was found, and `trace`, strace's record. The process that was
started becomes the gateway itself, so that signals reach it.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from bench.chaos.trace import COMMAND

TRACE = "trace"
BEFORE = "before"


def main(arguments: list[str]) -> None:
    """Becomes the gateway."""
    folder, *command = arguments
    workspace = command[command.index("--workspace") + 1]
    shutil.copytree(workspace, Path(folder) / BEFORE)
    # -D: strace is the grandchild; --seccomp-bpf: calls that are not listed are not slowed down.
    watch = (*COMMAND, "-D", "--seccomp-bpf", "-o", str(Path(folder) / TRACE))
    os.execvp("strace", [*watch, sys.executable, "-m", "gateway", *command])  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
