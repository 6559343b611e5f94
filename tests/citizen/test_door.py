"""A citizen reports, follows and rates; nobody sees more, and nobody does it too often."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from cityloop.access.bucket import Rule
from cityloop.citizen.reading import ENTITY
from cityloop.city.addresses import COLUMNS, Addresses
from tests.cases.support import ACCEPTOR, LEADER, TO_CLOSED, TO_HANDLE
from tests.cases.test_photos import picture
from tests.citizen.support import FUTIAN, MANY, PublicRoom, open_public_room


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicRoom]:
    found = open_public_room(tmp_path_factory.mktemp("citizen"))
    yield found
    found.room.database.close()


def test_from_report_to_rating(public: PublicRoom) -> None:
    sent = public.report(phone="138 0013 8000", address="深南大道 1 号", description="请打13800138000，<很>脏 & 臭")
    assert sent.status_code == 201, sent.text
    number, code = sent.json()["number"], sent.json()["code"]
    assert sent.json()["placed_in"] is None
    followed = public.get(f"/api/v1/public/cases/{number}", params={"code": code.lower().replace("-", " ")})
    assert followed.status_code == 200
    seen = followed.json()
    assert seen["standing"] == "received" and seen["description"] == "请打***，<很>脏 & 臭"
    assert [step["at"] is None for step in seen["steps"]] == [False, True, True, True, True]
    assert not seen["can_rate"] and "138" not in followed.text
    path = f"/api/v1/public/cases/{number}/rating"
    assert public.post(path, json={"code": code, "rating": 5}).status_code == 409, "not before it is closed"
    public.room.later(minutes=20)
    case = public.walk(number, *TO_CLOSED)
    done = public.get(f"/api/v1/public/cases/{number}", params={"code": code}).json()
    assert done["standing"] == "done" and done["can_rate"] and done["department_title"]["zh"]
    assert all(step["at"] for step in done["steps"])
    assert "sweeper" not in str(done) and "已清理" not in str(done), "neither people nor words of the staff"
    rated = public.post(path, json={"code": code, "rating": 4, "words": "很快"})
    assert rated.status_code == 200 and (rated.json()["rating"], rated.json()["can_rate"]) == (4, False)
    assert public.post(path, json={"code": code, "rating": 1}).status_code == 409, "once"
    kept = public.room.desk.get(LEADER, number)
    assert kept.rating == 4 and kept.timeline[-1].move == "rated" and kept.timeline[-1].opinion == "很快"
    assert kept.closed_at == case.closed_at and public.room.desk.verify_timeline(kept.id) is None
    assert [e.data for e in public.room.events("cityloop.case.rated") if e.subject == kept.id] == [
        {"case": kept.id, "number": number, "rating": 4}
    ]
    assert kept.reporter_phone == "138 0013 8000" and kept.channel == "citizen"


def test_number_and_code_open_only_together(public: PublicRoom) -> None:
    one, two = public.report().json(), public.report().json()
    for number, code in [
        (one["number"], two["code"]),
        (one["number"], ""),
        ("20260309999999", one["code"]),
    ]:
        answer = public.get(f"/api/v1/public/cases/{number}", params={"code": code})
        assert answer.status_code == 404 and answer.json()["detail"] == "number and code do not fit together"
    by_hotline = public.room.report()
    assert public.get(f"/api/v1/public/cases/{by_hotline.number}", params={"code": "ABCDE-FGHJK"}).status_code == 404
    assert (
        public.post(f"/api/v1/public/cases/{one['number']}/rating", json={"code": "x", "rating": 5}).status_code == 404
    )


def test_words_alone_ask_for_a_matter_while_no_model_knows(public: PublicRoom) -> None:
    answer = public.report(matter=None, description="路灯不亮")
    assert answer.status_code == 422
    assert answer.json()["faults"][0]["where"] == "matter" and answer.json()["classification"]["candidates"] == []
    assert public.report(matter=None, description=None).json()["faults"][0]["where"] == "description"


def test_an_area_or_an_address_stands_for_a_point_and_says_so(public: PublicRoom) -> None:
    by_area = public.report(lon=None, lat=None, area="440304").json()
    assert by_area["placed_in"]["zh"] == "福田区"
    case = public.room.desk.get(LEADER, by_area["number"])
    assert case.timeline[0].facts["placed_by"]["zh"] == "福田区" and case.district == "440304"
    by_address = public.report(lon=None, lat=None, address="福田区某路").json()
    assert by_address["placed_in"]["en"].startswith("Futian")
    nowhere = public.report(lon=None, lat=None, address="某路")
    assert nowhere.status_code == 422 and nowhere.json()["faults"][0]["where"] == "lon"
    assert public.report(lon="2.35", lat="48.85").json()["faults"][0]["where"] == "position"


def test_an_address_of_the_register_has_its_own_point(public: PublicRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    row = ("示例市示例路0号", 114.055, 22.535, "示例大厦", "slsll0h")
    register = Addresses(pl.DataFrame([row], schema=list(COLUMNS), orient="row"))
    monkeypatch.setattr(public.room.city, "addresses", register)
    path = "/api/v1/public/addresses"
    [found] = public.get(path, params={"text": "示例路０号", "lon": 114.055, "lat": 22.536}).json()
    assert (found["address"], found["metres"]) == ("示例市示例路0号", 111.2)
    assert len(found["area"]) < 15, "areas are told above the grid cell"
    assert public.get(path, params={"text": "示"}).status_code == 422
    receipt = public.report(lon=None, lat=None, address="示例大厦").json()
    assert receipt["placed_in"] is None
    case = public.room.desk.get(LEADER, receipt["number"])
    assert (case.lon, case.lat, case.timeline[0].facts["located_by"]["zh"]) == (114.055, 22.535, "示例市示例路0号")


def test_bad_reports_say_what_is_wrong(public: PublicRoom) -> None:
    for fields, where in [
        ({"description": "<script>alert(1)</script>"}, "description"),
        ({"phone": "call me"}, "phone"),
        ({"lat": "north"}, "lat"),
        ({"matter": "nonsense"}, "matter"),
        ({"surprise": "1"}, "surprise"),
        ({"description": "长" * 2001}, "description"),
    ]:
        answer = public.report(**fields)
        assert answer.status_code == 422, (fields, answer.text)
        assert answer.json()["faults"][0]["where"] == where


def test_photos_come_with_the_report_and_are_looked_into(public: PublicRoom) -> None:
    path, form = "/api/v1/public/cases", {"matter": "gb47678:matter:06010", **FUTIAN}
    photo = ("photos", ("a.jpg", picture(), "image/jpeg"))
    sent = public.post(path, data=form, files=[photo, photo])
    assert sent.status_code == 201, sent.text
    case = public.room.desk.get(ACCEPTOR, sent.json()["number"])
    assert case.photos == {"before": 2} and len(case.attachments) == 2
    assert public.get(f"{path}/{case.number}", params={"code": sent.json()["code"]}).json()["photos"] == 2
    disguised = public.post(path, data=form, files=[("photos", ("a.jpg", b"<svg/>", "image/jpeg"))])
    assert disguised.status_code == 415
    assert public.post(path, data=form, files=[photo] * 5).status_code == 422


def test_a_declined_report_tells_the_declared_reason_and_no_words(public: PublicRoom) -> None:
    sent = public.report().json()
    public.walk(sent["number"], (ACCEPTOR, "decline_accept", "王先生说不是我们的事", {"reason": "not_there"}))
    seen = public.get(f"/api/v1/public/cases/{sent['number']}", params={"code": sent["code"]}).json()
    assert seen["standing"] == "declined" and seen["note"]["zh"] == "问题不存在"
    assert "王先生" not in str(seen) and not seen["can_rate"] and len(seen["steps"]) == 2


def test_a_merged_report_shows_how_the_other_one_goes_on(public: PublicRoom) -> None:
    first = public.report().json()
    public.walk(first["number"], *TO_HANDLE)
    public.room.later(minutes=5)
    second = public.report().json()
    public.walk(second["number"], (ACCEPTOR, "merge", "同一处", {"target": first["number"]}))
    seen = public.get(f"/api/v1/public/cases/{second['number']}", params={"code": second["code"]}).json()
    assert seen["standing"] == "handling" and seen["note"]["en"].startswith("Joined")
    assert first["number"] not in str(seen)
    assert {step["at"] for step in seen["steps"]} == {seen["reported_at"], None}, "nothing before they reported"


def test_too_many_reports_are_told_when_to_come_back_even_after_a_restart(tmp_path: Path) -> None:
    rules = {**MANY, "report": Rule(3, 3600), "phone": Rule(1, 86_400), "look": Rule(2, 60)}
    public = open_public_room(tmp_path, rules=rules)
    assert public.report(phone="13800138000").status_code == 201
    held = public.report(phone="138-0013-8000")
    assert held.status_code == 429 and held.headers["retry-after"] == "86400"
    public.room.database.close()
    public = open_public_room(tmp_path, rules=rules)
    assert public.report().status_code == 201
    spent = public.report()
    assert spent.status_code == 429 and spent.json()["code"] == "too-many"
    assert int(spent.headers["retry-after"]) == spent.json()["retry_after"] == 1200
    assert [public.get("/api/v1/public/cases/1").status_code for _ in range(3)] == [404, 404, 429]
    assert public.room.listed(LEADER).total == 2
    public.room.database.close()


def test_what_can_be_reported_is_open_to_all_but_only_where_the_city_says_so(public: PublicRoom) -> None:
    found = public.get("/api/v1/public/places").json()
    assert len(found["areas"]) == 10 and all(area["middle"] for area in found["areas"])
    assert {"gb47678:matter:06010"} <= {matter["key"] for matter in found["matters"]}
    assert len(public.get("/api/v1/public/outline.geojson").json()["features"]) == 10
    policy = public.room.door.policy
    posts = {name: post for name, post in policy.posts.items() if name != "public"}
    public.room.door.policy = policy.model_copy(update={"posts": posts})
    try:
        assert public.get("/api/v1/public/places").status_code == 403
        assert public.report().status_code == 403
        assert public.get("/open311/v2/requests.json").status_code == 403
    finally:
        public.room.door.policy = policy
    assert ENTITY in policy.posts["public"].sees and "case" not in policy.posts["public"].sees
