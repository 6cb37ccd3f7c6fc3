"""`gateway partner guide`: the page has everything, its links lead somewhere, and its examples pass the check."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from gateway.edi.guide import LoopUse
from gateway.partners.workspace import load

Run = Callable[..., Result]
ROOT = Path(__file__).parents[2]
DAY = ("--date", "2026-03-02")

ACME = """\
title: "Acme <b>Tools</b> | & Söhne"
contact: {name: EDI team, email: edi@acme.example}
ids: [{scheme: assigned_by_buyer, value: V-1001}]
channel: as2
as2:
  id: ACME-AS2
  url: http://127.0.0.1:8090/as2
  certificates: [certs/acme.pem]
  authentication: {kind: basic, username: our-user, password: {env: ACME_PASSWORD}}
x12:
  identity: {qualifier: ZZ, id: ACMETOOLS}
  element_separator: "|"
  acknowledgment_within_hours: 8
documents:
  send:
    purchase_order: {set: 850, map: x12/850}
  receive:
    order_acknowledgement: {set: 855, map: acme/855, guide: acme/855}
    ship_notice: {set: 856, map: x12/856}
"""
GUIDE = """\
extends: x12/004010/855
title: ACME's order acknowledgment
segments:
  ZZ1: {label: warehouse note, elements: [M AN 1/10 352 note, O ID 2/2 355 unit], notes: P0102}
after: {BAK: [ZZ1 2]}
required: [BAK08, PO1/ACK]
forbidden: [TAX, FOB, BAK06]
codes:
  BAK02: [AC, AD, RD]
  PO1/ACK/ACK01: [IA, IB, IR]
lengths: {BAK08: 1/20}
"""
MAP = """\
extends: x12/855
title: ACME's words
codes: {line_status: {IC: ~}}
change: {PO1/ACK: {ACK27: =ZZ with reason, ACK28: ~, ACK29: reason}}
examples:
  - {edi: samples/x12/855-accepted.edi, canonical: samples/x12/855-accepted.json}
"""
EDIFACT = """\
title: Küste AG
ids: [{scheme: gln, value: "4098765000003"}]
channel: as2
as2: {id: KUESTE, url: "http://127.0.0.1:8099/as2", certificates: [certs/acme.pem]}
edifact: {identity: {id: "4098765000003", qualifier: "14"}, test: true, acknowledgment_within_hours: 4}
documents:
  send: {purchase_order: {set: ORDERS, map: own/ORDERS}}
"""
ORDERS = """\
document: ORDERS
canonical: purchase_order
codes: {purpose: {"9": original, "4": change}}
segments:
  - BGM: {BGM02: number, BGM03: purpose | code purpose}
  - DTM+137: {DTM01.2..3: issue_date | day}
  - loop: NAD
    each: parties
    segments: [{NAD: {NAD01: role, NAD02.1: name}}]
  - loop: LIN
    each: lines
    segments:
      - LIN: {LIN01: line_id}
      - QTY+21: {QTY01.2: quantity.value | decimal, QTY01.3: quantity.unit}
"""
REST = """\
title: Baltic Fasteners
ids: [{scheme: assigned_by_buyer, value: V-2002}]
channel: rest
documents:
  send: {purchase_order: {}}
"""


@pytest.fixture(scope="module")
def folder(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a partner for each standard and one without EDI."""
    folder = tmp_path_factory.mktemp("guides") / "w"
    shutil.copytree(made, folder)
    shutil.copy(folder / "certs/gateway.pem", folder / "certs/acme.pem")
    settings = folder / "gateway.yaml"
    text = settings.read_text("utf-8")
    if not re.search(r"^  edifact:", text, re.MULTILINE):
        text = re.sub(
            r"^identity:\n", 'identity:\n  edifact: {id: "4012345000009", qualifier: "14"}\n', text, flags=re.MULTILINE
        )
        settings.write_text(text, "utf-8")
    for file, content in {
        "partners/acme.yaml": ACME,
        "partners/kueste.yaml": EDIFACT,
        "partners/baltic.yaml": REST,
        "guides/acme/855.yaml": GUIDE,
        "maps/acme/855.yaml": MAP,
        "maps/own/ORDERS.yaml": ORDERS,
    }.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(content, "utf-8")
    return folder


