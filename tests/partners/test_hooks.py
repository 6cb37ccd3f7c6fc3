"""The workspace's own hooks: run only where gateway.yaml names their file."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.errors import OurFault
from gateway.partners import hook_calls
from gateway.partners.hooks import hooks_of
from gateway.partners.map_shelf import MapCache, MapShelf

CODE = "def read_part(text):\n    return text[::-1]\n\n\ndef write_part(text):\n    return text[::-1]\n"
MAP = (
    "extends: x12/855\nhooks: {part: {examples: [{wire: ab, value: ba}]}}\n"
    "change: {BAK: {BAK03: order.number | hook part}}\n"
)


def workspace(folder: Path, settings: str, code: str = CODE) -> Path:
    """A folder with a map that names a hook."""
    (folder / "maps" / "odd").mkdir(parents=True)
    (folder / "maps" / "odd" / "855.yaml").write_text(MAP)
    (folder / "hooks.py").write_text(code)
    (folder / "gateway.yaml").write_text(settings)
    return folder


def test_hooks_of_a_file_that_nobody_names_are_not_run(tmp_path: Path) -> None:
    """And a map that wants one is refused with the remedy."""
    folder = workspace(tmp_path, "identity: {}\n", "raise SystemExit\n")
    assert not hooks_of(folder).functions
    (first, *_) = MapShelf(folder, hooks=hooks_of(folder)).check(["odd/855"])
    assert first.rule == "map.hook.unknown"
    assert "gateway.yaml" in first.wanted


def test_a_map_is_compiled_with_the_hooks_and_its_version_knows_them(tmp_path: Path) -> None:
    """Other functions make another version."""
    folder = workspace(tmp_path, "hooks: hooks.py\n")
    shelf = MapShelf(folder, hooks=hooks_of(folder))
    assert not shelf.check(["odd/855"])
    assert shelf.map("odd/855").hash == shelf.version("odd/855")
    (folder / "hooks.py").write_text(CODE + "# another\n")
    other = MapShelf(folder, hooks=hooks_of(folder))
    assert other.version("odd/855") != shelf.version("odd/855")
    assert other.version("x12/855") == shelf.version("x12/855")


@pytest.mark.parametrize("code", ["def", "raise ValueError('x')", "import nothing_of_that_name"])
def test_a_file_that_cannot_be_run_is_told_with_its_name(tmp_path: Path, code: str) -> None:
    """Never a traceback."""
    with pytest.raises(OurFault, match=r"hooks\.py"):
        hooks_of(workspace(tmp_path, "hooks: hooks.py\n", code))


@pytest.mark.parametrize("name", ["../hooks.py", "/tmp/hooks.py", "hooks", "[hooks.py]"])
def test_only_a_python_file_beside_gateway_yaml_is_taken(tmp_path: Path, name: str) -> None:
    """The settings refuse it too."""
    assert not hooks_of(workspace(tmp_path, f"hooks: {name}\n")).functions


LOOPS = """
def read_part(text):
    while text == 'ab':
        try:
            text = text
        except Exception:
            pass
    return text[::-1]

def write_part(text):
    return text[::-1]
"""


def test_a_hook_that_does_not_end_is_interrupted_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A finding that says so, and no thread goes on looping."""
    monkeypatch.setattr(hook_calls, "CALL_SECONDS", 0.2)
    folder = workspace(tmp_path, "hooks: hooks.py\n", LOOPS)
    before = set(threading.enumerate())
    hooks = hooks_of(folder)
    (finding,) = MapShelf(folder, hooks=hooks).check(["odd/855"])
    assert finding.rule == "map.hook.example"
    assert finding.said.startswith("read_part('ab') raises TookTooLongError: no value of read_part in hooks.py: i")
    assert "read_part in hooks.py took longer than 0.2 s" in caplog.text
    assert hooks.functions["part"].write("ab") == "ba", "the others go on, in another thread"
    mine = [one for one in threading.enumerate() if one.name == "hooks" and one not in before]
    assert len(mine) <= 2
    del hooks
    gc.collect()
    _until(lambda: not any(one.is_alive() for one in mine))


