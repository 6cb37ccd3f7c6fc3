"""`gateway edi`: exit codes, JSON, plain text in a pipe; looking up rules and guides; answering."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.edi import app
from gateway.cli.edi_check import stream_json
from gateway.cli.edi_reading import reading
from gateway.edi import rules_page

BROKEN = Path(__file__).parents[2] / "samples" / "x12" / "broken"
GOOD = BROKEN / "edi.segment.trailing_separators.edi"
BAD = BROKEN / "edi.element.characters.edi"
runner = CliRunner()


def test_check_exits_0_for_what_is_accepted_and_1_for_what_is_not() -> None:
    """Notes do not count."""
    assert runner.invoke(app, ["check", str(GOOD)]).exit_code == 0
    result = runner.invoke(app, ["check", str(GOOD), str(BAD)])
    assert result.exit_code == 1
    assert "segment 11 PO1, element 02" in result.output
    assert "\x1b" not in result.output


def test_check_exits_2_with_a_remedy_for_what_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, an unknown tolerance."""
    result = runner.invoke(app, ["check", str(tmp_path / "none.edi")])
    assert (result.exit_code, "check the path" in result.output) == (2, True)
    result = runner.invoke(app, ["check", str(GOOD), "--tolerate", "everything"])
    assert (result.exit_code, "wrapped_lines" in result.output) == (2, True)


def test_json_is_one_object_per_file_with_the_outcome_last(tmp_path: Path) -> None:
    """The whole shape, read as a program would."""
    (tmp_path / "none.edi").write_bytes(b"no EDI at all")
    result = runner.invoke(app, ["check", "--json", str(BAD), str(tmp_path / "none.edi")])
    first, second = map(json.loads, result.stdout.splitlines())
    assert list(first) == ["file", "interchanges", "findings", "outcome"]
    (interchange,) = first["interchanges"]
    assert list(interchange) == [
        *("standard", "version", "sender", "receiver", "control_number", "groups", "findings", "outcome"),
    ]
    assert list(interchange["groups"][0]) == ["type", "control_number", "messages", "findings", "outcome"]
    assert (interchange["standard"], interchange["sender"], interchange["outcome"]) == (
        "x12",
        "ZZ:SUPPLIER",
        "rejected",
    )
    (message,) = interchange["groups"][0]["messages"]
    (found,) = message["findings"]
    assert (found["rule"], found["segment"], found["position"], found["element"]) == (
        "edi.element.characters",
        "PO1",
        11,
        2,
    )
    assert found["codes"] == {"ak304": "8", "ak403": "6", "ak502": "5", "contrl": "37"}
    assert second["findings"][0]["offset"] == 0
    assert second["outcome"] == "rejected"


def test_standard_input_is_a_file_named_minus() -> None:
    """For pipes."""
    result = runner.invoke(app, ["check", "-", "--json"], input=BAD.read_bytes())
    assert (result.exit_code, json.loads(result.stdout)["file"]) == (1, "-")


def test_show_indents_by_loop_with_labels() -> None:
    """Levels of an HL by their names."""
    result = runner.invoke(app, ["show", str(BROKEN / "edi.element.time.edi")])
    assert result.exit_code == 0
    assert "HL  order" in result.output
    assert "order number PO-7001" in result.output
    assert runner.invoke(app, ["show", "-"], input=b"no EDI").exit_code == 1


def test_rules_prints_the_page() -> None:
    """What docs/rules.md holds."""
    assert runner.invoke(app, ["rules"]).stdout == rules_page.markdown()


def test_a_file_that_breaks_off_is_complete_json_and_rejected() -> None:
    """Inside the second interchange: what was read before it stays, what is open is closed."""
    good = GOOD.read_bytes()
    for cut in (60, 200, 300):
        data = good + good[:cut]
        result = runner.invoke(app, ["check", "-", "--json"], input=data)
        (told,) = map(json.loads, result.stdout.splitlines())
        assert (result.exit_code, told["outcome"]) == (1, "accepted_with_errors"), cut
        assert told["interchanges"][0]["outcome"] == "accepted"


def test_only_errors_leaves_out_what_is_accepted_and_notes() -> None:
    """The summary still counts them."""
    result = runner.invoke(app, ["check", "-q", str(GOOD), str(BAD)])
    assert GOOD.name not in result.stdout
    assert "2 files: 1 accepted, 1 rejected" in result.stdout


def test_json_streams_as_the_sets_come() -> None:
    """Before the file's end is read, the first set is written; nothing is held for the trailer."""
    written: list[str] = []
    data = BAD.read_bytes()
    block = data + data * (200_000 // len(data))

    def blocks() -> Iterator[bytes]:
        yield block
        assert '"control_number": "0001"' in "".join(written)
        yield block

    verdict = stream_json("in", reading().events(blocks()), written.append)
    assert verdict.value == json.loads("".join(written))["outcome"] == "rejected"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--charset", "utf-16"], "windows-1252"),
        (["--charset", "nothing"], "windows-1252"),
        (["--tolerate", "wraped_lines"], "did you mean wrapped_lines"),
        (["--partner", "nobody", "--workspace", "/nowhere"], "remedy"),
    ],
)
def test_a_wrong_option_ends_with_code_2_and_a_remedy(options: list[str], said: str) -> None:
    """Before anything is read."""
    result = runner.invoke(app, ["check", str(GOOD), *options])
    assert (result.exit_code, said in result.stderr) == (2, True)


