"""Players answer tasks of linkage plans after their wait, each account in its turn, and leave the rest to people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest

from cityloop.core.values import Page, Title
from cityloop.drill.api import Refused
from cityloop.drill.plan import TaskTurn
from cityloop.drill.tasks import TaskPlayer
from cityloop.linkage.schemas import RunTaskView

NOW = datetime(2026, 3, 9, 1, 0, tzinfo=UTC)
NAME = Title(zh="任务", en="task")
TURNS = [
    TaskTurn(account="water", plan="waterlogging", element="look", wait=(300, 300), values={"depth": 0.3}),
    TaskTurn(account="police", plan="air-traffic", element="allow", answer="approve", note="同意"),
]


def task(id: str, plan: str, element: str) -> RunTaskView:
    told: dict[str, Any] = dict.fromkeys(RunTaskView.model_fields)
    told |= {"id": id, "run": "run", "plan": plan, "plan_title": NAME, "element": element, "title": NAME}
    told |= {"kind": "task", "state": "open", "opened_at": NOW, "late": False, "reminded": 0, "level": 0, "levels": 0}
    return RunTaskView.model_validate(told | {"version": 1})


class Town:
    """Who has what in hand, and what was answered."""

    def __init__(self) -> None:
        self.lists: dict[str, list[RunTaskView]] = {}
        self.asked: list[str] = []
        self.answered: list[tuple[str, str, object]] = []
        self.refuses = 0

    def tasks(self, account: str) -> Page[RunTaskView]:
        self.asked.append(account)
        items = self.lists.get(account, [])
        return Page(items=items, total=len(items), page=1, size=100)

    def complete(self, account: str, task: str, values: Mapping[str, Any]) -> None:
        self._answer(account, task, dict(values))

    def approve(self, account: str, task: str, answer: Literal["approve", "reject"], note: str) -> None:
        self._answer(account, task, (answer, note))

    def _answer(self, account: str, task: str, what: object) -> None:
        if self.refuses:
            self.refuses -= 1
            raise Refused(409, "somebody was quicker")
        self.answered.append((account, task, what))


def test_a_task_is_answered_after_its_wait_and_others_are_left_alone() -> None:
    town, player = Town(), TaskPlayer(TURNS, 5)
    town.lists = {"water": [task("t1", "waterlogging", "look"), task("t2", "waterlogging", "review")]}
    player.look(town, ["water"], 100.0)
    assert player.act(town, ["water"], NOW + timedelta(seconds=299)) is None
    assert player.act(town, ["water"], NOW + timedelta(seconds=300)) == "water"
    assert player.act(town, ["water"], NOW + timedelta(days=1)) is None
    assert town.answered == [("water", "t1", {"depth": 0.3})]


def test_nobody_keeps_the_others_from_looking() -> None:
    town, player = Town(), TaskPlayer(TURNS, 5)
    for round in range(4):
        player.look(town, ["water", "police", "hotline"], 100.0 + 10 * round)
    assert sorted(town.asked) == ["police", "police", "water", "water"]


def test_a_player_that_is_switched_off_answers_nothing() -> None:
    town, player = Town(), TaskPlayer(TURNS, 5)
    town.lists = {"police": [task("t3", "air-traffic", "allow")]}
    player.look(town, ["police"], 100.0)
    assert player.act(town, [], NOW) is None
    assert player.act(town, ["police"], NOW) == "police"
    assert town.answered == [("police", "t3", ("approve", "同意"))]


def test_a_refused_answer_is_tried_again_later_while_the_task_is_open() -> None:
    town, player = Town(), TaskPlayer(TURNS, 5)
    town.lists, town.refuses = {"police": [task("t3", "air-traffic", "allow")]}, 1
    player.look(town, ["police"], 100.0)
    assert player.act(town, ["police"], NOW) is None
    player.look(town, ["police"], 110.0)
    assert player.act(town, ["police"], NOW + timedelta(minutes=5)) is None
    assert player.act(town, ["police"], NOW + timedelta(minutes=11)) == "police"


def test_a_turn_either_fills_in_or_approves() -> None:
    with pytest.raises(ValueError, match="an approval has an answer"):
        TaskTurn(account="a", plan="p", element="e", answer="approve", values={"x": 1})
    with pytest.raises(ValueError, match="shorter wait first"):
        TaskTurn(account="a", plan="p", element="e", wait=(5, 1))
