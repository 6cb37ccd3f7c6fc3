"""The partner over two folders: what we send is answered once, by the scenario, in files that we can read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import canonical
from gateway.edi.library import standard
from gateway.edi.reading import read_all
from gateway.errors import OurFault
from gateway.simulation import folders
from gateway.simulation.correspondent import chosen
from gateway.simulation.folders import MEMORY, Folders
from gateway.simulation.orders import order
from gateway.simulation.scenarios import SCENARIOS
from gateway.simulation.trial import Sides

from .conftest import AT

Both = Callable[[str], Sides]


def _order(sides: Sides, number: int) -> bytes:
    made = order(f"45{number:05d}", [{"scheme": "assigned_by_buyer", "value": "V-1"}], name="S", today=AT.date())
    model, _ = canonical.parse("purchase_order", made)
    assert model is not None
    data = sides.ours.speak("purchase_order", canonical.dump(model), at=AT, number=number).data
    assert data is not None
    return data


def _player(sides: Sides, folder: Path, *scenarios: str) -> Folders:
    return Folders(sides.theirs, inbox=folder / "in", outbox=folder / "out", scenarios=scenarios or ("accept",))


def _types(folder: Path) -> list[str]:
    return [path.name.split("-")[1] for path in sorted((folder / "out").glob("*.edi"))]


def test_an_order_gets_its_997_and_then_the_scenario(both: Both, tmp_path: Path) -> None:
    """Each answer is one file that our side takes without a finding that refuses it."""
    sides = both("acme")
    player = _player(sides, tmp_path, "split")
    (tmp_path / "in/one.edi").write_bytes(_order(sides, 1))
    told = list(player.look(AT))
    assert _types(tmp_path) == ["997", "855", "856", "856"]
    assert told[1] == "one.edi: order 4500001 is answered: split"
    answer = next((tmp_path / "out").glob("*-855-*"))
    heard = sides.ours.hear("order_acknowledgement", answer.read_bytes())
    assert not heard.refused
    assert heard.document["order"]["number"] == "4500001"


def test_a_file_that_is_still_being_written_is_not_answered(both: Both, tmp_path: Path) -> None:
    """Two looks in a row have to see the same; half of an order would be answered with a refusal."""
    sides = both("acme")
    player = _player(sides, tmp_path)
    whole = _order(sides, 1)
    file = tmp_path / "in/one.edi"
    for octets in (whole[: len(whole) // 2], whole):
        file.write_bytes(octets)
        assert list(player.look(AT, settled=True)) == []
    assert any("is answered" in line for line in player.look(AT, settled=True))
    assert _types(tmp_path) == ["997", "855", "856"]


def test_a_file_that_is_taken_away_during_a_look_stops_nothing(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After it was listed, and after it was looked at; the others are answered."""
    sides = both("acme")
    player = _player(sides, tmp_path)
    stamp = folders._stamp

    def taking(path: Path) -> tuple[int, int] | None:
        if path.name == "a.edi":
            path.unlink()
        seen = stamp(path)
        if path.name == "b.edi":
            path.unlink()
        return seen

    monkeypatch.setattr(folders, "_stamp", taking)
    for number, name in enumerate(("a.edi", "b.edi", "c.edi"), 1):
        (tmp_path / "in" / name).write_bytes(_order(sides, number))
    told = list(player.look(AT))
    assert {line.partition(":")[0] for line in told} == {"c.edi"}
    assert _types(tmp_path) == ["997", "855", "856"]


def test_scenarios_come_in_turn(both: Both, tmp_path: Path) -> None:
    """One for each order."""
    sides = both("acme")
    player = _player(sides, tmp_path, *chosen("accept", every=True))
    for number in range(1, len(SCENARIOS) + 1):
        (tmp_path / f"in/{number}.edi").write_bytes(_order(sides, number))
    told = [line for line in player.look(AT) if "is answered" in line]
    assert [line.rpartition(" ")[2] for line in told] == list(SCENARIOS)


def test_a_restart_answers_nothing_twice_and_repeats_no_number(both: Both, tmp_path: Path) -> None:
    """What was answered is remembered in the outbox, with the turn of the scenarios."""
    sides = both("acme")
    names = ("reject", "accept")
    first = _player(sides, tmp_path, *names)
    (tmp_path / "in/1.edi").write_bytes(_order(sides, 1))
    list(first.look(AT))
    assert list(first.look(AT)) == []
    second = _player(sides, tmp_path, *names)
    assert list(second.look(AT)) == []
    (tmp_path / "in/2.edi").write_bytes(_order(sides, 2))
    list(second.look(AT))
    assert _types(tmp_path) == ["997", "855", "997", "855", "856"]
    controls = [
        read_all(path.read_bytes(), guides=standard())[0].control_number for path in (tmp_path / "out").glob("*.edi")
    ]
    assert len(set(controls)) == 5


def test_what_cannot_be_read_is_told_and_not_answered(both: Both, tmp_path: Path) -> None:
    """Rubbish, an empty file and a malformed order: the last gets a 997 that refuses it."""
    sides = both("acme")
    player = _player(sides, tmp_path)
    (tmp_path / "in/0.edi").write_bytes(b"")
    (tmp_path / "in/1.edi").write_bytes(b"\x00\xff rubbish")
    (tmp_path / "in/2.edi").write_bytes(_order(sides, 1).replace(b"PO1*1*24*", b"PO1*1*TWELVE*"))
    told = list(player.look(AT))
    assert sum("gets no answer" in line for line in told) == 2
    assert any("is refused" in line for line in told)
    assert _types(tmp_path) == ["997"]
    assert b"AK5*R" in next((tmp_path / "out").glob("*.edi")).read_bytes()


def test_a_file_over_the_limit_is_left_alone(both: Both, tmp_path: Path) -> None:
    """Told once."""
    sides = both("acme")
    small = sides.theirs.settings.model_copy(update={"max_message_bytes": 1024})
    from dataclasses import replace  # noqa: PLC0415

    player = Folders(
        replace(sides.theirs, settings=small), inbox=tmp_path / "in", outbox=tmp_path / "out", scenarios=("accept",)
    )
    (tmp_path / "in/big.edi").write_bytes(b"x" * 2000)
    assert list(player.look(AT)) == ["big.edi has more than 1,024 bytes and is left alone"]
    assert list(player.look(AT)) == []


def test_a_memory_that_cannot_be_read_stops_with_its_remedy(both: Both, tmp_path: Path) -> None:
    """Answering everything anew is the operator's decision."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / MEMORY).write_text("{")
    with pytest.raises(OurFault, match="cannot be read") as caught:
        _player(both("acme"), tmp_path)
    assert "remove it" in caught.value.remedy


def test_an_unknown_scenario_is_refused_with_those_there_are() -> None:
    """By name."""
    with pytest.raises(OurFault) as caught:
        chosen("acept", every=False)
    assert "accept" in caught.value.remedy
