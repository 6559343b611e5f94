"""Runs as people meet them: tasks open and are done, services are asked once, what fails waits for a decision."""

from __future__ import annotations

from collections.abc import Callable

from cityloop.linkage.schemas import RunMessage, TaskApproval, TaskDelegation
from tests.linkage.sketch import (
    boundary,
    end,
    flows,
    gateway,
    message,
    plan,
    service,
    start,
    timer,
    user,
)
from tests.linkage.support import LEAD, LEADER, POLICE, STEWARD, WATER, WATER_TOO, Room, refused

DEPTH = '<cl:field id="depth" type="number" title_zh="水深" title_en="Depth" required="true"/>'
LANES = {"水务": ("department:water", ["confirm", "pump", "tell", "ask"])}


def flood() -> str:
    """Confirm, then pump by command, with a notice at the end."""
    return plan(
        start(),
        user("confirm", DEPTH, limit="2小时", escalate="shift_leader", remind="30分钟"),
        gateway("deep", default="deep_end"),
        service("pump", "command", entity="pump-7", entity_type="Pump", command="start", level="=confirm.depth"),
        service("tell", "notify", post="shift_leader", title="done", text="x"),
        end(),
        flows("start > confirm", "confirm > deep", "deep > pump : confirm.depth > 5", "deep > end"),
        flows("pump > tell", "tell > end"),
        lanes=LANES,
    )


def test_a_plan_runs_from_a_task_over_a_command_to_its_end(room_of: Callable[..., Room]) -> None:
    room = room_of(flood())
    run = room.start()
    assert (run.run.state, run.run.open_tasks, [task.element for task in run.tasks]) == ("running", 1, ["confirm"])
    room.complete(WATER, "confirm", depth=12)
    done = room.run(run.run.id)
    assert done.run.state == "done"
    assert [(name, inputs.get("level")) for name, _, inputs in room.ledger] == [("command", 12), ("notify", None)]
    assert {mark.element for mark in done.marks if mark.state == "done"} >= {"start", "confirm", "pump", "tell", "end"}
    assert done.facts["confirm"]["depth"] == 12
    assert room.events("cityloop.run.")[0] == "cityloop.run.started"
    assert room.events("cityloop.run.")[-1] == "cityloop.run.ended"


def test_the_default_way_is_taken_when_no_condition_holds(room_of: Callable[..., Room]) -> None:
    room = room_of(flood())
    run = room.start()
    room.complete(WATER, "confirm", depth=1)
    assert room.run(run.run.id).run.state == "done"
    assert room.ledger == []


def test_a_form_is_refused_with_every_field_that_is_wrong(room_of: Callable[..., Room]) -> None:
    room = room_of(flood())
    room.start()
    (task,) = room.tasks(WATER)
    wrong = refused(lambda: room.linkage.tasks.complete(WATER, task.id, {"depth": "deep", "colour": "blue"}))
    assert {fault.where for fault in wrong.faults} == {"depth", "colour"}
    missing = refused(lambda: room.linkage.tasks.complete(WATER, task.id, {}))
    assert [fault.code for fault in missing.faults] == ["field-needed"]
    assert room.tasks(WATER)[0].state == "open"


def test_only_who_has_it_in_hand_works_on_a_task(room_of: Callable[..., Room]) -> None:
    room = room_of(flood())
    run = room.start()
    (task,) = room.tasks(WATER)
    assert room.tasks(POLICE) == []
    assert refused(lambda: room.linkage.tasks.get(POLICE, task.id)).status == 404
    assert refused(lambda: room.linkage.tasks.complete(POLICE, task.id, {"depth": 9})).status == 404
    assert refused(lambda: room.linkage.tasks.complete(STEWARD, task.id, {"depth": 9})).status == 403
    assert refused(lambda: room.linkage.tasks.complete(LEAD, task.id, {"depth": 9})).status == 403
    room.linkage.tasks.take(WATER, task.id)
    assert room.tasks(WATER_TOO) == []
    assert refused(lambda: room.linkage.tasks.complete(WATER_TOO, task.id, {"depth": 9})).status == 403
    assert refused(lambda: room.linkage.runs.get(POLICE, run.run.id)).status == 404
    assert room.linkage.runs.get(WATER, run.run.id).may == ()


