"""The engine's port: saved and loaded at every step, on the clock it is given, deaf to Python."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from cityloop.core.errors import Conflict, Invalid, Problem
from cityloop.linkage.engine import Engine, Instance, Stuck, Wait
from tests.linkage.sketch import boundary, end, flows, gateway, message, plan, service, start, timer, user
from tests.linkage.support import refused

NOW = datetime(2026, 3, 9, 1, 0, tzinfo=UTC)
ENGINE = Engine(lambda _text, at: at + timedelta(hours=2))


def begun(xml: str, **facts: object) -> Instance:
    """An instance that has been saved and loaded once."""
    diagram = ENGINE.parse(xml)
    return ENGINE.load(diagram, ENGINE.start(diagram, facts, NOW).dump())


def of(instance: Instance, kind: str) -> list[Wait]:
    return [wait for wait in instance.waiting() if wait.kind == kind]


def test_the_saved_state_holds_no_diagram() -> None:
    diagram = ENGINE.parse(plan(start(), user("ask"), end(), flows("start > ask", "ask > end")))
    saved = ENGINE.start(diagram, {"depth": 3}, NOW).dump()
    assert "spec" not in json.loads(saved)
    assert len(saved) < 6000


def test_branches_run_beside_each_other_and_join() -> None:
    drawn = plan(
        start(), gateway("fork", "parallel"), user("a"), user("b"), gateway("join", "parallel"), end(),
        flows("start > fork", "fork > a", "fork > b", "a > join", "b > join", "join > end"),
    )  # fmt: skip
    instance = begun(drawn)
    assert [wait.element for wait in of(instance, "task")] == ["a", "b"]
    for name in ("b", "a"):
        (step,) = [wait.step for wait in of(instance, "task") if wait.element == name]
        instance.complete(step, {name: {"done": True}}, NOW)
        instance = ENGINE.load(instance.diagram, instance.dump())
    assert instance.ended
    assert instance.facts == {"a": {"done": True}, "b": {"done": True}}


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("PT30M", 30),
        ("P1D", 1440),
        ("2个工作小时", 120),
        ("2026-03-09T01:45:00+00:00", 45),
        ('="PT" + string(n) + "M"', 7),
    ],
)
def test_a_timer_is_a_duration_an_instant_a_limit_or_feel(text: str, minutes: int) -> None:
    instance = begun(plan(start(), timer("rest", text), end(), flows("start > rest", "rest > end")), n=7)
    (wait,) = of(instance, "timer")
    assert wait.due == NOW + timedelta(minutes=minutes)
    instance.step(NOW + timedelta(minutes=minutes) - timedelta(seconds=1))
    assert not instance.ended
    instance.step(NOW + timedelta(minutes=minutes))
    assert instance.ended


def test_a_boundary_timer_fires_on_the_given_clock_and_goes_on_at_once() -> None:
    drawn = plan(
        start(), user("ask"), boundary("late", "ask", "PT1H"), user("other"), end(), end("b"),
        flows("start > ask", "ask > end", "late > other", "other > b"),
    )  # fmt: skip
    instance = begun(drawn)
    instance.step(NOW + timedelta(hours=1))
    assert [wait.element for wait in instance.waiting()] == ["other"]


def test_a_boundary_that_does_not_interrupt_leaves_its_task() -> None:
    drawn = plan(
        start(), user("ask"), boundary("soon", "ask", "PT1H", cancel=False), service("tell", "notify"), end(), end("b"),
        flows("start > ask", "ask > end", "soon > tell", "tell > b"),
    )  # fmt: skip
    instance = begun(drawn)
    instance.step(NOW + timedelta(hours=1))
    assert {wait.element for wait in instance.waiting()} == {"ask", "tell"}


def test_a_service_says_what_it_wants_and_waits_for_its_answer() -> None:
    drawn = plan(
        start(), service("pump", "command", result="p", level="=depth * 2", kind="fast"), end(),
        flows("start > pump", "pump > end"),
    )  # fmt: skip
    instance = begun(drawn, depth=3)
    (wait,) = of(instance, "service")
    assert wait.inputs == {"level": 6, "kind": "fast"}
    instance.complete(wait.step, {"p": {"ok": True}}, NOW)
    assert instance.ended
    assert isinstance(refused(lambda: instance.complete(wait.step, {}, NOW)), Conflict)


def test_an_inclusive_join_waits_for_a_branch_whose_service_was_asked() -> None:
    drawn = plan(
        start(), gateway("fork", "inclusive"), service("pump", "command"), user("look"), gateway("join", "inclusive"),
        user("after"), end(),
        flows("start > fork", "fork > pump : true", "fork > look : true", "pump > join", "look > join",
              "join > after", "after > end"),
    )  # fmt: skip
    instance = begun(drawn)
    (look,) = of(instance, "task")
    instance.complete(look.step, {}, NOW)
    instance = ENGINE.load(instance.diagram, instance.dump())
    assert [wait.element for wait in instance.waiting()] == ["pump"]
    instance.complete(of(instance, "service")[0].step, {}, NOW)
    assert [wait.element for wait in instance.waiting()] == ["after"]


def test_a_message_finds_who_waits_for_it() -> None:
    instance = begun(plan(start(), message("wait"), end(), flows("start > wait", "wait > end")))
    assert not instance.fire("stop", {}, NOW)
    assert instance.fire("go", {"by": "phone"}, NOW)
    assert (instance.ended, instance.facts["by"]) == (True, "phone")


def test_a_loop_that_never_waits_is_stopped() -> None:
    drawn = plan(
        start(), gateway("a"), gateway("b", default="b_a"), end(),
        flows("start > a", "a > b", "b > end : n > 5", "b > a"),
    )  # fmt: skip
    stuck = refused(lambda: ENGINE.start(ENGINE.parse(drawn), {"n": 1}, NOW))
    assert isinstance(stuck, Stuck)
    assert "circles" in stuck.detail


def test_a_choice_without_a_way_says_where_it_stands() -> None:
    drawn = plan(start(), gateway("way"), end(), end("b"), flows("start > way", "way > end : n > 5", "way > b : n > 9"))
    stuck = refused(lambda: ENGINE.start(ENGINE.parse(drawn), {"n": 1}, NOW))
    assert "way" in stuck.detail


@pytest.mark.parametrize(
    "hostile",
    [
        "__import__('os').system('true')",
        "().__class__.__bases__[0].__subclasses__()",
        "open('/etc/passwd').read()",
        "(lambda: 1)()",
        "exec('x = 1')",
        "n.__class__.__init__.__globals__",
    ],
)
def test_python_in_a_condition_is_never_run(hostile: str) -> None:
    drawn = plan(
        start(),
        gateway("way", default="way_b"),
        end(),
        end("b"),
        flows("start > way", f"way > end : {hostile}", "way > b"),
    )
    diagram = ENGINE.parse(drawn)
    try:
        instance = ENGINE.start(diagram, {"n": 1}, NOW)
    except Problem:
        return
    # What is a name or a path in FEEL is null, and null opens no way.
    assert instance.marks().get("end") is None


@pytest.mark.parametrize(
    "drawn",
    [
        plan(start(), '<bpmn:scriptTask id="s"><bpmn:script>x=1</bpmn:script></bpmn:scriptTask>', flows("start > s")),
        plan(start(), timer("t", "PT1H").replace("timeDuration", "timeCycle"), flows("start > t")),
        plan(start(), '<bpmn:complexGateway id="c"/>', flows("start > c")),
        plan(start(), flows("start > nowhere")),
        "<!DOCTYPE x [<!ENTITY a 'b'>]>" + plan(start()),
        "not xml",
    ],
)
def test_what_the_engine_cannot_follow_is_refused_before_it_runs(drawn: str) -> None:
    assert isinstance(refused(lambda: ENGINE.parse(drawn)), Invalid)


def test_a_run_goes_on_by_another_version_where_what_it_passed_is_the_same() -> None:
    old = plan(start(), user("a"), user("b"), end(), flows("start > a", "a > b", "b > end"))
    later = plan(start(), user("a"), user("b"), user("c"), end(), flows("start > a", "a > b", "b > c", "c > end"))
    gone = plan(start(), user("x"), end(), flows("start > x", "x > end"))
    instance = begun(old)
    assert ENGINE.may_migrate(instance, ENGINE.parse(later)) == []
    moved = ENGINE.migrate(instance, ENGINE.parse(later))
    for name in ("a", "b", "c"):
        (wait,) = of(moved, "task")
        assert wait.element == name
        moved.complete(wait.step, {}, NOW)
    assert moved.ended
    assert ENGINE.may_migrate(begun(old), ENGINE.parse(gone)) == ["a", "start"]
    instance = begun(old)
    instance.complete(of(instance, "task")[0].step, {}, NOW)
    assert ENGINE.may_migrate(instance, ENGINE.parse(gone)) == ["a", "b", "start"]
    assert isinstance(refused(lambda: ENGINE.migrate(instance, ENGINE.parse(gone))), Conflict)
    named = ENGINE.parse(old.replace('name="a"', 'name="Ask"'))
    assert ENGINE.may_migrate(instance, named) == []
