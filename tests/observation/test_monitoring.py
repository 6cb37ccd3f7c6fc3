"""Facts about what monitors see: every figure is in the table and really there; alerts and dashboard ask for no other.

Expressions are parsed by the parser of Prometheus' language, names and labels held to what a running gateway said.
"""

from __future__ import annotations

import contextvars
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from gateway.observation import Observation
from gateway.ports import Changes, Channel, Direction, MessageState, NewMessage
from gateway.ports.doing import DOING
from gateway.settings import Settings
from gateway.web.figures import FIGURES, OTHERS

ROOT = Path(__file__).parents[2]
ALERTS: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "docs/monitoring/alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "docs/monitoring/grafana.json").read_text(encoding="utf-8"))
SCRAPED = {"job", "instance"}
"""Labels that Prometheus adds."""
FIXED = {
    ("gateway_jobs", "state"): {"due", "later", "running", "dead"},
    ("gateway_lane_jobs", "state"): {"due", "later", "running", "dead"},
    ("gateway_nodes", "state"): {"starting", "ready", "draining", "lost"},
    ("gateway_lanes", "breaker"): {"closed", "half open", "open"},
}
"""What a label's values can be, where they are fixed words."""
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def _known() -> dict[str, set[str]]:
    """Every sample's name and its labels, by the table."""
    known: dict[str, set[str]] = {"up": set()}
    for name, one in FIGURES.items():
        for suffix in SUFFIXES[one.kind]:
            known[name + suffix] = {*one.labels} | ({"le"} if suffix == "_bucket" else set())
    return known


