"""Reading what was collected: entities, histories, records, feeds; each within the asker's scope."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from cityloop.access.actor import Actor
from cityloop.collect.quarantine_routes import router as quarantine_router
from cityloop.collect.routes import router as collect_router
from cityloop.collect.service import Collector
from cityloop.core.errors import AccessDenied, Invalid, NotFound
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.core.web import Paging
from tests.collect.small_town import MACHINE, NOON, STEWARD, Town, air
from tests.wire import app_as

FIRST = Paging(page=1, size=50, sort="")
EAST = Actor(id="wang", name=Title(zh="王", en="Wang"), posts=("collector",), areas=("440304",))
SANITATION = Actor(id="zhao", name=Title(zh="赵", en="Zhao"), posts=("department",), department="sanitation")
NOBODY = Actor(id="x", name=Title(zh="某", en="X"))


@pytest.fixture
def busy(town: Town) -> Town:
    town.push([air("1001A", values={"PM2.5": 60, "wd": "N"}), air("1002A", values={"PM2.5": 70})])
    town.push([{"station": "s00", "time": "2026-03-09T11:50:00+08:00", "entries": 120}], "metro-entries")
    town.push([{"bin": 324925, "time": "2026-03-09T11:00:00+08:00", "fill_before_pct": 80, "weight_kg": 0.01,
                "weight_unit": "t"}], "bin-emptying")  # fmt: skip
    return town


def ids(town: Town, actor: Actor, **wanted: Any) -> list[str]:
    return [view.id for view in town.collector.entities(actor, FIRST, **wanted).items]


def test_entities_are_listed_with_titles_areas_series_and_latest_values(busy: Town) -> None:
    view = busy.collector.entity(STEWARD, "324925")
    assert (view.title.zh, view.area, view.series) == ("果皮箱", None, "edinburgh-bins")
    assert (view.values["fill_before"], view.values["weight_kg"], view.values["volume_l"]) == (80.0, 10.0, None)
    assert ids(busy, STEWARD) == ["1001A", "1002A", "s00", "324925"]


def test_entities_can_be_narrowed_by_type_area_and_text_and_sorted(busy: Town) -> None:
    assert ids(busy, STEWARD, entity_type="AirQualityStation") == ["1001A", "1002A"]
    assert ids(busy, STEWARD, area="440305") == ["1002A"]
    assert ids(busy, STEWARD, text="WANSHOU") == ["1001A"]
    assert ids(busy, STEWARD, text="定陵") == ["1002A"]
    newest = busy.collector.entities(STEWARD, Paging(page=1, size=1, sort="-observed_at"))
    assert ([view.id for view in newest.items], newest.total) == (["s00"], 4)
    with pytest.raises(Invalid, match="cannot be sorted by 'colour'"):
        busy.collector.entities(STEWARD, Paging(page=1, size=1, sort="colour"))
    with pytest.raises(NotFound, match="no entity type"):
        busy.collector.entities(STEWARD, FIRST, entity_type="Tree")


def test_an_actor_bound_to_an_area_sees_only_its_entities_histories_and_records(busy: Town) -> None:
    assert ids(busy, EAST) == ["1001A", "s00"]
    assert [f["id"] for f in busy.collector.geojson(EAST, "AirQualityStation")["features"]] == ["1001A"]
    for ask in (lambda: busy.collector.entity(EAST, "1002A"),
                lambda: busy.collector.history(EAST, "1002A", "pm2_5", None, None)):  # fmt: skip
        with pytest.raises(NotFound, match="no entity '1002A'"):
            ask()
    found = busy.lake.query('SELECT record FROM "AirQualityStation" ORDER BY entity', ["AirQualityStation"])
    east, west = found["record"].to_pylist()
    assert busy.collector.record(EAST, east)["entity"] == "1001A"
    with pytest.raises(NotFound, match="no record"):
        busy.collector.record(EAST, west)


def test_an_actor_without_sight_is_refused_everywhere(busy: Town) -> None:
    for ask in (
        lambda: busy.collector.entities(NOBODY, FIRST),
        lambda: busy.collector.geojson(NOBODY, None),
        lambda: busy.collector.entity(NOBODY, "1001A"),
        lambda: busy.collector.history(NOBODY, "1001A", "pm2_5", None, None),
        lambda: busy.collector.feeds(NOBODY),
        lambda: busy.collector.entity_types(NOBODY),
        lambda: busy.collector.quarantine(NOBODY, FIRST, None),
    ):
        with pytest.raises(AccessDenied):
            ask()
    with pytest.raises(NotFound):
        busy.collector.record(NOBODY, "anything")


def test_a_department_sees_its_own_feeds_and_quarantine(busy: Town) -> None:
    busy.push([air("9999Z")])
    busy.push([{"bin": "none", "time": "2026-03-09T11:00:00+08:00", "fill_before_pct": 80}], "bin-emptying")
    assert {feed.id for feed in busy.collector.feeds(SANITATION)} == {"bin-emptying", "crew-states", "vehicle-states"}
    page = busy.collector.quarantine(SANITATION, FIRST, None)
    assert (page.total, [item.feed for item in page.items]) == (1, ["bin-emptying"])
    assert busy.collector.quarantine(STEWARD, FIRST, None).total == 2


def test_a_history_is_oldest_first_within_its_window_and_leads_to_the_records(busy: Town) -> None:
    busy.push([air(time=(NOON - timedelta(hours=n)).isoformat(), values={"PM2.5": n}) for n in range(2, 40)])
    view = busy.collector.history(STEWARD, "1001A", "pm2_5", None, None)
    assert view.unit == "µg/m³"
    assert [point[1] for point in view.points] == [*map(float, range(24, 1, -1)), 60.0]
    record = busy.collector.record(STEWARD, view.points[0][2])
    assert (record["entity_type"], record["pm2_5"], record["feed"]) == ("AirQualityStation", 24.0, "air-hourly")
    short = busy.collector.history(STEWARD, "1001A", "wind_direction", NOON - timedelta(hours=2), NOON)
    assert [point[1] for point in short.points] == ["N"]


def test_a_history_that_cannot_be_answered_says_why(busy: Town) -> None:
    with pytest.raises(NotFound, match="known: pm2_5"):
        busy.collector.history(STEWARD, "1001A", "colour", None, None)
    with pytest.raises(Invalid, match="behind end"):
        busy.collector.history(STEWARD, "1001A", "pm2_5", NOON, NOON - timedelta(hours=1))
    with pytest.raises(Invalid, match="has no offset"):
        busy.collector.history(STEWARD, "1001A", "pm2_5", datetime(2026, 3, 9), None)  # noqa: DTZ001


def test_types_tell_their_properties_with_units_and_how_many_entities_there_are(busy: Town) -> None:
    types = {view.id: view for view in busy.collector.entity_types(EAST)}
    assert types["AirQualityStation"].count == 1
    assert types["MetroStation"].properties[0].unit == "persons/10 min"
    assert types["MetroStation"].properties[0].kind == "integer"


def test_a_feed_grows_stale_as_city_time_passes(busy: Town) -> None:
    def fresh() -> dict[str, bool]:
        return {feed.id: feed.fresh for feed in busy.collector.feeds(STEWARD) if feed.last_observed_at}

    assert all(fresh().values())
    busy.clock.advance(timedelta(hours=5))
    assert fresh() == {
        "air-hourly": False, "metro-entries": True, "bin-emptying": True,
    }  # fmt: skip


def test_a_warning_gets_the_card_of_its_entity(busy: Town) -> None:
    card = busy.collector.describe("AirQualityStation", "1001A")
    assert card is not None
    assert (card.district, card.title.en, card.series) == ("440304", "Wanshouxigong", "beijing-air")
    assert busy.collector.describe("AirQualityStation", "s00") is None


async def whole_way(client: httpx.AsyncClient) -> None:
    sent = await client.post("/feeds/air-hourly/records", json=[air(time="2026-03-09T10:00:00+08:00"), air("9999Z")])
    assert sent.status_code == 200
    assert {k: sent.json()[k] for k in ("received", "accepted", "quarantined", "duplicate")} == {
        "received": 2, "accepted": 1, "quarantined": 1, "duplicate": 0,
    }  # fmt: skip
    history = (await client.get("/entities/1001A/history", params={"property": "pm2_5"})).json()["points"]
    assert [point[1] for point in history] == [35.0, 60.0]
    assert (await client.get(f"/records/{history[0][2]}")).json()["pm2_5"] == 35.0
    assert (await client.get("/quarantine")).json()["items"][0]["reasons"][0]["rule"] == "entity"
    assert len((await client.get("/entities.geojson")).json()["features"]) == 4
    assert len((await client.get("/feeds")).json()) == 7
    assert (await client.get("/entity-types")).json()[0]["id"] == "AirQualityStation"
    unknown = await client.post("/feeds/air/records", json=[])
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "application/problem+json")
    headers = {"content-type": "application/json"}
    broken = await client.post("/feeds/air-hourly/records", content=b"[{]", headers=headers)
    assert broken.status_code == 422
    assert "line 1, column" in broken.json()["detail"]
    large = await client.post("/feeds/air-hourly/records", content=b" " * 3_000_000, headers=headers)
    assert large.status_code == 413


def test_the_whole_way_over_http(busy: Town) -> None:
    busy.settings.body_limit = 2_000_000
    asker = MACHINE.model_copy(update={"posts": ("feed", "steward")})
    app = app_as(asker, {Collector: busy.collector, Settings: busy.settings}, collect_router, quarantine_router)

    async def run() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://city/api/v1") as client:
            await whole_way(client)

    asyncio.run(run())


def test_times_in_answers_are_utc(busy: Town) -> None:
    view = busy.collector.entity(STEWARD, "1001A")
    assert view.observed_at == datetime(2026, 3, 9, 3, tzinfo=UTC)
