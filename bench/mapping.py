"""Mapping plus all checks of a ten-column feed, in one process, beside pandera and Great Expectations, same rows.

Ours reads raw fields, finds the entity, reads the time, converts units and checks: required, known entity, readable
time not ahead of the clock, kind, range, enumeration, pattern, cross-field, unique, jump and stuck sensor, batch by
batch with the memory of past values. The peers are given the rows already converted and typed, and only check; a third
figure of ours is for that same work. Where a peer has no such check, it is given what a person would write with
polars. The rows that each refuses or flags are compared, one by one.
"""

from __future__ import annotations

import importlib.util
import random
import time
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from bench.conditions import conditions
from cityloop.core.errors import Problem
from cityloop.standard.declarations import FeedDeclaration
from cityloop.standard.feeds import compile_feed
from cityloop.standard.mapping import INDEX, FeedMapping
from cityloop.standard.memory import Memory
from cityloop.standard.service import Standard
from cityloop.standard.types import EntityType

BATCH = 20_000
START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = START + timedelta(days=60)
STATIONS = [f"s{n:04}" for n in range(1000)]
WIND = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"]
RANGES = {"pm2_5": (0, 2000), "pm10": (0, 10000), "so2": (0, 5000), "no2": (0, 5000), "co": (0, 200000),
          "o3": (0, 2000), "temperature": (-60, 60)}  # fmt: skip
HOLDS = "pm2_5 <= pm10 * 2 + 50"
_UNITS = {"co": "mg/m3", "temperature": "K"}


def run(seconds: float = 10.0, rows: int = 100_000) -> dict[str, Any]:
    """Measure for about ``seconds`` of our own work; the peers check all ``rows`` once or more."""
    _peers_present()
    raw, known = _records(rows), dict.fromkeys(STATIONS)
    mapping, converted = _mapping(), _converted(raw)
    checking, whole = _mapping(converted=True), converted.rename({"at": "time"})
    forms = {"typed": pl.Schema(mapping.typed), "text": pl.Schema(mapping.text)}
    batches = {name: [part.cast(form) for part in raw.iter_slices(BATCH)] for name, form in forms.items()}
    ours = _rate(lambda: _judged(mapping, batches["typed"], known), rows, seconds * 0.4)
    from_text = _rate(lambda: _judged(mapping, batches["text"], known), rows, seconds * 0.3)
    checks = _rate(lambda: _judged(checking, [whole], known), rows, seconds * 0.3)
    bad = _judged(mapping, batches["typed"], known)
    peers = {"pandera": _pandera(converted), "great_expectations": _great_expectations(converted)}
    found = {name: result[1] for name, result in peers.items()}
    found |= {"ours from text": _judged(mapping, batches["text"], known)}
    found |= {"ours on converted rows": _judged(checking, [whole], known)}
    for name, theirs in found.items():
        if theirs != bad:
            raise AssertionError(f"{name}: {len(theirs)} rows bad, we {len(bad)}; {sorted(theirs ^ bad)[:5]} differ")
    return {
        "rows_per_second": round(ours.wall),
        "rows_per_second_of_cpu": round(ours.cpu),
        "rows_per_second_from_text": round(from_text.wall),
        "rows_per_second_checks_only": round(checks.wall),
        "peers_rows_per_second": {name: round(rate.wall) for name, (rate, _) in peers.items()},
        "ratios": {name: round(ours.wall / rate.wall, 1) for name, (rate, _) in peers.items()},
        "ratios_checks_only": {name: round(checks.wall / rate.wall, 1) for name, (rate, _) in peers.items()},
        "bad_rows": len(bad),
        "verdicts_equal": True,
        "conditions": {
            **conditions("polars", "pandera", "great-expectations", "pandas"),
            "threads": pl.thread_pool_size(), "rows": rows, "batch": BATCH, "columns": 10, "seconds": seconds,
            "ours": "raw fields mapped and checked, with every reason, batch by batch",
            "checks_only": "ours on the rows the peers get, all in one call",
            "peers": "rows already converted and typed, all rows in one call; the better of two runs",
        },
    }  # fmt: skip


