"""The same on PostgreSQL; open runs that go on by another version of their plan."""

from __future__ import annotations

from collections.abc import Callable

from tests.linkage.sketch import end, flows, plan, service, start, timer, user
from tests.linkage.support import LEAD, WATER, Room, Shelf, open_room
from tests.parts import Store

LANES = {"水务": ("department:water", ["a", "b", "c", "tell"])}


def two() -> str:
    """Two tasks, a notice between them, and a pause."""
    return plan(
        start(), user("a"), service("tell", "notify"), timer("rest", "PT1H"), user("b"), end(),
        flows("start > a", "a > tell", "tell > rest", "rest > b", "b > end"), lanes=LANES,
    )  # fmt: skip


def three() -> str:
    """The same with a third task at the end."""
    return plan(
        start(), user("a"), service("tell", "notify"), timer("rest", "PT1H"), user("b"), user("c"), end(),
        flows("start > a", "a > tell", "tell > rest", "rest > b", "b > c", "c > end"), lanes=LANES,
    )  # fmt: skip


def test_a_run_on_postgresql(postgres: Store) -> None:
    room = open_room(postgres.url.replace("+psycopg", ""), Shelf(two()))
    run = room.start().run.id
    room.complete(WATER, "a")
    room.tick(minutes=61)
    room.complete(WATER, "b")
    done = room.run(run)
    assert (done.run.state, [effect.state for effect in done.effects]) == ("done", ["done"])
    assert room.linkage.runs.undo(LEAD, run, "误报")[0].undone
    room.database.close()


def test_open_runs_go_on_by_the_new_version_where_they_may(room_of: Callable[..., Room]) -> None:
    shelf = Shelf(two())
    room = room_of(shelf=shelf)
    run = room.start().run.id
    room.complete(WATER, "a")
    due = room.run(run)
    (before,) = room.linkage.migrations.preview("sample", three())
    assert (before.run, before.may_migrate) == (run, True)
    (not_so,) = room.linkage.migrations.preview(
        "sample", plan(start(), user("x"), end(), flows("start > x", "x > end"))
    )
    assert (not_so.may_migrate, "tell" in not_so.why.zh or "a" in not_so.why.zh) == (False, True)
    shelf.put(three())
    (moved,) = room.linkage.migrations.migrate("sample", LEAD, room.clock.now(), "加一步")
    assert moved.may_migrate
    after = room.run(run)
    assert (after.run.version, due.run.version) == (2, 1)
    assert "migrated" in [line.kind for line in after.timeline]
    room.tick(minutes=59)
    assert [task.element for task in room.tasks(WATER)] == []
    room.tick(minutes=2)
    room.complete(WATER, "b")
    room.complete(WATER, "c")
    assert room.run(run).run.state == "done"
    assert len(room.ledger.keys("notify")) == 1
