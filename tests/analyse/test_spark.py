"""Two engines, one lake: a real Spark cluster answers over the same files what DuckDB answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

from cityloop.access.actor import Actor
from cityloop.analyse import expression
from cityloop.analyse.periods import Shift, bucket
from cityloop.analyse.schemas import Grain, QueryRequest
from cityloop.analyse.service import Analyst
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.errors import Invalid
from cityloop.core.values import Title
from cityloop.lake.dialects import NAME
from cityloop.lake.service import Lake
from cityloop.standard.service import Standard
from tests.analyse.conftest import LEADER, PACKS, ROOT, START, at, make_analyst, write_book
from tests.lake.doc_snippets import run, snippet
from tests.lake.spark_parts import cluster

pytestmark = pytest.mark.slow
AIR = "AirQualityStation"
COLLECTOR = Actor(id="c", name=Title(zh="c", en="c"), posts=("collector",), areas=("440305",))
MASKED = Actor(id="m", name=Title(zh="m", en="m"), posts=("masked",))


@dataclass
class Both:
    """The same folder, opened with DuckDB and with Spark."""

    here: Lake
    there: Lake
    analysts: tuple[Analyst, Analyst]

    def rows(self, tree: exp.Query, table: str = AIR) -> tuple[list[Any], list[Any]]:
        """The rows of a query from both engines, in order of their text."""
        answers = [lake.run(tree, [table]).to_pylist() for lake in (self.here, self.there)]
        return _ordered(answers[0]), _ordered(answers[1])


def _ordered(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return sorted((tuple(_plain(value) for value in row.values()) for row in rows), key=repr)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return _close(value)


def _close(value: Any) -> Any:
    return pytest.approx(value, rel=1e-12) if isinstance(value, float) else value


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("both") / "lake"
    here = Lake(folder, sync=False)
    write_book(here)
    _observe(here)
    city = City.load(ROOT / "cities" / "demo", ManualClock(START))
    with cluster() as url:
        there = Lake(folder, sync=False, engine=url)
        yield Both(here, there, (make_analyst(here, city), make_analyst(there, city)))
        there.close()
    here.close()


def _observe(lake: Lake) -> None:
    """Air in two files, the first without the columns that came later; over both changes of New York's clocks."""
    standard = Standard.load(PACKS)
    for kind in ("AirQualityStation", "MetroStation", "WasteContainer"):
        lake.ensure(kind, standard.entity_type(kind).schema)
    for start in (datetime(2026, 3, 8, 4, 40, tzinfo=UTC), datetime(2026, 11, 1, 3, 40, tzinfo=UTC)):
        rows = [_row(start + timedelta(minutes=20 * n), n) for n in range(24)]
        lake.append(AIR, pa.Table.from_pylist(rows, lake.schema(AIR)))
    lake.ensure(AIR, pa.schema([*lake.schema(AIR), pa.field("note", pa.string()), pa.field("fine", pa.bool_())]))
    rows = [{**_row(at(n), n), "note": "it's" if n % 2 else None, "fine": n % 3 == 0} for n in range(9)]
    lake.append(AIR, pa.Table.from_pylist(rows, lake.schema(AIR)))
    metro = [{**_row(at(n / 6), n), "pm2_5": None, "entries": 10 * n} for n in range(12)]
    for row in metro:
        del row["pm2_5"]
    lake.append("MetroStation", pa.Table.from_pylist(metro, lake.schema("MetroStation")))
    bins = [{**_row(at(n), n), "fill_before": 90.0 + n} for n in range(9)]
    for row in bins:
        del row["pm2_5"]
    lake.append("WasteContainer", pa.Table.from_pylist(bins, lake.schema("WasteContainer")))


def _row(instant: datetime, n: int) -> dict[str, Any]:
    area = "440304000000001" if n % 2 else "440305000000002"
    base = {"entity": f"e{n % 3}", "observed_at": instant, "received_at": instant, "feed": "f", "record": f"b:{n}"}
    return {**base, "area": area, "date": instant.date(), "pm2_5": None if n == 5 else n * 1.25}


