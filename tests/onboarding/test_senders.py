"""Senders with different habits, onboarded with `gateway partner infer`, at most twenty lines by hand, and no Python.

`senders/NAME/` holds what came out: agreement, guides and maps, as infer wrote them and with the lines that a person
added (`# by hand`). Files of the public samples are found by GATEWAY_SAMPLES and never copied; those in `files/` were
written for this.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.canonical import check, dump, parse
from gateway.cli import app, map_edi
from gateway.cli.edi_reading import of_partner
from gateway.edi import library, reading
from gateway.edi.interchange import Interchange
from gateway.edi.tree import Message, Verdict
from gateway.mapping import Map, compile_map, from_folders, shipped
from gateway.mapping.draw import draw
from gateway.mapping.envelope import read_envelope
from gateway.partners.guide_files import with_workspace_guides
from gateway.partners.workspace import load

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "senders"
MOST_BY_HAND = 20
BY_HAND = "# by hand"
NODE = "aaronhuggins__node-x12/test/test-data"
STUPID = "kputnam__stupidedi/spec/fixtures"
ENGINE = "olmelabs__EdiEngine/EdiEngine.Tests/TestData"
PYDIFACT = "nerdocs__pydifact/tests/data"
AIR_850 = f"{STUPID}/004010/X357_SC850_Aerospace_Industry_Purchase_Order/pass"
AIR_855 = f"{STUPID}/004010/X358_SC855_Aerospace_Industry_Purchase_Order_Acknowledgment/pass"
WAITING = {"workspace.channel_incomplete", "guide.lengths_wider"}
"""What a check of a draft may say: only a person knows the channel; a partner's longer value is told."""


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Files of one sender; without any, those in `files/`."""

    habit: str
    public: tuple[str, ...] = ()
    ends: str = ""
    """What the public file lacks at its end."""
    unread: dict[str, str] = field(default_factory=dict)
    """Elements that stay without a line, and why."""
    found: dict[str, str] = field(default_factory=dict)
    """Rules of canonical documents that the samples break, and why."""


SENDERS = {
    "vics-retailer": Sender(
        habit="retail 850 of VICS: packs, price tickets, routing by guide; two interchanges in a file",
        public=(f"{NODE}/850.edi", f"{NODE}/850_2.edi", f"{NODE}/850_fat.edi"),
    ),
    "department-store": Sender(
        habit="retail 850 with components in composite units",
        public=(f"{ENGINE}/850.OK.edi", f"{ENGINE}/850.Composite.SLN.OK.edi"),
    ),
    "aerospace": Sender(
        habit="850 and 855 of the aerospace industry: split schedules, several ACK of a line, group SC",
        public=(
            f"{AIR_850}/basic-po.edi",
            f"{AIR_850}/taxexempt-po.edi",
            f"{AIR_855}/basic-po-ack-accepted.edi",
            f"{AIR_855}/basic-po-ack-rejected.edi",
            f"{AIR_855}/po-ack-minor-changes.edi",
            f"{AIR_855}/po-ack-ship-details.edi",
        ),
    ),
    "book-wholesaler": Sender(
        habit="855 with reasons in ACK29 and a schedule for each line; authors as item numbers",
        public=(f"{NODE}/855.edi",),
    ),
    "parts-maker": Sender(
        habit="855 without a word on its lines; { between components", public=(f"{STUPID}/004010/PR855/pass/1.edi",)
    ),
    "cross-dock": Sender(
        habit="856 pick and pack: cartons by store, two orders",
        public=(f"{ENGINE}/856.Crossdock.OK.edi",),
        found={
            "canonical.sscc.check_digit": "five SSCC are made up",
            "canonical.item.check_digit": "so are UPC and EAN",
        },
    ),
    "standard-pack": Sender(
        habit="856 standard pack of 004060, read as 004010",
        public=(f"{NODE}/856.edi",),
        unread={
            "REF02": "ISA11 makes the hyphen a repetition separator, and a bill of lading has one",
            "N403": "so has a ZIP code",
        },
        found={
            "map.read.value": "the two of them",
            "canonical.item.check_digit": "the UPC are made up",
        },
    ),
    "car-maker": Sender(
        habit="860 of 003010, read as 004010: short dates, collapsed ISA, ! as terminator",
        public=(f"{STUPID}/003010/PC860/fail/1.edi",),
    ),
    "early-buyer": Sender(
        habit="850 of 003050, read as 004010: a wrapped and collapsed ISA, NTE for words",
        public=(f"{STUPID}/003050/PO850/fail/1.edi",),
        unread={
            "NTE01": "words stand in N9 and MSG from 004010 on, and a list has one rule that writes it",
            "NTE02": "so they are kept and written back",
        },
    ),
    "larkspur": Sender(habit="860 of 004010: | and no line breaks, two sets in a group, codes of their own"),
    "una-orders": Sender(
        habit="ORDERS with UNA: a decimal comma, EAN008, syntax 4",
        public=(f"{PYDIFACT}/order.edi",),
        ends="UNZ+1+807'\n",
    ),
    "plain-orders": Sender(
        habit="ORDERS without UNA, names instead of GLNs in UNB",
        public=(f"{PYDIFACT}/order2.edi",),
        ends="UNZ+1+000000001'\n",
        found={"canonical.party.check_digit": "nine digits that are told as GLNs"},
    ),
    "quayside": Sender(
        habit="DESADV of D.96A: UNA with a decimal comma, one line, pallets with their SSCC, a weight in kilos"
    ),
    "nordwind": Sender(habit="ORDRSP of D.96A: no UNA, CR and LF, umlauts, FTX behind PRI, an action of their own"),
}


@pytest.fixture(params=SENDERS)
def sender(request: pytest.FixtureRequest) -> str:
    """Each of them."""
    name: str = request.param
    return name


@pytest.fixture
def folder(sender: str, tmp_path: Path) -> Path:
    """The sender's files."""
    own = SENDERS[sender]
    if not own.public:
        return HERE / sender / "files"
    samples = os.environ.get("GATEWAY_SAMPLES")
    if not samples:
        pytest.skip("GATEWAY_SAMPLES names no folder of public samples")
    folder = tmp_path / "files"
    folder.mkdir()
    for name in own.public:
        (folder / Path(name).name).write_bytes((Path(samples) / name).read_bytes() + own.ends.encode())
    return folder


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace without partners: our certificate, our settings."""
    ours = tmp_path_factory.mktemp("ours") / "workspace"
    names = ["--name", "Harborline Supply", "--as2-id", "HARBORLINE", "--x12-id", "HARBORLINE"]
    assert CliRunner().invoke(app, ["init", str(ours), *names]).exit_code == 0
    shutil.copy(HERE / "gateway.yaml", ours)
    return ours


@pytest.fixture
def workspace(sender: str, ours: Path, tmp_path: Path) -> Path:
    """What is committed of the sender, as a workspace."""
    workspace = tmp_path / "workspace"
    shutil.copytree(ours, workspace)
    shutil.copytree(HERE / sender, workspace, ignore=shutil.ignore_patterns("files"), dirs_exist_ok=True)
    return workspace


def yaml_files(folder: Path) -> dict[str, list[str]]:
    """The lines of agreement, guides and maps, by path."""
    paths = [path for part in ("partners", "guides", "maps") for path in sorted((folder / part).rglob("*.yaml"))]
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8").splitlines() for path in paths}


def without_hand(lines: list[str]) -> list[str]:
    """The lines that no person wrote."""
    return "\n".join(line for line in lines if BY_HAND not in line).rstrip().splitlines()


def test_infer_writes_what_is_committed_but_for_the_lines_by_hand(sender: str, folder: Path, tmp_path: Path) -> None:
    """Twenty of them at most."""
    into = tmp_path / "into"
    into.mkdir()
    shutil.copy(HERE / "gateway.yaml", into)
    done = CliRunner().invoke(app, ["partner", "infer", str(folder), "--name", sender, "--into", str(into)])
    assert done.exit_code == 0, done.output
    committed = yaml_files(HERE / sender)
    assert {path: without_hand(lines) for path, lines in committed.items()} == yaml_files(into)
    assert sum(BY_HAND in line for lines in committed.values() for line in lines) <= MOST_BY_HAND


def test_check_asks_only_for_what_a_person_knows(sender: str, workspace: Path) -> None:
    """Exit code 0; their channel is still to come."""
    done = CliRunner().invoke(app, ["partner", "check", sender, "--workspace", str(workspace), "--json"])
    assert done.exit_code == 0, done.output
    assert {row["rule"] for row in json.loads(done.stdout)} <= WAITING


def test_their_agreement_is_tried_from_both_sides_and_fails_nowhere(sender: str, workspace: Path) -> None:
    """`gateway partner test`: drawn and generated documents, and the scenarios where orders are agreed."""
    tried = ["partner", "test", sender, "--workspace", str(workspace), "--count", "5", "--json"]
    done = CliRunner().invoke(app, tried)
    assert done.exit_code == 0, done.output


def sets(workspace: Path, sender: str, folder: Path) -> Iterator[tuple[bytes, Interchange, Message]]:
    """Every set of the sender's files, read as their agreement says."""
    how = of_partner(sender, workspace, with_workspace_guides(library.standard(), workspace))
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        whole = reading.read_whole(data, guides=how.guides, tolerances=how.tolerances, charset=how.charset)
        assert whole.fault is None
        for interchange in whole.interchanges:
            assert interchange.outcome is not Verdict.REJECTED, (path, interchange.findings)
            for group in interchange.groups:
                for message in group.messages:
                    yield data, interchange, message


