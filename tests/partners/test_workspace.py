"""A workspace is read whole or not at all, and every mistake in it is reported at its line."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.as2 import KeyPair
from gateway.errors import OurFault
from gateway.findings import FilePlace, Finding, Severity
from gateway.partners.keys import new_as2_key_pair, write_certificate
from gateway.partners.workspace import examine, load
from gateway.yamltext import read_yaml

from .conftest import ACME, NOW

Edit = Callable[[str, str, str], int]

NO_PARTNER = ("workspace.unknown_partner", "write baltic")
NO_TYPE = ("file.value", "order.sent")
MISTAKES = [
    # file, what stands there, the mistake, the rule, words of its expectation or remedy
    ("gateway.yaml", "id: EXAMPLE}", "id: EXAMPLE, grop_id: EX}", "file.unknown_key", "write group_id"),
    ("gateway.yaml", "name: Example Distribution", "name: [a, b]", "file.value", "text"),
    ("gateway.yaml", "kind: http", "kind: htpp", "file.value", "http"),
    ("gateway.yaml", "base_url: http://127", "base_url: ftp://127", "file.value", "http"),
    ("gateway.yaml", "path: /api/acknow", "path: api/acknow", "file.value", "begins with /"),
    ("gateway.yaml", "{order_number}", "{order_no}", "workspace.placeholder", "write {order_number}"),
    (
        "gateway.yaml",
        "- to: north\n    business",
        "- to: nroth\n    business",
        "workspace.unknown_target",
        "write north",
    ),
    ("gateway.yaml", "acme, baltic]", "acme, blatic]", "workspace.unknown_partner", "write baltic"),
    (
        "gateway.yaml",
        "targets:\n",
        "listen: {tls: {key: certs/gateway.pem, certificate: a.pem}}\ntargets:\n",
        "workspace.tls",
        "PEM",
    ),
    ("gateway.yaml", "routes:\n", "database: {url: mysql://x}\nroutes:\n", "file.value", "postgresql"),
    ("gateway.yaml", "identity:\n", "max_message_bytes: 10\nidentity:\n", "file.value", "1024"),
    ("partners/acme.yaml", "title: Acme Tools", "titel: Acme Tools", "file.unknown_key", "write title"),
    ("partners/acme.yaml", "value: V-1001", "value: ''", "file.value", "1 to 80"),
    ("partners/acme.yaml", "  id: ACME-AS2", "  id: EXAMPLE-AS2", "workspace.as2_id_twice", "ourselves"),
    ("partners/acme.yaml", "[certs/acme.pem]", "[certs/amce.pem]", "workspace.certificate", "PEM"),
    (
        "partners/acme.yaml",
        "url: http://127.0.0.1:8090/as2",
        "receipt_mode: async\n  url: https://as2.acme.example/as2",
        "workspace.public_url",
        "/as2/receipts",
    ),
    ("partners/acme.yaml", "{set: 850,", "{set: 85,", "file.value", "three digits"),
    ("partners/acme.yaml", "{set: 855, map: acme/855}", "{set: 855}", "workspace.channel_incomplete", "map"),
    ("partners/acme.yaml", "map: x12/856", "map: x12/865", "workspace.unknown_map", "write x12/856"),
    ("partners/acme.yaml", "identity: {", "tolerate: [colapsed_isa]\n  identity: {", "file.value", "collapsed_isa"),
    ("partners/acme.yaml", "documents:\n", "  charset: utf-16\ndocuments:\n", "file.value", "iso-8859-1"),
    ("partners/acme.yaml", "x12/850}", "x12/850, guide: acme/85}", "workspace.unknown_guide", "guides/acme/85.yaml"),
    ("partners/baltic.yaml", "channel: rest", "channel: rset", "file.value", "write rest"),
    ("partners/baltic.yaml", "V-2002", "V-1001", "workspace.party_id_twice", "acme"),
    (
        "partners/baltic.yaml",
        "title: Baltic",
        "rest: {requests_per_minute: lots}\ntitle: Baltic",
        "file.value",
        "number",
    ),
]


def map_exists(name: str) -> str | None:
    """As mapping answers: None for a known map, else the near miss."""
    known = {"x12/850", "x12/856", "acme/855"}
    return None if name in known else "x12/856"


def findings(folder: Path) -> tuple[Finding, ...]:
    """All findings at the tests' moment."""
    return examine(folder, now=NOW, map_exists=map_exists)[1]