def test_a_task_is_given_to_another_department(room_of: Callable[..., Room]) -> None:
    room = room_of(flood())
    room.start()
    (task,) = room.tasks(WATER)
    nobody = TaskDelegation(to="nobody", reason="不在")
    assert refused(lambda: room.linkage.tasks.delegate(WATER, task.id, nobody)).status == 422
    room.linkage.tasks.delegate(WATER, task.id, TaskDelegation(to="police", reason="路面归交警"))
    assert room.tasks(WATER) == []
    room.complete(POLICE, "confirm", depth=2)
    room.start()
    (task,) = room.tasks(WATER)
    room.linkage.tasks.delegate(WATER, task.id, TaskDelegation(to="li", reason="换班"))
    assert [one.assignee for one in room.tasks(WATER_TOO)] == ["li"]


def test_a_late_task_is_reminded_and_escalated(room_of: Callable[..., Room]) -> None:
    room = room_of(flood())
    run = room.start()
    room.tick(minutes=31)
    assert room.run(run.run.id).tasks[0].reminded == 1
    room.tick(hours=2)
    late = room.run(run.run.id)
    assert late.run.late
    assert late.tasks[0].escalated_to == "shift_leader"
    assert [mark.state for mark in late.marks if mark.element == "confirm"] == ["late"]
    assert {"cityloop.task.reminded", "cityloop.task.escalated"} <= set(room.events("cityloop.task."))
    room.complete(LEAD, "confirm", depth=1)
    assert room.run(run.run.id).run.state == "done"


def test_a_pause_stops_every_clock(room_of: Callable[..., Room]) -> None:
    room = room_of(flood())
    run = room.start().run.id
    due = room.run(run).tasks[0].due_at
    assert due is not None
    room.linkage.runs.pause(LEAD, run, "等天气")
    (task,) = room.tasks(WATER)
    assert refused(lambda: room.linkage.tasks.complete(WATER, task.id, {"depth": 9})).status == 409
    room.tick(hours=5)
    held = room.run(run)
    assert (held.run.state, held.tasks[0].due_at, held.tasks[0].reminded) == ("paused", None, 0)
    room.linkage.runs.resume(LEAD, run, "继续")
    after = room.run(run).tasks[0].due_at
    assert after is not None
    assert (after - due).total_seconds() == 5 * 3600
    room.complete(WATER, "confirm", depth=9)
    assert room.run(run).run.state == "done"


def test_a_timer_of_the_diagram_waits_out_a_pause(room_of: Callable[..., Room]) -> None:
    drawn = plan(start(), timer("rest", "PT1H"), end(), flows("start > rest", "rest > end"))
    room = room_of(drawn)
    run = room.start().run.id
    room.tick(minutes=30)
    room.linkage.runs.pause(LEAD, run, "停一停")
    room.tick(hours=9)
    room.linkage.runs.resume(LEAD, run, "继续")
    room.tick(minutes=29)
    assert room.run(run).run.state == "running"
    room.tick(minutes=2)
    assert room.run(run).run.state == "done"


def test_what_fails_waits_for_a_person_who_retries_or_skips(room_of: Callable[..., Room]) -> None:
    room = room_of(flood())
    room.services["command"].refuses = 2
    run = room.start().run.id
    room.complete(WATER, "confirm", depth=9)
    failed = room.run(run)
    assert failed.run.state == "failed"
    assert failed.run.failure is not None
    assert [
        (effect.state, mark.state) for effect in failed.effects for mark in failed.marks if mark.element == "pump"
    ] == [("failed", "failed")]
    room.linkage.runs.retry(LEAD, run, "pump", "再试一次")
    room.tick()
    assert room.run(run).run.state == "failed"
    room.linkage.runs.skip(LEAD, run, "pump", "人工抽排")
    room.tick()
    ended = room.run(run)
    assert ended.run.state == "done"
    assert [effect.state for effect in ended.effects] == ["skipped", "done"]
    assert room.ledger.keys("command") == []


