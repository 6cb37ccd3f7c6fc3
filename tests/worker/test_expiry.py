"""Certificates near their end: said once for each threshold over all nodes, shown as figures, silent when followed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from prometheus_client import generate_latest

from gateway.as2 import KeyPair
from gateway.partners.certificate_making import KINDS, self_signed
from gateway.partners.inventory import Held, Role, threshold
from gateway.partners.keyring import ALWAYS, Use
from gateway.ports import CERTIFICATES
from gateway.store import Store
from gateway.web.metrics import Metrics
from gateway.worker import ExpiryWatch

END = datetime(2026, 6, 1, tzinfo=UTC)


@cache
def pair(name: str, *, later: int = 0) -> KeyPair:
    """A pair that ends `later` days after END."""
    begins = END - timedelta(days=1000)
    return self_signed(KINDS["ec-p256"](), company="X", as2_id=name, now=begins, days=1000 + later)


def held(name: str = "old", *, role: Role = Role.OURS, later: int = 0, **changes: Any) -> Held:
    """A certificate in its place."""
    partner = "acme" if role is Role.THEIRS else ""
    given: dict[str, Any] = {"use": Use(sign_from=ALWAYS)} if role is Role.OURS else {}
    certificate = pair(name, later=later).certificate
    return Held(
        role=role, partner=partner, name=name, file=f"certs/{name}.pem", certificate=certificate, **(given | changes)
    )


def at(days: float) -> datetime:
    """So many days before END."""
    return END - timedelta(days=days)


@pytest.mark.parametrize(
    ("days", "due"),
    [
        (91, None),
        (90, None),
        (89.9, 90),
        (60, 90),
        (59, 60),
        (30, 60),
        (29, 30),
        (7, 30),
        (6.5, 7),
        (0.1, 7),
        (-0.1, 0),
    ],
)
def test_the_narrowest_threshold_that_was_crossed_is_due(days: float, due: int | None) -> None:
    """90, 60, 30 and 7 days, and when it has expired."""
    one = held()
    assert threshold(one, [one], at(days)) == due


FOLLOWED: dict[str, tuple[Held, list[Held], bool]] = {
    "alone": (held(), [], False),
    "retired": (held(retired=True), [], True),
    "ours, the next one planned in time": (held(), [held("new", later=300, use=Use(sign_from=at(3)))], True),
    "ours, the next one planned too late": (held(), [held("new", later=300, use=Use(sign_from=at(-3)))], False),
    "ours, the next one not planned": (held(), [held("new", later=300, use=Use(sign_from=None))], False),
    "ours, the next one retired": (held(), [held("new", later=300, retired=True)], False),
    "ours, it followed the one that lasts": (
        held(use=Use(sign_from=at(400))),
        [held("new", later=300)],
        False,
    ),
    "theirs, the next one there": (held(role=Role.THEIRS), [held("new", role=Role.THEIRS, later=300)], True),
    "theirs, ours is newer": (held(role=Role.THEIRS), [held("new", later=300)], False),
    "tls": (held(role=Role.TLS), [held("new", role=Role.TLS, later=300)], False),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_what_is_followed_in_time_needs_no_warning(name: str) -> None:
    """Each role by its own rule."""
    one, others, silent = FOLLOWED[name]
    assert (threshold(one, [one, *others], at(20)) is None) is silent


class Figures:
    """Takes the figures."""

    def __init__(self) -> None:
        self.last: list[tuple[str, int]] = []

    def __call__(self, days: Sequence[tuple[Held, int]]) -> None:
        """Keep them."""
        self.last = [(one.name, left) for one, left in days]


async def test_a_threshold_is_said_once_over_all_nodes_and_restarts(
    store: Store, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Each watch logs what is due when it starts; the trail has it once."""
    figures = Figures()
    certificates = (held(), held("theirs", role=Role.THEIRS), held("gone", retired=True))
    nodes = [ExpiryWatch(store, lambda: (None, lambda: certificates), figures, clock) for _ in range(2)]
    told = []
    with caplog.at_level(logging.WARNING):
        for days in (100, 59, 58, 29, 6, -1, -2):
            for node in nodes:
                told += [(one.role, one.partner, one.threshold) for one in await node.look(certificates, at(days))]
    expected = [
        (role, partner, due) for due in (60, 30, 7, 0) for role, partner in (("ours", None), ("theirs", "acme"))
    ]
    assert told == expected
    trail = await store.timeline(message_id=CERTIFICATES)
    assert [(one.data["role"], one.partner, one.data["threshold"]) for one in trail] == expected
    assert trail[0].data["days_left"] == 59
    assert trail[0].data["file"] == "certs/old.pem"
    assert figures.last == [("old", -2), ("theirs", -2)]
    assert len(caplog.records) == len(expected) * 2
    assert "certificate certs/theirs.pem (theirs of acme) has expired on 2026-06-01" in caplog.text
    assert await store.messages() == []  # the chain is no message of anybody's


def test_the_figures_name_role_partner_and_days() -> None:
    """And forget what is not there any more."""
    metrics = Metrics()
    metrics.certificates([(held("theirs", role=Role.THEIRS), 12), (held(), 300)])
    text = generate_latest(metrics.registry).decode()
    assert 'gateway_certificate_days_left{name="theirs",partner="acme",role="theirs"} 12.0' in text
    metrics.certificates([(held(), 299)])
    text = generate_latest(metrics.registry).decode()
    assert 'role="theirs"' not in text
    assert 'gateway_certificate_days_left{name="old",partner="",role="ours"} 299.0' in text