def where(finding: Finding) -> tuple[str, int | None]:
    """File and line of a finding."""
    assert isinstance(finding.place, FilePlace)
    return finding.place.file, finding.place.line


def test_a_sound_workspace_has_no_findings(sound: Path) -> None:
    """Agreements come by name, each with the hash of its file."""
    workspace = load(sound, now=NOW, map_exists=map_exists)
    assert [agreement.name for agreement in workspace.agreements] == ["acme", "baltic"]
    assert workspace.versions["acme"] == hashlib.sha256(ACME.encode()).hexdigest()
    assert workspace.findings == ()
    assert workspace.agreements[0].x12 is not None
    assert workspace.agreements[0].x12.identity.qualifier == "01"


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda row: row[2])
def test_each_mistake_is_one_finding_at_its_line(
    sound: Path, edit: Edit, mistake: tuple[str, str, str, str, str]
) -> None:
    """One mistake never hides behind, or causes, another."""
    file, old, new, rule, words = mistake
    line = edit(file, old, new)
    found = findings(sound)
    if "titel" in new:
        found = tuple(one for one in found if one.rule != "file.missing_key")  # the title is missing as well
    assert [(one.rule, where(one)) for one in found] == [(rule, (file, line))]
    assert words in found[0].wanted + found[0].fix


@pytest.mark.parametrize("seed", range(25))
def test_n_mistakes_in_several_files_are_n_findings(sound: Path, edit: Edit, seed: int) -> None:
    """Any choice of mistakes, in any files at once: each is reported, at its own line."""
    usable = [row for row in MISTAKES if "titel" not in row[2] and "kind: htpp" not in row[2]]
    chosen = random.Random(seed).sample(usable, k=2 + seed % 9)
    for file, old, new, _, _ in chosen:
        edit(file, old, new)
    expected = []
    for file, _, new, rule, _ in chosen:
        text = (sound / file).read_text()
        expected.append((rule, (file, text[: text.index(new)].count("\n") + 1)))
    # Two partners share the id V-1001 only while acme still has it.
    if any("value: ''" in row[2] for row in chosen):
        expected = [row for row in expected if row[0] != "workspace.party_id_twice"]
    assert sorted((one.rule, where(one)) for one in findings(sound)) == sorted(expected)


@pytest.mark.parametrize(
    ("section", "rule", "words"),
    [
        ("webhooks: {erp: {url: 'https://a.example.com/', secrets: {env: S}, partners: [blatic]}}", *NO_PARTNER),
        ("webhooks: {erp: {url: 'https://a.example.com/', secrets: {env: S}, types: [ordr.*]}}", *NO_TYPE),
        ("webhooks: {erp: {url: 'https://a.example.com/', secrets: whsec_abc}}", "file.value", "section"),
        ("nats: {servers: ['nats://u:p@h']}", "file.value", "without user"),
        ("nats: {servers: ['nats://h'], user: u}", "file.value", "user with password"),
    ],
)
def test_mistakes_about_who_is_told_of_events(sound: Path, edit: Edit, section: str, rule: str, words: str) -> None:
    """Each is one finding at its line."""
    edit("gateway.yaml", "routes:\n", f"{section}\nroutes:\n")
    (finding,) = findings(sound)
    assert finding.rule == rule
    assert words in f"{finding.wanted} {finding.fix}"
    line = (sound / "gateway.yaml").read_text().splitlines().index(section) + 1
    assert where(finding) == ("gateway.yaml", line)


def test_load_refuses_with_all_findings_and_names_the_first(sound: Path, edit: Edit) -> None:
    """The exception carries every finding of every file."""
    edit("gateway.yaml", "{order_number}", "{order_no}")
    edit("partners/acme.yaml", "title: Acme Tools", "title: []")
    with pytest.raises(OurFault, match=r"gateway\.yaml:11 .*and 1 more") as caught:
        load(sound, now=NOW)
    assert len(caught.value.findings) == 2


