"""`gateway message send` and `gateway serve`: what stops them, and with which words."""

from __future__ import annotations

from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from gateway.cli import app


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_send_to_nobody_cannot_run_and_names_the_partners_over_as2(made: Path, tmp_path: Path) -> None:
    """Exit 2 with the remedy on stderr; nothing is queued."""
    file = tmp_path / "order.edi"
    file.write_text("ISA*")
    result = _run("message", "send", file, "--partner", "nobody", "--workspace", made)
    assert result.exit_code == 2
    assert "nobody is no partner over AS2" in result.stderr
    assert "partners over AS2 are" in result.stderr


def test_send_help_shows_an_example() -> None:
    """Every command does."""
    assert "gateway message send order.edi --partner acme" in _run("message", "send", "--help").stdout


def test_serve_without_a_workspace_cannot_run_and_says_so(tmp_path: Path) -> None:
    """Exit 2, the missing file and no traceback."""
    result = _run("serve", "--workspace", tmp_path)
    assert result.exit_code == 2
    assert "gateway.yaml" in result.stderr
    assert "Traceback" not in result.stderr
