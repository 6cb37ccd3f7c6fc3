"""Every combination with every station, run for real (`make peers`); docs/interoperability.md is written from the run.

GATEWAY_PEERS names the stations' environments, GATEWAY_INTEROPERABILITY the page to write, GATEWAY_AS2_PEER_URL and
its companions (docs/interoperability.md) any other AS2 server.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.as2 import KeyPair

from .peers import page
from .peers.combinations import Combination, Result, Standing, Way, results
from .peers.defects import known
from .peers.material import Keys, certificate_pem, pem
from .peers.openssl_station import OpensslStation
from .peers.pyas2lib_station import Pyas2libStation
from .peers.quirks import ENVELOPES, MESSAGES, NOT_READ, RECEIPTS
from .peers.url_station import Server, UrlStation, by_environment

pytestmark = pytest.mark.peers

PEERS = Path(os.environ.get("GATEWAY_PEERS", "/nonexistent"))
URL = os.environ.get("GATEWAY_AS2_PEER_URL")
WHAT = {
    "pyas2lib": "a library in a process of its own; our side by `gateway.as2`",
    "django-pyas2": "a server (gunicorn) over HTTP; our side a running `gateway serve`, an agreement each",
    "openssl cms": "every layer by the command `openssl cms`, compression by zlib; our side by `gateway.as2`",
    "server by URL": "what GATEWAY_AS2_PEER_URL names, over HTTP; our side by `gateway.as2`",
}
LOCAL = ("pyas2lib", "django-pyas2", "openssl cms")


@pytest.fixture(scope="session")
def keys(pair: Callable[..., KeyPair]) -> Keys:
    """Made once."""
    return Keys(ours=pair("ours"), theirs=pair("acme"), ours_ec=pair("ours-ec", "ec"), theirs_ec=pair("acme-ec", "ec"))


class Matrix:
    """The stations, started when they are asked for, and what was found with each."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        self._folder, self._keys = folder, keys
        self.stations: dict[str, Any] = {}
        self.found: dict[tuple[str, Way], dict[Combination, Result]] = {}

    def station(self, name: str) -> Any:
        """Skips, with what to do, where it is not there."""
        if name not in self.stations:
            folder = self._folder / name.replace(" ", "-")
            folder.mkdir(exist_ok=True)  # there already, where the station was skipped before
            self.stations[name] = self._make(name, folder)
        return self.stations[name]

    def _make(self, name: str, folder: Path) -> Any:
        if name == "server by URL":
            if URL is None:
                pytest.skip("no other AS2 server: set GATEWAY_AS2_PEER_URL (docs/interoperability.md)")
            return by_environment(os.environ, self._keys)
        if not PEERS.exists():
            pytest.skip(f"no {name} station: run tests/make_peers.py FOLDER and set GATEWAY_PEERS=FOLDER")
        if name == "openssl cms":
            if shutil.which("openssl") is None:
                pytest.skip("no openssl command on this machine")
            return OpensslStation(folder, self._keys)
        environment = PEERS / name
        if not environment.exists():
            pytest.skip(f"no {name} peer: run tests/make_peers.py FOLDER and set GATEWAY_PEERS=FOLDER")
        if name == "pyas2lib":
            return Pyas2libStation(environment / "bin" / "python", folder, self._keys)
        from .peers.django_station import DjangoStation  # noqa: PLC0415  the whole gateway stands behind it

        return DjangoStation(environment, folder, self._keys)

    def table(self, name: str, way: Way) -> dict[Combination, Result]:
        """Run once."""
        if (name, way) not in self.found:
            self.found[name, way] = results(self.station(name), way)
        return self.found[name, way]

    def close(self) -> None:
        """End all."""
        for station in self.stations.values():
            station.close()


