"""While a warning is open: quiet with reason and end, dependencies, reminders, escalation, outcome."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cityloop.access.actor import Actor
from cityloop.core.errors import AccessDenied, Conflict, Invalid, NotFound
from cityloop.core.values import Title
from cityloop.watch.keeper import LEAP
from cityloop.watch.schemas import NewMute, NewOutcome
from tests.watch.house import BOSS, House
from tests.watch.naive import at, rule_of

HANDLER = Actor(id="h", name=Title(zh="员", en="H"), posts=("handler",), department="urban")
PARENT = {"id": "t.parent", "match": {"kind": ("parent",)}, "respond": "part"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    one = House(
        tmp_path,
        [
            rule_of(
                window=10,
                match={"kind": ("k",)},
                depends=[{"rule": "t.parent", "by": "entity"}],
                remind={"every": 600, "most": 2},
                escalate=[
                    {"after": 1800, "to": "transport"},
                    {"after": 3600, "to": "centre", "unless": "cleared", "level": "orange"},
                ],
            ),
            rule_of(**PARENT, window=10, empty="lapse"),
        ],
    )
    yield one
    one.database.close()


def follow(house: House, seconds: float) -> list[str]:
    """Let time pass and look at open warnings; returns the events that came of it."""
    before = len(house.told())
    house.clock.advance(timedelta(seconds=seconds))
    house.watch._follower.step(house.clock.now())
    return house.told()[before:]


def quiet(house: House, seconds: float, **about: str) -> str:
    end = house.clock.now() + timedelta(seconds=seconds)
    return house.watch.mute(BOSS, NewMute(end=end, reason="换泵检修", **about)).id


def test_a_silenced_warning_is_kept_but_raised_only_when_the_quiet_is_over(house: House) -> None:
    quiet(house, 600, rule="test.rule", kind="maintenance")
    house.see(("a", 0, 12))
    (warning,) = house.warnings(muted=True)
    assert house.told() == ["muted"]
    assert warning.muted is not None
    assert (warning.muted.kind, warning.muted.reason.zh) == ("maintenance", "换泵检修")
    assert house.watch.mutes(BOSS, every=False)[0].warnings == 1
    assert follow(house, 300) == []
    assert follow(house, 301) == ["raised"]
    assert [change.what for change in house.watch.get(BOSS, warning.id).history] == ["muted", "unmuted"]


def test_a_warning_that_clears_in_its_quiet_is_never_raised(house: House) -> None:
    quiet(house, 600, entity="a")
    house.see(("a", 0, 12), ("b", 0, 12))
    house.see(("a", 10, 1))
    assert house.told() == ["muted", "raised", "cleared"]
    assert follow(house, 601) == ["reminder"]


def test_quiet_over_an_open_warning_stops_its_reminders_and_may_end_early(house: House) -> None:
    house.see(("a", 0, 12))
    mute = quiet(house, 86_400, area="440304")
    assert house.told() == ["raised", "muted"]
    assert follow(house, 7200) == []
    house.watch.unmute(BOSS, mute)
    assert house.told()[-1] == "raised"
    assert follow(house, 601) == ["reminder"]
    with pytest.raises(Conflict, match="ended already"):
        house.watch.unmute(BOSS, mute)
    (past,) = house.watch.mutes(BOSS, every=True)
    assert (past.ended_by, past.active, house.watch.mutes(BOSS, every=False)) == ("boss", False, [])
    assert house.audit.verify() is None


def test_a_mute_of_everything_of_the_past_or_of_nothing_known_is_refused(house: House) -> None:
    now = house.clock.now()
    with pytest.raises(Invalid, match="everything would be silent"):
        house.watch.mute(BOSS, NewMute(end=now + timedelta(hours=1), reason="all of it"))
    with pytest.raises(Invalid, match="choose a later end"):
        house.watch.mute(BOSS, NewMute(end=now, reason="too late", entity="a"))
    with pytest.raises(Invalid, match="no rule"):
        house.watch.mute(BOSS, NewMute(end=now + timedelta(hours=1), reason="a typo", rule="tset.rule"))
    with pytest.raises(AccessDenied):
        house.watch.mute(HANDLER, NewMute(end=now + timedelta(hours=1), reason="mine", entity="a"))
    with pytest.raises(NotFound):
        house.watch.unmute(BOSS, "mut_none")


def test_a_dead_station_mutes_its_children_until_it_is_back(house: House) -> None:
    house.see(("a", 0, 12), kind="parent")
    house.see(("a", 0, 12), ("b", 0, 12))
    assert house.told() == ["muted", "raised"]
    muted = next(warning for warning in house.warnings() if warning.entity == "a").muted
    assert muted is not None
    assert (muted.kind, muted.id) == ("dependency", "t.parent")
    house.see(("a", 20, 1), kind="parent")
    assert follow(house, 1) == ["raised"]


def test_reminders_come_until_somebody_acknowledges_and_no_more_than_asked(house: House) -> None:
    house.see(("a", 0, 12), ("b", 0, 12))
    assert follow(house, 599) == []
    assert follow(house, 1) == ["reminder", "reminder"]
    house.watch.acknowledge(BOSS, house.warnings()[0].id)
    assert follow(house, 600) == ["reminder"]
    assert follow(house, 599) == []


def test_escalation_tells_the_next_department_and_lifts_the_level_once(house: House) -> None:
    house.see(("a", 0, 12))
    house.watch.acknowledge(BOSS, house.warnings()[0].id)
    assert follow(house, 1800) == []
    assert follow(house, 1800) == ["escalated"]
    assert follow(house, 9000) == []
    (warning,) = house.warnings()
    assert (warning.level, warning.peak) == ("orange", "orange")
    assert house.outbox.after(0)[-1].data["to"] == "centre"
    house.see(("a", 30, 25))
    house.see(("a", 50, 12))
    assert house.warnings()[0].level == "orange"


def test_time_that_nobody_watched_is_made_up_for_once(house: House, tmp_path: Path) -> None:
    house.see(("a", 0, 12))
    again = House(tmp_path, list(house.watch._rules.values()))
    again.clock.set(house.clock.now() + timedelta(hours=2))
    again.watch._follower.step(again.clock.now())
    assert again.told() == ["raised", "escalated", "escalated", "reminder"]
    again.watch._follower.step(again.clock.now())
    assert len(again.told()) == 4
    again.database.close()


def test_what_a_warning_turned_out_to_be_feeds_the_statistics_of_its_rule(house: House) -> None:
    house.see(("a", 0, 12), ("b", 0, 12), ("c", 0, 12), ("d", 0, 12))
    for warning, outcome in zip(house.warnings(), ("true", "false", "drill"), strict=False):
        house.watch.label(BOSS, warning.id, NewOutcome(outcome=outcome, note="现场核实"))
    (health,) = house.watch.health(BOSS, 7)
    assert (health.fired, health.true, health.false, health.drill, health.unlabelled) == (4, 1, 1, 1, 1)
    assert (health.false_share, health.a_week, health.silent) == (0.5, 4.0, False)
    assert [w.outcome for w in house.warnings(outcome="false")] == ["false"]
    detail = house.watch.get(BOSS, house.warnings()[0].id)
    assert detail.history[-1].reason.zh == "班长认定为属实：现场核实"
    with pytest.raises(AccessDenied):
        house.watch.label(HANDLER, detail.id, NewOutcome(outcome="true"))


def test_a_rule_that_never_spoke_is_called_silent(house: House) -> None:
    assert [(health.rule, health.silent) for health in house.watch.health(BOSS, 30)] == [("test.rule", True)]


def test_a_part_warns_of_nothing_itself(house: House) -> None:
    house.see(("a", 0, 12), kind="parent")
    assert house.warnings() == []


def test_a_clock_that_jumps_clears_nothing_and_is_told(tmp_path: Path) -> None:
    house = House(tmp_path, [rule_of(window=10, empty="zero", late=0)])
    house.see(("a", 0, 12))
    house.watch.tick(at(1))
    house.watch.tick(at(1) + LEAP * 2)
    assert house.told() == ["raised"]
    assert "leapt" in house.watch.errors["clock"]
    house.watch.tick(at(2))
    assert "went back" in house.watch.errors["clock"]
    house.watch.tick(at(3) + LEAP * 2)
    assert (house.told(), "clock" in house.watch.errors) == (["raised", "cleared"], False)
    house.database.close()


def test_a_joint_rule_over_two_watches_is_raised_once_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    joint = rule_of(
        id="t.joint", aggregate="agree", property="", unit="", window=0, bucket=0, levels={"orange": 2},
        join="district",         conditions=[{"rule": "t.low"}, {"rule": "t.parent"}], entity_type="District",
    )  # fmt: skip
    rules = [joint, rule_of(id="t.low", window=10, match={"kind": ("k",)}), rule_of(**PARENT, window=10)]
    house = House(tmp_path, rules)
    house.see(("a", 0, 12))
    house.see(("b", 5, 12), kind="parent")
    assert [(w.rule, w.entity, w.level) for w in house.warnings()] == [
        ("t.low", "a", "blue"),
        ("t.joint", "440304", "orange"),
    ]
    house.database.close()
    again = House(tmp_path, rules)
    again.see(("b", 20, 1), kind="parent")
    assert [w.status for w in again.warnings(rule="t.joint")] == ["cleared"]
    again.database.close()