@pytest.fixture(scope="module")
def page(run: Run, folder: Path) -> str:
    """The guide for acme as HTML."""
    result = run("partner", "guide", "acme", *DAY, "--workspace", folder)
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def said(run: Run, folder: Path) -> dict[str, Any]:
    """The same as JSON."""
    result = run("partner", "guide", "acme", *DAY, "--json", "--workspace", folder)
    assert result.exit_code == 0, result.stderr
    made: dict[str, Any] = json.loads(result.stdout)
    return made


class Parsed(HTMLParser):
    """Tags, ids, links, and the texts of examples."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.examples: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.tags.add(tag)
        if tag not in {"meta", "wbr"}:
            self.open.append(tag)
        if tag == "pre":
            self.examples.append("")
        for name, value in attrs:
            assert not name.startswith("on")
            if name == "id":
                self.ids.append(value or "")
            elif name == "href":
                self.links.add(value or "")

    def handle_endtag(self, tag: str) -> None:
        """Every element is closed where it should be."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Of examples only."""
        if self.open and self.open[-1] == "pre":
            self.examples[-1] += data


def test_the_page_stands_alone_and_its_links_lead_into_it(page: str) -> None:
    """No script, nothing fetched, every id once, every link with a target, every element closed."""
    parsed = Parsed(page)
    assert not parsed.open
    assert not parsed.tags & {"script", "img", "link", "iframe", "object", "form"}
    assert "url(" not in page
    assert "@import" not in page
    assert len(parsed.ids) == len(set(parsed.ids))
    assert {link.removeprefix("#") for link in parsed.links} <= set(parsed.ids)
    assert all(link.startswith("#") for link in parsed.links)


def test_what_a_partner_is_called_is_text_in_the_page(page: str, run: Run, folder: Path) -> None:
    """Never markup, neither in HTML nor in Markdown."""
    assert "Acme &lt;b&gt;Tools&lt;/b&gt; | &amp; Söhne" in page
    assert "<b>Tools" not in page
    markdown = run("partner", "guide", "acme", *DAY, "--md", "--workspace", folder).stdout
    assert r"Acme \<b\>Tools\</b\> \| &amp; Söhne" in markdown


def test_every_mandatory_segment_and_element_of_the_guide_is_in_it(said: dict[str, Any], folder: Path) -> None:
    """Those of loops that are used; an element stands in the segment's own table, or in the one it refers to."""
    guides = load(folder).guides
    root = guides["acme/855"].guide.root
    document = next(one for one in said["documents"] if one["set"] == "855")
    by_anchor = {one["anchor"]: one for one in document["segments"]}
    parts = {(*one["path"], one["tag"]): one for one in document["segments"]}
    waiting: list[tuple[tuple[str, ...], LoopUse]] = [((), root)]
    seen = 0
    while waiting:
        path, loop = waiting.pop()
        for item in loop.items:
            if isinstance(item, LoopUse):
                if item.mandatory or any(key[: len(path) + 1] == (*path, item.name) for key in parts):
                    waiting.append(((*path, item.name), item))
                continue
            if not item.mandatory:
                continue
            part = parts[*path, item.tag]
            rows = by_anchor[part["same_as"]]["elements"] if part["same_as"] else part["elements"]
            for number, element in enumerate(item.spec.elements, 1):
                if element.mandatory:
                    (row,) = (one for one in rows if one["name"] == f"{item.tag}{number:02d}")
                    assert row["usage"] == "M"
                    seen += 1
    assert seen > 10


def test_the_partners_own_rules_are_told_in_words(said: dict[str, Any]) -> None:
    """Usage, closed codes with our words, lengths, own segments, notes, and where a field goes."""
    document = next(one for one in said["documents"] if one["set"] == "855")
    bak, zz1 = (next(one for one in document["segments"] if one["tag"] == tag) for tag in ("BAK", "ZZ1"))
    rows = {one["name"]: one for one in bak["elements"]}
    assert (rows["BAK08"]["usage"], rows["BAK08"]["form"]) == ("M", "AN 1\u201320")
    assert rows["BAK06"]["usage"] == "X"
    assert rows["BAK03"]["fields"] == ["order.number"]
    codes = rows["BAK02"]["codes"]
    assert codes["closed"]
    assert {one["code"]: one["word"] for one in codes["codes"]} == {
        "AC": "accepted with changes",
        "AD": "accepted",
        "RD": "rejected",
    }
    assert zz1["rules"] == ["Of ZZ101 and ZZ102, send all or none."]
    assert zz1["purpose"] == ["We do not use it."]
    top = [place["name"] for place in document["places"] if not place["depth"]]
    assert "ZZ1" in top
    assert "FOB" not in top


