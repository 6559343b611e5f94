"""Mapping plus all checks of a ten-column feed, in one process, beside pandera and Great Expectations, same rows.

Ours reads raw fields, finds the entity, reads the time, converts units and checks: required, known entity, readable
time not ahead of the clock, kind, range, enumeration, pattern, cross-field, unique, jump and stuck sensor, batch by
batch with the memory of past values. The peers are given the rows already converted and typed, and only check; a third
figure of ours is for that same work. Where a peer has no such check, it is given what a person would write with
polars. The rows that each refuses or flags are compared, one by one.
"""

from __future__ import annotations

import importlib
import importlib.util
import random
import time
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from bench.conditions import conditions
from cityloop.core.errors import Problem
from cityloop.standard.declarations import FeedDeclaration
from cityloop.standard.feeds import compile_feed
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.memory import Memory
from cityloop.standard.service import Standard
from cityloop.standard.types import EntityType

BATCH = 20_000
PUSH, PUSHES = 1000, 20
"""Records of one push, and so many pushes."""
START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = START + timedelta(days=60)
STATIONS = [f"s{n:04}" for n in range(1000)]
WIND = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"]
RANGES = {"pm2_5": (0, 2000), "pm10": (0, 10000), "no2": (0, 5000), "co": (0, 200000),
          "o3": (0, 2000), "temperature": (-60, 60)}  # fmt: skip
HOLDS = "pm2_5 <= pm10 * 2 + 50"
SERIAL = r"[A-Z]\d{8}"
CHANGE, RUN = 300.0, 6
STUCK = 5
"""So many stations show one temperature for a whole hour, again and again."""
_UNITS = {"co": "mg/m3", "temperature": "K"}


def run(seconds: float = 10.0, rows: int = 100_000) -> dict[str, Any]:
    """Measure for about ``seconds`` of our own work; the peers check all ``rows`` once or more."""
    _peers_present()
    raw, known = _records(rows), dict.fromkeys(STATIONS)
    mapping, converted = _mapping(), _converted(raw)
    checking = _mapping(converted=True)
    forms = {"typed": pl.Schema(mapping.typed), "text": pl.Schema(mapping.text)}
    batches = {name: [part.cast(form) for part in raw.iter_slices(BATCH)] for name, form in forms.items()}
    pushes = [part.cast(forms["typed"]) for part in raw.head(PUSHES * PUSH).iter_slices(PUSH)]
    ours = _rate(lambda: _judged(mapping, batches["typed"], known), rows, seconds * 0.3)
    from_text = _rate(lambda: _judged(mapping, batches["text"], known), rows, seconds * 0.2)
    checks = _rate(lambda: _judged(checking, [converted], known), rows, seconds * 0.2)
    by_push = _rate(lambda: _judged(mapping, pushes, known), PUSHES * PUSH, seconds * 0.3)
    bad = _judged(mapping, batches["typed"], known)
    _same({"ours from text": _judged(mapping, batches["text"], known)}, bad)
    _same({"ours on converted rows": _judged(checking, [converted], known)}, bad)
    _same({"ours push by push": _judged(mapping, pushes, known)}, {row for row in bad if row < PUSHES * PUSH})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peers = {
            "pandera": _pandera(),
            "pandera_polars": _pandera_polars(),
            "great_expectations": _great_expectations(),
        }
        at_once = {name: _at_once(judge, converted, bad) for name, judge in peers.items()}
        pushed = {name: _push_by_push(judge, converted, bad) for name, judge in peers.items()}
    return {
        "rows_per_second": round(ours.wall),
        "rows_per_second_of_cpu": round(ours.cpu),
        "rows_per_second_from_text": round(from_text.wall),
        "rows_per_second_checks_only": round(checks.wall),
        "rows_per_second_push_by_push": round(by_push.wall),
        "peers_rows_per_second": {name: round(rate.wall) for name, rate in at_once.items()},
        "peers_rows_per_second_push_by_push": {name: round(rate.wall) for name, rate in pushed.items()},
        "ratios": {name: round(ours.wall / rate.wall, 1) for name, rate in at_once.items()},
        "ratios_checks_only": {name: round(checks.wall / rate.wall, 1) for name, rate in at_once.items()},
        "ratios_push_by_push": {name: round(by_push.wall / rate.wall, 1) for name, rate in pushed.items()},
        "bad_rows": len(bad),
        "verdicts_equal": True,
        "conditions": {
            **conditions("polars", "pandera", "great-expectations", "pandas"),
            "threads": pl.thread_pool_size(), "rows": rows, "batch": BATCH, "columns": 10, "seconds": seconds,
            "ours": "raw fields mapped and checked, with every reason, batch by batch",
            "checks_only": "ours on the rows the peers get, all in one call",
            "peers": "rows already converted and typed, all rows in one call; the second run",
            "push_by_push": f"{PUSHES} pushes of {PUSH} records, each checked by itself; what a peer cannot know of "
            "earlier pushes is given to it, outside of the measurement",
        },
    }  # fmt: skip