RUNNING: list[dict[str, Any]] = [
    {"as": "cumulative"}, {"as": "moving_average", "window": 3}, {"as": "change", "over": "time"}, {"as": "share"},
]  # fmt: skip
ASKED: list[dict[str, Any]] = [
    {"metrics": ["cases_opened", "cases_closed", "on_time_rate", "median_handling_time", "warnings_raised"]},
    {"metrics": ["cases_open"], "dimensions": ["department", "district"], "end": at(24)},
    {
        "metrics": ["cases_opened", "cases_closed", "on_time_rate", "median_handling_time", "warnings_raised"],
        "dimensions": ["district"],
        "grain": "day",
    },
    {"metrics": ["cases_closed"], "dimensions": ["on_time", "matter_class"], "grain": "week"},
    {"metrics": ["cases_opened"], "grain": "month", "filters": [
        {"dimension": "district", "op": "in", "values": ["440304"]},
        {"dimension": "channel", "op": "not_in", "values": ["citizen", "it's"]}]},
    {"metrics": ["cases_opened", "warnings_raised"], "start": at(24), "end": at(48), "compare": "previous_period",
     "grain": "hour", "dimensions": ["district"]},
    *[{"metrics": ["cases_opened"], "grain": grain, "start": at(-300 * 24), "end": at(48), "compare": "year",
       "derive": [{"metric": "cases_opened", **item} for item in RUNNING]}
      for grain in ("hour", "day", "week", "month", "quarter", "year")],
    {"metrics": ["cases_opened", "cases_closed"], "dimensions": ["district"], "start": at(24), "end": at(48),
     "compare": "previous",
     "derive": [{"metric": "cases_opened", "as": "rank"}, {"metric": "cases_opened", "as": "change_rate"}],
     "having": [{"metric": "cases_opened__rank", "op": "lte", "value": 1},
                {"metric": "cases_opened", "op": "above_mean"}]},
    {"metrics": ["pm2_5_mean"], "dimensions": ["hour_of_day", "day_of_week"],
     "calendar": ["rest_days", "evening_peak"]},
    {"metrics": ["cases_opened"], "dimensions": ["channel"], "calendar": ["working_days"], "filters": [
        {"dimension": "channel", "op": "contains", "values": ["it"]},
        {"dimension": "hour_of_day", "op": "between", "values": ["0", "12"]},
        {"dimension": "series", "op": "empty"}]},
    {"metrics": ["cases_open"], "start": at(24), "end": at(48), "compare": "previous_period"},
    {"metrics": ["pm2_5_mean"], "dimensions": ["station"], "grain": "hour", "start": at(0), "end": at(9)},
    {"metrics": ["metro_entries"], "grain": "hour"},
    {"metrics": ["bins_emptied", "full_when_emptied_rate"], "dimensions": ["area"]},
    {"metrics": ["warnings_raised"], "dimensions": ["level", "rule"], "filters": [
        {"dimension": "level", "op": "in", "values": ["blue"]}]},
]  # fmt: skip


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: "+".join(asked["metrics"]))
def test_every_figure_is_the_same_on_both_engines(both: Both, asked: dict[str, Any]) -> None:
    request = QueryRequest.model_validate(asked)
    here, there = (analyst.query(LEADER, request) for analyst in both.analysts)
    assert here.rows
    assert [[_close(value) for value in row] for row in here.rows] == there.rows
    assert (here.freshness, here.labels, here.columns) == (there.freshness, there.labels, there.columns)
    assert "time_bucket" not in there.sql


@pytest.mark.parametrize("who", [COLLECTOR, MASKED], ids=["area", "mask"])
def test_what_an_asker_may_see_is_the_same_on_both_engines(both: Both, who: Actor) -> None:
    request = QueryRequest(metrics=["cases_opened", "cases_open"], dimensions=["channel"])
    here, there = (analyst.query(who, request) for analyst in both.analysts)
    assert here.rows == there.rows
    assert here.rows != both.analysts[0].query(LEADER, request).rows


VOCABULARY = """
    sum(pm2_5), sum(1), count(*), count(pm2_5), count(distinct entity), count_if(pm2_5 > 5), count_if(fine), avg(pm2_5),
    min(pm2_5), max(observed_at), median(pm2_5), quantile_cont(pm2_5, 0.95), quantile_cont(pm2_5, 0.5),
    coalesce(max(note), 'none'), nullif(count(note), 0), avg(case when fine then 1 when not fine then 0 end),
    cast(sum(pm2_5) as bigint), cast(count(*) as double) / count_if(pm2_5 < 0), sum(pm2_5) / count(*), 7 / count(*),
    count_if(note is distinct from 'it''s'), count_if(note is not distinct from null), count_if(note is null),
    count_if(entity in ('e1', 'e2')), count_if(pm2_5 >= 5 and pm2_5 <= 20 or not pm2_5 <> 1.25), -sum(pm2_5) * 2 + 1 - 3
"""