def test_an_expired_certificate_is_a_warning_only(sound: Path, key_pair: KeyPair) -> None:
    """The partner may be about to replace it; documents signed with it are refused when they come."""
    old = new_as2_key_pair(company="Acme", as2_id="ACME-AS2", now=NOW - timedelta(days=400), days=365, bits=2048)
    write_certificate(sound / "certs/acme.pem", old.certificate, overwrite=True)
    workspace = load(sound, now=NOW)
    assert [one.rule for one in workspace.findings] == ["workspace.certificate_expired"]
    assert workspace.findings[0].severity is Severity.ACCEPT_WITH_ERRORS
    assert where(workspace.findings[0]) == ("partners/acme.yaml", 8)


def test_a_syntax_error_in_one_file_does_not_hide_the_others(sound: Path, edit: Edit) -> None:
    """Nor does it make that partner, or that file's targets, unknown to the rest."""
    edit("partners/baltic.yaml", "channel: rest", "channel: [rest")
    edit("partners/acme.yaml", "title: Acme Tools", "title: []")
    assert [one.rule for one in findings(sound)] == ["file.value", "file.not_yaml"]
    edit("gateway.yaml", "identity:", "identity: [")
    assert [where(one)[0] for one in findings(sound)] == ["gateway.yaml", "partners/acme.yaml", "partners/baltic.yaml"]


def test_a_folder_without_settings_is_no_workspace(tmp_path: Path) -> None:
    """The remedy says how to make one."""
    with pytest.raises(OurFault, match="no workspace") as caught:
        load(tmp_path)
    assert "gateway init" in caught.value.remedy


def test_an_agreement_may_live_in_a_folder_of_its_own_but_not_twice(sound: Path) -> None:
    """partners/acme/partner.yaml is the same partner as partners/acme.yaml."""
    (sound / "partners/acme").mkdir()
    (sound / "partners/acme/partner.yaml").write_text(ACME)
    assert [one.rule for one in findings(sound)] == ["file.name_twice"]
    (sound / "partners/acme.yaml").unlink()
    assert load(sound, now=NOW).agreements[0].name == "acme"


def test_a_retired_partner_gives_its_identities_free(sound: Path) -> None:
    """A successor may take over AS2 name, ISA id and vendor number."""
    (sound / "partners/acme-old.yaml").write_text(ACME)
    rules = {one.rule for one in findings(sound)}
    assert rules == {"workspace.as2_id_twice", "workspace.x12_id_twice", "workspace.party_id_twice"}
    (sound / "partners/acme-old.yaml").write_text("status: retired\n" + ACME)
    assert findings(sound) == ()


def test_a_document_that_no_target_takes_is_a_warning(sound: Path, edit: Edit) -> None:
    """It would be accepted and then wait for ever."""
    edit("gateway.yaml", "\n  - to: north\n    partner: [acme, baltic]", "")
    edit("gateway.yaml", "    business_unit: [N1, N2]", "    partner: [baltic]")
    found = findings(sound)
    assert [(one.rule, where(one)) for one in found] == [
        ("workspace.nowhere_to_go", ("partners/acme.yaml", 15)),
        ("workspace.nowhere_to_go", ("partners/acme.yaml", 16)),
    ]


def test_a_file_that_cannot_be_read_is_a_finding(sound: Path) -> None:
    """The others are still checked."""
    (sound / "partners/odd.yaml").mkdir()
    assert [(one.rule, where(one)[0]) for one in findings(sound)] == [("file.unreadable", "partners/odd.yaml")]


