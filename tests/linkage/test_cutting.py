"""Whatever commit a crash meets: no effect is lost, none is doubled, and no run stays silent."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from cityloop.core.clock import ManualClock
from cityloop.core.errors import Problem
from cityloop.linkage.schemas import NewRun, RunFilter, TaskApproval
from tests.linkage.cutting import cut_at, every_cut, kill
from tests.linkage.sketch import end, flows, gateway, plan, service, start, timer, user
from tests.linkage.support import DISTRICT, FIRST, LEAD, LEADER, MONDAY, WATER, Ledger, Outer, Room, Shelf, open_room

LANES = {"水务": ("department:water", ["confirm"]), "领导": ("post:leader", ["allow"])}


def storm() -> str:
    """Everything that a plan is made of: a form, an approval, branches, timers, effects inside and outside."""
    return plan(
        start(),
        user("confirm"),
        user("allow", approval="1"),
        gateway("fork", "parallel"),
        service("pump", "command", entity="pump-7"),
        timer("rest", "PT10M"),
        service("call", "webhook", webhook="bus"),
        gateway("join", "parallel"),
        service("tell", "notify", title="over"),
        end(),
        flows("start > confirm", "confirm > allow", "allow > fork"),
        flows("fork > pump", "pump > join", "fork > rest", "rest > call", "call > join"),
        flows("join > tell", "tell > end"),
        lanes=LANES,
    )


def play(room: Room) -> None:
    """Start it unless it was started, and do whatever is open until it has ended."""
    if room.linkage.runs.list(LEAD, RunFilter(), FIRST).total == 0:
        room.linkage.runs.start(LEAD, NewRun(plan="sample", area=DISTRICT, reason="演练"))
    for _ in range(4):
        # Long enough for the timer, and for an effect in whose hand it was when the program died.
        room.tick(minutes=6)
        for task in room.tasks(WATER):
            room.linkage.tasks.complete(WATER, task.id, {})
        for task in room.tasks(LEADER):
            room.linkage.tasks.approve(LEADER, task.id, TaskApproval(answer="approve"))


def outcome(room: Room) -> dict[str, Any]:
    """What the world has seen, and how the run stands."""
    (run,) = room.linkage.runs.list(LEAD, RunFilter(), FIRST).items
    detail = room.run(run.id)
    return {
        "effects": sorted(Counter((name, str(inputs.get("title"))) for name, _, inputs in room.ledger).items()),
        "states": sorted((effect.element, effect.state) for effect in detail.effects),
        "tasks": sorted((task.element, task.state) for task in detail.tasks),
        "run": run.state,
        "lines": sorted(Counter(line.kind for line in detail.timeline).items()),
    }


def test_a_crash_at_any_commit_loses_and_doubles_nothing(tmp_path: Path) -> None:
    worlds: dict[str, tuple[ManualClock, Outer]] = {}

    def opened(name: str) -> Room:
        clock, outer = worlds.setdefault(name, (ManualClock(MONDAY), Outer(Ledger())))
        return open_room(f"sqlite:///{tmp_path / name}.db", Shelf(storm()), clock, outer)

    assert every_cut(opened, play, outcome) >= 16


def test_a_process_killed_at_a_commit_goes_on_where_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'killed.db'}"
    for number in (4, 2):
        command = [sys.executable, "-m", "tests.linkage.test_cutting", url, str(number)]
        ended = subprocess.run(command, cwd=Path(__file__).parents[2], env=dict(os.environ), check=False, timeout=60)
        assert ended.returncode == -9
    room = open_room(url, Shelf(storm()), ManualClock(MONDAY + timedelta(hours=1)))
    play(room)
    found = outcome(room)
    room.database.close()
    assert found["run"] == "done"
    # What a dead process asked of the outside, its own ledger took with it.
    assert [one for one in found["effects"] if one[0][0] != "webhook"] == [
        (("command", "None"), 1),
        (("notify", "over"), 1),
    ]
    assert {state for _, state in found["states"]} == {"done"}


if __name__ == "__main__":
    address, at = sys.argv[1:]
    with cut_at(int(at), "after", kill):
        try:
            play(open_room(address, Shelf(storm())))
        except Problem as problem:
            sys.exit(str(problem))
