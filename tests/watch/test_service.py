"""Warnings in a real SQLite file: one open per rule and entity, restarts, evidence, scope, acknowledgement."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cityloop.access.actor import Actor
from cityloop.core.errors import AccessDenied, Invalid, NotFound
from cityloop.core.outbox import Relay
from cityloop.core.values import Title
from cityloop.core.web import Paging
from cityloop.watch.schemas import WarningFilter
from tests.watch import house as home
from tests.watch.house import ALL, BOSS, House
from tests.watch.naive import at, rule_of
from tests.watch.things import Things


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    one = House(tmp_path, [rule_of(window=10)])
    yield one
    one.database.close()


def test_a_crossing_value_raises_one_warning_with_its_evidence(house: House) -> None:
    house.see(("a", 0, 3), ("a", 5, 25))
    house.see(("a", 6, 40))
    (warning,) = house.warnings()
    assert (warning.level, warning.status) == ("red", "open")
    assert warning.value == pytest.approx(68 / 3)
    assert warning.entity_title.zh == "站a"
    detail = house.watch.get(BOSS, warning.id)
    assert [point[2] for point in detail.evidence.points] == ["b1:0", "b1:1"]
    assert detail.evidence.window_from == at(0)
    assert len(detail.evidence.trace) >= 3
    assert house.told() == ["raised", "level"]
    assert house.audit.verify() is None


def test_a_warning_goes_up_comes_down_and_clears_and_its_history_says_so(house: House) -> None:
    for second, value in ((0, 12.0), (10, 25), (20, 12), (30, 1)):
        house.see(("a", second, value))
    (warning,) = house.warnings()
    assert (warning.status, warning.level, warning.peak) == ("cleared", "blue", "red")
    history = house.watch.get(BOSS, warning.id).history
    assert [(step.what, step.level) for step in history] == [
        ("raised", "blue"),
        ("level", "red"),
        ("level", "blue"),
        ("cleared", None),
    ]
    assert all(step.reason for step in history)
    assert house.told() == ["raised", "level", "level", "cleared"]


def test_after_clearing_the_same_entity_may_be_warned_of_again(house: House) -> None:
    for second, value in ((0, 12.0), (10, 1), (20, 12)):
        house.see(("a", second, value))
    assert [warning.status for warning in house.warnings()] == ["cleared", "open"]


def test_a_fire_and_a_clear_in_one_batch_are_both_remembered(house: House) -> None:
    house.see(("a", 0, 12), ("a", 10, 1))
    assert [warning.status for warning in house.warnings()] == ["cleared"]
    assert house.told() == ["raised", "cleared"]


def test_a_batch_that_was_watched_already_changes_nothing(house: House) -> None:
    batch = house.things.commit(("a", 0, 12))
    house.watch.observe(batch)
    house.watch.observe(batch)
    assert house.told() == ["raised"]


def test_a_batch_that_never_arrived_is_read_from_the_lake(house: House) -> None:
    house.things.commit(("a", 0, 12))
    house.see(("b", 0, 12))
    assert sorted(warning.entity for warning in house.warnings()) == ["a", "b"]


def test_after_a_crash_between_lake_and_watch_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    rules = [rule_of(window=10)]
    first = House(tmp_path, rules)
    first.see(("a", 0, 12))
    first.things.commit(("b", 1, 25), ("a", 2, 13))  # durable in the lake, and then the machine stops
    second = House(tmp_path, rules)
    assert sorted((warning.entity, warning.status) for warning in second.warnings()) == [("a", "open"), ("b", "open")]
    third = House(tmp_path, rules)
    assert third.told() == ["raised", "raised"]
    third.see(("a", 12, 1))
    assert third.told() == ["raised", "raised", "cleared"]


def test_a_restart_in_the_middle_of_a_hold_changes_nothing(tmp_path: Path) -> None:
    rules = [rule_of(window=10, hold=30)]
    first = House(tmp_path, rules)
    for second in (0, 10, 20):
        first.see(("a", second, 12))
    assert first.told() == []
    second_life = House(tmp_path, rules)
    second_life.see(("a", 29, 12))
    assert second_life.told() == []
    third_life = House(tmp_path, rules)
    third_life.see(("a", 30, 12))
    (warning,) = third_life.warnings()
    assert third_life.watch.get(BOSS, warning.id).evidence.hold_seconds == 30


def test_history_from_before_the_first_start_raises_nothing(tmp_path: Path) -> None:
    Things(tmp_path).commit(("a", 0, 12))
    house = House(tmp_path, [rule_of(window=10)])
    assert house.told() == []
    house.see(("a", 5, 12))
    assert house.told() == ["raised"]


def test_a_failing_store_is_reported_and_made_good_later(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(house.outbox, "record", broken)
        house.see(("a", 0, 12))
    assert house.watch.errors == {"Thing": "disk full"}
    assert house.warnings() == []
    house.watch.tick(at(20))
    assert house.told() == ["raised"]
    assert house.watch.errors == {}


def test_silence_clears_where_no_record_means_zero(tmp_path: Path) -> None:
    house = House(tmp_path, [rule_of(window=30, aggregate="sum", empty="zero", late=0)])
    house.see(("a", 0, 12))
    house.watch.tick(at(29))
    assert house.told() == ["raised"]
    house.watch.tick(at(31))
    assert house.told() == ["raised", "cleared"]
    assert House(tmp_path, [rule_of(window=30, aggregate="sum", empty="zero", late=0)]).told() == [
        "raised",
        "cleared",
    ]


def test_only_matching_rows_count(tmp_path: Path) -> None:
    house = House(tmp_path, [rule_of(match={"kind": ["citizen"]})])
    house.see(("a", 0, 25), kind="drill")
    assert house.told() == []
    house.see(("a", 1, 25), kind="citizen")
    assert house.told() == ["raised"]


def test_a_withdrawn_rule_leaves_no_open_warning(tmp_path: Path) -> None:
    first = House(tmp_path, [rule_of()])
    first.see(("a", 0, 25))
    second = House(tmp_path, [rule_of(id="test.other")])
    assert [warning.status for warning in second.warnings()] == ["cleared"]


def test_a_bad_value_is_an_error_of_its_rule(house: House) -> None:
    house.see(("a", 0, float("inf")))
    (rule,) = house.watch.rules(BOSS)
    assert rule.last_error == "1 × the value is not a finite number"


def test_rules_say_how_often_they_spoke(house: House) -> None:
    house.see(("a", 0, 12), ("b", 0, 12), ("a", 10, 1))
    (rule,) = house.watch.rules(BOSS)
    assert (rule.open_warnings, rule.fired_total) == (1, 2)


def test_each_actor_sees_the_warnings_of_the_own_scope_only(house: House) -> None:
    house.see(("a", 0, 12))
    water = Actor(id="w", name=Title(zh="水", en="Water"), posts=("handler",), department="water")
    urban = Actor(id="u", name=Title(zh="城", en="Urban"), posts=("handler",), department="urban")
    futian = Actor(id="f", name=Title(zh="福", en="Futian"), posts=("collector",), areas=("440304",))
    nobody = Actor(id="n", name=Title(zh="无", en="None"))
    (warning,) = house.warnings()
    assert house.watch.list(water, WarningFilter(), ALL).total == 0
    assert house.watch.list(urban, WarningFilter(), ALL).total == 1
    assert house.watch.list(futian, WarningFilter(), ALL).total == 1
    with pytest.raises(NotFound):
        house.watch.get(water, warning.id)
    with pytest.raises(AccessDenied):
        house.watch.list(nobody, WarningFilter(), ALL)
    with pytest.raises(AccessDenied):
        house.watch.rules(urban)


def test_acknowledging_needs_the_permission_and_happens_once(house: House) -> None:
    house.see(("a", 0, 12))
    (warning,) = house.warnings()
    urban = Actor(id="u", name=Title(zh="城", en="Urban"), posts=("handler",), department="urban")
    with pytest.raises(AccessDenied):
        house.watch.acknowledge(urban, warning.id)
    first = house.watch.acknowledge(BOSS, warning.id)
    again = house.watch.acknowledge(BOSS, warning.id)
    assert first.acknowledged_by == "boss"
    assert again == first
    assert house.told() == ["raised", "acknowledged"]
    assert house.audit.verify() is None


def test_a_case_is_linked_once(house: House) -> None:
    house.see(("a", 0, 12))
    (warning,) = house.warnings()
    relay = Relay(house.database, house.outbox)
    relay.consume("watch", house.watch.link_cases, ["cityloop.case.moved"])
    for _ in range(2):
        with house.database.transaction() as tx:
            case = {"id": "case_1", "number": "2026-0001", "warning": warning.id}
            house.outbox.record(tx, "cityloop.case.moved", "case_1", at(1), {"case": case, "move": "report"})
        relay.drain()
    assert house.watch.get(BOSS, warning.id).case_number == "2026-0001"
    assert house.told().count("linked") == 1


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"status": "open"}, 2),
        ({"status": "cleared"}, 0),
        ({"level": ("red",)}, 1),
        ({"rule": "test.rule"}, 2),
        ({"entity": "a"}, 1),
        ({"area": "4403"}, 2),
        ({"area": "4404"}, 0),
        ({"series": "none"}, 0),
        ({"start": at(0)}, 2),
        ({"end": at(0)}, 0),
    ],
)
def test_the_list_is_filtered(house: House, wanted: dict[str, Any], count: int) -> None:
    house.see(("a", 0, 12), ("b", 0, 25))
    assert house.watch.list(BOSS, WarningFilter(**wanted), ALL).total == count


def test_the_list_is_sorted_and_paged(house: House) -> None:
    house.see(("a", 0, 12), ("b", 0, 25), ("c", 0, 12))
    by_level = house.watch.list(BOSS, WarningFilter(), Paging(page=1, size=1, sort="-level"))
    assert ([w.entity for w in by_level.items], by_level.total) == (["b"], 3)
    with pytest.raises(Invalid):
        house.watch.list(BOSS, WarningFilter(), Paging(page=1, size=1, sort="colour"))


def test_the_list_is_exported(house: House) -> None:
    house.see(("a", 0, 12))
    answer = house.watch.export(BOSS, WarningFilter(), "csv")
    assert "站a" in bytes(answer.body).decode("utf-8-sig")


def test_old_points_are_read_from_the_lake_when_memory_has_dropped_them(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cityloop.watch import recent

    monkeypatch.setattr(recent, "MOST_ROWS", 10)
    for step in range(70):
        house.see(("b", step * 0.1, 1))
    house.see(("a", 8, 12))
    (warning,) = house.warnings()
    assert len(house.watch.get(BOSS, warning.id).evidence.points) == 1
    house.see(("b", 9, 9999))
    fresh = next(w for w in house.warnings() if w.entity == "b")
    assert len(house.watch.get(BOSS, fresh.id).evidence.points) == 71


def test_compaction_moves_versions_and_changes_no_warning(tmp_path: Path) -> None:
    rules = [rule_of(window=10, hold=30)]
    house = House(tmp_path, rules)
    for second in range(25):
        house.see(("a", second, 12))
    house.things.lake.compact("Thing")
    house.see(("a", 29, 12))
    assert house.told() == []
    again = House(tmp_path, rules)
    again.see(("a", 30, 12))
    assert again.told() == ["raised"]


def test_a_lake_that_tells_too_much_does_not_double_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path, [rule_of(window=10)])
    for second, value in ((0, 12.0), (10, 1.0), (20, 1.0)):
        house.see(("a", second, value))
    house.watch.tick(at(20))
    house.things.commit(("b", 30, 12))
    monkeypatch.setattr("cityloop.lake.log.TableLog.added", lambda *_: None)
    again = House(tmp_path, [rule_of(window=10)])
    assert again.told() == ["raised", "cleared", "raised"]


def test_several_rules_watch_one_thing_side_by_side(tmp_path: Path) -> None:
    house = House(tmp_path, [rule_of(id="a.mean"), rule_of(id="a.max", aggregate="max", levels={"red": 30})])
    house.see(("a", 0, 12), ("a", 1, 40))
    assert sorted((w.rule, w.level) for w in house.warnings()) == [("a.max", "red"), ("a.mean", "red")]


def test_a_thing_without_a_card_keeps_its_id_and_area(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "card", lambda *_: None)
    house = House(tmp_path, [rule_of()])
    house.see(("a", 0, 12))
    (warning,) = house.warnings()
    assert (warning.entity_title.zh, warning.area) == ("a", "440304")
