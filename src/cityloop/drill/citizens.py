"""The citizen series: reports of another city's citizens, with the time each really took."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import pyarrow.parquet as pq

from cityloop.cases.schemas import CaseReport
from cityloop.city.schemas import Position
from cityloop.core.errors import ContentError

_COLUMNS = (
    "external_number",
    "time",
    "title",
    "title_en",
    "matter",
    "lon",
    "lat",
    "channel",
    "handling_seconds",
    "kind",
    "measured",
)


@dataclass(frozen=True)
class CitizenRecord:
    """One report. ``handling`` is the measured span from report to close, ``None`` when it was never closed."""

    number: str
    time: datetime
    report: CaseReport
    handling: timedelta | None


@dataclass(frozen=True)
class CitizenSeries:
    """All reports of a series, in the order of their time."""

    records: Sequence[CitizenRecord]

    @cached_property
    def by_number(self) -> Mapping[str, CitizenRecord]:
        """Records by their number in the source."""
        return {record.number: record for record in self.records}

    def due(self, now: datetime) -> int:
        """How many reports have come in by ``now``."""
        return bisect_right(self.records, now, key=lambda record: record.time)


def read_citizens(path: Path, series: str, english: bool = False) -> CitizenSeries:
    """Read a citizen parquet file; raises :class:`ContentError` naming missing columns."""
    missing = [name for name in _COLUMNS if name not in pq.read_schema(path).names]
    if missing:
        raise ContentError(f"{path} lacks the columns {', '.join(missing)}", "build it with tools/build_demo_series.py")
    rows = pq.read_table(path, columns=list(_COLUMNS)).to_pylist()
    return CitizenSeries(sorted((_record(row, series, english) for row in rows), key=lambda record: record.time))


def _record(row: Mapping[str, object], series: str, english: bool) -> CitizenRecord:
    number, time, seconds = str(row["external_number"]), row["time"], row["handling_seconds"]
    if not isinstance(time, datetime):
        raise ContentError(f"record {number} of {series} has no time", "build the series again")
    report = CaseReport.model_validate(
        {
            "title": row["title_en"] if english else row["title"],
            "description": f"{row['kind']} · {row['measured']}",
            "matter": row["matter"],
            "position": Position.model_validate({"lon": row["lon"], "lat": row["lat"]}),
            "channel": row["channel"],
            "external_number": number,
            "series": series,
        }
    )
    return CitizenRecord(number, time, report, None if seconds is None else timedelta(seconds=int(str(seconds))))
