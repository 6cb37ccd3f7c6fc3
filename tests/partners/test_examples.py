"""The example workspaces of the repository are sound, and fit each other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gateway.as2 import KeyPair
from gateway.partners.keys import write_certificate
from gateway.partners.map_names import known_maps, map_names
from gateway.partners.workspace import Workspace, load
from gateway.simulation.mirror import write_workspace

from .conftest import NOW

ROOT = Path(__file__).parents[2]


@pytest.fixture
def workspaces(tmp_path: Path, key_pair: KeyPair) -> dict[str, Workspace]:
    """The example, copied and given certificates as `make demo` does, and the station that is made of it."""
    ours, station = tmp_path / "distributor", tmp_path / "station"
    (ours / "certs").mkdir(parents=True)
    shutil.copy(ROOT / "gateway.yaml", ours)
    shutil.copytree(ROOT / "partners", ours / "partners")
    for certificate in ("gateway", "acme", "rheintal"):
        write_certificate(ours / f"certs/{certificate}.pem", key_pair.certificate)
    loaded = load(ours, now=NOW)
    acme = loaded.agreements[0]
    url = f"http://127.0.0.1:{loaded.settings.listen.port}/as2"
    write_workspace(loaded, acme, station, url=url, host="127.0.0.1", port=8090, now=NOW, bits=2048)
    return {"distributor": loaded, "station": load(station, now=NOW)}


def test_the_examples_have_no_findings(workspaces: dict[str, Workspace]) -> None:
    """Neither mistakes nor warnings."""
    assert [workspace.findings for workspace in workspaces.values()] == [(), ()]
    assert {agreement.name for one in workspaces.values() for agreement in one.agreements} == {
        "acme",
        "baltic",
        "rheintal",
        "us",
    }


def test_the_maps_that_the_examples_name_exist(workspaces: dict[str, Workspace]) -> None:
    """In the repository's maps/, which the wheel carries."""
    exists = known_maps(ROOT)
    rules = [
        rule
        for workspace in workspaces.values()
        for agreement in workspace.agreements
        for rule in (*agreement.documents.send.values(), *agreement.documents.receive.values())
    ]
    named = {rule.map for rule in rules if rule.map}
    assert {name: exists(name) for name in named} == dict.fromkeys(named)


def test_the_two_sides_of_the_demo_fit_each_other(workspaces: dict[str, Workspace]) -> None:
    """What one calls itself, the other calls it; what one sends, the other receives, with the same map."""
    ours, theirs = workspaces["distributor"], workspaces["station"]
    acme, distributor = ours.agreements[0], theirs.agreements[0]
    assert acme.as2 is not None
    assert acme.x12 is not None
    assert distributor.as2 is not None
    assert distributor.x12 is not None
    assert acme.as2.id == theirs.settings.identity.as2_id
    assert distributor.as2.id == ours.settings.identity.as2_id
    assert acme.x12.identity == theirs.settings.identity.x12
    assert distributor.x12.identity == ours.settings.identity.x12
    assert acme.as2.url == f"http://127.0.0.1:{theirs.settings.listen.port}/as2"
    assert distributor.as2.url == f"http://127.0.0.1:{ours.settings.listen.port}/as2"
    assert acme.documents.send == distributor.documents.receive
    assert acme.documents.receive == distributor.documents.send


def test_maps_are_known_by_their_names(tmp_path: Path) -> None:
    """Those of the workspace, and a near miss for a name that is none."""
    (tmp_path / "maps/acme").mkdir(parents=True)
    (tmp_path / "maps/acme/855x.yaml").write_text("")
    exists = known_maps(tmp_path)
    assert "acme/855x" in map_names(tmp_path)
    assert exists("acme/855x") is None
    assert exists("acme/855y") in {"acme/855x", "acme/855"}
    assert exists("nothing-like-it") == ""
