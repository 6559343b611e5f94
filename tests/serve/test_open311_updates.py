"""Updates of requests: news by date, and what other systems say; docs/open311.md names these tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.cases.support import ACCEPTOR, TO_HANDLE
from tests.citizen.support import PublicRoom, open_public_room
from tests.serve.test_open311 import V2, error, number_of, post, xml


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicRoom]:
    found = open_public_room(tmp_path_factory.mktemp("open311"))
    yield found
    found.room.database.close()


@pytest.fixture(scope="module")
def key(city: PublicRoom) -> str:
    return city.key("intake")


def updated(city: PublicRoom, key: str, **fields: Any) -> httpx.Response:
    """What another system says of a request; ``None`` leaves a field out."""
    told = {"api_key": key, "update_id": "u-1", "description": "我们已派车", "status": "IN_PROGRESS", **fields}
    headers = {"content-type": "application/x-www-form-urlencoded"}
    body = urlencode({name: value for name, value in told.items() if value is not None})
    return city.post(f"{V2}/servicerequestupdates.json", content=body, headers=headers)


def test_updates_tell_the_public_steps_between_two_dates(city: PublicRoom, key: str) -> None:
    number = number_of(post(city, key))
    city.walk(number, *TO_HANDLE)
    now = city.room.clock.now()
    span = {"start_date": (now - timedelta(days=1)).isoformat(), "end_date": (now + timedelta(minutes=1)).isoformat()}
    answer = city.get(f"{V2}/servicerequestupdates.json", params=span).raise_for_status().json()
    mine = [item for item in answer if item["service_request_id"] == number]
    assert [item["update_id"] for item in mine] == [f"{number}-{step}" for step in ("received", "accepted", "handling")]
    assert {item["status"] for item in mine} == {"OPEN"}
    root = xml(city.get(f"{V2}/servicerequestupdates.xml", params=span))
    assert root.tag == "service_request_updates" and {item.tag for item in root} == {"request_update"}
    alone = city.get(f"{V2}/servicerequestupdates.json", params={"start_date": span["start_date"]})
    assert "go together" in error(alone, 400)


def test_an_update_is_written_on_the_case_once(city: PublicRoom, key: str) -> None:
    number = number_of(post(city, key))
    for _ in range(2):
        answer = updated(city, key, service_request_id=number)
        assert answer.status_code == 201, answer.text
        assert answer.json() == [{"update_id": "u-1", "service_request_id": number}]
    detail = city.room.desk.get(ACCEPTOR, number)
    said = [entry.facts for entry in detail.timeline if entry.move == "relayed"]
    assert [(facts["notes"], facts["status"]) for facts in said] == [("我们已派车", "in_progress")]
    assert "update_id is missing" in error(updated(city, key, service_request_id=number, update_id=None), 400)
    assert "no service request" in error(updated(city, key, service_request_id="1"), 404)
    error(updated(city, "wrong", service_request_id=number), 403)
