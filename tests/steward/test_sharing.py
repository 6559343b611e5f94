"""One department shares fields and rows with another for a time; nothing else ever shows, on no path."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.steward.conftest import NOON, Client, Town

FUTIAN, NANSHAN = "440304", "440305"
"""Two districts of the demo city."""


@pytest.fixture(scope="module")
def bins(town: Town) -> dict[str, str]:
    """Two bins in two districts, emptied an hour ago; the id of each by its district."""
    cards = town.house.collector._directory.of("WasteContainer").values()
    found = {code: next(card.id for card in cards if (card.area or "").startswith(code)) for code in (FUTIAN, NANSHAN)}
    record = {"time": "2026-03-09T11:00:00+08:00", "fill_before_pct": 80, "volume_l": 60, "weight_kg": 7.5}
    receipt = town.push("bin-emptying", [{"bin": identity, **record} for identity in found.values()])
    assert receipt["accepted"] == 2
    return found


def wish(**changes: Any) -> dict[str, Any]:
    until = (NOON + timedelta(days=30)).isoformat()
    asked = {"dataset": "WasteContainer", "fields": ["weight_kg"], "areas": [FUTIAN], "purpose": "清运路线评估"}
    return {**asked, "until": until, **changes}


@pytest.fixture
def granted(town: Town, bins: dict[str, str]) -> Iterator[dict[str, Any]]:
    """An approved grant of sanitation to transport; revoked in the end."""
    made = town.client("transport").post("/api/v1/grants", json=wish())
    assert made.status_code == 201, made.text
    path = f"/api/v1/grants/{made.json()['id']}/moves"
    answer = town.client("sanitation").post(path, json={"move": "approve", "reason": "同意"})
    assert answer.status_code == 200, answer.text
    yield answer.json()
    town.client("sanitation").post(path, json={"move": "revoke", "reason": "结束"})


def test_grants_are_exported_as_far_as_they_are_in_sight(town: Town, granted: dict[str, Any]) -> None:
    lines = (
        town.client("sanitation").get("/api/v1/grants/export?state=approved").content.decode("utf-8-sig").splitlines()
    )
    assert lines[0].startswith("编号,数据集,名称,申请部门")
    assert [line.split(",")[0] for line in lines[1:]] == [granted["id"]]
    assert len(town.client("water").get("/api/v1/grants/export").content.decode().splitlines()) == 1


def test_a_request_is_decided_by_the_owner_with_a_reason_and_can_be_revoked(town: Town, bins: dict[str, str]) -> None:
    asker, owner, other = town.client("transport"), town.client("sanitation"), town.client("water")
    made = asker.post("/api/v1/grants", json=wish()).json()
    assert (made["state"], made["owner"], made["department"]) == ("asked", "sanitation", "transport")
    assert made["moves"] == ["withdraw"]
    path = f"/api/v1/grants/{made['id']}"
    assert other.get(path).status_code == 404
    assert asker.post(f"{path}/moves", json={"move": "approve", "reason": "好"}).status_code == 403
    assert owner.post(f"{path}/moves", json={"move": "approve", "reason": ""}).status_code == 422
    assert owner.get(path).json()["moves"] == ["approve", "refuse"]
    assert owner.post(f"{path}/moves", json={"move": "approve", "reason": "同意"}).json()["state"] == "approved"
    assert owner.post(f"{path}/moves", json={"move": "refuse", "reason": "晚了"}).status_code == 409
    ended = owner.post(f"{path}/moves", json={"move": "revoke", "reason": "用途已变"}).json()
    assert (ended["state"], ended["end_reason"], ended["moves"]) == ("revoked", "用途已变", [])
    acts = [row.act for row in _audit(town) if row.object == made["id"]]
    assert [act for act in acts if act != "grant.read"] == ["grant.asked", "grant.approved", "grant.revoked"]
    assert town.house.audit.verify() is None


def _audit(town: Town) -> list[Any]:
    from sqlalchemy import select

    from cityloop.access.models import AuditRow

    with town.house.database.reading() as session:
        return list(session.scalars(select(AuditRow).order_by(AuditRow.seq)))


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"fields": ["colour"]}, "fields.0"),
        ({"areas": ["9999"]}, "areas.0"),
        ({"until": NOON.isoformat()}, "until"),
        ({"until": (NOON + timedelta(days=4000)).isoformat()}, "until"),
        ({"owner": "water"}, "owner"),
    ],
)
def test_a_request_that_cannot_be_made_says_where(town: Town, changes: dict[str, Any], where: str) -> None:
    answer = town.client("transport").post("/api/v1/grants", json=wish(**changes))
    assert answer.status_code == 422, answer.text
    assert where in [fault["where"] for fault in answer.json()["faults"]]


def test_the_owner_asks_nobody_and_who_has_no_permission_asks_not(town: Town) -> None:
    assert town.client("sanitation").post("/api/v1/grants", json=wish()).status_code == 422
    assert town.client("fenxi").post("/api/v1/grants", json=wish()).status_code == 403


class Paths:
    """Every way on which a value of a bin could reach somebody."""

    def __init__(self, client: Client, bins: dict[str, str]) -> None:
        self.client, self.bins = client, bins

    def weights(self, district: str) -> dict[str, Any]:
        """The weight of the district's bin, path by path."""
        identity = self.bins[district]
        points = self.get(f"/entities/{identity}/history?property=weight_kg")["points"]
        listed = self.get(f"/entities?entity_type=WasteContainer&text={identity}")["items"]
        drawn = self.get("/entities.geojson?entity_type=WasteContainer")["features"]
        found = {
            "list": listed[0]["values"].get("weight_kg"),
            "get": self.get(f"/entities/{identity}")["values"].get("weight_kg"),
            "map": next(f for f in drawn if f["id"] == identity)["properties"]["values"].get("weight_kg"),
            "history": points[0][1] if points else None,
        }
        if points:
            found["record"] = self.get(f"/records/{points[0][2]}")["weight_kg"]
        sample = self.get("/datasets/WasteContainer/sample")
        row = next(row for row in sample["rows"] if row[sample["columns"].index("entity")] == identity)
        found["sample"] = row[sample["columns"].index("weight_kg")]
        return found

    def collected(self, district: str) -> Any:
        """The weight that a question about the district's bin is answered with."""
        filters = [{"dimension": "bin", "values": [self.bins[district]]}]
        answer = self.client.post("/api/v1/query", json={"metrics": ["weight_collected"], "filters": filters})
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"][0][0]

    def bound(self) -> Any:
        """The greatest weight that the catalogue tells."""
        columns = self.get("/datasets/WasteContainer")["columns"]
        return next(column["max"] for column in columns if column["id"] == "weight_kg")

    def get(self, path: str) -> Any:
        answer = self.client.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()


