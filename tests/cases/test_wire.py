"""Attachments and tasks over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI

from cityloop.access.actor import Actor
from cityloop.cases.routes import router
from cityloop.cases.service import CaseDesk
from tests.cases.support import ACCEPTOR, COLLECTOR, DISPATCHER, LITTER, ROAD, TO_DISPATCH, Room, person
from tests.cases.test_photos import picture
from tests.wire import app_as


class Client:
    """Requests to the routes of this room as one actor."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def get(self, path: str, **values: Any) -> httpx.Response:
        return asyncio.run(self._send("GET", path, values))

    def post(self, path: str, **values: Any) -> httpx.Response:
        return asyncio.run(self._send("POST", path, values))

    async def _send(self, method: str, path: str, values: dict[str, Any]) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://city/api/v1/") as asker:
            return await asker.request(method, path, **values)


def client(room: Room, actor: Actor) -> Client:
    return Client(app_as(actor, {CaseDesk: room.desk}, router))


def test_a_photo_goes_ahead_of_its_report_and_is_never_run(room: Room) -> None:
    asker = client(room, COLLECTOR)
    sent = asker.post("attachments", files={"file": ("照片.jpg", picture(), "text/html")}, data={"kind": "before"})
    assert sent.status_code == 201 and sent.json()["media_type"] == "image/jpeg"
    told = {"title": "路边垃圾", "matter": LITTER, "position": {"lon": 114.055, "lat": 22.535}, "channel": "collector"}
    case = asker.post("cases", json={**told, "attachments": [{"hash": sent.json()["hash"], "kind": "before"}]}).json()
    assert case["photos"] == {"before": 1}
    shown = client(room, ACCEPTOR).get(f"attachments/{sent.json()['hash']}")
    assert shown.headers["content-type"] == "image/jpeg" and shown.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in shown.headers["content-security-policy"]
    listed = client(room, ACCEPTOR).get(f"cases/{case['number']}/attachments").json()
    assert [(item["name"], item["thumb"]) for item in listed] == [("照片.jpg", True)]
    refused = asker.post(
        f"cases/{case['id']}/attachments", files={"file": ("a.png", b"<svg/>")}, data={"kind": "after"}
    )
    assert refused.status_code == 415 and refused.json()["code"] == "unsupported"
    big = bytes(room.desk.attachments.limit + 1)
    assert asker.post("attachments", files={"file": ("a.png", big)}).status_code == 413
    assert asker.get("attachments/nonsense").status_code == 404


def test_a_co_handler_finds_and_moves_its_task(room: Room) -> None:
    case = room.report(matter=ROAD)
    room.walk(case, *TO_DISPATCH)
    room.move(DISPATCHER, case, "dispatch", parts=[{"department": "water", "demand": "关阀"}])
    water = client(room, person("water", "department", department="water"))
    [task] = water.get("tasks", params={"mine": "true"}).json()["items"]
    assert (task["demand"], task["state"], task["number"]) == ("关阀", "to_handle", case.number)
    signed = water.post(f"tasks/{task['id']}/moves", json={"move": "part_sign", "version": task["version"]})
    assert signed.status_code == 200 and signed.json()["state"] == "handling"
    assert water.get(f"tasks/{task['id']}").json()["brief"]["number"] == case.number
    again = water.post(f"tasks/{task['id']}/moves", json={"move": "part_sign", "version": task["version"]})
    assert again.status_code == 409