def _peers_present() -> None:
    missing = [name for name in ("pandera", "great_expectations") if importlib.util.find_spec(name) is None]
    if missing:
        raise Problem(f"the peers are not installed: {', '.join(missing)}", "run: uv sync --group bench")


def _records(rows: int) -> pl.DataFrame:
    """Raw records, about two in a hundred bad, each in one of ten ways."""
    rng = random.Random(7)

    def drawn(low: float, high: float) -> float:
        return round(rng.uniform(low, high), 2)

    columns: dict[str, list[Any]] = {name: [] for name in ("station", "time", *RANGES, "wd")}
    for number in range(rows):
        row: dict[str, Any] = {
            "station": STATIONS[number % 1000],
            "time": (START + timedelta(minutes=5 * (number // 1000))).isoformat(),
            "pm2_5": drawn(5, 60), "pm10": drawn(20, 120), "so2": drawn(1, 20),
            "no2": drawn(5, 60), "co": drawn(0.2, 1.5), "o3": drawn(10, 160),
            "temperature": drawn(265, 305), "wd": rng.choice(WIND),
        }  # fmt: skip
        reading, station = number // 1000, number % 1000
        if station < STUCK and reading % 20 >= 8:
            row["o3"] = 77.5 + station
        elif rng.random() < 0.02:
            row |= rng.choice(_MISTAKES)
        elif rng.random() < 0.002 and reading % 3:
            row |= _SPIKE
        for name, value in row.items():
            columns[name].append(value)
    return pl.DataFrame(columns)


_MISTAKES: list[dict[str, Any]] = [
    {"station": "zz"}, {"station": None}, {"time": "noon"}, {"time": "2027-01-01T00:00:00+00:00"}, {"pm2_5": -5.0},
    {"pm10": 20_000.0}, {"co": 900.0}, {"temperature": 20.0}, {"wd": "up"}, {"o3": None}, {"pm2_5": 900.0},
]  # fmt: skip


def _mapping(past: bool = False) -> FeedMapping:
    checks: list[dict[str, Any]] = [{"rule": "cross", "holds": HOLDS}]
    if past:
        checks += [
            {"rule": "unique", "properties": ["measured_at"]},
            {"rule": "jump", "property": "pm2_5", "change": 300, "per": "1h"},
            {"rule": "stuck", "property": "o3", "readings": 6},
        ]
    properties: list[dict[str, Any]] = [
        {"id": name, "title": name, "min": low, "max": high, "unit": "Cel" if name == "temperature" else "ug/m3"}
        for name, (low, high) in RANGES.items()
    ]
    properties += [{"id": "wind", "title": "wind", "kind": "text", "enum": WIND}]
    properties += [{"id": "measured_at", "title": "t", "kind": "text"}] if past else []
    kind = EntityType.model_validate({"id": "Station", "title": "Station", "properties": properties})
    sources: dict[str, Any] = {
        name: {"field": name, "required": True, **({"unit": _UNITS[name]} if name in _UNITS else {})} for name in RANGES
    }
    sources |= {"wind": {"field": "wd", "required": True}}
    sources |= {"measured_at": {"expression": "concat(station, time)"}} if past else {}
    declaration = FeedDeclaration.model_validate(
        {
            "id": "bench", "title": "bench", "entity_type": "Station", "department": "bench",
            "entity": {"field": "station"}, "time": {"field": "time"}, "properties": sources, "checks": checks,
        }
    )  # fmt: skip
    return compile_feed(declaration, Standard({"Station": kind}))


def _with_past(
    mapping: FeedMapping, memory: list[Memory], batches: list[pl.DataFrame], number: int, known: Mapping[str, Any]
) -> None:
    """One batch with the past; every round over the rows begins with an empty one."""
    if number == 0:
        memory[0] = Memory(mapping)
    memory[0].judge(mapping.apply(batches[number], NOW, known))


def _rate(step: Callable[[int], object], batches: int, rows: int, seconds: float) -> float:
    """Rows a second over whole rounds."""
    step(0)
    done, began = 0, time.perf_counter()
    while not done or time.perf_counter() - began < seconds:
        for number in range(batches):
            step(number)
        done += rows
    return done / (time.perf_counter() - began)


def _bad(mapping: FeedMapping, batches: list[pl.DataFrame], known: Mapping[str, Any]) -> set[int]:
    found: set[int] = set()
    for number, batch in enumerate(batches):
        mapped = mapping.apply(batch, NOW, known)
        if mapped.rows.height + len(mapped.refusals) != batch.height or mapped.rows[INDEX].is_in(mapped.refusals).any():
            raise AssertionError("a row has no verdict, or two")
        found |= {number * BATCH + index for index in mapped.refusals}
    return found


def _converted(raw: pl.DataFrame) -> pl.DataFrame:
    """What the peers check: values in the standard's units, times as instants."""
    return raw.with_columns(
        pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%S%#z", time_zone="UTC", strict=False),
        pl.col("co") * 1000,
        pl.col("temperature") - 273.15,
    )


def _pandera(rows: pl.DataFrame) -> tuple[float, set[int]]:
    import pandera.polars as pa
    from pandera.errors import SchemaErrors

    holds = pa.Check(lambda data: data.lazyframe.select(pl.col("pm2_5") <= pl.col("pm10") * 2 + 50))
    schema = pa.DataFrameSchema(
        {
            "station": pa.Column(pl.String, pa.Check.isin(STATIONS), nullable=False),
            "time": pa.Column(pl.Datetime("us", "UTC"), pa.Check.le(NOW + timedelta(minutes=5)), nullable=False),
            **{
                name: pa.Column(float, pa.Check.in_range(low, high), nullable=False)
                for name, (low, high) in RANGES.items()
            },
            "wd": pa.Column(pl.String, pa.Check.isin(WIND), nullable=False),
        },
        checks=holds,
    )
    began = time.perf_counter()
    try:
        schema.validate(rows, lazy=True)
        cases = pl.DataFrame(schema={"index": pl.Int64})
    except SchemaErrors as error:
        cases = error.failure_cases
    spent = time.perf_counter() - began
    return rows.height / spent, set(cases["index"].drop_nulls().to_list())


def _great_expectations(rows: pl.DataFrame) -> tuple[float, set[int]]:
    import great_expectations as gx
    import great_expectations.expectations as gxe

    frame = rows.to_pandas().assign(limit=rows["pm10"].to_pandas() * 2 + 50)
    suite = gx.ExpectationSuite(name="bench")
    named = ["station", "time", *RANGES, "wd"]
    expected = [gxe.ExpectColumnValuesToNotBeNull(column=name) for name in named]
    expected += [gxe.ExpectColumnValuesToBeInSet(column="station", value_set=STATIONS)]
    expected += [gxe.ExpectColumnValuesToBeInSet(column="wd", value_set=WIND)]
    expected += [gxe.ExpectColumnValuesToBeBetween(column="time", max_value=NOW + timedelta(minutes=5))]
    expected += [
        gxe.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high)
        for name, (low, high) in RANGES.items()
    ]
    expected += [gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="limit", column_B="pm2_5", or_equal=True)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        batch = (
            context.data_sources.add_pandas("rows")
            .add_dataframe_asset("rows")
            .add_batch_definition_whole_dataframe("all")
        )
        for one in expected:
            suite.add_expectation(one)
        suite = context.suites.add(suite)
        check = context.validation_definitions.add(gx.ValidationDefinition(name="check", data=batch, suite=suite))
        began = time.perf_counter()
        answer = check.run(batch_parameters={"dataframe": frame}, result_format={"result_format": "COMPLETE"})
        spent = time.perf_counter() - began
    found: set[int] = set()
    for result in answer.results:
        found |= set(result.result.get("unexpected_index_list") or [])
    return rows.height / spent, found
