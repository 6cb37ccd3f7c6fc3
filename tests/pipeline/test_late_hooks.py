"""A hook that is late is no answer about a value: the job comes back, and nothing goes on without the field."""

from __future__ import annotations

import threading
from typing import Any

from gateway.mapping import compile_map
from gateway.mapping.hooks import Hook, Hooks
from gateway.mapping.map import from_folders, shipped
from gateway.partners.hook_calls import TookTooLongError
from gateway.ports import DocumentState, MessageState

HOOKED = (
    "extends: x12/{number}\nhooks: {{part: {{examples: [{{wire: ab, value: ab}}]}}}}\n"
    "change: {{{segment}: {{{element}: {field} | hook part}}}}\n"
)


class Late:
    """A hook that may be held up: it gives the text itself."""

    held = False

    def __init__(self) -> None:
        self.threads: set[int] = set()

    def __call__(self, text: str) -> str:
        """As a bounded call of the workspace's own function."""
        self.threads.add(threading.get_ident())
        if self.held:
            raise TookTooLongError("it took longer than 1 s", remedy="Make it faster.")
        return text


def hooked(trade: Any, rule: str, **line: str) -> Late:
    """That map of the agreement with acme has a hook from now on."""
    find, hook = from_folders(shipped()), Late()
    made = compile_map(
        "t/hooked",
        lambda name: ("t.yaml", HOOKED.format(**line)) if name == "t/hooked" else find(name),
        Hooks(functions={"part": Hook(read=hook, write=hook)}),
    )
    hook.held = True
    trade.gateway.change(maps={**trade.gateway.station.maps, rule: made})
    return hook


async def test_a_message_whose_hook_is_late_is_read_later_and_loses_nothing(trade: Any, edi: Any) -> None:
    """Not delivered with a field missing, and not answered; in time, it is read with the field."""
    rule = trade.gateway.station.agreement("acme").documents.receive["order_acknowledgement"].map
    hook = hooked(trade, rule, number="855", segment="BAK", element="BAK08", field="supplier_order_number")
    await trade.order()
    message = await trade.arrives(edi.file(edi.ack(supplier="SO-77")))
    assert (message.state, await trade.gateway.documents(message)) == (MessageState.RECEIVED, [])
    assert await trade.answers(message) == []
    hook.held = False
    trade.clock.advance(minutes=1)
    await trade.gateway.work()
    (got,) = trade.at_erp("order_acknowledgement")
    assert "SO-77" in str(got)


async def test_a_document_of_ours_whose_hook_is_late_is_written_later(trade: Any) -> None:
    """It has not failed: what it needs is slow."""
    rule = trade.gateway.station.agreement("acme").documents.send["purchase_order"].map
    hook = hooked(trade, rule, number="850", segment="BEG", element="BEG03", field="number")
    document = await trade.order()
    assert (await trade.gateway.store.document(document)).state is DocumentState.SUBMITTED
    hook.held = False
    trade.clock.advance(minutes=1)
    await trade.gateway.work()
    assert (await trade.gateway.store.document(document)).state is DocumentState.SENT


async def test_hooks_never_run_on_the_event_loop(trade: Any, edi: Any) -> None:
    """While one takes its second, receipts and everybody else go on; however small the message."""
    partner = trade.gateway.station.agreement("acme").documents
    sending, receiving = partner.send["purchase_order"].map, partner.receive["order_acknowledgement"].map
    hooks = [
        hooked(trade, sending, number="850", segment="BEG", element="BEG03", field="number"),
        hooked(trade, receiving, number="855", segment="BAK", element="BAK08", field="supplier_order_number"),
    ]
    for hook in hooks:
        hook.held = False
        hook.threads.clear()  # the examples were run where the map was made
    await trade.order()
    await trade.arrives(edi.file(edi.ack(supplier="SO-77")))
    assert all(hook.threads for hook in hooks)
    assert not any(threading.get_ident() in hook.threads for hook in hooks)
