"""Before a report is filed, people see what may have been reported already."""

from __future__ import annotations

from typing import Any

import pytest

from cityloop.cases.likeness import text_likeness
from cityloop.cases.schemas import SimilarCase, SimilarWish
from cityloop.city.schemas import Position
from cityloop.core.errors import AccessDenied, Invalid, NotFound
from tests.cases.support import (
    ACCEPTOR,
    FUTIAN,
    LITTER,
    MACHINE,
    ROAD,
    SANITATION,
    TO_DISPATCH,
    Room,
)
from tests.cases.test_wire import client

WORDS = "振华路公交站旁垃圾堆积无人清理"
_METRE = 1 / 111_195
"""Degrees of latitude."""


def north(metres: float) -> Position:
    return Position(lon=FUTIAN.lon, lat=FUTIAN.lat + metres * _METRE)


def found(room: Room, **told: Any) -> list[SimilarCase]:
    wish = {"title": WORDS, "position": FUTIAN, "matter": LITTER, **told}
    return room.desk.similar.before(ACCEPTOR, SimilarWish(**wish))


def test_the_same_problem_in_other_words_and_under_another_matter_is_shown(room: Room) -> None:
    same = room.report(title="公交站旁垃圾堆积", position=north(40))
    other = room.report(title="振华路公交站旁垃圾堆积，无人清理", matter=ROAD, position=north(20))
    far = room.report(title=WORDS, position=north(400))
    shown = found(room)
    assert [item.case.id for item in shown] == [same.id, other.id] and far.id not in {item.case.id for item in shown}
    assert [item.matter for item in shown] == ["same", "class"]
    assert shown[1].text > shown[0].text > 0.5 and shown[0].metres == pytest.approx(40, abs=0.5)
    assert shown[0].why.zh.startswith("相距 40 米，0分钟前上报，同一事项，文字相近 ")
    assert shown[1].why.en.startswith("20 m away, reported 0 min ago, same class, words alike ")


def test_a_near_case_of_another_matter_in_other_words_is_not(room: Room) -> None:
    room.report(title="路灯不亮", matter="gb47678:matter:08004", position=north(5))
    assert found(room) == []


def test_without_a_matter_place_and_words_decide(room: Room) -> None:
    room.report(title=WORDS, position=north(10))
    room.report(title="井盖缺失", matter=ROAD, position=north(10))
    [shown] = found(room, matter=None)
    assert (shown.case.title, shown.matter, shown.text) == (WORDS, "unknown", 1.0)


def test_old_and_ended_cases_are_left_out(room: Room) -> None:
    case = room.report(title=WORDS)
    room.later(hours=24 * 6)
    assert [item.case.id for item in found(room)] == [case.id]
    room.later(hours=25)
    assert found(room) == []
    declined = room.report(title=WORDS)
    room.walk(declined, (ACCEPTOR, "decline_accept", "不属于城市管理", {"reason": "already_gone"}))
    assert found(room) == []


def test_an_accepted_case_finds_its_twin_and_the_merge_keeps_both_reporters(room: Room) -> None:
    first = room.report(title=WORDS, reporter_name="王一", reporter_phone="13800000001")
    second = room.report(title=WORDS, position=north(15), reporter_name="李二", reporter_phone="13800000002")
    [twin] = room.desk.similar.of(ACCEPTOR, second.number)
    assert twin.case.id == first.id and twin.score > 0.9
    room.walk(second, (ACCEPTOR, "merge", "同一问题", {"target": twin.case.number}))
    kept = room.desk.get(ACCEPTOR, first.id)
    assert (kept.reporter_name, [who.reporter_name for who in kept.petitioners_list]) == ("王一", ["李二"])
    assert kept.petitioners == 1 and room.desk.similar.of(ACCEPTOR, first.id) == []


def test_nobody_is_shown_what_he_may_not_see(room: Room) -> None:
    case = room.report(title=WORDS, matter=ROAD)
    room.walk(case, *TO_DISPATCH)
    wish = SimilarWish(title=WORDS, matter=ROAD, position=FUTIAN)
    assert room.desk.similar.before(SANITATION, wish) == []
    with pytest.raises(AccessDenied):
        room.desk.similar.before(MACHINE, wish)
    with pytest.raises(NotFound):
        room.desk.similar.of(SANITATION, case.id)


def test_the_routes_answer_and_refuse(room: Room) -> None:
    case = room.report(title=WORDS)
    asker = client(room, ACCEPTOR)
    told = {"title": WORDS, "position": {"lon": FUTIAN.lon, "lat": FUTIAN.lat}}
    answer = asker.post("cases/similar", json={**told, "matter": LITTER})
    assert answer.status_code == 200 and [item["case"]["id"] for item in answer.json()] == [case.id]
    assert asker.get(f"cases/{case.number}/similar").json() == []
    refused = asker.post("cases/similar", json={**told, "matter": "gb47678:matter:6010"})
    assert refused.status_code == 422 and LITTER in refused.json()["faults"][0]["mend"]
    with pytest.raises(Invalid):
        found(room, matter="nonsense")


def test_likeness_of_words_is_even_handed() -> None:
    assert text_likeness(WORDS, WORDS) == pytest.approx(1.0)
    assert text_likeness("垃圾堆积", "路灯不亮") == 0.0 == text_likeness("", WORDS)
    assert text_likeness("Overflowing bin", "bin overflowing!") > 0.8
    assert text_likeness(WORDS, "公交站垃圾") == text_likeness("公交站垃圾", WORDS)
