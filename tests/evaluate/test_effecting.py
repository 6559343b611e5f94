"""Effects over a real lake: the rows come through the door, the area splits treated from control, nobody sees more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from cityloop.access.actor import Actor
from cityloop.access.door import Door, Protected
from cityloop.access.policy import Policy
from cityloop.analyse.content import load_model
from cityloop.analyse.service import Analyst
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.errors import AccessDenied, NotFound
from cityloop.core.values import Title
from cityloop.evaluate.effect_schemas import EffectAsked, RunSpan
from cityloop.evaluate.effecting import NO_CONTROL, RUNNING, SHORT, Effects
from cityloop.lake.service import Lake
from cityloop.standard.service import Standard

ROOT = Path(__file__).parents[2]
PACKS = [ROOT / "packs" / name for name in ("urban", "air")]
ACTED, OTHER = "440304", "440305"
BEGIN = datetime(2026, 3, 20, 0, 0, tzinfo=UTC)
POLICY = Policy.model_validate(
    {
        "posts": {
            "analyst": {"title": "analyst", "may": ["evaluate.read"], "sees": {"observation": {}}},
            "district": {
                "title": "district",
                "may": ["evaluate.read"],
                "sees": {"observation": {"rows": ["own_areas"]}},
            },
            "feed": {"title": "feed", "sees": {"observation": {}}},
        }
    }
)


def actor(post: str, *areas: str) -> Actor:
    return Actor(id=post, name=Title(zh=post, en=post), posts=(post,), areas=areas)


@pytest.fixture(scope="module")
def effects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Effects]:
    """Two weeks of Beijing's air; four stations stand in the district that acted."""
    standard = Standard.load(PACKS)
    kind = standard.entity_type("AirQualityStation")
    lake = Lake(tmp_path_factory.mktemp("effects"), sync=False)
    lake.ensure(kind.id, kind.schema)
    lake.append(kind.id, pa.Table.from_pylist(_rows(), kind.schema))
    city = City.load(ROOT / "cities" / "demo", ManualClock(BEGIN + timedelta(hours=48)))
    door = Door(POLICY)
    door.register(Protected(entity="observation", area="area"))
    model = load_model(PACKS, standard)
    analyst = Analyst(
        lake=lake, model=model, door=door, city=city, clock=city.clock, describe=lambda *_: None, rules={}
    )
    yield Effects(door=door, analyst=analyst, city=city, runs=_run)
    lake.close()


def _rows() -> list[dict[str, object]]:
    rows = pl.read_parquet(ROOT / "cities/demo/series/air-hourly.parquet").select("station", "time", "PM2.5")
    stations = sorted(rows["station"].unique())
    found = []
    for number, (station, at, value) in enumerate(rows.iter_rows()):
        area = f"{ACTED if stations.index(station) < 4 else OTHER}000000001"
        base = {"entity": station, "observed_at": at, "received_at": at, "date": at.date(), "feed": "air-hourly"}
        found.append(base | {"record": f"b:{number}", "area": area, "pm2_5": value})
    return found


def _run(asker: Actor, run: str) -> RunSpan:
    if run == "plain":
        return RunSpan(area=ACTED, start=BEGIN, end=None, metric=None, by=None)
    return RunSpan(area=ACTED, start=BEGIN, end=BEGIN + timedelta(hours=12), metric="pm2_5_mean", by="station")


def asked(**changed: object) -> EffectAsked:
    wish = {"metric": "pm2_5_mean", "by": "station", "area": ACTED, "start": BEGIN, "end": BEGIN + timedelta(hours=12)}
    return EffectAsked.model_validate(wish | changed)


def test_a_simulated_run_made_no_difference_to_recorded_air(effects: Effects) -> None:
    found = effects.of_run(actor("analyst"), "run-1")
    assert found is not None
    assert found.verdict == "no_difference"
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high
    assert (len(found.treated), len(found.control)) == (4, 8)
    assert (found.unit, found.cautions) == ("µg/m³", [])
    assert found.observed is not None
    assert found.expected == pytest.approx(found.observed - (found.effect or 0))
    assert found.points[-1].at == BEGIN + timedelta(hours=11)


def test_an_asker_who_sees_one_district_has_no_control_and_is_told(effects: Effects) -> None:
    found = effects.of(actor("district", ACTED), asked())
    assert found.control == []
    assert found.cautions[0] == NO_CONTROL


def test_who_may_not_evaluate_is_refused(effects: Effects) -> None:
    with pytest.raises(AccessDenied):
        effects.of(actor("feed"), asked())


def test_a_running_action_and_a_short_past_are_said(effects: Effects) -> None:
    running = effects.of(actor("analyst"), asked(start=BEGIN + timedelta(hours=40), end=BEGIN + timedelta(hours=60)))
    assert RUNNING in running.cautions
    early = effects.of(
        actor("analyst"),
        asked(start=datetime(2026, 3, 10, tzinfo=UTC), end=datetime(2026, 3, 10, 12, tzinfo=UTC)),
    )
    assert (early.verdict, SHORT in early.cautions) == ("not_enough", True)


def test_what_cannot_be_estimated_says_why(effects: Effects) -> None:
    with pytest.raises(NotFound, match="no metric"):
        effects.of(actor("analyst"), asked(metric="happiness"))
    with pytest.raises(NotFound, match="no figures of treated units"):
        effects.of(actor("analyst"), asked(area="440399"))
    assert effects.of_run(actor("analyst"), "plain") is None
    with pytest.raises(ValueError, match="end after it began"):
        asked(end=BEGIN)