def test_what_differs_is_told_with_file_and_line(said: dict[str, Any], page: str) -> None:
    """The lines of the guide's delta and of the map's; the versions are those that documents record."""
    document = next(one for one in said["documents"] if one["set"] == "855")
    kinds = {one["kind"]: one for one in document["changes"]}
    assert kinds["guide"]["base"] == "x12/004010/855"
    rows = {(one["where"], one["what"]): one for one in kinds["guide"]["rows"]}
    assert rows["BAK08", "required"]["source"] == "guides/acme/855.yaml:6"
    assert rows["BAK02", "codes"]["value"] == "AC, AD, RD"
    assert rows["TAX", "must not be sent"]
    assert rows["ZZ1", "segment of its own"]["value"] == "warehouse note"
    changed = {one["where"]: one for one in kinds["map"]["rows"]}
    assert changed["line status: IC"]["value"] == "no meaning"
    assert changed["PO1/ACK28"]["value"] == "not used"
    assert changed["PO1/ACK29"]["source"] == "maps/acme/855.yaml:4"
    for _, _, digits in said["versions"]:
        assert re.fullmatch("[0-9a-f]{64}", digits)
        assert digits in page


def test_a_guide_inside_a_map_is_told_from_the_maps_file(run: Run, folder: Path, tmp_path: Path) -> None:
    """One file for both deltas: each with its own lines."""
    shutil.copytree(folder, tmp_path / "w")
    (tmp_path / "w/guides/acme/855.yaml").unlink()
    inside = "guide:\n  extends: x12/004010/855\n  required: [BAK08]\n"
    (tmp_path / "w/maps/acme/855.yaml").write_text(MAP + inside, "utf-8")
    result = run("partner", "guide", "acme", *DAY, "--for", "855", "--json", "--workspace", tmp_path / "w")
    assert result.exit_code == 0, result.stderr
    (document,) = json.loads(result.stdout)["documents"]
    guide, map_ = document["changes"]
    line = (MAP + inside).splitlines().index("  required: [BAK08]") + 1
    assert [(row["where"], row["source"]) for row in guide["rows"]] == [("BAK08", f"maps/acme/855.yaml:{line}")]
    assert (guide["base"], map_["base"]) == ("x12/004010/855", "x12/855")


def test_identities_and_times_are_told_and_no_secret_is(page: str) -> None:
    """Delimiters, hours, AS2 names; the password's place is not."""
    for wanted in ("ZZ / ACMETOOLS", "ACME-AS2", "within 8 hours", "P: production", "signed MDN", "V-1001"):
        assert wanted in page
    assert "ACME_PASSWORD" not in page
    assert "our-user" not in page


def test_what_we_ask_of_the_partner_over_as2_is_told(run: Run, folder: Path, tmp_path: Path) -> None:
    """Demands, algorithms, sizes and HTTP, without a secret; what is broken is asked to be replaced."""
    folder = Path(shutil.copytree(folder, tmp_path / "w"))
    file = folder / "partners/acme.yaml"
    more = """\
  encrypt: aes256-gcm
  key_transport: oaep
  signature_scheme: pss
  micalgs: [sha512, sha256]
  require_compression: yes
  require_receipt_request: yes
  accept_hashes: [sha256]
  accept_weak: [sha1, 3des-cbc]
  accept_content_types: [application/edi-x12]
  require_authentication: {username: their-user, password: {env: THEIR_PASSWORD}}
x12:
"""
    file.write_text(file.read_text().replace("x12:\n", more, 1))
    page = run("partner", "guide", "acme", "--md", "--workspace", folder, *DAY).stdout
    for wanted in (
        "SHA256, RSA-PSS",
        "AES256-GCM, key by RSA-OAEP with SHA-256",
        "signed MDN, MIC by the first you know of SHA512, SHA256",
        "signed, encrypted and compressed; it must ask for a receipt",
        "SHA256, SHA1",
        "SHA1, 3DES-CBC: broken",
        "application/edi-x12",
        "bytes",
        "basic, user and password as agreed apart from this guide",
    ):
        assert wanted in page, wanted
    assert "their-user" not in page
    assert "THEIR_PASSWORD" not in page