def test_what_cannot_be_reached_now_is_tried_again_by_itself(room_of: Callable[..., Room]) -> None:
    room = room_of(flood())
    room.services["command"].later = 2
    run = room.start().run.id
    room.complete(WATER, "confirm", depth=9)
    assert room.run(run).run.state == "running"
    room.tick(seconds=6)
    room.tick(seconds=11)
    assert room.run(run).run.state == "done"
    assert len(room.ledger.keys("command")) == 1


def test_a_command_whose_effect_is_not_seen_is_never_taken_as_done(room_of: Callable[..., Room]) -> None:
    room = room_of(flood())
    room.services["command"].waits = True
    run = room.start().run.id
    room.complete(WATER, "confirm", depth=9)
    (effect,) = room.run(run).effects
    assert (effect.state, room.run(run).run.state) == ("asked", "running")
    room.event("cityloop.command.unknown", "cmd", {"command": {"id": effect.reference}})
    assert room.run(run).run.state == "failed"
    room.linkage.runs.retry(LEAD, run, "pump", "再来")
    room.tick()
    room.event("cityloop.command.done", "cmd", {"command": {"id": effect.reference}})
    assert room.run(run).run.state == "done"


def test_effects_are_undone_in_reverse_and_say_how(room_of: Callable[..., Room]) -> None:
    room = room_of(flood())
    run = room.start().run.id
    room.complete(WATER, "confirm", depth=9)
    assert refused(lambda: room.linkage.runs.undo(WATER, run, "误报")).status == 403
    undone = room.linkage.runs.undo(LEAD, run, "误报")
    assert [one.undone for one in undone] == [True, True]
    assert [one.title.zh for one in undone] == ["tell", "pump"]
    assert [effect.state for effect in room.run(run).effects] == ["undone", "undone"]
    assert room.linkage.runs.undo(LEAD, run, "误报") == []


def test_an_effect_outside_that_cannot_be_taken_back_says_why(room_of: Callable[..., Room]) -> None:
    drawn = plan(start(), service("call", "webhook", webhook="bus"), end(), flows("start > call", "call > end"))
    room = room_of(drawn)
    run = room.start().run.id
    assert room.run(run).run.state == "done"
    (told,) = room.linkage.runs.undo(LEAD, run, "误报")
    assert (told.undone, told.why.en) == (False, "the receiver takes nothing back")
    assert room.run(run).effects[0].state == "done"


def approval(levels: str) -> str:
    """Somebody of water asks, the leader and others approve."""
    return plan(
        start(),
        user("ask"),
        user("allow", approval=levels),
        gateway("said", default="said_no"),
        service("tell", "notify"),
        end(),
        end("no"),
        flows("start > ask", "ask > allow", "allow > said", "said > tell : allow.approved", "said > no", "tell > end"),
        lanes={"水务": ("department:water", ["ask"]), "领导": ("post:leader", ["allow"])},
    )


def test_nobody_approves_twice_or_what_he_asked_for(room_of: Callable[..., Room]) -> None:
    room = room_of(approval("2"))
    run = room.start().run.id
    room.complete(WATER, "ask")
    (task,) = room.tasks(LEADER)
    yes = TaskApproval(answer="approve", note="同意")
    assert refused(lambda: room.linkage.tasks.complete(LEADER, task.id, {})).status == 409
    room.linkage.tasks.approve(LEADER, task.id, yes)
    again = refused(lambda: room.linkage.tasks.approve(LEADER, task.id, yes))
    assert (again.status, again.more["said"]["en"]) == (403, "you have answered already; another person has to")
    room.linkage.tasks.delegate(LEADER, task.id, TaskDelegation(to="wang", reason="请水务"))
    own = refused(lambda: room.linkage.tasks.approve(WATER, task.id, yes))
    assert own.status == 403
    room.linkage.tasks.delegate(WATER, task.id, TaskDelegation(to="li", reason="不能自批"))
    room.linkage.tasks.approve(WATER_TOO, task.id, yes)
    room.tick()
    assert room.run(run).run.state == "done"
    assert len(room.ledger.keys("notify")) == 1
    assert [answer["by"] for answer in room.run(run).facts["allow"]["answers"]] == ["boss", "li"]