@pytest.fixture
def map_for(sender: str, workspace: Path) -> Callable[[Message], Map]:
    """The map that their agreement names for a set."""
    (agreement,) = load(workspace).agreements
    rules = {one.set: one.map for one in agreement.documents.receive.values()}
    return lambda message: compile_map(rules[message.type] or "", from_folders(workspace / "maps", shipped()))


def test_every_file_is_read_and_written_back_as_it_came(
    sender: str, folder: Path, workspace: Path, map_for: Callable[[Message], Map]
) -> None:
    """No element without a line and no finding, but for those of the table; the bytes of the set are the same."""
    unread, found, count = set(), set(), 0
    for data, interchange, message in sets(workspace, sender, folder):
        own = map_for(message)
        result = own.read(message.root)
        model, errors = parse(own.canonical, result.document)
        assert model is not None, errors
        unread |= {f"{one.tag}{one.element:02d}" for one in result.unmapped}
        found |= {one.rule for one in (*result.findings, *errors, *check(model))}
        ending = map_edi.line_ending(data, message, interchange.delimiters)
        (group,) = [each for each in interchange.groups if message in each.messages]
        document = {**read_envelope(interchange, group, message, ending), **json.loads(json.dumps(dump(model)))}
        writing = own.write(document)
        assert not writing.lost
        written = map_edi.write_set(own, document, writing.root, number=None, newlines=False, version=None)
        assert written.rstrip() in data  # offsets are those of unwrapped lines
        count += 1
    assert count >= len(SENDERS[sender].public or (1,))
    assert unread == set(SENDERS[sender].unread)
    assert found == set(SENDERS[sender].found)