def _same(found: Mapping[str, set[int]], bad: set[int]) -> None:
    for name, theirs in found.items():
        if theirs != bad:
            raise AssertionError(f"{name}: {len(theirs)} rows bad, we {len(bad)}; {sorted(theirs ^ bad)[:5]} differ")


Judge = Callable[[pl.DataFrame], set[int]]
"""A peer: rows of :func:`_beside` in, the places of the bad ones out."""


def _at_once(judge: Judge, converted: pl.DataFrame, bad: set[int]) -> Rate:
    """All rows in one call, with the making of the columns that the peer lacks."""
    _same({"a peer": judge(_beside(converted))}, bad)
    return _rate(lambda: judge(_beside(converted)), converted.height, 0)


def _push_by_push(judge: Judge, converted: pl.DataFrame, bad: set[int]) -> Rate:
    pushes = list(_beside(converted).head(PUSHES * PUSH).iter_slices(PUSH))
    found = {number * PUSH + row for number, push in enumerate(pushes) for row in judge(push)}
    _same({"a peer, push by push": found}, {row for row in bad if row < PUSHES * PUSH})
    return _rate(lambda: [judge(push) for push in pushes], PUSHES * PUSH, 0)


def _peers_present() -> None:
    missing = [name for name in ("pandera", "great_expectations") if importlib.util.find_spec(name) is None]
    if missing:
        raise Problem(f"the peers are not installed: {', '.join(missing)}", "run: uv sync --group bench")


def _records(rows: int) -> pl.DataFrame:
    """Raw records, about two in a hundred bad, each in one of some ways; a spike is one reading, never two in a row."""
    rng = random.Random(7)

    def drawn(low: float, high: float) -> float:
        return round(rng.uniform(low, high), 2)

    columns: dict[str, list[Any]] = {name: [] for name in ("station", "time", "serial", *RANGES, "wd")}
    whole = False
    for number in range(rows):
        reading, station = number // 1000, number % 1000
        row: dict[str, Any] = {
            "station": STATIONS[station], "time": (START + timedelta(minutes=5 * reading)).isoformat(),
            "serial": f"A{number:08}", "pm2_5": drawn(5, 60), "pm10": drawn(20, 120), "no2": drawn(5, 60),
            "co": drawn(0.2, 1.5), "o3": drawn(10, 160), "temperature": drawn(265, 305), "wd": rng.choice(WIND),
        }  # fmt: skip
        fault: dict[str, Any] = {}
        if station < STUCK and reading % 20 >= 8:
            row["temperature"] = 290.0 + station
        elif reading % 3 == 0 and rng.random() < 0.045:
            fault = rng.choice(_MISTAKES)
        elif reading % 3 == 1 and rng.random() < 0.01:
            fault = {"o3": 1900.0}
        elif reading % 3 == 2 and rng.random() < 0.01 and whole and number % BATCH:
            fault = {"serial": f"A{number - 1:08}"}
        whole = not fault
        for name, value in (row | fault).items():
            columns[name].append(value)
    return pl.DataFrame(columns)