def test_examples_pass_the_check_that_the_guide_speaks_of(
    run: Run, folder: Path, page: str, said: dict[str, Any], tmp_path: Path
) -> None:
    """Each as `gateway edi check --partner` reads it; the page prints the same bytes; each document has one."""
    examples = [example["text"] for one in said["documents"] for example in one["examples"]]
    assert all(one["examples"] for one in said["documents"])
    assert [text.rstrip() for text in examples] == [text.rstrip() for text in Parsed(page).examples]
    files = []
    for number, text in enumerate(examples):
        assert "|" in text
        files.append(tmp_path / f"{number}.edi")
        files[-1].write_text(text, "utf-8", newline="")
    result = run("edi", "check", *files, "--partner", "acme", "--workspace", folder)
    assert result.exit_code == 0, result.stderr


def test_the_same_day_gives_the_same_page(run: Run, folder: Path, page: str) -> None:
    """Nothing in it comes from the clock."""
    assert run("partner", "guide", "acme", *DAY, "--html", "--workspace", folder).stdout == page


def test_an_edifact_partner_without_examples_gets_a_made_up_one(run: Run, folder: Path, tmp_path: Path) -> None:
    """In UNB to UNZ, only of what the map uses, and it passes; times and directory are those of its section."""
    result = run("partner", "guide", "kueste", *DAY, "--json", "--workspace", folder)
    assert result.exit_code == 0, result.stderr
    (document,) = json.loads(result.stdout)["documents"]
    (example,) = document["examples"]
    assert example["text"].startswith("UNB+UNOC:3+4012345000009:14+4098765000003:14+")
    (tmp_path / "one.edi").write_bytes(example["text"].encode("iso-8859-1"))
    checked = run("edi", "check", tmp_path / "one.edi", "--partner", "kueste", "--workspace", folder)
    assert checked.exit_code == 0, checked.output
    tags = {place["name"] for place in document["places"] if place["use"] == "used"}
    assert {"BGM", "DTM", "NAD", "LIN", "QTY"} <= tags
    assert "MOA" not in tags
    assert "within 4 hours" in result.stdout


def test_a_partner_without_edi_gets_the_fields_of_the_documents(run: Run, folder: Path) -> None:
    """Each kind of object once."""
    result = run("partner", "guide", "baltic", *DAY, "--json", "--workspace", folder)
    (document,) = json.loads(result.stdout)["documents"]
    listed = [(one["group"], one["name"]) for one in document["fields"]]
    assert ("", "number") in listed
    assert ("quantity", "unit") in listed
    assert len(listed) == len(set(listed))
    parsed = Parsed(run("partner", "guide", "baltic", *DAY, "--workspace", folder).stdout)
    assert {link.removeprefix("#") for link in parsed.links} <= set(parsed.ids)


def test_an_example_that_the_guide_refuses_is_said_with_exit_code_1(run: Run, folder: Path, tmp_path: Path) -> None:
    """The guide is written all the same, with an example that passes."""
    shutil.copytree(folder, tmp_path / "w")
    (tmp_path / "w/guides/acme/855.yaml").write_text(GUIDE.replace("[IA, IB, IR]", "[IB, IR]"))
    output = tmp_path / "acme.html"
    result = run("partner", "guide", "acme", *DAY, "--for", "855", "-o", output, "--workspace", tmp_path / "w")
    assert result.exit_code == 1
    assert "the guide refuses an example of the map acme/855: samples/x12/855-accepted.edi" in result.stderr
    assert Parsed(output.read_text("utf-8")).examples


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["acmee"], "did you mean acme?"),
        (["acme", "--for", "85"], "did you mean 85"),
        (["acme", "--html", "--md"], "choose one of"),
        (["acme", "--date", "02.03.2026"], "2026-03-02"),
        (["acme", "-o", "/nowhere/at/all.html"], "check the path"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_remedy(run: Run, folder: Path, arguments: list[str], wanted: str) -> None:
    """Exit code 2, never a traceback."""
    result = run("partner", "guide", *arguments, "--workspace", folder)
    assert result.exit_code == 2
    assert wanted in " ".join(result.stderr.split())
