"""A crash at a commit of any sample plan: nothing is lost, doubled or silent.

The suite cuts every plan at a few commits spread over its length; ``CITYLOOP_EVERY_CUT=1`` cuts at each of them.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from cityloop.core.clock import ManualClock
from cityloop.core.errors import Problem
from cityloop.linkage.schemas import RunFilter, RunTaskView, TaskApproval
from tests.linkage.cutting import every_cut
from tests.linkage.scenes import FILES, SCENES, Scene, prepare, told
from tests.linkage.support import FIRST, LEAD, MONDAY, Ledger, Outer, Room, Shelf, open_room

STRIDE = 1 if os.environ.get("CITYLOOP_EVERY_CUT") else 9
ROUNDS = 5
"""Enough for the longest chain of tasks between two waits."""


def play(room: Room, scene: Scene) -> None:
    """Go on from wherever the database stands: raise, answer what is open, clear, answer what is open."""
    prepare(room, scene)
    for kind in ("raised", "cleared"):
        # What was cleared before the crash stays cleared.
        if kind == "cleared" or room.events("cityloop.warning.cleared"):
            room.open_warnings.clear()
        else:
            room.open_warnings.add("wrn_1")
        if not room.events(f"cityloop.warning.{kind}"):
            room.event(f"cityloop.warning.{kind}", "wrn_1", {"warning": told(scene), "evidence": {}})
        for _ in range(ROUNDS):
            room.tick(seconds=20)
            answer_all(room, scene)


def answer_all(room: Room, scene: Scene) -> None:
    for given in (*scene.before, *scene.after):
        for task in _open(room, given.who, given.element):
            with suppress(Problem):
                if given.approve is None:
                    room.linkage.tasks.complete(given.who, task.id, given.values)
                else:
                    room.linkage.tasks.approve(given.who, task.id, TaskApproval(answer="approve"))


def _open(room: Room, who: Any, element: str) -> list[RunTaskView]:
    return [task for task in room.tasks(who) if task.element == element]


def outcome(room: Room) -> dict[str, Any]:
    (run,) = room.linkage.runs.list(LEAD, RunFilter(), FIRST).items
    detail = room.run(run.id)
    return {
        "effects": sorted(Counter((name, str(inputs.get("command"))) for name, _, inputs in room.ledger).items()),
        "states": sorted((effect.element, effect.state) for effect in detail.effects),
        "tasks": sorted((task.element, task.state) for task in detail.tasks),
        "run": run.state,
    }


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.plan)
def test_a_crash_in_a_sample_plan_loses_and_doubles_nothing(tmp_path: Path, scene: Scene) -> None:
    worlds: dict[str, tuple[ManualClock, Outer]] = {}

    def opened(name: str) -> Room:
        clock, outer = worlds.setdefault(name, (ManualClock(MONDAY), Outer(Ledger())))
        shelf = Shelf(FILES[scene.plan].read_text(encoding="utf-8"))
        return open_room(f"sqlite:///{tmp_path / name}.db", shelf, clock, outer)

    assert every_cut(opened, lambda room: play(room, scene), outcome, stride=STRIDE) >= 4
    room = opened("whole")
    assert outcome(room)["run"] == "done"
    room.database.close()
