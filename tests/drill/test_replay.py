"""Boston's own past: every figure of a replay can be counted again from the records."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event

import polars as pl
import pytest
from sqlalchemy import func, select

from cityloop.access.audit import Audit
from cityloop.cases.models import CaseRow, TimelineRow
from cityloop.city.deadline import Until, on_time, start, stop
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.database import Database
from cityloop.core.errors import Conflict, ContentError, Invalid, NotFound
from cityloop.drill import replay as replays
from cityloop.drill.records import SHARED, Record, load_records_plan, read_records
from cityloop.drill.replay import happenings, replay
from cityloop.drill.summary import Outcome, ReplaySummary, agreement, verdict

BOSTON = Path(__file__).parents[2] / "cities/boston"
SHARED_DATA = Path(os.environ.get(SHARED, BOSTON.parents[2] / "shared")) / "data"
FIVE_MONTHS = SHARED_DATA / "cases_boston311/boston311_2011.parquet"
SAMPLE = BOSTON / "series/boston311_2011-07.parquet"
START, END = date(2011, 7, 2), date(2011, 7, 3)
"""A weekend: two real days that replay in seconds."""
CHUNK = 100
NOON = datetime(2011, 7, 2, 16, tzinfo=UTC)


def sample() -> pl.DataFrame:
    return pl.read_parquet(SAMPLE).filter(pl.col("open_dt").dt.date().is_between(START, END))


def rows(folder: Path) -> list[CaseRow]:
    database = Database(f"sqlite:///{folder / 'cityloop.db'}")
    with database.reading() as session:
        found = list(session.scalars(select(CaseRow)))
    database.close()
    return found


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "CHUNK", CHUNK)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ReplaySummary]:
    folder = tmp_path_factory.mktemp("boston")
    return folder, replay(BOSTON, START, END, folder)


def test_a_replay_opens_and_closes_what_the_records_say(played: tuple[Path, ReplaySummary]) -> None:
    source, summary = sample(), played[1]
    assert summary.complete
    assert (summary.records, summary.opened) == (source.height, source.height)
    assert summary.closed == source.height - source["closed_dt"].null_count()
    assert summary.open == source["closed_dt"].null_count()
    by_then = source.filter(pl.col("closed_dt") < datetime(2011, 7, 4))  # noqa: DTZ001 - Boston wall clock
    assert summary.at_end.closed == by_then.height
    assert {row.department: row.opened for row in summary.by_department} == dict(
        source["department"].value_counts().iter_rows()
    )


def test_our_deadline_engine_judges_as_the_targets_say(played: tuple[Path, ReplaySummary]) -> None:
    done = sample().filter(pl.col("closed_dt").is_not_null())
    summary = played[1]
    assert summary.on_time.on_time == done.filter(pl.col("closed_dt") <= pl.col("target_dt")).height
    assert summary.on_time.late == done.filter(pl.col("closed_dt") > pl.col("target_dt")).height
    assert summary.on_time.without_limit == done["target_dt"].null_count()
    assert sum(row.late for row in summary.by_department) == summary.on_time.late


def test_all_that_differs_from_the_citys_own_flag_is_explained(played: tuple[Path, ReplaySummary]) -> None:
    found = played[1].agreement
    assert found.compared == found.same + sum(d.count for d in found.differences if d.compared)
    assert found.same / found.compared > 0.97
    by_kind = {difference.kind: difference.count for difference in found.differences}
    assert by_kind["late_but_flagged_on_time"] == by_kind["on_time_but_flagged_late"] == 0
    assert by_kind["still_open"] == played[1].open


def test_a_case_keeps_the_instants_of_its_record(played: tuple[Path, ReplaySummary]) -> None:
    known = {str(row["case_enquiry_id"]): row for row in sample().iter_rows(named=True)}
    offset = timedelta(hours=4)
    for case in rows(played[0]):
        record = known[str(case.external_number)]
        assert case.opened_at.replace(tzinfo=None) == record["open_dt"] + offset
        if record["closed_dt"] and record["closed_dt"] < datetime(2011, 11, 1):  # noqa: DTZ001
            assert case.closed_at and case.closed_at.replace(tzinfo=None) == record["closed_dt"] + offset


def test_every_move_is_on_a_timeline_and_in_an_unbroken_audit_chain(played: tuple[Path, ReplaySummary]) -> None:
    database = Database(f"sqlite:///{played[0] / 'cityloop.db'}")
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(TimelineRow)) == played[1].moves
    assert Audit(database).verify() is None
    database.close()


def test_a_replay_that_is_stopped_goes_on_without_a_double(tmp_path: Path, played: tuple[Path, ReplaySummary]) -> None:
    stop = Event()
    first = replay(BOSTON, START, END, tmp_path, progress=lambda done, total, at: stop.set(), stop=stop)
    assert not first.complete
    second = replay(BOSTON, START, END, tmp_path)
    assert second.complete
    assert second.resumed_at == CHUNK
    same = {"opened", "closed", "open", "moves", "on_time", "agreement", "by_department", "at_end"}
    assert second.model_dump(include=same) == played[1].model_dump(include=same)
    assert replay(BOSTON, START, END, tmp_path).model_dump(include=same) == played[1].model_dump(include=same)


def test_a_run_that_dies_in_a_chunk_loses_only_that_chunk(tmp_path: Path, played: tuple[Path, ReplaySummary]) -> None:
    def die(done: int, total: int, at: datetime) -> None:
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        replay(BOSTON, START, END, tmp_path, progress=die)
    assert replay(BOSTON, START, END, tmp_path).moves == played[1].moves


def test_a_data_folder_holds_one_replay(played: tuple[Path, ReplaySummary]) -> None:
    with pytest.raises(Conflict, match="another replay"):
        replay(BOSTON, START, date(2011, 7, 5), played[0])


@pytest.mark.parametrize(
    ("act", "error", "said"),
    [
        (lambda tmp: replay(tmp / "nowhere", START, END, tmp), NotFound, "no city folder"),
        (lambda tmp: replay(BOSTON, END, START, tmp), Invalid, "lies after"),
        (lambda tmp: replay(BOSTON, START, END, tmp, tmp / "no.parquet"), NotFound, "does not exist"),
        (lambda tmp: replay(BOSTON, START, date(2011, 9, 2), tmp, SAMPLE), NotFound, "2011-08, 2011-09"),
        (lambda tmp: replay(BOSTON.parent / "demo", START, END, tmp), NotFound, "no past to replay"),
    ],
)
def test_a_wrong_call_is_answered_with_what_is_wrong(
    tmp_path: Path, act: Callable[[Path], object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        act(tmp_path)


def test_missing_months_come_with_the_place_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        replay(BOSTON, START, date(2012, 1, 1), tmp_path, SAMPLE)
    assert "data.boston.gov" in caught.value.mend


@pytest.mark.parametrize("column", ["type", "department", "neighborhood"])
def test_a_word_that_the_city_does_not_know_is_named(tmp_path: Path, column: str) -> None:
    strange = sample().head(3).with_columns(pl.lit("Martian").alias(column))
    strange.write_parquet(tmp_path / "strange.parquet")
    with pytest.raises(Invalid, match="'Martian'"):
        replay(BOSTON, START, START, tmp_path, tmp_path / "strange.parquet")


def test_a_source_without_the_needed_columns_says_which(tmp_path: Path) -> None:
    sample().drop("target_dt").write_parquet(tmp_path / "poor.parquet")
    with pytest.raises(ContentError, match="target_dt"):
        replay(BOSTON, START, START, tmp_path, tmp_path / "poor.parquet")


def record(flag: bool | None, target: datetime | None = NOON, closed: datetime | None = NOON) -> Record:
    return Record("1", "t", "m", "d", "a", 0, 0, "hotline", NOON - timedelta(days=1), target, closed, flag)


@pytest.mark.parametrize(
    ("flag", "closed", "ours", "said"),
    [
        (True, NOON, True, "same"),
        (False, NOON, False, "same"),
        (None, NOON, True, "flag_missing"),
        (True, NOON, False, "late_but_flagged_on_time"),
        (False, NOON, True, "on_time_but_flagged_late"),
        (True, NOON, None, "no_limit"),
        (False, None, None, "still_open"),
    ],
)
def test_every_pair_of_verdicts_has_its_word(
    flag: bool | None, closed: datetime | None, ours: bool | None, said: str
) -> None:
    outcome = Outcome("1", "d", closed, ours, 9)
    assert verdict(record(flag), outcome) == said
    assert agreement({"1": record(flag)}, [outcome]).compared == (said not in ("no_limit", "still_open"))


def test_a_record_closed_at_once_is_opened_before_it_is_closed() -> None:
    at_once = record(True, closed=NOON - timedelta(days=1))
    assert [happening.closing for happening in happenings([at_once])] == [False, True]


def test_the_environment_may_name_the_folder_of_further_months(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data/cases_boston311"
    folder.mkdir(parents=True)
    later = sample().head(40).with_columns(pl.col("open_dt", "target_dt", "closed_dt") + pl.duration(days=365 * 3))
    later.write_parquet(folder / "later.parquet")
    monkeypatch.setenv(SHARED, str(tmp_path))
    assert replay(BOSTON, date(2014, 7, 1), date(2014, 7, 2), tmp_path / "run").opened > 0


@pytest.mark.skipif(not FIVE_MONTHS.is_file(), reason="the records of August to November 2011 are not here")
def test_five_months_of_records_agree_with_the_citys_own_flag_wherever_it_has_one() -> None:
    city = City.load(BOSTON, ManualClock(NOON))
    records = read_records(city, load_records_plan(BOSTON), date(2011, 7, 1), date(2011, 11, 30), FIVE_MONTHS)
    calendar = city.calendars.of(None)
    judged = [
        Outcome(
            record.number,
            record.department,
            record.closed,
            on_time(stop(start(Until(instant=record.target), calendar, record.opened), record.closed), calendar)
            if record.target and record.closed
            else None,
            0,
        )
        for record in records
    ]
    found = agreement({record.number: record for record in records}, judged)
    assert (found.compared, found.same) == (38_987, 38_855)
    assert found.share and round(found.share, 4) == 0.9966
    counts = {difference.kind: difference.count for difference in found.differences}
    assert counts == {
        "flag_missing": 132,
        "late_but_flagged_on_time": 0,
        "on_time_but_flagged_late": 0,
        "no_limit": 7917,
        "still_open": 3010,
    }