_MISTAKES: list[dict[str, Any]] = [
    {"station": "zz"}, {"station": None}, {"time": "noon"}, {"time": "2027-01-01T00:00:00+00:00"}, {"pm2_5": -5.0},
    {"pm10": 20_000.0}, {"co": 900.0}, {"temperature": 20.0}, {"wd": "up"}, {"o3": None}, {"pm2_5": 900.0},
    {"serial": "a-1"},
]  # fmt: skip


def _mapping(converted: bool = False) -> FeedMapping:
    """The feed; with ``converted`` for rows that are in the standard's units already."""
    checks: list[dict[str, Any]] = [
        {"rule": "cross", "holds": HOLDS},
        {"rule": "unique", "properties": ["serial"]},
        {"rule": "jump", "property": "o3", "change": CHANGE, "per": "1h"},
        {"rule": "stuck", "property": "temperature", "readings": RUN},
    ]
    properties: list[dict[str, Any]] = [
        {"id": name, "title": name, "min": low, "max": high, "unit": "Cel" if name == "temperature" else "ug/m3"}
        for name, (low, high) in RANGES.items()
    ]
    properties += [{"id": "wind", "title": "wind", "kind": "text", "enum": WIND}]
    properties += [{"id": "serial", "title": "serial", "kind": "text", "pattern": SERIAL}]
    kind = EntityType.model_validate({"id": "Station", "title": "Station", "properties": properties})
    units = {} if converted else _UNITS
    sources: dict[str, Any] = {
        name: {"field": name, "required": True, **({"unit": units[name]} if name in units else {})} for name in RANGES
    }
    sources |= {"wind": {"field": "wd", "required": True}, "serial": {"field": "serial", "required": True}}
    declaration = FeedDeclaration.model_validate(
        {
            "id": "bench", "title": "bench", "entity_type": "Station", "department": "bench",
            "entity": {"field": "station"}, "time": {"field": "time"}, "properties": sources, "checks": checks,
        }
    )  # fmt: skip
    return compile_feed(declaration, Standard({"Station": kind}))


def _judged(mapping: FeedMapping, batches: list[pl.DataFrame], known: Mapping[str, Any]) -> set[int]:
    """The numbers of all bad rows, refused or flagged, after all batches, which begin with an empty memory."""
    found: set[int] = set()
    memory, done = Memory(mapping), 0
    for batch in batches:
        judged = memory.judge(mapping.apply(batch, NOW, known))
        if judged.rows.height + len(judged.refusals) != batch.height:
            raise AssertionError("a row has no verdict, or two")
        found |= {done + index for index in (*judged.refusals, *judged.flags)}
        done += batch.height
    return found


class Rate(NamedTuple):
    """Rows a second of time and of processor time, of all threads together."""

    wall: float
    cpu: float


def _rate(step: Callable[[], object], rows: int, seconds: float) -> Rate:
    """Over whole rounds, after one to get warm."""
    step()
    done, began, cpu = 0, time.perf_counter(), time.process_time()
    while not done or time.perf_counter() - began < seconds:
        step()
        done += rows
    return Rate(done / (time.perf_counter() - began), done / (time.process_time() - cpu))


def _converted(raw: pl.DataFrame) -> pl.DataFrame:
    """What the peers check: values in the standard's units, times as instants."""
    return raw.with_columns(
        pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%S%#z", time_zone="UTC", strict=False),
        pl.col("co") * 1000,
        pl.col("temperature") - 273.15,
    )


def _past_checks() -> dict[str, pl.Expr]:
    """Where a row is sound against the others: what a person would write who has no such check."""
    o3, temperature = pl.col("o3").forward_fill().over("station"), pl.col("temperature")
    leaps = ((o3 - o3.shift().over("station")).abs() > CHANGE).fill_null(False)
    run = temperature.ne_missing(temperature.shift().over("station")).cum_sum().over("station")
    return {
        "unique": pl.col("serial").is_first_distinct() | ~pl.col("serial").str.contains(f"^{SERIAL}$"),
        "calm": ~(leaps & ~leaps.shift().over("station").fill_null(False)),
        "alive": pl.int_range(pl.len()).over("station", run) < RUN - 1,
    }