def test_the_whole_vocabulary_of_expressions_means_the_same_on_both_engines(both: Both) -> None:
    texts = sqlglot.parse_one(f"SELECT {VOCABULARY}", dialect="duckdb").expressions
    trees = [expression.parse(item.sql("duckdb")) for item in texts]
    assert [fault for tree in trees for fault in expression.faults(tree, None, aggregates=True)] == []
    asked = exp.select(*[tree.as_(f"c{n}") for n, tree in enumerate(trees)], "entity")
    here, there = both.rows(asked.from_(exp.table_(AIR, quoted=True)).group_by("entity"))
    assert len(here) == 3
    assert here == there


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Asia/Kolkata"])
def test_buckets_of_time_begin_alike_also_when_the_clocks_change(both: Both, zone: str) -> None:
    grains: tuple[Grain, ...] = ("hour", "day", "week", "month", "quarter", "year")
    shifts = (Shift(), Shift(seconds=5 * 3600), Shift(months=12))
    buckets = [bucket("observed_at", grain, shift, zone) for grain in grains for shift in shifts]
    week = [
        f"extract(dow from date) AS dow{zone[:1]}",
        "extract(isodow from date) AS iso",
        "extract(hour from observed_at) AS h",
    ]
    parts = [sqlglot.parse_one(text, dialect="duckdb") for text in week]
    tree = exp.select(*[one.as_(f"b{n}") for n, one in enumerate(buckets)], *parts, "record", "observed_at")
    here, there = both.rows(tree.from_(exp.table_(AIR, quoted=True)))
    assert len(here) == 57
    assert here == there


def test_both_engines_read_the_same_files(both: Both) -> None:
    files = sqlglot.parse_one(f'SELECT DISTINCT input_file_name() AS name FROM "{AIR}"', dialect="duckdb")
    assert isinstance(files, exp.Query)
    found = both.there.run(files, [AIR])["name"].to_pylist()
    assert sorted(name.removeprefix("file://") for name in found) == both.here.files(AIR)


def test_a_compaction_and_a_snapshot_are_seen_alike(both: Both) -> None:
    counted = exp.select("count(*) AS n", "sum(pm2_5) AS s").from_(exp.table_(AIR, quoted=True))
    before = both.here.stats(AIR).committed_at
    assert before is not None
    extra = _row(at(40), 4)
    both.here.append(AIR, pa.Table.from_pylist([extra], both.here.schema(AIR)))
    both.here.compact(AIR)
    here, there = both.rows(counted)
    assert here == there
    then = [lake.as_of(before).run(counted, [AIR]).to_pylist() for lake in (both.here, both.there)]
    assert then[0] == then[1]
    assert then[0][0]["n"] == both.here.run(counted, [AIR]).to_pylist()[0]["n"] - 1


def test_what_the_documentation_shows_for_spark_runs(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data" / "demo").mkdir(parents=True)
    (tmp_path / "data" / "demo" / "lake").symlink_to(both.here.folder)
    monkeypatch.chdir(tmp_path)
    both.rows(exp.select("1 AS one").from_(exp.table_(AIR, quoted=True)))
    found = run(snippet("pyspark"))
    assert {row["entity"] for row in found} == {"e0", "e1", "e2"}


def test_a_table_that_is_not_there_yet_is_empty_on_both_engines(both: Both) -> None:
    counted = exp.select("count(*) AS n").from_("Later")
    assert both.rows(counted, "Later") == ([(0,)], [(0,)])


def test_an_unknown_engine_and_an_unknown_bucket_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="unknown lake engine 'presto'"):
        Lake(tmp_path, engine="presto")
    with pytest.raises(ValueError, match="'decade' has no rule for Spark"):
        bucket("t", "decade", Shift(), "UTC").sql(NAME)  # type: ignore[arg-type]