def _emitted(text: str) -> dict[str, set[str]]:
    """Every sample's name and its labels, as they came."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def _queries() -> Iterator[tuple[str, str]]:
    for alert in ALERTS:
        yield alert["alert"], alert["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
    for one in DASHBOARD["annotations"]["list"]:
        yield one["name"], one["expr"]


def _parts(expression: Any) -> Iterator[Any]:
    """The expression and everything in it."""
    yield expression
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        inner = getattr(expression, name, None)
        if inner is not None:
            yield from _parts(inner)
    for inner in getattr(expression, "args", None) or ():
        yield from _parts(inner)


def _wrong(query: str, known: dict[str, set[str]]) -> list[str]:
    """What is asked for and is not there."""
    wrong: list[str] = []
    labels_here: set[str] = set(SCRAPED)
    parts = list(_parts(promql.parse(query.replace("$__rate_interval", "5m"))))
    for part in parts:
        if not isinstance(part, promql.VectorSelector):
            continue
        name = str(part.name)
        if name not in known:
            wrong.append(f"no figure {name}")
            continue
        labels_here |= known[name]
        for matcher in part.matchers.matchers:
            if matcher.name not in known[name] | SCRAPED:
                wrong.append(f"{name} has no label {matcher.name}")
            values = FIXED.get((name, matcher.name))
            if values is not None and matcher.value not in values:
                wrong.append(f"{name}: {matcher.name} is never {matcher.value}")
    for part in parts:
        if isinstance(part, promql.AggregateExpr) and part.modifier is not None:
            wrong += [
                f"nothing here has the label {label}" for label in part.modifier.labels if label not in labels_here
            ]
    return wrong


def test_a_running_gateway_says_every_figure_of_the_table_and_no_other(seen: Any) -> None:
    """By name, kind and help; process figures of the client stand besides."""
    families = {one.name: one for one in text_string_to_metric_families(seen.metrics)}
    assert {name for name in families if not name.startswith("process_")} == set(FIGURES)
    for name, one in FIGURES.items():
        assert (families[name].type, families[name].documentation) == (one.kind, one.text), name


def test_samples_have_the_labels_of_the_table(seen: Any) -> None:
    """Those that had something to say in this trade: more than the half of them."""
    known = {name: labels for name, labels in _known().items() if name != "up"}
    emitted = {name: labels for name, labels in _emitted(seen.metrics).items() if not name.startswith("process_")}
    assert set(emitted) <= set(known)
    assert not {name: labels for name, labels in emitted.items() if labels != known[name]}
    assert len(emitted) > len(known) / 2


def test_work_and_its_cost_are_counted_in_a_real_trade(seen: Any) -> None:
    """Lanes, attempts, claims, commits, nodes, disks, the seal and the version."""
    lines = dict(line.rsplit(" ", 1) for line in seen.metrics.splitlines() if not line.startswith("#"))
    assert float(lines['gateway_attempts_total{outcome="done",step="send",target="as2"}']) == 1
    assert float(lines['gateway_lane_cap{lane="acme:outbound:as2"}']) >= 1
    assert float(lines['gateway_lane_breaker{lane="acme:outbound:as2"}']) == 0
    assert float(lines[f'gateway_lane_jobs{{lane="{OTHERS}",state="due"}}']) == 0
    assert float(lines['gateway_nodes{state="ready"}']) == 1
    assert float(lines["gateway_configurations"]) == 1
    assert float(lines["gateway_commit_seconds_count"]) > 3
    assert float(lines["gateway_commit_operations_sum"]) >= float(lines["gateway_commit_operations_count"])
    assert float(lines["gateway_claim_seconds_count"]) >= 1
    assert float(lines['gateway_disk_free_bytes{folder="payloads"}']) > 0
    assert float(lines['gateway_step_seconds_count{step="send"}']) == 1
    assert any(line.startswith("gateway_build{") for line in lines)


@pytest.mark.parametrize(("where", "query"), list(_queries()))
def test_alerts_and_panels_ask_for_what_there_is(where: str, query: str, seen: Any) -> None:
    """Every name, label and fixed value; process figures as the client says them."""
    emitted = _emitted(seen.metrics)
    known = _known() | {name: labels for name, labels in emitted.items() if name.startswith("process_")}
    assert not _wrong(query, known), where


@pytest.mark.parametrize(
    "query",
    [
        "gateway_no_such_figure > 0",
        'gateway_jobs{stat="dead"} > 0',
        'gateway_jobs{state="deceased"} > 0',
        "max by (partner) (gateway_jobs) > 0",
        "rate(gateway_messages_sent[5m])",
        "histogram_quantile(0.9, sum by (lane, le) (rate(gateway_claim_seconds_bucket[5m])))",
    ],
)
def test_a_query_for_what_is_not_there_would_be_seen(query: str) -> None:
    """The check itself works."""
    assert _wrong(query, _known())


def test_every_alert_says_how_bad_it_is_what_is_wrong_and_where_its_runbook_stands() -> None:
    """The runbook is a heading of docs/operations.md; names are used once."""
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"(?m)^#+ (.+)$", text)
    }
    for alert in ALERTS:
        assert set(alert) <= {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"\d+[smhd]", alert.get("for", "0s"))
        assert alert["labels"]["severity"] in {"page", "ticket"}, alert
        assert alert["annotations"]["summary"], alert
        page, _, heading = alert["annotations"]["runbook"].partition("#")
        assert page == "docs/operations.md"
        assert heading in headings, alert["annotations"]["runbook"]
        for label in re.findall(r"\$labels\.(\w+)", alert["annotations"]["summary"]):
            assert label in alert["expr"] or label in {*SCRAPED, "folder", "way"}, alert
    assert len({alert["alert"] for alert in ALERTS}) == len(ALERTS)


def test_the_dashboards_panels_have_places_of_their_own_and_the_chosen_data_source() -> None:
    """No two overlap; each says in words what it shows."""
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${datasource}"
            assert panel["description"]
            assert panel["targets"]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_the_line_of_a_request_names_the_message_that_it_brought(tmp_path: Path) -> None:
    """What is set while it is accepted stands in every later line of the task; a step's own message stays."""
    store: Any = SimpleNamespace(database=SimpleNamespace())
    node: Any = SimpleNamespace(id="n1", gateway="1", schema="0001")
    identity = {"name": "Us", "as2_id": "US", "x12": {"qualifier": "ZZ", "id": "US"}}
    settings = Settings.model_validate({"identity": identity})
    seen = Observation(store, node, settings, folder=tmp_path, url=f"sqlite:///{tmp_path}/gateway.db")
    at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    new = NewMessage(
        id="m1", partner="acme", direction=Direction.INBOUND, channel=Channel.AS2, state=MessageState.RECEIVED, at=at,
        payload=b"",
    )  # fmt: skip

    def said(before: dict[str, str | int]) -> dict[str, str | int]:
        DOING.set(before)
        seen.committed(Changes(messages=(new,)))
        return dict(DOING.get())

    cases: tuple[tuple[dict[str, str | int], str], ...] = (
        ({"correlation_id": "c"}, "m1"),
        ({"message": "m0", "step": "compose"}, "m0"),
    )
    for before, message in cases:
        after = contextvars.copy_context().run(said, before)
        assert after["message"] == message
        assert after.items() >= before.items()
