"""GeoReport v2, rule by rule; docs/open311.md names the test of each."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import httpx
import pytest
import uvicorn
from georeport import GeoReport

from cityloop.city.datum import convert
from cityloop.core.settings import Settings
from tests.cases.support import ACCEPTOR, DISPATCHER, SANITATION, TO_CLOSED, TO_DISPATCH, TO_HANDLE
from tests.citizen.support import PublicRoom, open_public_room
from tests.parts import free_port

V2 = "/open311/v2"
LITTER, ROAD, BUILDING = "06010", "06013", "06001"
HERE = {"lat": "22.535", "long": "114.055"}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicRoom]:
    found = open_public_room(tmp_path_factory.mktemp("open311"))
    yield found
    found.room.database.close()


@pytest.fixture(scope="module")
def key(city: PublicRoom) -> str:
    return city.key("intake")


def post(city: PublicRoom, key: str, form: str = "json", **fields: Any) -> httpx.Response:
    """A report; ``None`` leaves a field out."""
    told = {"api_key": key, "service_code": LITTER, **HERE, **fields}
    pairs = {name.replace("__", "[") + ("]" if "__" in name else ""): v for name, v in told.items() if v is not None}
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return city.post(f"{V2}/requests.{form}", content=urlencode(pairs, doseq=True), headers=headers)


def number_of(answer: httpx.Response) -> str:
    assert answer.status_code == 201, answer.text
    found: str = answer.json()[0]["service_request_id"]
    return found


def one(city: PublicRoom, number: str, **query: str) -> dict[str, Any]:
    [found] = city.get(f"{V2}/requests/{number}.json", params=query).raise_for_status().json()
    assert isinstance(found, dict)
    return found


def xml(answer: httpx.Response) -> ElementTree.Element:
    assert answer.content.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert b"xmlns" not in answer.content
    return ElementTree.fromstring(answer.content)


def error(answer: httpx.Response, status: int) -> str:
    """The one error of a refusal, in the form of the standard."""
    assert answer.status_code == status, answer.text
    if answer.headers["content-type"].startswith("text/xml"):
        root = xml(answer)
        assert root.tag == "errors" and [child.tag for child in root] == ["error"]
        assert root.findtext("error/code") == str(status)
        return root.findtext("error/description") or ""
    [found] = answer.json()
    assert found["code"] == status
    return str(found["description"])


def test_discovery_names_the_endpoint_and_both_formats(city: PublicRoom) -> None:
    as_json = city.get("/open311/discovery.json")
    assert as_json.headers["content-type"] == "application/json; charset=utf-8"
    found = as_json.json()
    assert {"changeset", "contact", "key_service", "endpoints"} == set(found)
    [endpoint] = found["endpoints"]
    assert endpoint["specification"] == "http://wiki.open311.org/GeoReport_v2"
    assert endpoint["url"] == "http://city/open311/v2" and endpoint["type"] == "test"
    assert endpoint["formats"] == ["text/xml", "application/json"]
    assert datetime.fromisoformat(endpoint["changeset"]) < city.room.clock.now()
    root = xml(city.get("/open311/discovery.xml"))
    assert root.tag == "discovery"
    assert [f.text for f in root.iterfind("endpoints/endpoint/formats/format")] == ["text/xml", "application/json"]
    assert xml(city.get("/open311/discovery")).tag == "discovery"
    assert city.get("/open311/discovery", headers={"accept": "application/json"}).json() == found


def test_services_are_the_matters_in_force_with_codes_as_text(city: PublicRoom) -> None:
    listed = city.get(f"{V2}/services.json").json()
    by_code = {service["service_code"]: service for service in listed}
    assert all(isinstance(code, str) for code in by_code) and len(by_code) == len(listed)
    litter = by_code[LITTER]
    assert (litter["service_name"], litter["group"], litter["metadata"]) == ("暴露垃圾", "市容环境类", True)
    assert litter["type"] == "realtime" and by_code[BUILDING]["type"] == "batch"
    assert "Exposed refuse" in litter["keywords"]
    assert any(service["service_name"].endswith("异常") for service in listed), "anomalies of components too"
    root = xml(city.get(f"{V2}/services.xml"))
    assert root.tag == "services" and {child.tag for child in root} == {"service"}
    assert [s.findtext("service_code") for s in root] == list(by_code)
    assert root.find("service/metadata") is not None and root.findtext("service/metadata") in ("true", "false")


def test_a_definition_is_an_object_with_its_questions(city: PublicRoom) -> None:
    found = city.get(f"{V2}/services/{LITTER}.json").json()
    assert found["service_code"] == LITTER
    amount, kinds = found["attributes"]
    assert (amount["code"], amount["datatype"], amount["required"], amount["order"]) == (
        "amount",
        "singlevaluelist",
        False,
        1,
    )
    assert kinds["values"][0] == {"key": "household", "name": "生活垃圾"}
    root = xml(city.get(f"{V2}/services/{LITTER}.xml"))
    assert root.tag == "service_definition" and root.findtext("service_code") == LITTER
    assert [v.findtext("key") for v in root.iterfind("attributes/attribute[1]/values/value")] == ["bag", "heap", "load"]
    assert city.get(f"{V2}/services/{ROAD}.json").json() == {"service_code": ROAD, "attributes": []}


@pytest.mark.parametrize("form", ["xml", "json"])
def test_unknown_things_answer_404(city: PublicRoom, form: str) -> None:
    for path in ("services/99999", "requests/1", "tokens/req_1"):
        assert "there is no" in error(city.get(f"{V2}/{path}.{form}"), 404)
    assert "no service" in error(city.get(f"{V2}/requests.{form}", params={"service_code": "06010,99999"}), 404)
    assert "none of these" in error(city.get(f"{V2}/requests.{form}", params={"service_request_id": "1,2"}), 404)
    for path in ("services", f"services/{LITTER}", "requests", "requests/1", "tokens/x"):
        answer = city.get(f"{V2}/{path}.{form}", params={"jurisdiction_id": "elsewhere.org"})
        assert "jurisdiction" in error(answer, 404)


def test_an_unknown_format_answers_404_in_xml(city: PublicRoom) -> None:
    assert "no format" in error(city.get(f"{V2}/services.yaml"), 404)


@pytest.mark.parametrize("form", ["xml", "json"])
def test_a_missing_or_wrong_key_answers_403(city: PublicRoom, form: str) -> None:
    assert "missing" in error(post(city, "", form), 403)
    assert "not known" in error(post(city, "guess", form), 403)
    powerless = city.key("analyst", account="reader")
    assert "case.report" in error(post(city, powerless, form), 403)


@pytest.mark.parametrize("form", ["xml", "json"])
def test_a_missing_or_wrong_argument_answers_400(city: PublicRoom, key: str, form: str) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"service_code": None}, "service_code is missing"),
        ({"service_code": ""}, "service_code is missing"),
        ({"long": None}, "lat and long go together"),
        ({"lat": None, "long": None}, "not where"),
        ({"lat": None, "long": None, "address_id": "17"}, "no register of addresses"),
        ({"lat": "north"}, "no number"),
        ({"lat": "91"}, "between"),
        ({"lat": "nan"}, "between"),
        ({"datum": "mars"}, "no datum"),
        ({"description": "长" * 4001}, "4000"),
        ({"media_url": "javascript:alert(1)"}, "media_url"),
        ({"attribute__colour": "red"}, "no attribute 'colour'"),
        ({"attribute__amount": "ton"}, "no value"),
    ]
    for fields, said in wrong:
        assert said in error(post(city, key, form, **fields), 400), fields
    answer = city.post(f"{V2}/requests.{form}", json={"api_key": key, "service_code": LITTER, **HERE})
    assert "x-www-form-urlencoded" in error(answer, 400)


def test_a_report_becomes_a_case_of_the_desk(city: PublicRoom, key: str) -> None:
    words = "井盖 <b>破损</b> & 下沉，电话 13800138000"
    answer = post(city, key, description=words, first_name="小明", last_name="张", phone="13800138000", email="a@b.cn")
    [sent] = answer.json()
    assert sent["service_request_id"] and "token" not in sent and isinstance(sent["service_request_id"], str)
    case = city.room.desk.get(ACCEPTOR, sent["service_request_id"])
    assert (case.channel, case.state, case.description) == ("open311", "reported", words)
    assert (case.reporter_name, case.reporter_phone) == ("张小明", "13800138000")
    assert case.timeline[0].actor == "partner"
    assert "a@b.cn" not in case.model_dump_json()
    as_xml = post(city, key, "xml")
    root = xml(as_xml)
    assert as_xml.status_code == 201 and root.tag == "service_requests"
    assert root.findtext("request/service_request_id") and root.find("request/token") is None


def test_the_longest_description_is_kept_whole(city: PublicRoom, key: str) -> None:
    number = number_of(post(city, key, description="长" * 4000, attribute__amount="heap"))
    case = city.room.desk.get(ACCEPTOR, number)
    assert case.description == "长" * 4000 and case.timeline[0].facts["attributes"] == ["垃圾量: 成堆"]


def test_a_list_of_values_comes_with_empty_brackets(city: PublicRoom, key: str) -> None:
    body = urlencode(
        [
            *[("api_key", key), ("service_code", LITTER), *HERE.items(), ("attribute[amount]", "heap")],
            *[("attribute[kinds][]", "household"), ("attribute[kinds][]", "rubble")],
        ]
    )
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    number = number_of(city.post(f"{V2}/requests.json", content=body, headers=headers))
    case = city.room.desk.get(ACCEPTOR, number)
    assert case.timeline[0].facts["attributes"] == ["垃圾量: 成堆", "垃圾种类: 生活垃圾, 建筑垃圾"]
    assert case.description == "垃圾量: 成堆\n垃圾种类: 生活垃圾, 建筑垃圾"
    twice = body.replace("kinds", "amount")
    refused = city.post(f"{V2}/requests.json", content=twice, headers=headers)
    assert "takes one value" in error(refused, 400)


def test_an_address_is_placed_only_where_it_names_an_area(city: PublicRoom, key: str) -> None:
    no_point: dict[str, Any] = {"lat": None, "long": None}
    number = number_of(post(city, key, **no_point, address_string="福田区某街 5 号"))
    case = city.room.desk.get(ACCEPTOR, number)
    assert (case.district, case.address) == ("440304", "福田区某街 5 号")
    assert case.timeline[0].facts["placed_by"]["zh"] == "福田区"
    assert "names no one area" in error(post(city, key, **no_point, address_string="某街 5 号"), 400)


def test_a_point_outside_the_city_hints_at_its_datum(city: PublicRoom, key: str) -> None:
    assert "outside the city" in error(post(city, key, lat="39.9", long="116.4"), 400)
    areas = city.room.city.areas
    lon, lat = _edge(areas)
    shifted = convert(lon, lat, "wgs84", "bd09")
    said = error(post(city, key, lat=str(shifted[1]), long=str(shifted[0])), 400)
    assert "read as" in said and "datum=" in said
    number = number_of(post(city, key, lat=str(shifted[1]), long=str(shifted[0]), datum="bd09"))
    case = city.room.desk.get(ACCEPTOR, number)
    assert abs(case.lon - lon) < 1e-5 and case.timeline[0].facts["datum"] == "bd09"


def _edge(areas: Any) -> tuple[float, float]:
    """A point of the city whose BD-09 spelling lies outside."""
    for area in areas.list("cell"):
        shape = areas.shape(area.code)
        for lon, lat in shape.convex_hull.exterior.coords:
            if areas.locate(lon, lat) and areas.locate(*convert(lon, lat, "wgs84", "bd09")) is None:
                return lon, lat
    raise AssertionError("no such point")


def test_a_token_gives_its_number_once_the_report_is_accepted(city: PublicRoom, key: str) -> None:
    [sent] = post(city, key, service_code=BUILDING).json()
    assert sent["token"] and "service_request_id" not in sent
    path = f"{V2}/tokens/{sent['token']}"
    assert city.get(f"{path}.json").json() == [{"token": sent["token"]}]
    assert xml(city.get(f"{path}.xml")).find("request/service_request_id") is None
    waiting = city.room.listed(ACCEPTOR, matter=("gb47678:matter:06001",)).items[0]
    city.walk(waiting.number, (ACCEPTOR, "accept"))
    assert city.get(f"{path}.json").json() == [{"service_request_id": waiting.number, "token": sent["token"]}]
    assert xml(city.get(f"{path}.xml")).findtext("request/service_request_id") == waiting.number


def test_a_request_on_its_way(city: PublicRoom, key: str) -> None:
    number = number_of(
        post(
            city, key, description="电话 13800138000", first_name="小明", last_name="张", address_string="张小明家门口"
        )
    )
    fresh = one(city, number)
    assert (fresh["status"], fresh["status_notes"]) == ("open", "已收到，等待受理")
    assert "expected_datetime" not in fresh and fresh["agency_responsible"] is None
    assert (fresh["service_code"], fresh["lat"], fresh["long"]) == (LITTER, 22.535, 114.055)
    assert (
        fresh["requested_datetime"]
        == fresh["updated_datetime"]
        == city.room.clock.now().astimezone(city.room.city.zone).isoformat()
    )
    assert "138" not in fresh["description"] and "张小明" not in fresh["address"]
    city.walk(number, *TO_HANDLE)
    due = one(city, number)
    assert due["expected_datetime"].endswith("+08:00") and due["agency_responsible"]
    assert due["status_notes"] == "责任部门正在处理" and "extended_attributes" not in due
    assert one(city, number, extensions="true")["extended_attributes"] == {
        "state": "to_handle",
        "stage": 4,
        "standing": "handling",
    }


def test_expected_is_absent_while_the_clock_is_paused(city: PublicRoom, key: str) -> None:
    number = number_of(post(city, key))
    until = (city.room.clock.now() + timedelta(days=20)).isoformat()
    asked = (SANITATION, "suspend_ask", "等材料", {"until": until})
    city.walk(number, *TO_HANDLE, asked, (DISPATCHER, "suspend_grant", "同意"))
    paused = one(city, number)
    assert "expected_datetime" not in paused and paused["status_notes"] == "暂缓处理，条件具备后继续"
    assert paused["status"] == "open"


def test_a_closed_request_was_updated_when_it_was_closed(city: PublicRoom, key: str) -> None:
    number = number_of(post(city, key))
    closed = city.walk(number, *TO_CLOSED)
    city.room.later(minutes=5)
    with city.room.database.transaction() as tx:
        city.room.desk.rate_in(
            tx, ACCEPTOR.model_copy(update={"posts": ("public",)}), closed.id, 5, "", city.room.clock.now()
        )
    found = one(city, number)
    assert (found["status"], found["status_notes"]) == ("closed", "已办结")
    assert closed.closed_at is not None
    assert datetime.fromisoformat(found["updated_datetime"]) == closed.closed_at


def test_declined_and_merged_requests_are_closed_with_a_note(city: PublicRoom, key: str) -> None:
    first, second = number_of(post(city, key)), number_of(post(city, key))
    city.walk(first, (ACCEPTOR, "decline_accept", "张三说的不对", {"reason": "not_ours"}))
    assert (one(city, first)["status"], one(city, first)["status_notes"]) == ("closed", "未受理：不属于城市管理范围")
    target = number_of(post(city, key))
    city.walk(target, *TO_DISPATCH)
    city.walk(second, (ACCEPTOR, "merge", "同一处", {"target": target}))
    assert (one(city, second)["status"], one(city, second)["status_notes"]) == ("closed", "与已有的同一问题合并处理")


def test_lists_narrow_by_id_code_status_and_span(city: PublicRoom, key: str) -> None:
    road, litter = number_of(post(city, key, service_code=ROAD)), number_of(post(city, key))
    hotline = city.room.report()

    def numbers(**query: str) -> list[str]:
        answer = city.get(f"{V2}/requests.json", params=query)
        assert answer.status_code == 200, answer.text
        return [found["service_request_id"] for found in answer.json()]

    assert numbers(service_request_id=f"{road},{litter},1", status="closed") == [litter, road], "ids override all else"
    assert numbers(service_code=ROAD) == [road]
    assert {road, litter} <= set(numbers(service_code=f"{ROAD}, {LITTER}"))
    assert {road, litter} <= set(numbers(status="open,closed")) and road not in numbers(status="closed")
    assert hotline.number not in numbers(), "only channels that the city publishes"
    assert numbers(page="1", page_size="1") == [litter] and numbers(page="2", page_size="1") == [road]
    assert numbers(jurisdiction_id="demo.cityloop.example", service_code="", status="") == numbers()
    now = city.room.clock.now().astimezone(city.room.city.zone)
    day = {"start_date": (now - timedelta(hours=1)).isoformat(), "end_date": now.isoformat()}
    assert road in numbers(**day)
    unescaped = "&".join(f"{name}={value}" for name, value in day.items())
    assert len(city.get(f"{V2}/requests.json?{unescaped}").json()) == len(numbers(**day))
    assert numbers(start_date="2025-01-01T00:00:00Z", end_date="2025-03-01T00:00:00Z") == []
    old = city.get(f"{V2}/requests.xml", params={"end_date": "2025-03-01T00:00:00Z"})
    assert xml(old).tag == "service_requests" and len(xml(old)) == 0


@pytest.mark.parametrize("form", ["xml", "json"])
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-04-02T00:00:01Z"}, "longer than 90 days"),
        ({"start_date": "2026-02-01T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"}, "later than"),
        ({"start_date": "yesterday"}, "no date-time"),
        ({"start_date": "2026-01-01T00:00:00"}, "no time zone"),
        ({"status": "lost"}, "only open and closed"),
        ({"page": "0"}, "no page"),
        ({"page_size": "1001"}, "no page_size"),
    ],
)
def test_a_filter_that_cannot_be_answers_400(city: PublicRoom, form: str, query: dict[str, str], said: str) -> None:
    assert said in error(city.get(f"{V2}/requests.{form}", params=query), 400)


def test_chinese_and_signs_of_markup_survive_in_both_formats(city: PublicRoom, key: str) -> None:
    words = "路灯 <灯杆> & “引号” \u0007 𠮷"
    number = number_of(post(city, key, description=words, address_string="深南大道 & 金田路 <口>"))
    kept = words.replace("\u0007", "")
    assert one(city, number)["description"] == kept
    raw = city.get(f"{V2}/requests/{number}.json")
    assert "路灯" in raw.text and raw.headers["content-type"] == "application/json; charset=utf-8"
    root = xml(city.get(f"{V2}/requests/{number}.xml"))
    assert root.findtext("request/description") == kept
    assert root.findtext("request/address") == "深南大道 & 金田路 <口>"


def test_nothing_personal_is_answered_anywhere(city: PublicRoom, key: str) -> None:
    secret = {"first_name": "阿方索", "last_name": "欧阳", "phone": "13912345678", "email": "ouyang@example.com"}
    number = number_of(post(city, key, description="欧阳阿方索 13912345678 ouyang@example.com", **secret))
    city.walk(number, *TO_CLOSED)
    for path in (f"requests/{number}.json", f"requests/{number}.xml", "requests.json", "requests.xml"):
        text = city.get(f"{V2}/{path}", params={"extensions": "true"}).text
        assert not any(word in text for word in ("欧阳", "13912345678", "ouyang", "sweeper", "已清理"))


def test_a_body_that_is_too_large_is_refused(city: PublicRoom, key: str) -> None:
    limit = Settings().body_limit
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = city.post(f"{V2}/requests.json", content=b"a" * (limit + 1), headers=headers)
    assert "larger than" in error(answer, 400)


@pytest.fixture(scope="module")
def address(city: PublicRoom) -> Iterator[str]:
    """The same city behind a real socket, for a client that knows nothing of us."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(city.app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    limit = time.monotonic() + 60
    while not server.started and time.monotonic() < limit:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}{V2}"
    server.should_exit = True
    thread.join(30)


@pytest.mark.parametrize("form", ["json", "xml"])
def test_an_independent_client_reads_it(city: PublicRoom, key: str, address: str, form: str) -> None:
    number = number_of(post(city, key, description="独立客户端"))
    client = GeoReport(address, jurisdiction="demo.cityloop.example", output_format=form)
    services = client.get_service_list()
    assert LITTER in [service["service_code"] for service in services]
    assert client.get_service_definition(LITTER)["service_code"] == LITTER
    listed = client.get_service_requests(service_code=LITTER, status="open")
    assert number in [found["service_request_id"] for found in listed]
    found = client.get_service_request(number)
    found = found[0] if isinstance(found, list) else found
    assert (found["service_request_id"], found["description"], found["status"]) == (number, "独立客户端", "open")


def test_the_answers_are_plain_json(city: PublicRoom) -> None:
    for path in ("services", "requests"):
        assert isinstance(json.loads(city.get(f"{V2}/{path}.json").content), list)
