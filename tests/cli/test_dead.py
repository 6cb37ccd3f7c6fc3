"""`gateway dead`: dead letters by cause, one or many worked again or put aside, asked before; never a traceback."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import Result

from gateway.cli import dead
from gateway.cli.dead_asking import complete_dead, complete_step
from gateway.cli.lane_asking import complete_lane
from gateway.cli.message_names import complete_message, complete_target
from gateway.cli.moments import moment_of
from gateway.cli.partner_names import complete_partner
from gateway.cli.replay_asking import complete_replay
from gateway.cli.review import complete_document
from gateway.cli.webhook_asking import complete_webhook
from gateway.errors import OurFault
from gateway.events import MessageReceived
from gateway.pipeline.giving_up import cause_of, group_of
from gateway.ports import Changes, Channel, Direction, MessageState, NewJob, NewMessage, new_id
from gateway.ports.dead_letters import DeadLetter
from gateway.store import Store
from gateway.wiring import open_store

Run = Callable[..., Result]
REASON = "target erp answered 422: order {} has no item"
OTHER = "target wms answered 410"


async def letter(store: Store, partner: str, target: str, reason: str) -> None:
    """Work that is given up at once."""
    now = datetime.now(UTC)
    id_ = new_id(now)
    new = NewMessage(
        id=id_,
        partner=partner,
        direction=Direction.INBOUND,
        channel=Channel.AS2,
        state=MessageState.PROCESSED,
        at=now,
        payload=b"ISA",
    )
    job = NewJob(
        message_id=id_, step="deliver", lane=f"{partner}:inbound:{target}", run_at=now, data={"target": target}
    )
    event = MessageReceived(message_id=id_, partner=partner, channel="as2", size=3, sha256=sha256(b"ISA").hexdigest())
    await store.accept(Changes(messages=(new,), jobs=(job,), events=(event,)))
    (mine,) = [one for one in await store.claim("tests", ["deliver"], 9) if one.message_id == id_]
    await store.bury(mine, outcome="permanent", reason=reason, changes=Changes())


@pytest.fixture(scope="module")
def filled(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three letters of one cause and one of another."""
    folder = tmp_path_factory.mktemp("dead") / "w"
    shutil.copytree(made, folder)

    async def fill() -> None:
        async with open_store(folder) as store:
            for number in (4500012345, 4500012346, 4500012347):
                await letter(store, "acme", "erp", REASON.format(number))
            await letter(store, "baltic", "wms", OTHER)

    asyncio.run(fill())
    return folder


@pytest.fixture
def workspace(filled: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(filled, tmp_path / "w"))


def call(run: Run, workspace: Path, *words: object, code: int = 0) -> str:
    """What `gateway dead …` prints."""
    done = run("dead", *words, "--workspace", workspace)
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    return done.output


def listed(run: Run, workspace: Path, *words: object, code: int = 1) -> list[dict[str, Any]]:
    """As programs see it."""
    found: list[dict[str, Any]] = json.loads(call(run, workspace, "list", "--json", *words, code=code))
    return found


def a_letter(reason: str, number: str = "1", order_number: str = "2") -> DeadLetter:
    """Given up for this reason."""
    return DeadLetter(
        id=1,
        message_id="m",
        document_id="d",
        part="",
        step="deliver",
        lane="acme:inbound:erp",
        data={},
        attempts=1,
        at=datetime(2026, 3, 2, tzinfo=UTC),
        outcome="permanent",
        reason=reason,
        discarded=False,
        number=number,
        order_number=order_number,
    )


def test_letters_of_one_cause_are_one_group_whatever_the_document() -> None:
    """Ids, moments, long numbers and the numbers of document and order are a document's own; a status is not."""
    said = "target erp answered 422: order {} of {} has no item 7"
    one = a_letter(said.format(4500012345, "0194a1b2-1111-7222-8333-444455556666"))
    other = a_letter(said.format(4500099999, "0194ffff-1111-7222-8333-444455556666"))
    assert cause_of(one) == cause_of(other) == "target erp answered 422: order … of … has no item 7"
    assert cause_of(a_letter("target erp answered 503")) != cause_of(a_letter("target erp answered 422"))
    short = [a_letter(f"purchase_order {name} cannot be written: N-17", number=name) for name in ("N-1", "N-2")]
    assert [cause_of(each) for each in short] == ["purchase_order … cannot be written: N-17"] * 2
    assert len({group_of(each) for each in short}) == 1


