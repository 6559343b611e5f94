"""Orders from verdict to effect: confirmed, undone, never doubled, with devices slow, deaf, lying and flapping."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cityloop.access.actor import SYSTEM
from cityloop.command.schemas import CommandFilter
from cityloop.command.wires import Answer, Message, NotSent, Rejected
from cityloop.core.errors import AccessDenied, Conflict, Invalid, NotFound
from cityloop.core.web import Paging
from tests.command.field import (
    ANALYST,
    COLLECTOR,
    ENVIRONMENT,
    LEADER,
    POLICE,
    SANITATION,
    SHIFT,
    WATER,
    Town,
    order,
)

MINUTE = timedelta(minutes=1)
FIRST = Paging(page=1, size=50, sort="")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()


def test_an_order_is_done_once_the_data_show_its_effect(town: Town) -> None:
    given = town.order(WATER, "Pump", "P1", "start")
    assert given.state == "ordered"
    town.wait(MINUTE)
    detail = town.commander.get(WATER, given.id)
    assert detail.command.state == "done"
    assert [act.act for act in detail.acts] == ["ordered", "sent", "acknowledged", "says done", "done"]
    assert (detail.before["running"], detail.now["running"]) == (False, True)
    assert town.events() == ["ordered", "sent", "acknowledged", "done"]
    assert town.audit.verify() is None


def test_the_same_key_is_the_same_order_and_never_another(town: Town) -> None:
    first = town.order(WATER, "Pump", "P1", "start", _key="k1")
    assert town.order(WATER, "Pump", "P1", "start", _key="k1").id == first.id
    with pytest.raises(Conflict, match="k1"):
        town.order(WATER, "Pump", "P1", "stop", _key="k1")
    town.wait(MINUTE)
    assert town.field.devices["Pump", "P1"].carried_out == 1


def test_a_refused_order_is_kept_with_every_reason_and_sends_nothing(town: Town) -> None:
    town.register.see("WaterLevelSensor", "W1", town.clock.now(), level=0.4)
    given = town.order(WATER, "Pump", "P1", "stop")
    assert given.state == "refused"
    assert [reason.check for reason in given.reasons] == ["interlock"]
    assert town.order(POLICE, "Pump", "P1", "start").reasons[0].check == "sight"
    assert town.order(COLLECTOR, "Pump", "P1", "start").state == "refused"
    town.wait(MINUTE)
    assert town.field.devices["Pump", "P1"].carried_out == 0
    with pytest.raises(Invalid):
        town.order(WATER, "Pump", "P9", "start")


def test_a_dry_run_says_everything_and_keeps_nothing(town: Town) -> None:
    found = town.commander.dry_run(order("EmissionSource", "E3", "curtail", output=50), ENVIRONMENT)
    assert not found.verdict.allowed
    assert [reason.check for reason in found.verdict.against] == ["interlock"]
    assert found.undo == "restore" and found.state["safety_process"] is True
    assert town.commander.list(SYSTEM, CommandFilter(), FIRST).total == 0
    assert town.commander.dry_run(order("EmissionSource", "E3", "curtail", output=50), WATER).state == {}


def test_a_second_person_confirms_and_never_the_first(town: Town) -> None:
    given = town.order(POLICE, "RoadBarrier", "B1", "close")
    assert given.state == "proposed" and given.may == ("refuse", "undo")
    town.wait(MINUTE)
    assert town.field.devices["RoadBarrier", "B1"].carried_out == 0
    with pytest.raises(AccessDenied):
        town.commander.confirm(given.id, POLICE, "自己")
    with pytest.raises(NotFound):
        town.commander.confirm(given.id, WATER, "别的部门")
    with pytest.raises(AccessDenied):
        town.commander.confirm(given.id, ANALYST, "无权")
    assert town.commander.confirm(given.id, SHIFT, "同意").state == "ordered"
    with pytest.raises(Conflict):
        town.commander.confirm(given.id, LEADER, "再次")
    town.wait(MINUTE)
    assert town.state(given.id) == "done"


def test_what_became_unsafe_meanwhile_is_not_confirmed(town: Town) -> None:
    given = town.order(POLICE, "RoadBarrier", "B1", "close")
    town.register.see("RoadBarrier", "B1", town.clock.now(), occupied=True)
    with pytest.raises(Conflict, match="underneath"):
        town.commander.confirm(given.id, SHIFT, "同意")
    assert town.commander.refuse(given.id, SHIFT, "杆下有车").state == "refused"


def test_a_proposal_that_nobody_confirms_expires(town: Town) -> None:
    given = town.order(POLICE, "RoadBarrier", "B1", "close")
    town.wait(timedelta(minutes=121), MINUTE)
    assert town.state(given.id) == "expired"


def test_two_conflicting_greens_are_not_even_ordered_at_once(town: Town) -> None:
    first = town.order(POLICE, "TrafficSignal", "T1", "hold_green", direction="north_south", seconds=120)
    second = town.order(POLICE, "TrafficSignal", "T2", "hold_green", direction="north_south", seconds=120)
    assert (first.state, second.state) == ("ordered", "refused")
    town.wait(MINUTE)
    assert town.state(first.id) == "done"
    assert town.order(POLICE, "TrafficSignal", "T2", "hold_green", direction="east_west").state == "refused"
    town.wait(timedelta(minutes=2))
    assert town.order(POLICE, "TrafficSignal", "T2", "hold_green", direction="east_west").state == "ordered"


def test_a_slow_device_is_asked_again_and_does_it_once(town: Town) -> None:
    town.temper("Pump", "P1", "slow")
    given = town.order(WATER, "Pump", "P1", "start")
    town.wait(timedelta(minutes=4))
    assert town.state(given.id) == "done"
    assert town.commander.get(WATER, given.id).command.tries > 1
    assert town.field.devices["Pump", "P1"].carried_out == 1


@pytest.mark.parametrize(("temper", "check"), [("deaf", "no answer"), ("lying", "data never showed")])
def test_a_deaf_and_a_lying_device_end_as_unknown_for_a_person(town: Town, temper: str, check: str) -> None:
    town.temper("MessageSign", "V1", temper)  # type: ignore[arg-type]
    given = town.order(WATER, "MessageSign", "V1", "show", text="前方积水")
    town.wait(timedelta(minutes=31))
    detail = town.commander.get(WATER, given.id).command
    assert detail.state == "unknown" and check in detail.reasons[0].said.en
    assert detail.may == ("settle", "undo")
    assert town.commander.list(WATER, CommandFilter(open=True), FIRST).total == 1
    assert town.commander.settle(given.id, WATER, "现场无显示", "failed").state == "failed"
    with pytest.raises(Conflict):
        town.commander.settle(given.id, WATER, "再次", "done")


def test_an_effect_that_shows_after_all_ends_the_doubt(town: Town) -> None:
    town.temper("MessageSign", "V1", "deaf")
    given = town.order(WATER, "MessageSign", "V1", "show", text="前方积水")
    town.wait(timedelta(minutes=5))
    assert town.state(given.id) == "unknown"
    town.register.see("MessageSign", "V1", town.clock.now(), text="前方积水")
    town.wait(timedelta(seconds=5))
    assert town.state(given.id) == "done"


def test_what_was_seen_before_the_order_is_no_effect_of_it(town: Town) -> None:
    town.temper("MessageSign", "V1", "lying")
    town.register.see("MessageSign", "V1", town.clock.now(), text="绕行")
    given = town.order(WATER, "MessageSign", "V1", "show", text="绕行")
    town.wait(timedelta(seconds=20))
    assert town.state(given.id) == "acknowledged"


def test_a_flapping_lamp_is_not_done_until_it_stays(town: Town) -> None:
    town.temper("LampPole", "L1", "flapping")
    given = town.order(SHIFT, "LampPole", "L1", "dim", percent=40)
    town.wait(timedelta(minutes=32))
    acts = [act.act for act in town.commander.get(SHIFT, given.id).acts]
    assert "effect lost" in acts and acts[-1] == "unknown"


def test_undo_goes_back_to_what_was_before_and_closes_the_first(town: Town) -> None:
    given = town.order(ENVIRONMENT, "EmissionSource", "E2", "curtail", output=75)
    town.wait(MINUTE)
    back = town.commander.undo(given.id, ENVIRONMENT, "预警解除")
    assert (back.command, back.parameters, back.undo_of) == ("restore", {"output": 92}, given.id)
    assert town.commander.undo(given.id, ENVIRONMENT, "再按一次").id == back.id
    town.wait(MINUTE)
    assert (town.state(back.id), town.state(given.id)) == ("done", "undone")
    assert town.register.latest("EmissionSource", "E2")[1]["output"] == 92


def test_what_was_not_sent_is_cancelled_and_what_has_no_way_back_says_so(town: Town) -> None:
    given = town.order(WATER, "Pump", "P1", "start")
    assert town.commander.undo(given.id, WATER, "误操作").state == "undone"
    town.wait(MINUTE)
    assert town.field.devices["Pump", "P1"].carried_out == 0
    stop = town.order(SANITATION, "SanitationVehicle", "A1", "stop")
    town.wait(MINUTE)
    with pytest.raises(Conflict, match="no way back"):
        town.commander.undo(stop.id, SANITATION, "继续")


def test_an_undo_meets_the_same_checks_as_any_order(town: Town) -> None:
    given = town.order(WATER, "Pump", "P1", "start")
    town.wait(MINUTE)
    town.register.see("WaterLevelSensor", "W1", town.clock.now(), level=0.5)
    assert town.commander.undo(given.id, WATER, "停").state == "refused"
    assert town.state(given.id) == "done"


def test_an_exercise_is_judged_and_recorded_and_sends_nothing(town: Town) -> None:
    given = town.order(WATER, "Pump", "P1", "start", _exercise=True)
    town.wait(MINUTE)
    detail = town.commander.get(WATER, given.id)
    assert detail.command.state == "done" and "nothing was sent" in str(detail.acts[-1].said)
    assert town.field.devices["Pump", "P1"].carried_out == 0


class Fragile:
    """A wire that is down, refuses, or is cut by a power failure right after it handed over."""

    def __init__(self, town: Town) -> None:
        self.town, self.mode, self.sent = town, "down", 0
        self.trouble = ""

    def start(self, heard: object) -> None: ...

    def stop(self) -> None: ...

    def send(self, message: Message) -> Answer | None:
        if self.mode == "down":
            raise NotSent("no line")
        if self.mode == "refuses":
            raise Rejected("HTTP 404")
        self.sent += 1
        self.town.field.send(message)
        if self.mode == "killed":
            raise KeyboardInterrupt
        return None


def fragile(town: Town) -> Fragile:
    wire = Fragile(town)
    town.wires = {"mqtt": wire}
    town.open()
    town.field.start(town.commander._delivery.heard)
    return wire


def test_a_wire_that_is_down_is_tried_until_the_order_expires(town: Town) -> None:
    wire = fragile(town)
    given = town.order(WATER, "Pump", "P1", "start")
    town.wait(timedelta(minutes=2))
    assert town.state(given.id) == "ordered"
    wire.mode = "up"
    town.wait(MINUTE)
    assert (town.state(given.id), wire.sent) == ("done", 1)
    wire.mode = "down"
    late = town.order(WATER, "Pump", "P1", "start")
    town.wait(timedelta(minutes=11))
    assert town.state(late.id) == "expired"


def test_a_wire_that_refuses_for_good_fails_the_command(town: Town) -> None:
    fragile(town).mode = "refuses"
    given = town.order(WATER, "Pump", "P1", "start")
    town.wait(timedelta(seconds=5))
    assert town.state(given.id) == "failed"


def test_killed_while_handing_over_it_goes_on_without_doubling(town: Town) -> None:
    wire = fragile(town)
    wire.mode = "killed"
    town.temper("Pump", "P1", "slow")
    given = town.order(WATER, "Pump", "P1", "start")
    with pytest.raises(KeyboardInterrupt):
        town.commander.tick(town.clock.now())
    wire.mode = "up"
    town.open()
    town.field.start(town.commander._delivery.heard)
    town.wait(3 * MINUTE)
    assert town.state(given.id) == "done"
    assert wire.sent > 1 and town.field.devices["Pump", "P1"].carried_out == 1


def test_what_may_have_been_sent_is_cancelled_by_nobody(town: Town) -> None:
    wire = fragile(town)
    wire.mode = "killed"
    given = town.order(WATER, "Pump", "P1", "start")
    with pytest.raises(KeyboardInterrupt):
        town.commander.tick(town.clock.now())
    with pytest.raises(Conflict):
        town.commander.undo(given.id, WATER, "取消")


def test_a_device_out_of_contact_is_checked_for_its_safe_state(town: Town) -> None:
    town.wait(timedelta(minutes=1))
    vehicle = town.field.devices["SanitationVehicle", "A1"]
    del town.field.devices["SanitationVehicle", "A1"], town.field.devices["SanitationVehicle", "A3"]
    town.wait(timedelta(minutes=32), MINUTE)
    lost = town.commander.lost_contacts(SANITATION, FIRST, True)
    assert {item.entity for item in lost.items} == {"A1", "A3"} and lost.items[0].safe is None
    town.open()
    town.register.see("SanitationVehicle", "A1", town.clock.now(), state="stopped", speed=0)
    town.register.see("SanitationVehicle", "A3", town.clock.now(), state="working", speed=8)
    town.wait(MINUTE)
    ended = {item.entity: item.safe for item in town.commander.lost_contacts(SANITATION, FIRST, False).items}
    assert ended == {"A1": True, "A3": False}
    assert town.events().count("contact_lost") == 2 and town.events().count("safe_state_missed") == 1
    assert vehicle.state["state"] == "idle"
