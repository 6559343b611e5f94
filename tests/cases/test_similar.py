"""Before a report is filed, people see what may have been reported already."""

from __future__ import annotations

from typing import Any

import pytest

from cityloop.cases import vocabulary
from cityloop.cases.schemas import SimilarCase, SimilarWish
from cityloop.cases.vocabulary import Vocabulary
from cityloop.cases.wording import Words, text_likeness
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


def alike(one: str, other: str, *city: str) -> float:
    words = Words(city)
    return text_likeness(words.vector(one), words.vector(other))


def test_likeness_of_words_is_even_handed() -> None:
    assert alike(WORDS, WORDS) == pytest.approx(1.0)
    assert alike("垃圾堆积", "路灯不亮") == 0.0 == alike("", WORDS)
    assert alike("Overflowing bin", "bin overflowing!") > 0.8
    assert alike(WORDS, "公交站垃圾") == alike("公交站垃圾", WORDS)


def test_what_every_report_says_weighs_less_than_what_few_say() -> None:
    one, same, other = "润和花园夜间施工，请相关部门处理", "润和花园噪声扰民", "望江路井盖缺失，请相关部门处理"
    assert alike(one, other) > alike(one, same)
    city = [f"{street}路{trouble}，请相关部门处理" for street in "甲乙丙丁戊" for trouble in ("积水", "坑洼", "停电")]
    assert alike(one, same, *city, one, same, other) > alike(one, other, *city, one, same, other)


def test_reworded_reports_rank_above_others() -> None:
    reports = ["南门垃圾桶满溢 好几天没人清运", "小区南门垃圾满了 几天没有清运了",
               "学府路路面坑洼 下雨积水", "学府路路面破损有坑 雨天积水难走"]  # fmt: skip
    pairs = [(a, b) for a in range(4) for b in range(a + 1, 4)]
    pairs.sort(key=lambda pair: -alike(reports[pair[0]], reports[pair[1]], *reports))
    assert set(pairs[:2]) == {(0, 1), (2, 3)}


def test_the_city_learns_its_words_as_cases_come_in(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    city = Vocabulary(room.database)
    assert city.words().texts == 0
    for number in range(3):
        room.report(title=f"第{number}处垃圾")
        assert city.words().texts == number + 1
    monkeypatch.setattr(vocabulary, "RECENT", 2)
    assert city.words().texts == 3
    room.report(title="又一处")
    assert city.words().texts == 2