def test_no_path_shows_more_than_the_grant_before_during_and_after(
    town: Town, bins: dict[str, str], granted: dict[str, Any]
) -> None:
    reader, owner = Paths(town.client("transport"), bins), Paths(town.client("sanitation"), bins)
    assert set(owner.weights(NANSHAN).values()) == {7.5}
    assert set(reader.weights(FUTIAN).values()) == {7.5}
    assert set(reader.weights(NANSHAN).values()) == {"***"}
    assert set(Paths(town.client("water"), bins).weights(FUTIAN).values()) == {"***"}
    assert (reader.collected(FUTIAN), reader.collected(NANSHAN), owner.collected(NANSHAN)) == (7.5, None, 7.5)
    assert reader.bound() is None
    path = f"/api/v1/grants/{granted['id']}/moves"
    assert town.client("sanitation").post(path, json={"move": "revoke", "reason": "结束"}).status_code == 200
    assert set(reader.weights(FUTIAN).values()) == {"***"}
    assert reader.collected(FUTIAN) is None


def test_the_use_of_a_grant_is_shown_with_who_and_when(
    town: Town, bins: dict[str, str], granted: dict[str, Any]
) -> None:
    path = f"/api/v1/grants/{granted['id']}"
    assert town.client("sanitation").get(f"{path}/usage").json()["reads"] == 0
    town.client("transport").get(f"/api/v1/entities/{bins[FUTIAN]}")
    usage = town.client("sanitation").get(f"{path}/usage").json()
    assert [(reader["account"], reader["reads"] > 0) for reader in usage["readers"]] == [("transport", True)]
    assert usage["last_read_at"] is not None
    assert town.client("sanitation").get(path).json()["reads"] == usage["reads"]
    assert any(row.act == "grant.read" and row.actor == "transport" for row in _audit(town))


def test_a_grant_does_not_reach_quarantine_and_raw_records(
    town: Town, bins: dict[str, str], granted: dict[str, Any]
) -> None:
    bad = {"bin": "nowhere", "time": "2026-03-09T11:05:00+08:00", "weight_kg": 7.5}
    assert town.push("bin-emptying", [bad])["quarantined"] == 1
    assert town.client("transport").get("/api/v1/quarantine?feed=bin-emptying").json()["total"] == 0
    assert town.client("sanitation").get("/api/v1/quarantine?feed=bin-emptying").json()["total"] == 1


def test_the_live_stream_is_never_widened(town: Town, granted: dict[str, Any]) -> None:
    reader = town.house.accounts.get("transport")
    scopes = town.house.stream._scopes(reader)
    assert set(scopes) <= {"warning", "case", "command", "run", "run_task"}
    assert all(scope.wider == () for scope in scopes.values())


def test_the_explanation_of_a_sight_names_the_grant(town: Town, granted: dict[str, Any]) -> None:
    told = town.client("transport").get("/api/v1/access/explain?entity=observation&dataset=WasteContainer").json()
    assert told["sees"]
    assert [held["id"] for held in told["grants"]] == [granted["id"]]
    assert [mask["column"] for mask in told["masks"]] == ["weight_kg"]
    answer = town.client("transport").get("/api/v1/access/explain?entity=case&actor=sanitation")
    assert answer.status_code == 403
    assert town.client("shuju").get("/api/v1/access/explain?entity=case&actor=sanitation").json()["sees"]


def test_approved_grants_hold_after_a_restart_and_end_with_their_term(town: Town, bins: dict[str, str]) -> None:
    made = town.client("transport").post("/api/v1/grants", json=wish(until=(NOON + timedelta(hours=2)).isoformat()))
    path = f"/api/v1/grants/{made.json()['id']}"
    town.client("sanitation").post(f"{path}/moves", json={"move": "approve", "reason": "同意"})
    town.restart()
    reader = Paths(town.client("transport"), bins)
    assert set(reader.weights(FUTIAN).values()) == {7.5}
    town.clock.advance(timedelta(hours=2))
    assert set(reader.weights(FUTIAN).values()) == {"***"}
    assert town.client("sanitation").get(path).json()["state"] == "expired"
    town.house.sharing._expire()
    assert "grant.expired" in [row.act for row in _audit(town) if row.object == made.json()["id"]]
