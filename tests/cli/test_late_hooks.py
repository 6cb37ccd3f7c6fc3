"""A hook that does not end, at the command line: said with its name and what to do, never a traceback."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.partners import hook_calls

SAMPLE = Path(__file__).parents[2] / "samples" / "x12" / "855-split.edi"
CODE = (
    "def read_part(text):\n    while text != 'ab':\n        pass\n    return text\n\n\n"
    "def write_part(text):\n    return text\n"
)


def test_a_hook_that_is_late_is_told_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, nothing printed: a document without the field would be another one."""
    (tmp_path / "maps" / "odd").mkdir(parents=True)
    (tmp_path / "maps" / "odd" / "855.yaml").write_text(
        "extends: x12/855\nhooks: {part: {examples: [{wire: ab, value: ab}]}}\n"
        "change: {BAK: {BAK03: order.number | hook part}}\n"
    )
    (tmp_path / "hooks.py").write_text(CODE)
    (tmp_path / "gateway.yaml").write_text("hooks: hooks.py\n")
    monkeypatch.setattr(hook_calls, "CALL_SECONDS", 0.2)
    asked = ["gateway", "map", "read", "--map", "odd/855", "--workspace", str(tmp_path), str(SAMPLE)]
    monkeypatch.setattr(sys, "argv", asked)
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert "cannot run: no value of read_part in hooks.py: it took longer than 0.2 s" in said.err
    assert "Make that function of the hooks faster." in said.err
