"""A city with three weeks of air records forecasts them, says how wrong it is, and says so when it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from cityloop.learn.artefact import Card, versions
from cityloop.learn.forecasts import PREFIX
from cityloop.learn.schemas import Untrained
from cityloop.serve.training import models_folder, train
from cityloop.watch.outlook import Absent, Ahead, Expected, Outlook
from tests.learn.series import town as values_of
from tests.steward.conftest import NOON, Town

NAME = "AirQualityStation.pm2_5"
STATIONS = ["1001A", "1002A", "1003A"]
DAYS = 21
_PATH = f"/api/v1/forecasts/{NAME}"


def records(first: int, count: int, stations: list[str], factor: float = 1.0) -> list[dict[str, Any]]:
    """Hours from ``first`` on, counted from three weeks before noon."""
    values = values_of(DAYS + 10, len(STATIONS)).values
    start = NOON - timedelta(days=DAYS)
    return [
        {
            "station": station,
            "time": (start + timedelta(hours=hour)).isoformat(),
            "PM2.5": float(factor * max(1.0, values[hour, number])),
            "PM10": 80.0,
        }
        for hour in range(first, first + count)
        for number, station in enumerate(stations)
    ]


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    made = Town(tmp_path_factory.mktemp("untrained"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    made = Town(tmp_path_factory.mktemp("trained"))
    made.push("air-hourly", records(0, DAYS * 24 + 1, STATIONS))
    done = train(made.house.settings, made.clock, [NAME])
    assert [type(one) for one in done] == [Card], done
    yield made
    made.close()


def ahead(city: Town, entities: list[str], at: datetime) -> Ahead:
    found = city.house.forecasts.forecast("AirQualityStation", "pm2_5", entities, at)
    assert isinstance(found, Ahead)
    return found


def test_without_a_past_there_is_no_model_and_the_reason_is_told(untrained: Town) -> None:
    found = {one["id"]: one for one in untrained.client("zhiban").get("/api/v1/forecasts").json()}
    assert found[NAME]["state"] == "untrained"
    assert "约需" in found[NAME]["reason"]["zh"] and "needed" in found[NAME]["reason"]["en"]
    page = untrained.client("zhiban").get(f"{_PATH}/entities").json()
    assert page["total"] == 12 and page["items"][0]["points"] == []
    assert page["items"][0]["reason"]["en"].startswith("no model yet")
    made = train(untrained.house.settings, untrained.clock, [NAME])
    assert isinstance(made[0], Untrained) and "days are needed" in made[0].reason


def test_rules_are_told_that_there_is_nothing_instead_of_a_value(untrained: Town) -> None:
    outlook: Outlook = untrained.house.forecasts
    assert isinstance(outlook.forecast("AirQualityStation", "pm2_5", STATIONS, NOON), Absent)
    assert isinstance(outlook.expected("AirQualityStation", "pm2_5", STATIONS, np.zeros(3)), Absent)
    assert isinstance(outlook.forecast("AirQualityStation", "so2", STATIONS, NOON), Absent)
    assert outlook.declared("AirQualityStation", "pm2_5") and not outlook.declared("AirQualityStation", "so2")
    assert untrained.house.forecasts.due(24) == ()


def test_a_model_shows_its_error_beside_that_of_its_rivals(trained: Town) -> None:
    found = trained.client("lingdao").get(_PATH).json()
    assert found["state"] == "ready" and found["entities"] == 3
    assert [score["horizon_seconds"] // 3600 for score in found["scores"]] == [1, 3, 6, 12, 24]
    first = found["scores"][0]
    assert first["server"] == "model" and first["model_mae"] < first["persistence_mae"] < first["seasonal_mae"]
    assert 0.8 <= first["coverage"] <= 1 and first["width"] > 0
    for score in found["scores"]:
        served = score[f"{score['server']}_mae"]
        assert served == min(score["model_mae"], score["persistence_mae"], score["seasonal_mae"])
    assert found["first"] < found["holdout_from"] < found["last"]
    assert found["drift"]["state"] == "steady"
    assert found["candidates"]


def test_an_entity_is_forecast_with_intervals_from_its_newest_record(trained: Town) -> None:
    found = trained.client("zhiban").get(f"{_PATH}/entities/1001A?hours=12").json()
    outlook = found["outlook"]
    assert outlook["origin"] == NOON.isoformat().replace("+00:00", "Z")
    assert [point["horizon_seconds"] // 3600 for point in outlook["points"]] == [1, 3, 6, 12, 24]
    for point in outlook["points"]:
        assert 0 <= point["low"] <= point["value"] <= point["high"]
        assert point["usual"] == pytest.approx(50, abs=40)
    assert len(found["past"]) == 12
    assert found["past"][-1]["forecast"] is not None
    assert found["recent_mae"] < found["recent_naive_mae"] * 1.5


def test_entities_are_listed_by_their_highest_forecast(trained: Town) -> None:
    page = trained.client("zhiban").get(f"{_PATH}/entities?sort=-highest&size=5").json()
    told = [item["highest"] for item in page["items"]]
    assert told[:3] == sorted(told[:3], reverse=True) and told[3:] == [None, None]
    assert page["total"] == 12
    assert page["items"][3]["reason"]["zh"]
    refused = trained.client("zhiban").get(f"{_PATH}/entities?sort=colour")
    assert refused.status_code == 422 and "highest" in refused.text


def test_what_an_actor_may_not_see_is_not_forecast_for_him(trained: Town) -> None:
    assert trained.client("xitong").get("/api/v1/forecasts").status_code == 403
    assert trained.client("xitong").get(f"{_PATH}/entities/1001A").status_code in (403, 404)
    assert trained.client("zhiban").get("/api/v1/forecasts/AirQualityStation.so2").status_code == 404
    assert trained.client("zhiban").get(f"{_PATH}/entities/s00").status_code == 404


def test_rules_get_forecasts_with_version_error_and_server(trained: Town) -> None:
    found = ahead(trained, ["1002A", "nobody", "1001A"], NOON)
    assert found.version == f"{PREFIX}{NAME}/1"
    assert found.horizons[0] == timedelta(hours=1) and found.value.shape == (3, 5)
    assert np.isnan(found.value[1]).all() and np.isnan(found.origin[1])
    assert found.origin[0] == NOON.timestamp()
    assert np.all(found.low[[0, 2]] <= found.value[[0, 2]]) and np.all(found.value[[0, 2]] <= found.high[[0, 2]])
    assert found.error[0] < found.naive_error[0] and 0.8 <= found.reached[0] <= 1


def test_a_backtest_sees_the_past_as_it_was(trained: Town) -> None:
    then = NOON - timedelta(days=2)
    past, present = ahead(trained, STATIONS, then), ahead(trained, STATIONS, NOON)
    assert past.origin[0] == then.timestamp()
    assert not np.allclose(past.value, present.value)
    np.testing.assert_allclose(ahead(trained, STATIONS, NOON).value, present.value)


def test_expected_is_the_level_of_the_slot_for_each_of_a_batch(trained: Town) -> None:
    at = np.array([(NOON + timedelta(hours=hours)).timestamp() for hours in (6, 18, 6)])
    found = trained.house.forecasts.expected("AirQualityStation", "pm2_5", ["1001A", "1001A", "nobody"], at)
    assert isinstance(found, Expected)
    assert abs(found.level[0] - found.level[1]) > 10
    assert np.isnan(found.level[2]) and np.all(found.spread[:2] > 0)


def test_who_may_lets_a_model_learn_anew_and_nobody_else(trained: Town) -> None:
    assert trained.client("shouli").post(f"{_PATH}/retrain").status_code == 403
    assert trained.client("fenxi").post(f"{_PATH}/retrain").status_code == 202
    assert trained.house.forecasts.due(0) == (NAME,)
    assert trained.house.forecasts.due(0) == ()
    assert versions(models_folder(trained.house.settings), PREFIX + NAME) == [1]


def test_records_stop_and_so_do_forecasts(trained: Town) -> None:
    """From here on the clock of the city goes on."""
    trained.clock.advance(timedelta(hours=6))
    trained.push("air-hourly", records(DAYS * 24 + 1, 6, STATIONS[:2]))
    found = ahead(trained, STATIONS, NOON + timedelta(hours=6))
    assert not np.isnan(found.value[:2]).any() and np.isnan(found.value[2]).all()


def test_an_error_that_has_grown_is_noticed_and_learned_from_soon(trained: Town) -> None:
    trained.clock.advance(timedelta(hours=60))
    chance = np.random.default_rng(5)
    wild = records(DAYS * 24 + 7, 60, STATIONS)
    trained.push("air-hourly", [{**one, "PM2.5": float(chance.uniform(1, 300))} for one in wild])
    drift = trained.client("zhiban").get(_PATH).json()["drift"]
    assert drift["state"] == "drifted" and drift["recent_mae"] > drift["holdout_mae"]
    assert trained.house.forecasts.due(200) == (NAME,)
