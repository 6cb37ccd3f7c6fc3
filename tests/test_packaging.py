"""What is shipped: the Dockerfile's own commands in a clean folder, what they install, and nothing that must not leave.

There is no container engine in the test environment: the image itself is never built, its commands are.
"""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UNREACHABLE = ("NewConnectionError", "name resolution", "Network is unreachable")
LICENCES = re.compile(r"MIT|BSD|Apache|PSF|Python Software Foundation|ISC")
BUILD_ONLY = frozenset({"pathspec"})  # MPL-2.0; comes with hatchling


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """What the Dockerfile's first stage left behind."""

    prefix: Path
    package: Path


def _instructions() -> list[tuple[str, str]]:
    """The Dockerfile as (word, rest), continued lines joined."""
    text = re.sub(r"(?m)^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines) if word]


def _json_of(word: str) -> list[str]:
    """ENTRYPOINT or CMD."""
    listed: list[str] = json.loads(next(rest for name, rest in _instructions() if name == word))
    return listed


def _sent_to_the_engine() -> list[str]:
    """The tracked files that .dockerignore lets through; the last pattern that fits decides."""
    patterns = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    sent = []
    for name in _tracked():
        ignored = False
        for pattern in patterns:
            plain = pattern.lstrip("!").removeprefix("**/")
            if fnmatch.fnmatch(name, plain) or name.startswith(plain + "/"):
                ignored = not pattern.startswith("!")
        if not ignored:
            sent.append(name)
    return sent


def _tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """COPY and RUN of the build stage, with the image's folders below a temporary one."""
    base = tmp_path_factory.mktemp("image")
    source, prefix = base / "src", base / "opt"
    source.mkdir()
    sent = _sent_to_the_engine()
    stage = 0
    for word, rest in _instructions():
        stage += word == "FROM"
        if stage != 1:
            break
        if word == "COPY":
            *names, target = rest.split()
            for name in names:
                files = [one for one in sent if one == name or one.startswith(name + "/")]
                assert files, f"COPY {name}: .dockerignore holds it back"
                for file in files:
                    to = source / (target if len(names) == 1 and file == name else file)
                    to.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(ROOT / file, to)
        elif word == "RUN":
            command = rest.replace("/opt/gateway", str(prefix)).replace("python -m venv", f"{sys.executable} -m venv")
            done = subprocess.run(command, shell=True, cwd=source, capture_output=True, text=True, check=False)  # noqa: S602  the Dockerfile's own line
            if any(sign in done.stderr for sign in UNREACHABLE):
                pytest.skip("the package index cannot be reached")
            assert done.returncode == 0, done.stderr[-3000:]
    (package,) = prefix.glob("lib/python3*/site-packages/gateway")
    return Installed(prefix=prefix, package=package)


@pytest.fixture
def environment(installed: Installed, tmp_path: Path) -> dict[str, str]:
    """What the image sets, and nothing of this test's environment."""
    return {
        "PATH": f"{installed.prefix / 'bin'}:/usr/bin:/bin",
        "PYTHONUNBUFFERED": "1",
        "GATEWAY_WORKSPACE": str(tmp_path / "workspace"),
        "GATEWAY_PASSPHRASE": "a passphrase",
        "HOME": str(tmp_path),
    }


def _run(arguments: list[str], environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which(arguments[0], path=environment["PATH"])
    assert program is not None, arguments[0]
    return subprocess.run(
        [program, *arguments[1:]], env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.process
@pytest.mark.xdist_group("image")  # one installation for all of them
def test_the_image_s_start_commands_serve_a_workspace_from_another_folder(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Init, ENTRYPOINT and CMD, ready by the HEALTHCHECK's own command, ended in good order by SIGTERM."""
    workspace = tmp_path / "workspace"
    made = _run(["gateway", "init", str(workspace)], environment, tmp_path)
    assert made.returncode == 0, made.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with (workspace / "gateway.yaml").open("a") as settings:
        settings.write(f"listen: {{port: {port}}}\n")
    health = next(rest for word, rest in _instructions() if word == "HEALTHCHECK")
    check = [part.replace("8080", port) for part in json.loads(health.partition("CMD ")[2])]
    start = _json_of("ENTRYPOINT") + _json_of("CMD")
    program = shutil.which(start[0], path=environment["PATH"])
    assert program is not None
    with (tmp_path / "serve.log").open("wb") as log:
        server = subprocess.Popen([program, *start[1:]], env=environment, cwd=tmp_path, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while _run(check, environment, tmp_path).returncode:
            assert server.poll() is None and time.monotonic() < deadline, (tmp_path / "serve.log").read_text()  # noqa: PT018  one question
            time.sleep(0.2)
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0, (tmp_path / "serve.log").read_text()
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


@pytest.mark.process
@pytest.mark.xdist_group("image")  # one installation for all of them
def test_what_is_installed_has_maps_guides_migrations_and_the_demo_s_folders(
    installed: Installed, environment: dict[str, str], tmp_path: Path
) -> None:
    """Everything that is not code; the maps' examples run and the demo's folders can be made, far from any checkout."""
    for name in (
        "py.typed",
        "maps/x12/855.yaml",
        "samples/x12/855-split.edi",
        "edi/guides/x12/004010/855.yaml",
        "store/migrations/versions/0001_first.py",
        "demo/distributor/gateway.yaml",
        "demo/distributor/partners/acme.yaml",
        "demo/distributor/maps/acme/855.yaml",
    ):
        assert (installed.package / name).is_file(), name
    checked = _run(["gateway", "map", "check"], environment, tmp_path)
    assert checked.returncode == 0, checked.stdout
    program = (
        "import pathlib; from gateway.demo.workspaces import exchange_certificates, prepare;"
        "exchange_certificates(prepare(pathlib.Path('demo')))"
    )
    prepared = _run(["python", "-c", program], environment, tmp_path)
    assert prepared.returncode == 0, prepared.stderr
    for workspace in ("gateway", "station"):
        tokens = {"NORTH_ERP_TOKEN": "n", "SOUTH_ERP_TOKEN": "s"}
        found = _run(
            ["gateway", "partner", "check", "--workspace", f"demo/{workspace}"], environment | tokens, tmp_path
        )
        assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.process
@pytest.mark.xdist_group("image")  # one installation for all of them
def test_what_is_installed_is_under_permissive_licences(environment: dict[str, str], tmp_path: Path) -> None:
    """As the packages say themselves; what is used for building only is named."""
    program = (
        "import json; from importlib.metadata import distributions;"
        "print(json.dumps([[m['Name'], [m['License-Expression'] or '', (m['License'] or '')[:60],"
        " *(c for c in m.get_all('Classifier') or () if c.startswith('License'))]]"
        " for m in (d.metadata for d in distributions())]))"
    )
    told: list[tuple[str, list[str]]] = json.loads(_run(["python", "-c", program], environment, tmp_path).stdout)
    assert len(told) > 20
    strange = [name for name, licences in told if not any(LICENCES.search(one) for one in licences)]
    assert set(strange) <= BUILD_ONLY
    assert not [name for name, licences in told if re.search(r"\bA?GPL|General Public", " ".join(licences))]


def test_the_image_runs_as_a_user_of_its_own() -> None:
    """What a partner reaches has no rights on the machine."""
    assert dict(_instructions())["USER"] == "gateway"


FORBIDDEN = {
    "a private key": re.compile(rb"-----BEGIN [A-Z ]*PRIVATE " + rb"KEY-----\s+[A-Za-z0-9+/]{40}"),
    "a path of somebody's machine": re.compile(
        rb"(?<![\w.*])/(?:wo" + rb"rk|ro" + rb"ot|ho" + rb"me/\w+|Us" + rb"ers/\w+)/\w"
    ),
    "a package index": re.compile(
        rb"py" + rb"pi\.org|python" + rb"hosted|arti" + rb"factory|registry\.np" + rb"mjs|index" + rb"-url [^-]"
    ),
}


PUBLISHED_KEYS = ("tests/as2/vectors/", "samples/as2/broken/keys/")


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_tracked_holds(what: str) -> None:
    """Over every file that git knows; a test's key says in its first line that it is one."""
    contents = ((name, (ROOT / name).read_bytes()) for name in _tracked())
    found = [name for name, content in contents if FORBIDDEN[what].search(content)]
    assert [name for name in found if not _published_test_key(name)] == []


def _published_test_key(name: str) -> bool:
    return name.startswith(PUBLISHED_KEYS) and (ROOT / name).read_bytes().startswith(b"TEST KEY of ")


def test_the_lock_has_hashes_and_names_no_index() -> None:
    """Each requirement is pinned and hashed; so `--require-hashes` can be asked for."""
    for file in ("requirements/run.txt", "requirements/dev.txt"):
        lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
        pinned = [line for line in lines if re.match(r"[A-Za-z0-9]", line)]
        assert pinned
        assert all("==" in line for line in pinned)
        hashed = "\n".join(lines)
        assert len(re.findall(r"(?m)^[A-Za-z0-9][^\n]*\\\n    --hash=sha256:", hashed)) == len(pinned)


def test_every_direct_dependency_is_in_the_lock() -> None:
    """Or installing by the lock alone would leave the gateway without it."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"(?ms)^dependencies = \[(.*?)^\]", project)
    assert listed
    locked = (ROOT / "requirements/run.txt").read_text(encoding="utf-8")
    for name in re.findall(r'(?m)^  "([A-Za-z0-9-]+)', listed[1]):
        assert re.search(rf"(?m)^{re.escape(name)}==", locked), name