def test_a_rule_is_explained_and_near_misses_are_named() -> None:
    """With its codes, also as JSON."""
    assert "AK403: 5" in runner.invoke(app, ["rule", "edi.element.too_long"]).stdout
    told = json.loads(runner.invoke(app, ["rule", "edi.element.too_long", "--json"]).stdout)
    assert told["codes"]["ak403"] == "5"
    result = runner.invoke(app, ["rule", "too_long"])
    assert (result.exit_code, " or edi.element.too_long" in result.stderr) == (2, True)


def test_guides_are_listed_and_printed_as_trees() -> None:
    """By full or short name; lengths, codes, syntax notes."""
    assert "x12/004010/850" in runner.invoke(app, ["guides"]).stdout
    whole = runner.invoke(app, ["guide", "004010/855"]).stdout
    assert "BAK03 M AN 1..22" in whole
    assert "BAK03" not in runner.invoke(app, ["guide", "x12/004010/855", "--segments"]).stdout
    assert json.loads(runner.invoke(app, ["guide", "x12/004010/855", "--json"]).stdout)["group"] == "PR"
    result = runner.invoke(app, ["guide", "855"])
    assert (result.exit_code, "x12/004010/855" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("gateway check --tolerate wr", "wrapped_lines"),
        ("gateway rule edi.element.too_lo", "edi.element.too_long"),
        ("gateway guide x12/004010/85", "x12/004010/855"),
    ],
)
def test_names_complete_on_the_tab_key(words: str, offered: str) -> None:
    """As the shell asks for them."""
    told = runner.invoke(
        app,
        [],
        prog_name="gateway",
        env={"_GATEWAY_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)},
    )
    assert offered in told.stdout.split()


def test_acknowledge_prints_what_the_gateway_would_answer() -> None:
    """The numbers and the time are options, so the bytes are the same every time."""
    options = ["--number", "17", "--at", "2026-01-05T09:30", "--pretty"]
    lines = runner.invoke(app, ["acknowledge", str(BAD), *options]).stdout.splitlines()
    assert lines[0].startswith("ISA*00*") and "*ZZ*DISTRIBUTOR    *ZZ*SUPPLIER       *260105*0930*" in lines[0]  # noqa: PT018
    assert "AK4*2*330*6*four~" in lines
    assert lines[-1] == "IEA*1*000000017~"
    flat = runner.invoke(app, ["acknowledge", str(BAD), *options[:-1]]).stdout
    assert flat == "".join(lines)


def test_what_cannot_be_answered_is_said() -> None:
    """No EDI at all: code 1."""
    result = runner.invoke(app, ["acknowledge", "-"], input=b"no EDI")
    assert (result.exit_code, result.stdout) == (1, "")


@pytest.mark.parametrize(("options", "kind"), [([], "997"), (["--999"], "999")])
def test_answers_are_valid_interchanges_of_the_group_s_own_version(options: list[str], kind: str) -> None:
    """Checked by the engine itself; a 999 only from 005010 on."""
    data = (BROKEN.parent / "850-simple.edi").read_bytes().replace(b"00401*", b"00501*").replace(b"004010", b"005010")
    data = data.replace(b"*U*00501", b"*^*00501")
    answer = runner.invoke(app, ["acknowledge", "-", *options], input=data).stdout
    assert f"~ST*{kind}*0001" in answer
    assert "*005010" in answer
    assert runner.invoke(app, ["check", "-"], input=answer.encode()).exit_code == 0


def test_edifact_is_answered_by_a_contrl_when_asked() -> None:
    """Or when the options say so; the answer is EDIFACT that the engine takes."""
    data = b"UNB+UNOC:3+BUYER:14+SELLER:14+260105:0930+1'UNH+1+ORDERS:D:96A:UN'BGM+220+1'UNT+3+1'UNZ+1+1'"
    assert runner.invoke(app, ["acknowledge", "-", "--number", "9"], input=data).stdout == ""
    told = runner.invoke(app, ["acknowledge", "-", "--contrl", "--number", "9"], input=data).stdout
    assert told.startswith("UNB+UNOC:3+SELLER:14+BUYER:14+")
    assert "UCM+1+ORDERS:D:96A:UN+4" in told
    assert runner.invoke(app, ["check", "-"], input=told.encode()).exit_code == 0


def test_a_partner_s_agreement_says_how_its_files_are_read(made: Path, tmp_path: Path) -> None:
    """Its tolerances, beside those that are named here."""
    folder = tmp_path / "workspace"
    shutil.copytree(made, folder)
    root = Path(__file__).parents[2]
    agreement = folder / "partners" / "acme.yaml"
    text = (root / "partners" / "acme.yaml").read_text(encoding="utf-8")
    text = text.replace("certs/acme.pem", f"certs/{next((folder / 'certs').glob('*.pem')).name}")
    agreement.write_text(text, encoding="utf-8")
    wrapped = BROKEN / "edi.segment.line_break.edi"
    options = ["check", str(wrapped), "--partner", "acme", "--workspace", str(folder)]
    assert runner.invoke(app, options).exit_code == 1
    agreement.write_text(text.replace("\nx12:\n", "\nx12:\n  tolerate: [wrapped_lines]\n", 1), encoding="utf-8")
    result = runner.invoke(app, options)
    assert result.exit_code == 0, result.output
    both = text.replace("\nx12:\n", "\n" + EDIFACT + "x12:\n", 1)
    agreement.write_text(both, encoding="utf-8")
    assert runner.invoke(app, options).exit_code == 1
    orders = BROKEN.parents[1] / "deviations" / "edifact" / "lines-of-80.edi"
    assert runner.invoke(app, ["check", str(orders), *options[2:]]).exit_code == 0
    assert runner.invoke(app, ["check", str(orders)]).exit_code == 1


EDIFACT = """\
edifact:
  identity: {id: "1"}
  our_identity: {id: "2"}
  tolerate: [wrapped_lines]
"""
