"""The README's and the tutorials' commands run, in the order of the page, and print what the page shows.

In a page, a `console` block holds commands behind `$ ` and what they print; `…` stands for anything in a line, and
a line of only `…` for any lines. A `sh` block is run as it stands. A `yaml` block is a file: its first line names it.
Everything runs in one shell, in an empty folder; port 8080 becomes a free one.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(console|sh|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "\x1e"
SECONDS = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A command, or a few, and what the page says it prints; None where the page says nothing."""

    text: str
    expected: str | None


def _steps(page: str) -> list[Step]:
    """The steps of a page, in order."""
    found: list[Step] = []
    for kind, text in BLOCK.findall(page):
        if kind == "sh":
            found.append(Step(text=text, expected=None))
        elif kind == "yaml":
            name = text.split("\n", 1)[0].removeprefix("# ").split()[0]
            how = ">>" if "(added)" in text.split("\n", 1)[0] else ">"
            found.append(
                Step(
                    text=f"mkdir -p $(dirname {name})\ncat {how} {name} <<'END_OF_FILE'\n{text}END_OF_FILE\n",
                    expected="",
                )
            )
        else:
            for part in re.split(r"(?m)^\$ ", text)[1:]:
                command, _, expected = part.partition("\n")
                while command.endswith("\\"):
                    more, _, expected = expected.partition("\n")
                    command += "\n" + more
                found.append(Step(text=command + "\n", expected=expected))
    return found


def _pattern(expected: str) -> re.Pattern[str]:
    """What a command may print: white space counts as one blank."""
    parts = []
    for line in expected.strip().splitlines():
        words = " ".join(line.split())
        parts.append(r"(?:.*\n)*?" if words == "…" else re.escape(words).replace("…", ".*") + "\n")
    return re.compile("".join(parts))


def _printed(output: str) -> str:
    lines = [" ".join(line.split()) for line in output.strip().splitlines()]
    return "".join(f"{line}\n" for line in lines)


def _run(page: str, folder: Path) -> list[tuple[Step, str, int]]:
    """Every step with what it printed and its exit code."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    steps = _steps(page)
    script = "".join(
        f"printf '{MARK}{number}\\n'\n{step.text}printf '{MARK}=%d\\n' $?\n" for number, step in enumerate(steps)
    )
    script += "kill $(jobs -p) 2>/dev/null; wait\n"
    program = folder.parent / "bin" / "gateway"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gateway "$@"\n')
    program.chmod(0o755)
    own = {name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "POSTGRES"))}
    environment = own | {
        "PATH": f"{program.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "COLUMNS": "200",
        "NO_COLOR": "1",
    }
    shell = subprocess.Popen(
        ["bash", "--norc", "-c", script.replace("8080", str(port))],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = shell.communicate(timeout=SECONDS)
    finally:
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
    pieces = output.replace(str(port), "8080").split(MARK)[1:]
    told = [(pieces[index].partition("\n")[2], int(pieces[index + 1][1:])) for index in range(0, len(pieces) - 1, 2)]
    assert len(told) == len(steps), output[-2000:]
    return [(step, text, code) for step, (text, code) in zip(steps, told, strict=True)]


@pytest.mark.process
@pytest.mark.parametrize(
    ("page", "needed", "least"),
    [
        ("README.md", ("samples",), 5),
        ("docs/tutorial-first-partner.md", ("openssl",), 10),
        ("docs/onboarding.md", ("samples", "openssl"), 8),
        ("docs/tutorial-rest-supplier.md", ("curl",), 10),
        ("docs/edi-commands.md", ("samples",), 10),
        ("docs/cross-references.md", ("curl",), 15),
        ("docs/as2-diagnosis.md", ("samples", "curl", "openssl"), 20),
        ("docs/webhooks.md", ("curl",), 15),
        ("docs/replay.md", ("curl",), 15),
    ],
)
def test_every_command_of_the_page_prints_what_the_page_shows(
    page: str, needed: tuple[str, ...], least: int, tmp_path: Path
) -> None:
    """Run it all in an empty folder; a page that lost its commands fails as well."""
    folder = tmp_path / "work"
    folder.mkdir()
    for one in needed:
        if (ROOT / one).is_dir():
            for shared in ("samples", "maps", "partners", "gateway.yaml"):
                (shutil.copytree if (ROOT / shared).is_dir() else shutil.copy)(ROOT / shared, folder / shared)
        elif shutil.which(one) is None:
            pytest.skip(f"{page} uses {one}, which is not installed here")
    done = _run((ROOT / page).read_text(encoding="utf-8"), folder)
    assert len(done) >= least
    for step, output, code in done:
        assert code == 0, f"{page}: exit code {code} of {step.text}\n{output}"
        if step.expected is not None:
            printed = _printed(output)
            assert _pattern(step.expected).fullmatch(printed), (
                f"{page}: {step.text}printed\n{output}not\n{step.expected}"
            )


if __name__ == "__main__":  # for writing a page: python tests/test_tutorials.py PAGE FOLDER prints what is printed
    for one, shown, exit_code in _run(Path(sys.argv[1]).read_text(encoding="utf-8"), Path(sys.argv[2])):
        sys.stdout.write(f"$ {one.text}{shown}[{exit_code}]\n")
