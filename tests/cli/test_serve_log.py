"""`gateway serve --log json`, as a process: every line on stderr is a JSON object."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.partners.initial import Company, create_workspace

ROOT = Path(__file__).parents[2]
PATIENCE = 60
SETTINGS = """\
identity: {name: Example, as2_id: EXAMPLE, x12: {qualifier: ZZ, id: EXAMPLE}}
passphrase: {file: keys/passphrase}
listen: {port: 0}
"""


@pytest.mark.process
def test_every_line_is_json_and_says_on_which_node(tmp_path: Path) -> None:
    """From the start to the end; a request's line has its correlation id, and no line a secret."""
    folder = tmp_path / "ws"
    company = Company(name="Example", as2_id="EXAMPLE", x12_qualifier="ZZ", x12_id="EXAMPLE")
    create_workspace(folder, company, passphrase_variable=None, now=datetime.now(UTC), days=30, bits=2048)
    (folder / "gateway.yaml").write_text(SETTINGS)
    log = tmp_path / "log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve", "--workspace", str(folder)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "GATEWAY_LOG": "json"},
            stderr=written,
        )
        try:
            address, deadline = None, time.monotonic() + PATIENCE
            while address is None and time.monotonic() < deadline and process.poll() is None:
                address = re.search(r"listening on http://([0-9.:]+)", log.read_text())
                time.sleep(0.05)
            assert address, log.read_text()
            connection = http.client.HTTPConnection(address[1], timeout=10)
            connection.request("GET", "/health/live", headers={"X-Correlation-Id": "c-1"})
            assert connection.getresponse().status == 200
            connection.close()
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert all(one["node"].endswith(f":{process.pid}") for one in lines)
    assert all({"at", "level", "logger", "text"} <= set(one) for one in lines)
    (request,) = [one for one in lines if one["logger"] == "gateway.access"]
    assert (request["correlation_id"], request["path"], request["status"]) == ("c-1", "/health/live", 200)
    assert (folder / "keys" / "passphrase").read_text().strip() not in log.read_text()
