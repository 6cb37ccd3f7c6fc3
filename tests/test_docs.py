"""The documentation is current and complete: commands, events, settings, rules, links, examples, pictures."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from gateway.canonical.rules import RULES as DOCUMENT_RULES
from gateway.cli.pages import FLOW_RULES, commands, pages
from gateway.edi.delta import RULES as GUIDE_RULES
from gateway.edi.rules import RULES as SYNTAX_RULES
from gateway.events import EVENTS
from gateway.mapping.rules import RULES as MAP_RULES
from gateway.onboarding.rules import RULES as PROFILE_RULES
from gateway.partners.checks import RULES as WORKSPACE_RULES
from gateway.partners.reference import reference
from gateway.yamltext import RULES as FILE_RULES

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
LINK = re.compile(r"(?<!`)!?\[[^\]\n]*\]\(([^)\s]+)\)")
MADE_RULE = re.compile(r'"((?:matching|submission|pipeline|document|duplicate|api)\.[a-z_]+(?:\.[a-z_]+)?)"')
NOT_RULES = frozenset(EVENTS)


def _tracked(pattern: str) -> list[Path]:
    """Files of the project by git; all that lie there where this is no checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("this is no git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def _text(pages_of: list[Path]) -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in pages_of)


@pytest.mark.parametrize("name", pages())
def test_a_generated_page_is_current(name: str) -> None:
    """To renew all of them: make pages."""
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], "renew it: make pages"


def test_every_command_has_help_and_an_example_of_itself() -> None:
    """The example is the last thing in the help, and calls the command it stands in."""
    for name, command in commands():
        assert command.help, name
        example = command.help.rpartition("Example: ")[2].strip()
        assert example.startswith(name), f"{name}: its help needs a line 'Example: {name} …'"
        assert all(one.help for one in command.params), f"{name}: every argument and option needs help"


def test_every_option_in_an_example_exists() -> None:
    """An example that cannot be run is worse than none."""
    for name, command in commands():
        example = (command.help or "").rpartition("Example: ")[2]
        known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
        assert set(re.findall(r"(?<!\S)--[a-z0-9-]+", example)) <= known, name


def test_every_event_setting_and_rule_is_documented() -> None:
    """In docs/, by its exact name."""
    text = _text(list(DOCS.glob("*.md")))
    rules = {*SYNTAX_RULES, *DOCUMENT_RULES, *MAP_RULES, *WORKSPACE_RULES, *GUIDE_RULES, *FILE_RULES, *FLOW_RULES}
    rules |= {*PROFILE_RULES}
    settings = {entry.path for entry in reference()}
    missing = [name for name in (*EVENTS, *sorted(rules), *sorted(settings)) if f"`{name}`" not in text]
    assert not missing


def test_every_rule_that_the_flow_makes_is_in_its_table() -> None:
    """Findings of pipeline and web are made where they are found; their names are gathered here."""
    code = _text([*(ROOT / "gateway/pipeline").glob("*.py"), *(ROOT / "gateway/web").rglob("*.py")])
    made = set(MADE_RULE.findall(code)) - NOT_RULES
    text = _text([DOCS / "map-and-flow-rules.md", DOCS / "rest.md"])
    assert not [rule for rule in sorted(made) if f"`{rule}`" not in text]
    assert set(FLOW_RULES) <= made, "a rule in the table that nothing makes"


def test_every_relative_link_leads_somewhere() -> None:
    """Files exist, and so do the headings that links name."""
    for page in _tracked("*.md"):
        text = page.read_text(encoding="utf-8")
        for target in LINK.findall(text):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, heading = target.partition("#")
            file = page.parent / name if name else page
            assert file.exists(), f"{page.relative_to(ROOT)}: {target}"
            if heading:
                assert heading in _headings(file), f"{page.relative_to(ROOT)}: {target} has no such heading"


def test_every_page_is_in_the_index() -> None:
    """A page that nobody links is a page that nobody reads."""
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert not [page.name for page in DOCS.glob("*.md") if page.name != "README.md" and f"({page.name}" not in index]
    decisions = (DOCS / "decisions/README.md").read_text(encoding="utf-8")
    assert not [page.name for page in (DOCS / "decisions").glob("0*.md") if f"({page.name})" not in decisions]


def test_every_direct_dependency_has_its_reason() -> None:
    """And its row in docs/dependencies.md."""
    page = (DOCS / "dependencies.md").read_text(encoding="utf-8").lower()
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    run = re.search(r"(?ms)^dependencies = \[(.*?)^\]", text)
    dev = re.search(r"(?ms)^dev = \[(.*?)^\]", text)
    assert run
    assert dev
    for name in re.findall(r'(?m)^  "([A-Za-z0-9-]+)', run[1]):
        assert f"\n| {name.lower()} |" in page, name
    for name in re.findall(r'(?m)^  "([A-Za-z0-9-]+)', dev[1]):
        assert name.lower() in page, name


def test_make_help_and_the_readme_name_every_target() -> None:
    """What make can do is told in both."""
    targets = re.findall(r"(?m)^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [name for name in targets if name not in {"help", "clean"} and f"make {name}" not in readme]
    assert readme.startswith("    make demo")
    assert readme.splitlines()[1].strip().startswith("make test")


def test_the_picture_of_the_demo_fetches_nothing_and_shows_no_machine() -> None:
    """An SVG that a page embeds is read on other people's machines."""
    picture = (DOCS / "pictures/demo.svg").read_text(encoding="utf-8")
    assert "Every&#160;effect&#160;was&#160;verified" in picture
    assert not re.findall(r"url\(\"?http|href=|@import|/tmp/|/home/|/root/", picture)


def _headings(page: Path) -> set[str]:
    """Anchors as hosts make them: lower case, blanks to hyphens, punctuation gone."""
    found = re.findall(r"(?m)^#{1,6} (.+)$", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}