@pytest.fixture(scope="session")
def matrix(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[Matrix]:
    """All stations, ended at the end."""
    made = Matrix(tmp_path_factory.mktemp("matrix"), keys)
    yield made
    made.close()


@pytest.mark.parametrize("way", list(Way))
@pytest.mark.parametrize("name", LOCAL)
def test_every_combination_that_both_have_works(matrix: Matrix, name: str, way: Way) -> None:
    """But for the known defects of the station, each of which must still be there."""
    table = matrix.table(name, way)
    run = {one: result for one, result in table.items() if result.standing in {Standing.WORKS, Standing.FAILS}}
    assert len(run) > 90
    failed = {str(one): result.why for one, result in run.items() if result.why and known(name, one) is None}
    assert not failed
    mended = [str(one) for one, result in run.items() if not result.why and known(name, one) is not None]
    assert not mended, "these work: take the defect out of the table"


def test_a_server_by_its_url_takes_a_signed_and_encrypted_message(matrix: Matrix) -> None:
    """Of the rest of its table every failure is recorded, not judged: nothing is known of that server."""
    table = matrix.table("server by URL", Way.OUT)
    usual = [
        result.why
        for one, result in table.items()
        if (one.sign, one.encrypt, one.compress, one.receipt) == ("sha-256", "aes-128-cbc", "no", "signed")
    ]
    assert usual == [""]


@pytest.mark.parametrize("name", ["BY-URL", r'By "URL", \ 2'])
def test_the_way_by_url_is_itself_tried_with_a_server(matrix: Matrix, keys: Keys, name: str) -> None:
    """django-pyas2 as the server of which only the URL is known; names with blanks and quotes, too (RFC 4130 6.2)."""
    known_server = matrix.station("django-pyas2")
    server = Server(url=known_server.add_partner(name, keys.ours), name=f"{name}-PEER", our_name=name)
    station = UrlStation(server, keys)
    chosen = [
        Combination(way=Way.OUT, sign="sha-256", encrypt=encrypt, compress="before", receipt=receipt)
        for encrypt in ("no", "aes-256-cbc")
        for receipt in ("none", "unsigned", "signed")
    ]
    assert set(station.run(chosen).values()) == {""}


def test_the_environment_names_server_keys_and_where_receipts_come_to(
    matrix: Matrix, keys: Keys, tmp_path: Path
) -> None:
    """As docs/interoperability.md has it, with an asynchronous receipt."""
    known_server = matrix.station("django-pyas2")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "peer.pem").write_bytes(certificate_pem(keys.theirs))
    (tmp_path / "ours.pem").write_bytes(pem(keys.ours))
    environment = {
        "GATEWAY_AS2_PEER_URL": known_server.add_partner("BY-ENV", keys.ours),
        "GATEWAY_AS2_PEER_NAME": "BY-ENV-PEER",
        "GATEWAY_AS2_OUR_NAME": "BY-ENV",
        "GATEWAY_AS2_PEER_CERTIFICATE": str(tmp_path / "peer.pem"),
        "GATEWAY_AS2_OUR_KEY": str(tmp_path / "ours.pem"),
        "GATEWAY_AS2_RECEIPTS": f"http://127.0.0.1:{port}/",
    }
    one = Combination(way=Way.OUT, sign="sha-256", encrypt="aes-128-cbc", compress="no", receipt="signed async")
    station = by_environment(environment, keys)
    with ThreadPoolExecutor(1) as thread:
        waits = thread.submit(station.run, [one])
        known_server.send_receipts("BY-ENV")
        assert waits.result() == {one: ""}
    station.close()


def test_pyas2lib_sends_other_line_ends_and_keeps_ours(matrix: Matrix) -> None:
    """What it sends is not what it was given; what came to it is."""
    station = matrix.station("pyas2lib")
    theirs, ours = (
        Combination(way=way, sign="sha-256", encrypt="aes-128-cbc", compress="before", receipt="signed") for way in Way
    )
    assert station.run([theirs], b"ISA~\nIEA~\n") == {theirs: r"another payload came: b'ISA~\r\nIEA~\r\n'"}
    for payload in (b"ISA~\nIEA~", b"\x00\xff\nbinary\r"):
        assert station.run([ours], payload) == {ours: ""}


def test_pyas2_takes_a_gcm_message_unread(matrix: Matrix, keys: Keys) -> None:
    """It says processed of what it cannot decrypt; only the MIC that is missing shows it, of a signed message."""
    station = matrix.station("django-pyas2")
    server = Server(url=station.add_partner("GCM", keys.ours), name="GCM-PEER", our_name="GCM")
    signed, unsigned = (
        Combination(way=Way.OUT, sign=sign, encrypt="aes-128-gcm", compress="no", receipt="signed")
        for sign in ("sha-256", "no")
    )
    found = UrlStation(server, keys).run([signed, unsigned])
    assert "we refuse its receipt: the receipt's MIC (None, None)" in found[signed]
    assert found[unsigned] == ""


def test_openssl_refuses_the_pss_of_pyas2lib_too(matrix: Matrix) -> None:
    """The same signature, verified by a third: not ours alone are strict."""
    part, signature = matrix.station("pyas2lib").pss()
    assert "invalid pss parameters" in matrix.station("openssl cms").refuses(part, signature)


def test_the_page_says_what_was_run(matrix: Matrix) -> None:
    """Written to GATEWAY_INTEROPERABILITY, when every station of this machine has run."""
    names = [name for name in WHAT if name in matrix.stations]
    if not set(LOCAL) <= set(names):
        pytest.skip("not every station is here")
    ran = {
        name: page.Ran(
            what=WHAT[name],
            versions=matrix.stations[name].versions(),
            tables={way: matrix.found[name, way] for way in Way if (name, way) in matrix.found},
        )
        for name in names
    }
    read = [(habit, row.source) for table in (MESSAGES, ENVELOPES, RECEIPTS) for habit, row in table.items()]
    refused = [(habit, why, row.source) for habit, (row, _, why) in NOT_READ.items()]
    text = page.text(ran, datetime.now(UTC), read=read, refused=refused)
    assert all(f"## {name}" in text for name in names)
    if wanted := os.environ.get("GATEWAY_INTEROPERABILITY"):
        Path(wanted).write_text(text, encoding="utf-8")
