"""docs/configuration.md: its reference is current, its walk-through works, and it knows every rule."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from gateway.partners.checks import RULES
from gateway.partners.initial import Company, settings_text
from gateway.partners.keys import load_certificate, write_certificate
from gateway.partners.reference import with_reference
from gateway.yamltext import RULES as FILE_RULES

Run = Callable[..., Result]
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/configuration.md"


def test_the_reference_is_current() -> None:
    """To renew it: gateway config describe --into docs/configuration.md."""
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_reference(page), "renew it: gateway config describe --into docs/configuration.md"


def test_the_page_can_be_renewed_by_command(run: Run, tmp_path: Path) -> None:
    """A page without the marker line is left alone."""
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text(encoding="utf-8").replace("## Every rule", "## Old"))
    assert run("config", "describe", "--into", page).exit_code == 0
    assert page.read_text() == PAGE.read_text(encoding="utf-8")
    page.write_text("nothing")
    assert run("config", "describe", "--into", page).exit_code == 2
    assert page.read_text() == "nothing"


def test_every_documented_rule_is_in_the_code() -> None:
    """And every rule of a file in the code is documented; those of a workspace are asserted where findings are made."""
    code = [ROOT / "gateway/yamltext.py", *(ROOT / "gateway/partners").glob("*.py")]
    text = "".join(re.sub(r"(?ms)^RULES: .*?^}", "", path.read_text()) for path in code)
    assert set(re.findall(r'"(file\.[a-z0-9_]+)"', text)) == set(FILE_RULES)
    missing = [rule for rule in RULES if f'"{rule.removeprefix("workspace.")}"' not in text]
    assert missing == ["workspace.unknown_target", "workspace.unknown_partner"]  # these are made of the word


def test_the_walk_through_works(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file block is written, every command run, in the order of the page."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GATEWAY_PASSPHRASE", "walk-through")
    monkeypatch.setenv("ERP_TOKEN", "walk-through")
    blocks = re.findall(r"```(yaml|console)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert [kind for kind, _ in blocks] == ["console", "yaml", "yaml", "yaml", "console"]
    for kind, text in blocks:
        if kind == "yaml":
            file = tmp_path / text.split()[1]
            file.write_text((file.read_text() if "(added)" in text else "") + text)
            continue
        for line in text.splitlines():
            program, *arguments = shlex.split(line.removeprefix("$ "))
            assert program == "gateway"
            result = run(*arguments)
            assert result.exit_code == 0, result.output
            if arguments[0] == "init":  # the partner's certificate comes by mail; ours stands in for it
                write_certificate(
                    tmp_path / "harborline/certs/acme.pem", load_certificate(tmp_path / "harborline/certs/gateway.pem")
                )
    listed = run("partner", "key", "list", "--workspace", "harborline", "--json")
    assert [key["partner"] for key in json.loads(listed.stdout)] == ["baltic"]


def test_the_generated_settings_point_to_no_machine() -> None:
    """Nothing of the machine that wrote them is in them."""
    company = Company(name="A", as2_id="A", x12_qualifier="ZZ", x12_id="A")
    assert str(ROOT) not in settings_text(company, passphrase_variable=None)
