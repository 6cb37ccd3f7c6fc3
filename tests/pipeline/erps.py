"""Targets of a trade's gateway as a test wants them, every one of them the sandbox ERP; paths tell them apart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway import wiring
from gateway.settings import HttpTarget, Route

LOOKUP = {"path": "/api/documents?key={idempotency_key}", "found": {"pointer": "/id"}, "id_at": "/id"}
UNDO = {"method": "DELETE", "path": "/api/documents/{their_id}"}


def aim(trade: Any, folder: Path, *to: object, **targets: Mapping[str, Any]) -> None:
    """Other targets and one route to `to` from now on: `aim(trade, folder, "erp", erp={"honours_key": False})`."""
    known = next(iter(trade.gateway.station.settings.targets.values()))
    made = {}
    for name, fields in targets.items():
        call = {"path": "/api/order-acknowledgements", "id_at": "/id"} | dict(fields.get("call", {}))
        notice = (
            {"path": "/api/ship-notices", "id_at": "/id"} | dict(fields.get("call", {})) | {"path": "/api/ship-notices"}
        )
        rest = {key: value for key, value in fields.items() if key != "call"}
        said = {
            "base_url": known.base_url,
            "authentication": {"kind": "bearer", "token": {"env": "NORTH_ERP_TOKEN"}},
            "documents": {"order_acknowledgement": call, "ship_notice": notice},
            "timeout_seconds": "5",
        }
        made[name] = HttpTarget.model_validate(said | rest)
    settings = trade.gateway.station.settings.model_copy(
        update={"targets": made, "routes": (Route.model_validate({"to": list(to)}),)}
    )
    connectors = {name: wiring._connector(name, one, folder, trade.http) for name, one in made.items()}
    trade.gateway.change(settings=settings, connectors=connectors)


async def stands(trade: Any, message: Any) -> dict[str, str]:
    """How the deliveries of a message's one document stand, by target."""
    (document,) = await trade.gateway.documents(message)
    return {one.target: one.state.value for one in await trade.gateway.store.deliveries([document.id])}


async def later(trade: Any, **amount: float) -> None:
    """Some time goes by and what is due is done."""
    trade.clock.advance(**(amount or {"minutes": 1}))
    await trade.gateway.work()
