"""The cities that are shipped: who may do what, what is due when, and what the client is told first."""

from __future__ import annotations

import csv
import re
import time
from pathlib import Path

import pytest

from cityloop.city.days import ticks
from cityloop.city.deadline import HandlingClock
from cityloop.city.grammar import NeedsHuman
from cityloop.city.schemas import CityView
from cityloop.city.service import City
from cityloop.core.clock import PacedClock, SystemClock
from cityloop.core.errors import Conflict, NotFound

from .conftest import NOW, ROOT

_POSTS = """collector acceptor shift_leader dispatcher department handler supervisor leader analyst steward
administrator security_administrator audit_administrator feed intake public"""
_MOVES = """submit verify_send verify_answer accept decline_accept merge file decline_file return_report dispatch
return_to_filing void_ask void_approve void_refuse assign return_ask return_approve return_refuse give_back
submit_result send_back confirm extend_ask extend_grant extend_refuse suspend_ask suspend_grant suspend_refuse
resume inspect_send accept_without_visit rework_inspect inspect_done inspect_not_done close rework_close
supervise answer_supervision defer undefer force_ask force_close force_refuse note submit_self accept_self reject_self
inspect_fail inspect_again appeal appeal_pass appeal_reject appeal_grant appeal_refuse callback_new callback_reopen
add_part part_sign part_give_back part_submit part_send_back part_confirm part_waive"""
OF_PACKS = {"approver", "evidence"}
"""Posts that only a city with instant approval has."""
POSTS, MOVES = _POSTS.split(), _MOVES.split()
_BESIDE = """access.explain application.check application.decide application.file application.revoke calendar.change
clock.set command.confirm command.order data.sql decision.edit decision.read dispatch.change dispatch.read
drill.switch evaluate.change evaluate.read grant.decide grant.request inspection.run limits.change model.train
notice.manage open311.resend plan.change quality.read quarantine.correct response.command response.lead response.work
rule.change rule.try run.start
run.steer sheet.accounts sheet.addresses sheet.areas sheet.components sheet.departments source.operate
standard.change standard.read task.work warning.assign warning.label warning.mute warning.report"""
BESIDE_CASES = set(_BESIDE.split())
"""Permissions that are no moves of cases."""
ADMINISTRATORS = POSTS[10:13]


def both(demo: City, boston: City) -> list[City]:
    return [demo, boston]


def test_the_city_loads_within_a_second_and_a_half() -> None:
    def seconds() -> float:
        begin = time.process_time()
        City.load(ROOT / "cities" / "demo", SystemClock())
        return time.process_time() - begin

    assert any(seconds() < 1.5 for _ in range(5))


def test_every_post_is_there_and_every_move_has_somebody(demo: City, boston: City) -> None:
    for city in both(demo, boston):
        assert [post for post in city.policy.posts if post not in OF_PACKS] == POSTS
        able = {may for post in city.policy.posts.values() for may in post.may}
        assert [move for move in MOVES if f"case.{move}" not in able] == []
        known = {f"case.{move}" for move in MOVES} | {"case.report", "case.rate", "feed.push", "warning.acknowledge"}
        assert able <= known | BESIDE_CASES


def test_the_three_administrators_see_no_case_content(demo: City, boston: City) -> None:
    for city in both(demo, boston):
        for name in ADMINISTRATORS:
            assert not {"case", "warning", "observation", "quarantine"} & set(city.policy.posts[name].sees)
            assert not [may for may in city.policy.posts[name].may if may.startswith("case.")]


def test_reporters_are_masked_for_all_but_those_who_speak_with_them(demo: City) -> None:
    clear = [
        name
        for name, post in demo.policy.posts.items()
        if (sight := post.sees.get("case")) and {"reporter_name", "reporter_phone"} - set(sight.mask)
    ]
    assert clear == ["acceptor", "shift_leader"]


def test_departments_see_their_own_cases_and_warnings_only(demo: City) -> None:
    for name in ("department", "handler"):
        sees = demo.policy.posts[name].sees
        assert sees["case"].rows == sees["warning"].rows == ("own_department",)


@pytest.mark.parametrize(
    ("asks", "decides"),
    [("return_ask", "return_approve"), ("extend_ask", "extend_grant"), ("suspend_ask", "suspend_grant")],
)
def test_no_post_both_asks_and_approves(demo: City, asks: str, decides: str) -> None:
    for post in demo.policy.posts.values():
        assert not {f"case.{asks}", f"case.{decides}"} <= set(post.may)
        assert not {"case.void_ask", "case.void_approve"} <= set(post.may)
        assert not {"case.submit_result", "case.close"} <= set(post.may), "the body that judges never handles"


def test_every_matter_has_a_limit_that_gives_a_due_instant(demo: City) -> None:
    for matter in demo.catalogue.list():
        text = demo.limit_for(matter.key)
        assert text is not None
        clock = demo.deadlines.start(text, NOW, department="urban")
        assert isinstance(clock, HandlingClock), (matter.key, text)
        assert demo.deadlines.due(clock).at is not None


