"""What deltas have in common with their base is compiled once, and nothing can tell but the clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import OurFault
from gateway.findings import Finding
from gateway.mapping import Map, compile_map, from_folders, overlay, shipped, source
from gateway.mapping.known import Known

FILL = "# " + "a text that is long enough to be kept " * 60 + "\n"
"""Short texts are read faster than kept."""
BASE = f"""{FILL}document: 855
canonical: order_acknowledgement
codes:
  answer: {{AD: accepted}}
  status: {{IA: accepted, IR: rejected}}
  type: {{DP: department}}
segments:
  - BAK: {{BAK02: response | code answer, BAK03: order.number, BAK04: order.issue_date | date}}
  - REF: {{REF01: type | code type, REF02: value}}
    each: references
  - DTM*002: {{DTM02: order.requested | when}}
    when: response present
  - loop: PO1
    each: lines
    segments:
      - PO1: {{PO101: line_id}}
      - PID: {{PID05: item.name}}
      - REF: {{REF01: type | code type, REF02: value}}
        each: references
      - loop: ACK
        each: responses
        segments:
          - ACK: {{ACK01: status | code status}}
""".replace("  - DTM*002: {DTM02: order.requested | when}\n    when: response present\n", "")
DELTAS = (
    "extends: t/base\n",
    "extends: t/base\ncodes: {type: {DP: part, ZZ: other}}\n",
    "extends: t/base\ncodes: {status: {IB: accepted}}\n",
    "extends: t/base\nchange: {BAK: {BAK04: ~}, PO1/PID: {PID04: item.code}}\n",
    "extends: t/base\nbefore: {BAK: [{CUR: {CUR02: order.number}}]}\n",
    "extends: t/base\nafter: {PO1/PID: [{MSG: {MSG01: item.name}}]}\n",
    "extends: t/base\nbefore: {REF: [{N9: {N901: qualifier}, each: references}]}\n",
    "extends: t/base\nbefore: {REF: [{'REF*DP': {REF02: 'references[type=department].value'}}]}\n",
    "extends: t/base\nremove: [PO1/PO1]\n",
    "extends: t/base\ncodes: {type: ~}\n",
    "extends: t/base\nafter: {PO1: [{BAK: {BAK09: issue_date | date}}]}\n",
    "extends: t/base\nchange: {PO1: {each: references}}\n",
)


def forget() -> None:
    """As in a new process."""
    source._known.clear()
    overlay._applied.clear()


def outcome(text: str, **others: str) -> tuple[Known | None, tuple[Finding, ...]]:
    """What the map `t/own` expresses, or all that is wrong with it."""
    try:
        return made(text, **others).known, ()
    except OurFault as fault:
        return None, fault.findings


def made(text: str, **others: str) -> Map:
    """The map `t/own`."""
    sources = {"t/base": BASE, "t/own": text, **{f"t/{name}": each for name, each in others.items()}}
    return compile_map("t/own", sources)


@pytest.mark.parametrize("delta", DELTAS)
def test_a_delta_is_what_it_would_be_if_nothing_were_shared(delta: str) -> None:
    """The same fields, or the same findings word for word, after every other delta was compiled."""
    forget()
    alone = outcome(delta)
    for _ in range(2):
        for other in DELTAS:
            outcome(other)
        assert outcome(delta) == alone


def test_a_rule_that_deltas_leave_alone_is_one_for_all_of_them() -> None:
    """A rule with a table that one of them changes is its own, and so is all that it stands in."""
    forget()
    first, second, own = made(DELTAS[0]), made("extends: t/base\ntitle: another\n"), made(DELTAS[1])
    assert all(one is other for one, other in zip(first.scope.rules, second.scope.rules, strict=True))
    bak, ref, po1 = (one is other for one, other in zip(first.scope.rules, own.scope.rules, strict=True))
    assert (bak, ref, po1) == (True, False, False)
    inside = [getattr(one.scope.rules[2], "scope").rules for one in (first, own)]  # noqa: B009  of an Each
    assert [one is other for one, other in zip(*inside, strict=True)] == [True, True, False, True]


def test_a_delta_that_others_extend_is_applied_once_and_stays_as_it_is() -> None:
    """Nothing that a delta on it changes is seen by the next one."""
    forget()
    industry = "extends: t/base\nafter: {BAK: [{CUR: {CUR02: currency.code}}]}\n"
    plain = made("extends: t/industry\n", industry=industry)
    changed = made("extends: t/industry\nchange: {CUR: {CUR02: ~, CUR03: currency.code}}\n", industry=industry)
    again = made("extends: t/industry\ntitle: again\n", industry=industry)
    assert [one.lens.lenses[0].line for one in (plain.scope.rules[1], again.scope.rules[1])] == [2, 2]  # type: ignore[attr-defined]
    assert plain.scope.rules[1] is again.scope.rules[1]
    assert changed.scope.rules[1] is not plain.scope.rules[1]
    assert len(overlay._applied) == 1


@pytest.mark.parametrize("name", ["x12/855", "x12/856", "edifact/DESADV", "edifact/ORDERS"])
def test_a_shipped_map_and_a_delta_that_says_nothing_express_the_same(name: str, tmp_path: Path) -> None:
    """Whichever is compiled first; hierarchies of both kinds among them."""
    (tmp_path / "own.yaml").write_text(f"extends: {name}\n")
    (tmp_path / "other.yaml").write_text(f"extends: {name}\ntitle: other\n")
    find = from_folders(tmp_path, shipped())
    forget()
    wanted = compile_map(name, find).known
    assert str(compile_map("own", find).known.fields.keys()) == str(wanted.fields.keys())
    warm = compile_map("other", find)
    assert set(warm.scope.table) == set(compile_map(name, find).scope.table)
    assert {rule.label for rule in warm.scope.rules} == {rule.label for rule in compile_map(name, find).scope.rules}