def test_letters_are_listed_by_cause_the_largest_first(run: Run, workspace: Path) -> None:
    """How often, who, what, where, why; one by one with --each; exit code 1 while there is any."""
    first, second = listed(run, workspace)
    assert (first["count"], first["partner"], first["target"]) == (3, "acme", "erp")
    assert (second["count"], second["reason"]) == (1, OTHER)
    text = call(run, workspace, "list", code=1)
    assert "target erp answered 422: order … has no item" in text
    assert len(listed(run, workspace, "--each")) == 4


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["--partner", "acme"], 3),
        (["--target", "wms"], 1),
        (["--step", "deliver"], 4),
        (["--step", "read"], 0),
        (["--reason", "NO ITEM"], 3),
        (["--since", "1h"], 4),
        (["--since", "2200-01-01"], 0),
    ],
)
def test_filters_choose_letters(run: Run, filled: Path, words: list[str], count: int) -> None:
    """By partner, step, target, time and what the reason says."""
    found = listed(run, filled, "--each", *words, code=1 if count else 0)
    assert len(found) == count


def test_one_letter_is_shown_in_full(run: Run, filled: Path) -> None:
    """With what there is to do."""
    (one,) = listed(run, filled, "--each", "--target", "wms")
    shown = call(run, filled, "show", one["letter"])
    assert OTHER in shown
    assert f"gateway dead retry {one['letter']}" in shown
    assert len(json.loads(call(run, filled, "show", listed(run, filled)[0]["group"], "--json"))) == 3


def test_many_letters_are_asked_about_before_and_not_touched_without_a_yes(run: Run, workspace: Path) -> None:
    """In a pipe nobody can be asked: refused, with how many there are."""
    group = listed(run, workspace)[0]["group"]
    said = call(run, workspace, "discard", group, "--why", "entered by hand", code=2)
    assert "3 letters will be put aside" in said
    assert "--yes" in said
    assert listed(run, workspace)[0]["count"] == 3


def test_group_is_put_aside_and_taken_back(run: Run, workspace: Path) -> None:
    """It is listed apart then, and worked again by its name."""
    group = listed(run, workspace)[0]["group"]
    done = call(run, workspace, "discard", group, "--why", "entered by hand", "--by", "ann", "--yes")
    assert "3 letters put aside" in done
    assert [one["count"] for one in listed(run, workspace)] == [1]
    assert [one["count"] for one in listed(run, workspace, "--discarded", code=0)] == [3]
    assert "3 letters back to work" in call(run, workspace, "retry", group, "--why", "after all", "--yes")
    assert listed(run, workspace, "--discarded", code=0) == []