@pytest.mark.parametrize("sender", ["larkspur", "nordwind", "car-maker"], indirect=True)
def test_the_commands_read_and_write_as_the_agreement_says(sender: str, folder: Path, workspace: Path) -> None:
    """`map read --partner` with its guides and tolerances; `map write` checks by the guide of the same name."""
    (path,) = (HERE / sender / "maps" / sender).iterdir()
    guide = HERE / sender / "guides" / sender / path.name
    names = ["--map", f"{sender}/{path.stem}", "--workspace", str(workspace)]
    checked = ["--guide", f"{sender}/{path.stem}"] if guide.is_file() else []
    for file in sorted(folder.iterdir()):
        read = CliRunner().invoke(app, ["map", "read", *names, "--partner", sender, "--lines", str(file)])
        assert read.exit_code in (0, 1), read.output
        for document in read.stdout.splitlines():
            written = CliRunner().invoke(app, ["map", "write", *names, *checked, "-"], input=document)
            assert written.stdout_bytes
            assert written.stdout_bytes.rstrip() in file.read_bytes(), written.stderr


@pytest.mark.parametrize("sender", ["larkspur"], indirect=True)
def test_a_partner_who_is_not_there_is_told_with_the_near_one(workspace: Path) -> None:
    """Exit code 2, and no traceback."""
    (agreement,) = load(workspace).agreements
    file = ROOT / "samples/x12/855-split.edi"
    wrong = ["--map", "x12/855", "--partner", f"{agreement.name}x", "--workspace", str(workspace)]
    done = CliRunner().invoke(app, ["map", "read", *wrong, str(file)])
    assert done.exit_code == 2
    assert f"did you mean {agreement.name}?" in done.stderr


@pytest.mark.parametrize(
    "path", sorted(HERE.glob("*/maps/*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_documents_drawn_from_their_maps_are_written_and_read_again(path: Path) -> None:
    """Law 1 holds for what a person wrote, and for short dates."""
    own = compile_map(f"{path.parent.name}/{path.stem}", from_folders(path.parents[1], shipped()))
    for seed in range(20):
        model, errors = parse(own.canonical, draw(own, seed))
        assert model is not None, errors
        writing = own.write(json.loads(json.dumps(dump(model))))
        assert not writing.lost
        assert parse(own.canonical, own.read(writing.root).document)[0] == model


def test_there_are_ten_senders_and_more() -> None:
    """Each with a folder, and each folder with a sender; every set and syntax that the issue names."""
    assert {path.name for path in HERE.iterdir() if path.is_dir()} == set(SENDERS)
    assert len(SENDERS) >= 10
    assert all(len(one.habit) > 12 for one in SENDERS.values())
