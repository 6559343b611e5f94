"""A warning is given to departments and people: who may take it, what its history says, and who sees it then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cityloop.access.actor import Actor
from cityloop.core.errors import AccessDenied, Conflict, Invalid, NotFound
from cityloop.core.values import Title
from cityloop.watch.checking import Known
from cityloop.watch.schemas import NewAssignment, WarningFilter
from tests.watch.house import ALL, BOSS, House
from tests.watch.naive import rule_of

WANG = Actor(id="wang", name=Title(zh="王磊", en="Wang Lei"), posts=("handler",), department="water")
LI = Actor(id="li", name=Title(zh="李娜", en="Li Na"), posts=("handler",), department="urban")
STATION = Actor(id="met", name=Title(zh="气象", en="Met"), posts=("station",))
PEOPLE = {actor.id: actor for actor in (WANG, LI, STATION)}


def person(account: str) -> Actor:
    if account not in PEOPLE:
        raise NotFound(f"there is no account '{account}'")
    return PEOPLE[account]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    one = House(tmp_path, [rule_of(window=10)], people=person, known=Known(departments=["urban", "water"]))
    one.see(("a", 0, 12))
    yield one
    one.database.close()


def test_a_department_and_a_person_in_it_take_a_warning_and_see_it_then(house: House) -> None:
    (warning,) = house.warnings()
    assert warning.department == "urban"
    given = house.watch.assign(BOSS, warning.id, NewAssignment(department="water", person="wang", note="今晚"))
    assert (given.department, given.assignee, given.assigned_by) == ("water", "wang", "boss")
    assert given.history[-1].reason == Title(zh="班长指派给王磊：今晚", en="assigned to Wang Lei by Boss: 今晚")
    assert [found.id for found in house.watch.list(WANG, WarningFilter(assignee="wang"), ALL).items] == [warning.id]
    assert house.watch.list(LI, WarningFilter(), ALL).items == []
    back = house.watch.assign(WANG, warning.id, NewAssignment(department="urban"))
    assert (back.department, back.assignee, back.assignee_name) == ("urban", None, None)
    assert house.told() == ["raised", "assigned", "assigned"]
    event = house.outbox.after(0)[1]
    assert (event.data["to"], event.data["person"]) == ("water", "wang")
    assert house.audit.verify() is None


@pytest.mark.parametrize(
    ("wish", "key"),
    [
        (NewAssignment(), "department"),
        (NewAssignment(department="nobody"), "department"),
        (NewAssignment(person="ghost"), "person"),
        (NewAssignment(person="wang"), "person"),
        (NewAssignment(person="met"), "person"),
    ],
)
def test_who_cannot_take_it_is_refused(house: House, wish: NewAssignment, key: str) -> None:
    with pytest.raises(Invalid) as refused:
        house.watch.assign(BOSS, house.warnings()[0].id, wish)
    assert [fault.where for fault in refused.value.faults] == [key]
    assert house.told() == ["raised"]


def test_only_an_open_warning_is_given_away_by_who_may_and_sees_it(house: House) -> None:
    (warning,) = house.warnings()
    with pytest.raises(AccessDenied):
        house.watch.assign(STATION, warning.id, NewAssignment(department="water"))
    with pytest.raises(NotFound):
        house.watch.assign(WANG, warning.id, NewAssignment(department="water"))
    house.see(("a", 10, 1))
    with pytest.raises(Conflict):
        house.watch.assign(BOSS, warning.id, NewAssignment(department="water"))