def test_a_hook_that_did_not_end_rests_and_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it rests each value fails at once: a message of thousands of lines does not wait a second for each."""
    monkeypatch.setattr(hook_calls, "CALL_SECONDS", 0.2)
    read = hooks_of(workspace(tmp_path, "hooks: hooks.py\n", LOOPS)).functions["part"].read
    with pytest.raises(hook_calls.TookTooLongError, match="longer than"):
        read("ab")
    begun = time.monotonic()
    with pytest.raises(hook_calls.TookTooLongError, match="not long ago"):
        read("cd")
    assert time.monotonic() - begun < 0.1
    monkeypatch.setattr(hook_calls, "REST_SECONDS", 0.0)
    monkeypatch.setattr(read, "_rests_until", 0.0)
    assert read("cd") == "dc"


def test_a_timeout_of_the_hooks_own_is_its_fault_of_that_value_alone(tmp_path: Path) -> None:
    """As of a socket: it ended in time, so it does not rest."""
    code = "def read_part(text):\n    if text == 'ab':\n        raise TimeoutError('mine')\n    return text\n\n\n"
    code += "def write_part(text):\n    return text\n"
    read = hooks_of(workspace(tmp_path, "hooks: hooks.py\n", code)).functions["part"].read
    with pytest.raises(TimeoutError, match="mine"):
        read("ab")
    assert read("cd") == "cd"


WAITS = """
import threading

LET_GO = threading.Event()

def read_part(text):
    LET_GO.wait()
    return text

def write_part(text):
    return text
"""


def test_calls_that_never_return_hold_so_many_threads_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked again every minute, each of them would keep another one for ever."""
    for name, value in (("CALL_SECONDS", 0.1), ("REST_SECONDS", 0.0), ("MOST_HELD", 2)):
        monkeypatch.setattr(hook_calls, name, value)
    before = set(threading.enumerate())
    part = hooks_of(workspace(tmp_path, "hooks: hooks.py\n", WAITS)).functions["part"]
    for _ in range(2):
        with pytest.raises(hook_calls.TookTooLongError, match="longer than"):
            part.read("ab")
    for _ in range(3):
        with pytest.raises(hook_calls.TookTooLongError, match="2 calls before it"):
            part.read("cd")
    held = [one for one in threading.enumerate() if one.name == "hooks" and one not in before]
    assert len(held) == 2
    part.read._function.__globals__["LET_GO"].set()
    _until(lambda: not any(one.is_alive() for one in held))
    assert part.read("cd") == "cd"


def test_a_file_that_does_not_end_is_told_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing starts, and nothing hangs."""
    monkeypatch.setattr("gateway.partners.hooks.START_SECONDS", 0.2)
    with pytest.raises(OurFault, match=r"hooks\.py cannot be used: TookTooLongError: it took longer than 0.2 s"):
        hooks_of(workspace(tmp_path, "hooks: hooks.py\n", "while True:\n    pass\n"))


def test_what_a_hook_raises_is_raised_to_whoever_asked(tmp_path: Path) -> None:
    """But nothing that would end the gateway."""
    code = "def read_part(text):\n    raise SystemExit('no')\n\n\ndef write_part(text):\n    return {}[text]\n"
    part = hooks_of(workspace(tmp_path, "hooks: hooks.py\n", code)).functions["part"]
    with pytest.raises(RuntimeError, match="SystemExit"):
        part.read("a")
    with pytest.raises(KeyError):
        part.write("a")


def _until(true: Callable[[], bool]) -> None:
    """Wait for it, five seconds at most."""
    until = time.monotonic() + 5
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_map_that_was_found_sound_is_made_anew_without_running_its_examples(tmp_path: Path) -> None:
    """That may happen on the way of a message."""
    calls = tmp_path / "calls"
    code = f"def read_part(text):\n    with open({str(calls)!r}, 'a') as f:\n        f.write('.')\n"
    code += "    return text[::-1]\n\n\n"
    folder = workspace(tmp_path, "hooks: hooks.py\n", code + "def write_part(text):\n    return text[::-1]\n")
    shelf = MapShelf(folder, MapCache(most=0), hooks=hooks_of(folder))
    assert not shelf.check(["odd/855"])
    assert calls.read_text() == "."
    assert shelf.map("odd/855").hooked
    assert calls.read_text() == "."
