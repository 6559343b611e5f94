"""The contact tree by itself: whose turn it is at every minute, and which roles follow."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cityloop.emergency.calling import answered, begun, catching_up, follows, roots, waited
from tests.cases.support import MONDAY
from tests.emergency.support import demo_book

STORM = demo_book().kinds["rainstorm"]
FIVE = timedelta(minutes=5)


@given(st.integers(0, 6), st.integers(1, 60), st.lists(st.integers(0, 90), max_size=8))
def test_however_often_the_clock_looks_the_same_person_is_called(size: int, wait: int, looks: list[int]) -> None:
    once = many = begun("duty", size, timedelta(minutes=wait), MONDAY)
    for minutes in sorted(looks):
        many = waited(many, MONDAY + timedelta(minutes=minutes))
    once = waited(once, MONDAY + timedelta(minutes=max(looks, default=0)))
    assert many == once
    assert once.state == ("missed" if max(looks, default=0) >= wait * size else "calling")
    assert size == 0 or once.turn == min(size - 1, max(looks, default=0) // wait)


def test_an_answer_ends_the_calling_at_any_time() -> None:
    call = begun("duty", 2, FIVE, MONDAY)
    assert answered(waited(call, MONDAY + timedelta(hours=1))).state == "reached"
    assert waited(answered(call), MONDAY + timedelta(hours=1)).state == "reached"


def test_roles_follow_by_level() -> None:
    assert roots(STORM, "IV", []) == ["duty"] and roots(STORM, "I", ["duty"]) == []
    assert follows(STORM, "water-duty", "IV", ["duty"]) == []
    assert follows(STORM, "water-duty", "III", ["duty"]) == ["pump-crew"]
    settled = ["duty", "water-duty"]
    assert catching_up(STORM, "III", [*settled, "police-duty"], settled) == ["pump-crew"]