def test_limits_keep_the_published_texts(demo: City) -> None:
    with (ROOT / "packs/urban/limits_example.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    published = {"".join(row["limit_text"].split()) for row in rows}
    national = [matter for matter in demo.catalogue.list() if matter.standard == "gb47678"]
    assert {demo.limit_for(matter.key) for matter in national} <= published
    assert {row["origin"] for row in rows} == {"运城（示例）"}
    assert demo.limits.origin is not None
    assert "运城" in demo.limits.origin.zh


def test_a_department_is_counted_by_its_own_calendar(demo: City) -> None:
    friday_evening = NOW.replace(day=13, hour=11)
    ends = {}
    for department in ("urban", "sanitation", "police"):
        clock = demo.deadlines.start("4小时", friday_evening, department=department)
        assert isinstance(clock, HandlingClock)
        ends[department] = demo.deadlines.due(clock).at
    assert ends["urban"] == NOW.replace(day=16, hour=4)
    assert ends["sanitation"] == NOW.replace(day=13, hour=23), "19:00 to 22:00 on Friday, one hour on Saturday"
    assert ends["police"] == NOW.replace(day=13, hour=15)


def test_the_bound_engine_answers_like_the_pure_one(demo: City) -> None:
    unclear = demo.deadlines.start("及时", NOW)
    assert isinstance(unclear, NeedsHuman)
    clock = demo.deadlines.start("4工作时", NOW)
    assert isinstance(clock, HandlingClock)
    later = NOW.replace(hour=3)
    assert demo.deadlines.used(clock, later) == 3600
    assert demo.deadlines.left(clock, later) == 3 * 3600
    assert demo.deadlines.light(clock, later) == "green"
    paused = demo.deadlines.pause(clock, later)
    resumed = demo.deadlines.extend(demo.deadlines.resume(paused, NOW.replace(hour=6)))
    assert demo.deadlines.due(resumed).at == NOW.replace(day=10, hour=3)
    done = demo.deadlines.stop(resumed, NOW.replace(hour=7))
    assert demo.deadlines.on_time(done) is True
    assert "4工作时" in demo.deadlines.explain(done).zh
    assert clock.calendar_version == demo.calendars.get("std").version


def test_the_client_learns_map_departments_posts_and_series_first(demo: City) -> None:
    view = CityView.model_validate_json(demo.view().model_dump_json())
    assert [department.id for department in view.departments if department.kind == "centre"] == ["centre"]
    measured = {"beijing-air", "hangzhou-metro", "edinburgh-bins", "minnesota-roads", "boston-311"}
    simulated = {"hazmat-simulated", "lamps-simulated", "lamp-sensors-simulated", "water-simulated"}
    assert {s.id for s in view.series} == measured | simulated
    assert {s.id for s in view.series if s.measured_when == "simulated"} == simulated
    assert all(
        s.measured_where.zh and s.measured_when and s.licence and s.attribution and s.rule.zh for s in view.series
    )
    assert view.clock.now == "2026-03-09T10:00:00.000+08:00"
    assert not view.demo


def test_only_a_paced_clock_has_a_speed() -> None:
    fixed = City.load(ROOT / "cities" / "boston", SystemClock())
    with pytest.raises(Conflict):
        fixed.set_speed(60)
    paced = City.load(ROOT / "cities" / "boston", PacedClock(NOW, 0))
    assert paced.view().demo
    assert paced.clock_view().speed == 0
    changed = paced.set_speed(3600)
    assert (changed.speed, changed.paced) == (3600, True)
    assert paced.clock.now() >= NOW


def test_a_limit_of_an_unknown_matter_is_not_found(demo: City) -> None:
    with pytest.raises(NotFound):
        demo.limit_for("gb47678:matter:99999")


def test_boston_counts_across_daylight_saving(boston: City) -> None:
    cal = boston.calendars.get("office")
    saturday = NOW.replace(year=2011, month=11, day=5, hour=12)
    monday_opening = NOW.replace(year=2011, month=11, day=7, hour=14, minute=0)
    assert cal.opening(ticks(saturday)) == ticks(monday_opening), "09:00 is 14:00 UTC after the clocks went back"


def test_every_key_of_a_city_folder_is_documented() -> None:
    from cityloop.city import content

    page = (ROOT / "docs" / "city-folder.md").read_text(encoding="utf-8")
    models = [getattr(content, name) for name in dir(content) if re.match(r".*(File|Part|Meta|Day|Timetable)$", name)]
    keys = {key for model in models for key in model.model_fields}
    missing = sorted(key for key in keys if f"`{key}`" not in page)
    assert missing == []


def test_the_pages_examples_are_where_they_say(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "city-folder.md").read_text(encoding="utf-8")
    for path in re.findall(r"\]\(\.\./([^)#]+)\)", page):
        assert (ROOT / path).exists(), path
