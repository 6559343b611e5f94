"""The past of a real city: case records of another system, read as the ``records`` part of ``drill.yaml`` says."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from cityloop.cases.schemas import Channel
from cityloop.city.service import City
from cityloop.core.errors import ContentError, Invalid, NotFound
from cityloop.core.values import utc
from cityloop.drill.plan import RecordsPlan, load_plan

SHARED = "CITYLOOP_SHARED"
"""Environment variable: a folder that holds further data sets, searched before the command gives up."""


@dataclass(frozen=True, slots=True)
class Record:
    """One case of the source. Instants are UTC; ``flag`` is the source's own verdict, ``None`` where it has none."""

    number: str
    title: str
    matter: str
    department: str
    area: str
    lon: float
    lat: float
    channel: Channel
    opened: datetime
    target: datetime | None
    closed: datetime | None
    flag: bool | None


def load_records_plan(city: Path) -> RecordsPlan:
    """The ``records`` part of ``drill.yaml``; raises :class:`ContentError` naming file, line and key."""
    plan = load_plan(city).records
    if plan is None:
        detail = f"{city / 'drill.yaml'} has no 'records': this city has no past to replay"
        raise NotFound(detail, "replay a city that has, such as cities/boston")
    return plan


def read_records(city: City, plan: RecordsPlan, start: date, end: date, source: Path | None = None) -> list[Record]:
    """The records opened from ``start`` to the end of the day ``end``, oldest first.

    ``source`` is a file or folder to read instead of the plan's own places. Raises :class:`Invalid` when the window is
    the wrong way round, a month has no record, or a kind, department or area is not known to the city.
    """
    if start > end:
        raise Invalid(f"--from {start} lies after --to {end}", "give the earlier day first")
    frame = _read(_files(city.folder, plan, source), plan, start, end, city.zone.key)
    _whole_months(frame["opened"].dt.convert_time_zone(city.zone.key), plan, start, end, source)
    words = _Words(city, plan)
    return [words.record(row) for row in frame.iter_rows(named=True)]


def digest(records: Sequence[Record]) -> str:
    """A mark of exactly these records in this order, so that a resumed replay goes on with the same ones."""
    mark = hashlib.sha256()
    for record in records:
        mark.update(f"{record.number}|{record.opened}|{record.closed}\n".encode())
    return mark.hexdigest()[:16]


def _files(folder: Path, plan: RecordsPlan, source: Path | None) -> list[Path]:
    if source is not None:
        if not source.exists():
            raise NotFound(
                f"the source {source} does not exist", f"give a parquet file or a folder of them; {plan.obtain}"
            )
        return sorted(source.rglob("*.parquet")) if source.is_dir() else [source]
    found = [path for pattern in plan.files for path in _matching(folder, pattern)]
    shared = os.environ.get(SHARED)
    return found + [path for pattern in plan.shared if shared for path in _matching(Path(shared), pattern)]


def _matching(folder: Path, pattern: str) -> list[Path]:
    place = (folder / pattern).resolve()
    return sorted(place.parent.glob(place.name)) if place.parent.is_dir() else []


def _read(files: Sequence[Path], plan: RecordsPlan, start: date, end: date, zone: str) -> pl.DataFrame:
    """All files as one table with the plan's names, each record once, in the order of opening, instants in UTC."""
    names = plan.columns.model_dump()
    parts = [_part(path, names) for path in files]
    empty = pl.DataFrame(schema={name: pl.Datetime("us") if name in _INSTANTS else pl.String for name in names})
    frame = pl.concat([part.with_columns(pl.col("number").cast(pl.String)) for part in parts]) if parts else empty
    frame = frame.filter(pl.col("opened").dt.date().is_between(start, end))
    instants = [
        pl.col(name).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
        for name in _INSTANTS
    ]
    once = frame.unique("number", keep="first", maintain_order=True)
    return once.with_columns(instants).sort("opened", "number")


def _part(path: Path, names: Mapping[str, str]) -> pl.DataFrame:
    try:
        missing = sorted(set(names.values()) - set(pl.read_parquet_schema(path)))
    except pl.exceptions.PolarsError as error:
        raise ContentError(f"{path} is no parquet file: {error}", "give the records as parquet") from error
    if missing:
        detail = f"{path} lacks the columns {', '.join(missing)}"
        raise ContentError(detail, "add them, or name the right ones in records.columns of drill.yaml")
    frame = pl.read_parquet(path, columns=list(names.values()))
    return frame.rename({column: name for name, column in names.items()})


_INSTANTS = ("opened", "target", "closed")


def _whole_months(opened: pl.Series, plan: RecordsPlan, start: date, end: date, source: Path | None) -> None:
    have = set(opened.dt.strftime("%Y-%m"))
    month, missing = start.replace(day=1), []
    while month <= end:
        if f"{month:%Y-%m}" not in have:
            missing.append(f"{month:%Y-%m}")
        month = (month + timedelta(days=32)).replace(day=1)
    if missing:
        where = f"in {source}" if source else "in the city folder"
        raise NotFound(f"there are no records of {', '.join(missing)} {where}", plan.obtain, more={"missing": missing})


class _Words:
    """Turns the source's words into the city's keys; every word is looked up once."""

    def __init__(self, city: City, plan: RecordsPlan) -> None:
        self._plan = plan
        self._matters = {m.title.en: m.key for m in city.catalogue.list()} | plan.matters
        self._departments = {d: d for d in city.departments} | plan.departments
        self._areas = {a.title.en: a.code for a in city.areas.list()} | plan.areas

    def record(self, row: Mapping[str, object]) -> Record:
        """One row of the table as a record."""
        opened = _instant(row["opened"])
        if opened is None:
            raise Invalid(f"record {row['number']} has no instant of opening", "repair the source")
        return Record(
            number=str(row["number"]),
            title=str(row["title"] or row["kind"])[:120],
            matter=_known("kind", self._matters, row["kind"]),
            department=_known("department", self._departments, row["department"]),
            area=_known("area", self._areas, str(row["area"] or "").strip()),
            lon=float(str(row["lon"])),
            lat=float(str(row["lat"])),
            channel=self._plan.channels.get(str(row["channel"]), "hotline"),
            opened=opened,
            target=_instant(row["target"]),
            closed=_instant(row["closed"]),
            flag=self._plan.on_time.get(str(row["on_time"])),
        )


def _instant(value: object) -> datetime | None:
    return utc(value) if isinstance(value, datetime) else None


def _known(what: str, words: Mapping[str, str], value: object) -> str:
    found = words.get(str(value))
    if found is None:
        raise Invalid(f"the city does not know the {what} '{value}'", f"add it to records.{what}s in drill.yaml")
    return found