def _beside(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with columns for what a check of one column cannot say."""
    helpers = (expression.alias(name) for name, expression in _past_checks().items())
    return rows.with_columns((pl.col("pm10") * 2 + 50).alias("limit"), *helpers)


def _pandera() -> Judge:
    """On pandas, what pandera was made for."""
    pa: Any = importlib.import_module("pandera.pandas")
    schema = pa.DataFrameSchema(
        {
            "station": pa.Column(checks=pa.Check.isin(STATIONS)),
            "time": pa.Column(checks=pa.Check.le(NOW + timedelta(minutes=5))),
            "serial": pa.Column(checks=pa.Check.str_matches(f"^{SERIAL}$")),
            **{name: pa.Column(float, pa.Check.in_range(low, high)) for name, (low, high) in RANGES.items()},
            "wd": pa.Column(checks=pa.Check.isin(WIND)),
            **{name: pa.Column(bool, pa.Check.eq(True)) for name in _past_checks()},
        },
        checks=pa.Check(lambda frame: ~(frame["pm2_5"] > frame["limit"])),
    )
    return lambda rows: _failed(schema, rows.to_pandas())


def _pandera_polars() -> Judge:
    import pandera.polars as pa

    within = pa.Check(lambda data: data.lazyframe.select(pl.col("pm2_5") <= pl.col("limit")))
    schema = pa.DataFrameSchema(
        {
            "station": pa.Column(pl.String, pa.Check.isin(STATIONS), nullable=False),
            "time": pa.Column(pl.Datetime("us", "UTC"), pa.Check.le(NOW + timedelta(minutes=5)), nullable=False),
            "serial": pa.Column(pl.String, pa.Check.str_matches(f"^{SERIAL}$"), nullable=False),
            **{
                name: pa.Column(float, pa.Check.in_range(low, high), nullable=False)
                for name, (low, high) in RANGES.items()
            },
            "wd": pa.Column(pl.String, pa.Check.isin(WIND), nullable=False),
            **{name: pa.Column(bool, pa.Check.eq(True)) for name in _past_checks()},
        },
        checks=within,
    )
    return lambda rows: _failed(schema, rows)


def _failed(schema: Any, rows: Any) -> set[int]:
    from pandera.errors import SchemaErrors

    try:
        schema.validate(rows, lazy=True)
    except SchemaErrors as error:
        return {int(index) for index in error.failure_cases["index"].to_list() if index is not None}
    return set()


def _great_expectations() -> Judge:
    gx: Any = importlib.import_module("great_expectations")
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("rows").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all")
    suite = gx.ExpectationSuite(name="bench")
    for one in _expectations():
        suite.add_expectation(one)
    suite = context.suites.add(suite)
    check = context.validation_definitions.add(gx.ValidationDefinition(name="check", data=batch, suite=suite))

    def judge(rows: pl.DataFrame) -> set[int]:
        answer = check.run(
            batch_parameters={"dataframe": rows.to_pandas()}, result_format={"result_format": "COMPLETE"}
        )
        return {row for result in answer.results for row in result.result.get("unexpected_index_list") or ()}

    return judge


def _expectations() -> list[Any]:
    gxe: Any = importlib.import_module("great_expectations.expectations")
    expected: list[Any] = [
        gxe.ExpectColumnValuesToNotBeNull(column=name) for name in ("station", "time", "serial", *RANGES, "wd")
    ]
    expected += [gxe.ExpectColumnValuesToBeInSet(column="station", value_set=STATIONS)]
    expected += [gxe.ExpectColumnValuesToBeInSet(column="wd", value_set=WIND)]
    expected += [gxe.ExpectColumnValuesToMatchRegex(column="serial", regex=f"^{SERIAL}$")]
    expected += [gxe.ExpectColumnValuesToBeBetween(column="time", max_value=NOW + timedelta(minutes=5))]
    expected += [
        gxe.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high)
        for name, (low, high) in RANGES.items()
    ]
    expected += [gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="limit", column_B="pm2_5", or_equal=True)]
    return [*expected, *(gxe.ExpectColumnValuesToBeInSet(column=name, value_set=[True]) for name in _past_checks())]
