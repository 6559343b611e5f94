"""Many hands at once: of all moves on one version exactly one wins, the others are told who was first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cityloop.access.actor import Actor
from cityloop.cases.schemas import MoveRequest
from cityloop.core.errors import Conflict
from tests.cases.support import (
    ACCEPTOR,
    DISPATCHER,
    ROAD,
    TO_DISPATCH,
    TRANSPORT,
    Room,
    by_hand,
    open_room,
    person,
)
from tests.parts import Store

WATER = person("water", "department", department="water")
WISHES = [("dispatch", ""), ("void_ask", "作废"), ("return_to_filing", "退回"), ("note", "记一笔")] * 3


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    url = None
    if request.param == "postgresql":
        store: Store = request.getfixturevalue("postgres")
        url = store.url
    room = open_room(tmp_path, by_hand(), url=url)
    yield room
    room.database.close()


def race(room: Room, case: str, wishes: list[tuple[Actor, MoveRequest]]) -> list[str]:
    start, told = threading.Barrier(len(wishes)), []

    def run(actor: Actor, wish: MoveRequest) -> None:
        start.wait()
        try:
            room.desk.move(actor, case, wish)
            told.append("done")
        except Conflict as conflict:
            told.append(str(conflict.more.get("changed_by", conflict.detail)))

    threads = [threading.Thread(target=run, args=wish) for wish in wishes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def test_of_twelve_moves_at_once_one_wins_and_the_rest_hear_of_it(shared: Room) -> None:
    case = shared.report(matter=ROAD)
    seen = shared.walk(case, *TO_DISPATCH)
    wishes = [(DISPATCHER, MoveRequest(move=m, version=seen.version, opinion=said)) for m, said in WISHES]
    told = race(shared, case.id, wishes)
    assert sorted(told) == sorted(["done", *[DISPATCHER.id] * 11])
    after = shared.desk.get(ACCEPTOR, case.id)
    assert after.version == seen.version + 1 and len(after.timeline) == len(seen.timeline) + 1
    assert shared.desk.verify_timeline(case.id) is None and shared.audit.verify() is None


def test_a_lead_and_its_co_handlers_do_not_hinder_each_other(shared: Room) -> None:
    case = shared.report(matter=ROAD)
    shared.walk(case, *TO_DISPATCH)
    held = shared.move(DISPATCHER, case, "dispatch", parts=[{"department": "water"}])
    [task] = held.tasks
    start, failed = threading.Barrier(2), []

    def sign() -> None:
        start.wait()
        try:
            shared.desk.tasks.move(WATER, task.id, MoveRequest(move="part_sign", version=task.version))
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=sign)
    thread.start()
    start.wait()
    shared.desk.move(TRANSPORT, case.id, MoveRequest(move="assign", version=held.version))
    thread.join()
    after = shared.desk.get(ACCEPTOR, case.id)
    assert not failed and after.state == "handling" and after.tasks[0].state == "handling"
    assert shared.desk.verify_timeline(case.id) is None
