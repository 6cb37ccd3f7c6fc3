"""compose.yaml and its balancer agree with the code: addresses, health paths, times, volumes. Neither is run here."""

from __future__ import annotations

import inspect
import ipaddress
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway import wiring
from gateway.settings import Listen, Settings
from gateway.store.database import driver_of
from gateway.web.server import SHUTDOWN_SECONDS
from gateway.worker import Worker

ROOT = Path(__file__).parents[1]
IDENTITY = {"identity": {"name": "Us", "as2_id": "US"}}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file, as an engine reads it."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return read


@pytest.fixture(scope="module")
def gateways(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The services that are this program."""
    return {name: one for name, one in compose["services"].items() if one.get("build") == "."}


@pytest.fixture(scope="module")
def balancer() -> str:
    """The balancer's file without comments."""
    return re.sub(r"(?m)^\s*#.*\n", "", (ROOT / "compose/haproxy.cfg").read_text(encoding="utf-8"))


def seconds(text: str) -> int:
    """`75s`."""
    return int(text.removesuffix("s"))


def dockerfile(word: str) -> list[str]:
    """What follows a word of the Dockerfile."""
    return re.findall(rf"(?m)^\s*{word}\s+(.*)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"))


def test_two_gateways_on_one_workspace_one_database_and_their_own_command(
    compose: dict[str, Any], gateways: dict[str, dict[str, Any]]
) -> None:
    """The image's command serves; the workspace is where the image looks; the URL is the database service's."""
    assert len(gateways) == 2
    assert json.loads(dockerfile("ENTRYPOINT")[0]) + json.loads(dockerfile("CMD")[-1]) == ["gateway", "serve"]
    (workspace,) = re.findall(r"GATEWAY_WORKSPACE=(\S+)", " ".join(dockerfile("ENV")))
    database = compose["services"]["database"]["environment"]
    passphrase = Settings.model_validate(IDENTITY).passphrase.env
    for one in gateways.values():
        assert "command" not in one
        assert "ports" not in one  # only the balancer is reached from outside
        assert f"./workspace:{workspace}" in one["volumes"]
        url = one["environment"]["GATEWAY_DATABASE_URL"]
        filled = url.replace("${POSTGRES_PASSWORD:?set it}", "secret")
        assert driver_of(filled) == "postgresql"
        assert url.endswith(f"@database/{database['POSTGRES_DB']}")
        assert f"//{database['POSTGRES_USER']}:" in url
        assert passphrase in one["environment"]
        assert one["depends_on"] == {"database": {"condition": "service_healthy"}}


def test_the_balancer_leads_to_both_by_the_path_that_says_ready(
    compose: dict[str, Any], gateways: dict[str, dict[str, Any]], balancer: str
) -> None:
    """On the port that the image exposes and the settings default to; no health, no figures to the outside."""
    port = Listen().port
    assert dockerfile("EXPOSE") == [str(port)]
    servers = dict(re.findall(r"(?m)^ +server (\S+) (\S+):\d+", balancer))
    assert servers == {name: name for name in gateways}
    assert set(re.findall(r"(?m)^ +server \S+ \S+:(\d+)", balancer)) == {str(port)}
    (published,) = compose["services"]["balancer"]["ports"]
    assert f"bind :{published.partition(':')[2]}\n" in balancer
    (mounted,) = compose["services"]["balancer"]["volumes"]
    assert (ROOT / mounted.split(":")[0]).is_file()
    routes = inspect.getsource(wiring.application)
    (path,) = re.findall(r"http-check send meth GET uri (\S+)", balancer)
    hidden = re.findall(r"\{ path(?:_beg)? (\S+) \}", balancer)
    assert f'"{path}"' in routes
    for inside in (path, "/health/live", "/metrics"):
        assert f'"{inside}"' in routes
        assert any(inside.startswith(one) for one in hidden)
    assert "http-check expect status 200" in balancer


def test_a_node_that_drains_is_left_in_time_and_has_time_to_end(
    gateways: dict[str, dict[str, Any]], balancer: str
) -> None:
    """The balancer's checks fit into the drain; drain, requests and work under way fit into the engine's patience."""
    inter, fall = re.findall(r"check inter (\d+)s fall (\d+)", balancer)[0]
    drain = wiring.DRAIN_SECONDS["postgresql"]
    assert Settings.model_validate(IDENTITY).nodes.drain_seconds is None
    assert (int(fall) + 1) * int(inter) < drain
    grace = inspect.signature(Worker.stop).parameters["grace"].default
    for one in gateways.values():
        assert max(drain, grace) + SHUTDOWN_SECONDS + 10 < seconds(one["stop_grace_period"])
    waits = dict(re.findall(r"timeout (client|server|http-keep-alive) (\d+s)", balancer))
    assert {seconds(one) > 60 for one in waits.values()} == {True}  # what docs/operations.md asks of a proxy
    assert "retry-on conn-failure\n" in balancer  # and nothing that was sent is sent again by it


def test_who_calls_is_told_by_the_balancer_and_believed(compose: dict[str, Any], balancer: str) -> None:
    """The settings that the comment gives are valid, and name the network that the balancer is in."""
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    (told,) = re.findall(r"(?m)^#\s+listen: (\{.*\})$", text)
    listen = Listen.model_validate(yaml.safe_load(told))
    (subnet,) = compose["networks"]["inside"]["ipam"]["config"]
    assert ipaddress.ip_address(listen.host).is_unspecified
    assert listen.trusted_proxies == (subnet["subnet"],)
    assert all(one["networks"] == ["inside"] for one in compose["services"].values())
    assert "option forwardfor" in balancer
    assert "del-header X-Forwarded-For" in balancer


def test_no_secret_stands_in_the_file(compose: dict[str, Any]) -> None:
    """They come from the environment, and an engine refuses to start without them."""
    for one in compose["services"].values():
        for name, value in one.get("environment", {}).items():
            if "PASS" in name or "URL" in name:
                assert ":?set it}" in value, name
