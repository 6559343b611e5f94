"""The sanitation pack: bins that fill fast are known ahead, and litter that gathers is one hot zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from cityloop.lake.events import SCHEMAS
from cityloop.standard.comparisons import Comparer
from cityloop.standard.service import Standard
from cityloop.watch.content import load_rules
from cityloop.watch.guard import Guard
from tests.packs.stage import ROOT, Stage

START = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)


def test_a_bin_that_fills_fast_is_known_when_it_is_emptied(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "sanitation", START, {"WasteContainer": [{"id": "b1", "lon": 114, "lat": 22.5}]})
    try:
        for found in (10, 60, 90):
            stage.wait(timedelta(hours=5))
            at = stage.clock.now().isoformat()
            stage.send("bin-emptying", {"bin": "b1", "time": at, "fill_before_pct": found, "fill_after_pct": 0})
        (warning,) = stage.warnings("sanitation.overflow_ahead")
        assert warning.level == "yellow"
        # 12 points an hour, then 0.3 of the way to 18.
        assert warning.value == pytest.approx(100 / 12)
        assert stage.rows("WasteContainer")[-1]["fill_pace"] == pytest.approx(13.8)
    finally:
        stage.close()


def test_the_pace_foretells_the_measured_bins_better_than_their_last_fill() -> None:
    """The two weeks of Edinburgh that the demo replays: the fill at the next emptying."""
    rows = pl.read_parquet(ROOT / "cities/demo/series/bin-emptying.parquet").select(
        entity=pl.col("bin").cast(pl.String),
        observed_at=pl.col("time").cast(pl.Datetime("us", "UTC")),
        fill_before=pl.col("fill_before_pct").cast(pl.Float64),
        fill_after=pl.col("fill_after_pct").cast(pl.Float64),
    )
    kind = Standard.load([ROOT / "packs" / "sanitation"]).entity_type("WasteContainer")
    made = Comparer(kind, lambda columns, entities: {}).added(rows).sort("entity", "observed_at")
    gap = (pl.col("observed_at").shift(-1) - pl.col("observed_at")).over("entity").dt.total_seconds() / 3600
    made = made.with_columns(gap=gap, truth=pl.col("fill_before").shift(-1).over("entity")).drop_nulls(
        ["truth", "fill_pace"]
    )
    foretold = (pl.col("fill_after") + pl.col("fill_pace") * pl.col("gap")).clip(0, 100)
    errors = made.select(
        pace=(foretold - pl.col("truth")).abs().mean(), last=(pl.col("fill_before") - pl.col("truth")).abs().mean()
    )
    assert made.height > 1000
    assert errors["pace"].item() < 0.9 * errors["last"].item()


def test_litter_of_several_kinds_that_gathers_is_one_hot_zone() -> None:
    packs = [ROOT / "packs" / "sanitation"]
    (rule,) = [rule for rule in load_rules(packs, Standard.load(packs)) if rule.id == "sanitation.litter_hot_zone"]
    guard = Guard("CaseEvent", [rule])

    def reported(day: int, matter: str, lon: float) -> pa.Table:
        at = START + timedelta(days=day)
        row = {"entity": f"c{day}", "observed_at": at, "received_at": at, "record": str(day), "opened": 1, "lon": lon}
        return pa.Table.from_pylist([row | {"matter": f"gb47678:matter:{matter}", "lat": 22.5}], SCHEMAS["CaseEvent"])

    said = []
    for day, matter, lon in ((0, "06010", 114.0), (1, "06035", 114.001), (2, "06013", 114.0), (3, "06012", 114.002)):
        for verdict in guard.take(reported(day, matter, lon), START + timedelta(days=day)):
            said += [(decision.entity, decision.level, decision.at) for decision in verdict.decisions]
    assert said == [("@114.00000,22.50000", "blue", START + timedelta(days=3))]