@pytest.mark.parametrize("word", ["retry", "discard"])
def test_letter_that_comes_while_it_is_asked_is_not_decided_about(
    run: Run, workspace: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """What was shown is what was agreed to; the new one is listed, and asked about the next time."""

    def answered(question: str, *, yes: bool) -> bool:
        async def another() -> None:
            async with open_store(workspace) as store:
                await letter(store, "acme", "erp", REASON.format(4500012399))

        with ThreadPoolExecutor(1) as beside:  # the command's own loop waits for its answer
            beside.submit(asyncio.run, another()).result()
        return "3 letters" in question and not yes

    monkeypatch.setattr(dead, "asked_first", answered)
    assert "3 letters" in call(run, workspace, word, "--partner", "acme", "--why", "as was shown")
    (left,) = listed(run, workspace, "--each", "--partner", "acme")
    assert "4500012399" in left["reason"]


def test_one_letter_is_worked_again_without_a_question(run: Run, workspace: Path) -> None:
    """Its trail says by whom and why."""
    (one,) = listed(run, workspace, "--each", "--target", "wms")
    assert json.loads(call(run, workspace, "retry", one["letter"], "--by", "ann", "--json")) == {"done": 1, "left": []}
    trail = json.loads(run("message", "show", one["message_id"], "--json", "--workspace", workspace).output)["timeline"]
    assert (trail[-1]["kind"], trail[-1]["data"]["by"]) == ("work.retried", "ann")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["retry"], "which dead letters?"),
        (["retry", "nonsense"], "is no dead letter"),
        (["retry", "99999"], "there is no such dead letter"),
        (["show", "g00000000"], "there is no such dead letter"),
        (["list", "--since", "tomorrow"], "is no time"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_remedy(run: Run, filled: Path, words: list[str], said: str) -> None:
    """Exit code 2."""
    refused = call(run, filled, *words, code=2)
    assert said in refused
    assert "remedy" in refused


def test_a_reason_is_needed_to_put_something_aside(run: Run, filled: Path) -> None:
    """Never a silent loss."""
    assert "--why" in call(run, filled, "discard", "g00000000", code=2)


def test_names_are_completed(filled: Path) -> None:
    """Groups and letters."""

    class Context:
        params: ClassVar = {"workspace": str(filled)}

    names = complete_dead(Context(), "")  # type: ignore[arg-type]
    assert sum(name.startswith("g") for name in names) == 2
    assert sum(name.isdecimal() for name in names) == 4


COMPLETERS = [
    complete_dead, complete_step, complete_message, complete_target, complete_partner, complete_replay, complete_lane,
    complete_document, complete_webhook,
]  # fmt: skip


@pytest.mark.parametrize("completer", COMPLETERS, ids=lambda one: str(one.__name__))
def test_words_that_are_not_utf_8_are_completed_to_nothing(
    filled: Path, tmp_path: Path, completer: Callable[[Any, str], list[str]]
) -> None:
    """Nor is a folder of such a name a traceback: a completion has nobody to tell."""
    folder = tmp_path / "w\udcff"
    shutil.copytree(filled, folder)

    class Context:
        params: ClassVar = {"workspace": str(folder), "partner": "\udcff"}

    assert completer(Context(), "\udcff") == []
    completer(Context(), "")


def test_times_are_said_as_people_say_them() -> None:
    """So long ago, a day, a moment; without a zone it is UTC."""
    now = datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert moment_of("2h", now) == now - timedelta(hours=2)
    assert moment_of("2026-03-01", now) == datetime(2026, 3, 1, tzinfo=UTC)
    assert moment_of("2026-03-01T18:00+01:00", now) == datetime(2026, 3, 1, 17, tzinfo=UTC)
    with pytest.raises(OurFault):
        moment_of("soon", now)


@pytest.mark.parametrize("text", ["999999d", "0001-01-01T00:00+14:00"])
def test_time_before_all_time_is_refused_with_a_remedy(text: str) -> None:
    """Never a traceback."""
    with pytest.raises(OurFault, match="is no time") as refused:
        moment_of(text, datetime(2026, 3, 2, tzinfo=UTC))
    assert "2026-03-01" in str(refused.value.remedy)


@pytest.mark.parametrize(
    "words",
    [
        ("dead", "list", "--partner", "\udcff"),
        ("dead", "retry", "1", "--why", "\udcff"),
        ("replay", "run", "--order", "\udcff", "--dry-run"),
        ("message", "trace", "\udcff"),
    ],
)
def test_words_that_are_not_utf_8_are_refused_with_a_remedy(run: Run, workspace: Path, words: tuple[str, ...]) -> None:
    """As a shell passes octets of another encoding; no database takes them."""
    done = run(*words, "--workspace", workspace)
    assert done.exit_code == 2, done.output
    assert isinstance(done.exception, SystemExit)
    assert "not UTF-8" in done.output
    assert "remedy: " in done.output