def test_a_partners_certificate_must_be_fit_for_as2(sound: Path) -> None:
    """A short key and a file that is no certificate."""
    short = ["openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=a", "-days", "3650"]
    command = [*short, "-keyout", "/dev/null", "-out", str(sound / "certs/acme.pem")]
    subprocess.run(command, check=True, capture_output=True)
    found = [one for one in findings(sound) if one.rule == "workspace.certificate"]
    assert [where(one) for one in found] == [("partners/acme.yaml", 8)]
    assert "1024 bits" in found[0].said
    (sound / "certs/acme.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert [one.rule for one in findings(sound)] == ["workspace.certificate"]


def test_more_partners_than_one_gateway_is_for_are_refused(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any of them is read."""
    monkeypatch.setattr("gateway.partners.workspace.MAX_PARTNERS", 1)
    assert "file.too_large" in [one.rule for one in findings(sound)]


def test_a_wrong_file_name_is_a_wrong_partner_name(sound: Path) -> None:
    """Names stand in lanes and idempotency keys."""
    (sound / "partners/baltic.yaml").rename(sound / "partners/Baltic AB.yaml")
    found = [one for one in findings(sound) if one.rule == "file.value"]
    assert [(one.said, where(one)[0]) for one in found] == [("'Baltic AB'", "partners/Baltic AB.yaml")]
    assert "a short name" in found[0].wanted


def test_a_name_in_the_file_must_be_the_file_s(sound: Path, edit: Edit) -> None:
    """It may be left out."""
    edit("partners/acme.yaml", "title: Acme Tools", "name: acme\ntitle: Acme Tools")
    assert findings(sound) == ()
    edit("partners/acme.yaml", "name: acme", "name: akme")
    assert [(one.rule, where(one)[1]) for one in findings(sound)] == [("workspace.name", 1)]


def test_a_proxy_is_an_address_or_network(sound: Path, edit: Edit) -> None:
    """Names would be looked up by whoever answers first."""
    edit("gateway.yaml", "targets:\n", "listen: {trusted_proxies: [10.0.0.0/8, '::1', proxy.local]}\ntargets:\n")
    assert [(one.said, where(one)[1]) for one in findings(sound)] == [("'proxy.local'", 5)]


def test_delimiters_that_are_equal_are_named(sound: Path, edit: Edit) -> None:
    """A default counts as well."""
    edit("partners/acme.yaml", "x12:\n", "x12:\n  component_separator: '*'\n")
    assert [(one.rule, where(one)[1]) for one in findings(sound)] == [("workspace.delimiters", 10)]


def test_a_password_in_the_place_of_a_section_is_not_repeated(sound: Path, edit: Edit) -> None:
    """Findings are shown and logged."""
    edit("gateway.yaml", "    kind: http\n", "    kind: http\n    authentication: {kind: bearer, token: hunter2}\n")
    edit("gateway.yaml", "http://127.0.0.1:8071", "http://erp:hunter2@127.0.0.1:8071")
    found = findings(sound)
    assert len(found) == 2
    assert "hunter2" not in repr(found)


def paths(tree: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a tree."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [here, *(path for key, value in entries for path in paths(value, (*here, key)))]


ODD = ["", "x", "~", "[]", "{}", "[[]]", "{a: {b: [c]}}", "[a, b]", "'{'", "'{}'", "-1", "é"]


@pytest.mark.parametrize("file", ["gateway.yaml", "partners/acme.yaml", "partners/baltic.yaml"])
def test_no_shape_of_a_file_is_a_traceback(sound: Path, file: str) -> None:
    """Every place in turn holds text, nothing, a list, a section or depth: findings, or a sound workspace."""
    source, _ = read_yaml(file, (sound / file).read_bytes())
    for path in paths(source.data):
        for odd in ODD:
            tree = json.loads(json.dumps(source.data))
            if path:
                parent = tree
                for key in path[:-1]:
                    parent = parent[key]
                parent[path[-1]] = "@odd@"
            text = json.dumps(tree if path else "@odd@").replace('"@odd@"', odd)
            (sound / file).write_text(text)
            workspace, found = examine(sound, now=NOW, map_exists=map_exists)
            assert workspace is not None or found


def test_our_own_certificate_is_made_not_asked_for(sound: Path) -> None:
    """A missing certificate of ours has another remedy than a missing one of a partner."""
    (sound / "certs/gateway.pem").unlink()
    (found,) = [one for one in findings(sound) if one.rule == "workspace.certificate"]
    assert "gateway init DIR --keys-only" in found.fix
