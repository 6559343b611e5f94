"""Any tool can read the lake: what the documentation shows is run as it stands, and so are the lake's commands."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from cityloop.cli import app
from cityloop.lake.append import fitted
from cityloop.lake.service import Lake
from cityloop.standard.batch import BASE_COLUMNS
from tests.lake.doc_snippets import SNIPPETS, run, snippet

ROOT = Path(__file__).parents[2]
AIR = "AirQualityStation"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a city has run: air of two stations in two columns, the second added later."""
    lake = Lake(tmp_path / "data" / "demo" / "lake", sync=False)
    lake.ensure(AIR, pa.schema([*BASE_COLUMNS, pa.field("pm2_5", pa.float64())]))
    for n in range(6):
        lake.append(AIR, _rows(n, lake.schema(AIR)))
    lake.compact(AIR)
    lake.ensure(AIR, pa.schema([*lake.schema(AIR), pa.field("note", pa.string())]))
    lake.append(AIR, _rows(6, lake.schema(AIR)))
    lake.close()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _rows(n: int, schema: pa.Schema) -> pa.Table:
    at = datetime(2026, 3, 9, n, tzinfo=UTC)
    rows = [
        {"entity": station, "observed_at": at, "received_at": at, "feed": "f", "record": f"b:{n}", "date": at.date(),
         "pm2_5": n + extra}
        for station, extra in (("1011A", 0.5), ("1012A", 10.5))
    ]  # fmt: skip
    return fitted(pa.Table.from_pylist(rows), schema)


def command(*words: str) -> str:
    outcome = CliRunner().invoke(app, ["lake", *words])
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def city_and_data(folder: Path) -> list[str]:
    return [str(ROOT / "cities" / "demo"), "--data", str(folder / "data" / "demo")]


def test_polars_reads_the_lake(folder: Path) -> None:
    assert sorted(run(snippet("polars"))["pm2_5"].to_list()) == [n + 0.5 for n in range(7)]


def test_duckdb_reads_the_lake(folder: Path) -> None:
    assert sorted(run(snippet("duckdb"))) == [("1011A", 6.5), ("1012A", 16.5)]


def test_a_bi_tool_reads_the_lake_by_sqlalchemy_over_a_file_of_views(folder: Path) -> None:
    city, *data = city_and_data(folder)
    assert command("views", "city.duckdb", "--city", city, *data) == f"{AIR}\n"
    assert sorted(run(snippet("sqlalchemy"))) == [("1011A", 6.5), ("1012A", 16.5)]
    assert command("views", "city.duckdb", "--city", city, *data) == f"{AIR}\n"


def test_no_program_of_the_page_is_left_out() -> None:
    assert {word for word in ("polars", "duckdb", "pyspark", "sqlalchemy") if snippet(word)} != set()
    assert len(SNIPPETS) == 4


def test_the_lake_is_shown_cleaned_and_due_days_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYLOOP_RETENTION_OPEN_DAYS", "30")
    (table,) = json.loads(command("show", *city_and_data(folder), "--json"))
    assert (table["table"], table["rows"], table["files"], table["first_day"]) == (AIR, 14, 2, "2026-03-09")
    assert json.loads(command("clean", *city_and_data(folder), "--json")) == {AIR: 0}
    (due,) = json.loads(command("retention", *city_and_data(folder), "--json"))
    assert (due["table"], due["rows"]) == (AIR, 14)
    command("retention", *city_and_data(folder), "--apply")
    assert json.loads(command("retention", *city_and_data(folder), "--json")) == []
    assert "rows=0" in command("show", *city_and_data(folder))


def test_a_folder_without_a_lake_is_said_so(tmp_path: Path) -> None:
    outcome = CliRunner().invoke(app, ["lake", "show", str(ROOT / "cities" / "demo"), "--data", str(tmp_path)])
    assert (outcome.exit_code, "there is no lake" in outcome.stderr) == (1, True)
