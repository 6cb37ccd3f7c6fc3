"""How `gateway replay` tells what is done about each message: documents, fields, calls; and how far a replay is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from rich.text import Text

from gateway.cli.answers import show, show_table, times
from gateway.cli.map_diff import SIGNS
from gateway.cli.printable import printable
from gateway.mapping.differences import Difference
from gateway.pipeline.replaying_calls import Call
from gateway.pipeline.replaying_plan import WORST, Decided, Planned
from gateway.ports import Message
from gateway.ports.replays import Act, Progress, Replay

MOST_FIELDS = 50
"""Fields of one document, or one body, on a terminal; `--json` has all."""

COLOURS: Mapping[Act, str] = {
    Act.SAME: "dim",
    Act.AGAIN: "green",
    Act.READ: "green",
    Act.CORRECTED: "yellow",
    Act.REPLACED: "yellow",
    Act.NEW: "yellow",
    Act.AS_NEW: "bold yellow",
    Act.LEFT: "bold red",
    Act.FAILED: "bold red",
}
WORDS: Mapping[Act, str] = {
    Act.SAME: "same: nothing is done",
    Act.AGAIN: "again: worked again under its key",
    Act.READ: "read: reading it is tried again",
    Act.CORRECTED: "corrected: goes in the place of what went nowhere, under its key",
    Act.REPLACED: "replaced: sent as a replacement",
    Act.NEW: "new: accepted now",
    Act.AS_NEW: "as new: goes ONCE MORE, with a new key",
    Act.LEFT: "left: stays as it is",
    Act.FAILED: "failed: cannot be decided",
}


def show_decided(message: Message, decided: Decided) -> None:
    """One message of a dry run; nothing where nothing differs and nothing is done."""
    if decided.outcome is Act.SAME:
        return
    show(Text(printable(f"message {message.id} of {message.partner}, {message.at:%Y-%m-%d %H:%M} UTC"), style="bold"))
    for one in decided.planned:
        _document(one)


def _document(one: Planned) -> None:
    line = Text(printable(f"  {one.kind} {one.number}: "))
    line.append(WORDS[one.act], style=COLOURS[one.act])
    if one.why:
        line.append(printable(f" ({one.why})"))
    show(line)
    _fields(one.fields, "    ")
    for call in one.calls:
        _call(call)


def _call(call: Call) -> None:
    line = Text("    → ").append(printable(call.target), style="bold")
    if call.told is not None:
        line.append(printable(f" {call.told.method} {call.told.where}, key {call.told.key}"), style=COLOURS[call.act])
    line.append(printable(f" {call.act.value}" + (f": {call.why}" if call.why else "")), style="dim")
    show(line)
    _fields(call.fields, "      body ")


def _fields(fields: Iterable[Difference], indent: str) -> None:
    found = list(fields)
    for each in found[:MOST_FIELDS]:
        sign, style = SIGNS[each.kind]
        said = each.now if each.was is None else each.was if each.now is None else f"{each.was} → {each.now}"
        show(Text(indent).append(printable(f"{sign} {each.pointer}"), style=style).append(printable(f": {said}")))
    if len(found) > MOST_FIELDS:
        show(Text(f"{indent}… and {len(found) - MOST_FIELDS} more", style="dim"))


def as_json(message: Message, decided: Decided) -> dict[str, Any]:
    """One message of a dry run, for programs."""
    return {
        "message_id": message.id,
        "partner": message.partner,
        "outcome": decided.outcome.value,
        "documents": [
            {
                "kind": one.kind,
                "number": one.number,
                "act": one.act.value,
                "why": one.why,
                "position": one.position,
                "document_id": one.document_id,
                "fields": [_difference(each) for each in one.fields],
                "calls": [_call_json(call) for call in one.calls],
            }
            for one in decided.planned
        ],
    }


def _call_json(call: Call) -> dict[str, Any]:
    made = call.told
    return {
        "target": call.target,
        "act": call.act.value,
        "why": call.why,
        "method": None if made is None else made.method,
        "url": None if made is None else made.where,
        "key": None if made is None else made.key,
        "body": None if made is None else made.body,
        "fields": [_difference(each) for each in call.fields],
    }


def _difference(each: Difference) -> dict[str, Any]:
    return {"pointer": each.pointer, "change": each.kind, "before": each.was, "after": each.now}


def show_counts(counts: Mapping[str, int] | Counter[str]) -> None:
    """How many messages, by outcome."""
    for act in WORST:
        if count := counts.get(act.value):
            show(Text(f"{count:>7} ").append(WORDS[act], style=COLOURS[act]))


def show_replay(one: Replay, progress: Progress) -> None:
    """How far a replay is."""
    style = {"running": "green", "paused": "yellow", "cancelled": "red", "preparing": "yellow"}.get(one.state.value, "")
    line = Text(one.id, style="bold").append(": ").append(one.state.value, style=style)
    show(line.append(f", {progress.done} of {times(one.total, 'message')}"))
    how = f"with the {one.versions.value} versions" + (", as new" if one.as_new else "")
    show(printable(f"{how}; {one.by}, {one.at:%Y-%m-%d %H:%M} UTC: {one.why}"))
    show_counts(progress.outcomes)


def show_replays(found: Iterable[Replay]) -> None:
    """The newest first."""
    show_table(
        ("begun", "replay", "state", "messages", "versions", "by", "why"),
        (
            (
                f"{one.at:%Y-%m-%d %H:%M}",
                one.id,
                one.state.value,
                str(one.total),
                one.versions.value + (", as new" if one.as_new else ""),
                printable(one.by),
                printable(one.why),
            )
            for one in found
        ),
    )


def show_item(item: Mapping[str, Any]) -> None:
    """One message of a replay, and what was done about each document."""
    act = item["outcome"]
    line = Text(f"{item['number']:>6} {item['message_id']} ")
    show(line.append(act or "not yet", style=COLOURS[Act(act)] if act else "dim"))
    for one in item["documents"]:
        targets = ", ".join(f"{name} {what}" for name, what in one["targets"].items())
        why = f" ({one['why']})" if one["why"] else ""
        show(printable(f"       {one['document']} {one['number']}: {one['act']}{why} {targets}".rstrip()))


def replay_json(one: Replay, progress: Progress) -> dict[str, Any]:
    """A replay, for programs."""
    return {
        "replay": one.id,
        "state": one.state.value,
        "messages": one.total,
        "done": progress.done,
        "outcomes": progress.outcomes,
        "versions": one.versions.value,
        "as_new": one.as_new,
        "by": one.by,
        "why": one.why,
        "begun": one.at,
        "selection": dict(one.selection),
    }