def test_one_refusal_refuses(room_of: Callable[..., Room]) -> None:
    room = room_of(approval("2"))
    run = room.start().run.id
    room.complete(WATER, "ask")
    (task,) = room.tasks(LEADER)
    room.linkage.tasks.approve(LEADER, task.id, TaskApproval(answer="reject", note="不必"))
    room.tick()
    ended = room.run(run)
    assert (ended.run.state, ended.tasks[1].state, room.ledger) == ("done", "rejected", [])


def test_a_boundary_timer_leaves_a_task_behind(room_of: Callable[..., Room]) -> None:
    drawn = plan(
        start(),
        user("ask"),
        boundary("late", "ask", "PT1H"),
        service("tell", "notify"),
        end(),
        end("gone"),
        flows("start > ask", "ask > end", "late > tell", "tell > gone"),
        lanes=LANES,
    )
    room = room_of(drawn)
    run = room.start().run.id
    room.tick(minutes=61)
    over = room.run(run)
    assert (over.run.state, over.tasks[0].state, len(room.ledger)) == ("done", "gone", 1)


def test_a_run_taken_over_by_hand_does_nothing_by_itself(room_of: Callable[..., Room]) -> None:
    room = room_of(flood())
    run = room.start().run.id
    room.linkage.runs.take_over(LEAD, run, "我来")
    assert room.run(run).run.held_by == "lead"
    room.tick(hours=3)
    assert room.run(run).tasks[0].reminded == 0
    room.complete(LEAD, "confirm", depth=9)
    assert [effect.state for effect in room.run(run).effects] == ["waiting"]
    room.linkage.runs.resume(LEAD, run, "交还")
    room.tick()
    assert room.run(run).run.state == "done"


def test_an_ended_run_lets_go_of_its_area_and_keeps_its_effects(room_of: Callable[..., Room]) -> None:
    room = room_of(flood())
    run = room.start().run.id
    clash = refused(room.start)
    assert (clash.status, clash.more["run"]) == (409, run)
    room.linkage.runs.end(LEAD, run, "误报")
    ended = room.run(run)
    assert (ended.run.state, ended.run.end_reason, ended.tasks[0].state) == ("ended", "误报", "gone")
    assert room.start().run.state == "running"


def test_a_message_is_given_to_who_waits_for_it(room_of: Callable[..., Room]) -> None:
    room = room_of(plan(start(), message("wait"), end(), flows("start > wait", "wait > end")))
    run = room.start().run.id
    unknown = RunMessage(name="stop")
    assert refused(lambda: room.linkage.runs.message(LEAD, run, unknown)).status == 409
    room.linkage.runs.message(LEAD, run, RunMessage(name="go", values={"by": "phone"}))
    assert room.run(run).run.state == "done"
    assert room.run(run).facts["by"] == "phone"


def test_a_plan_that_cannot_go_on_keeps_its_task_open_and_says_where(room_of: Callable[..., Room]) -> None:
    drawn = plan(
        start(), user("ask", DEPTH), gateway("way"), end(), end("b"),
        flows("start > ask", "ask > way", "way > end : ask.depth > 5", "way > b : ask.depth > 9"), lanes=LANES,
    )  # fmt: skip
    room = room_of(drawn)
    run = room.start().run.id
    (task,) = room.tasks(WATER)
    stuck = refused(lambda: room.linkage.tasks.complete(WATER, task.id, {"depth": 1}))
    assert (stuck.status, stuck.code) == (409, "run-stuck")
    assert (room.run(run).run.state, room.run(run).tasks[0].state) == ("failed", "open")
    room.complete(WATER, "ask", depth=7)
    assert room.run(run).run.state == "done"


def test_a_sub_plan_answers_its_step_when_it_ends(room_of: Callable[..., Room]) -> None:
    outer = plan(
        start(), service("part", "subplan", plan="inner", result="p"), end(), flows("start > part", "part > end")
    )
    inner = plan(start(), user("ask"), end(), flows("start > ask", "ask > end"), id="inner", lanes=LANES)
    room = room_of(outer, inner)
    run = room.start().run.id
    (part,) = room.run(run).parts
    assert (part.plan, part.parent) == ("inner", run)
    room.complete(WATER, "ask")
    ended = room.run(run)
    assert (ended.run.state, ended.facts["p"]["state"]) == ("done", "done")
