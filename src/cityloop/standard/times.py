"""Times of records → instants in UTC: one reading for single values, one for columns; tests hold them equal."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import polars as pl
from polars.exceptions import PolarsError

from cityloop.standard.declarations import TimeField

INSTANT = pl.Datetime("us", "UTC")
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH = {"epoch_s": 1_000_000, "epoch_ms": 1_000}
_ISO_WITH_OFFSET = "%Y-%m-%dT%H:%M:%S%.f%#z"
_ISO_LOCAL = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f")
_EXCEL_START = datetime(1899, 12, 30)  # noqa: DTZ001 - serials count local days
_CHINESE = re.compile(
    r"(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?\s*(上午|下午|凌晨|早上|中午|晚上)?\s*"
    r"(?:(\d{1,2})\s*(?:[时点:：]\s*(?:(半)|(?:(\d{1,2})\s*(?:[分:：]\s*(?:(\d{1,2})\s*秒?)?)?)?)?)?)?\s*整?"
)
_AFTERNOON = frozenset(("下午", "晚上"))


def parsed(raw: pl.Series, rule: TimeField) -> pl.Series:
    """A column of texts as instants; what cannot be read, or lies before 1970, is null."""
    if raw.dtype.base_type() is pl.Datetime:
        return raw.cast(INSTANT)
    quick = _reading(rule)
    if quick is None:
        read = pl.Series("at", [None] * len(raw), dtype=INSTANT)
    else:
        read = raw.to_frame("raw").select_seq(quick).to_series()
    if read.null_count() == raw.null_count():
        return read
    rows = (read.is_null() & raw.is_not_null()).arg_true()
    found = [instant(raw[row], rule) for row in rows.to_list()]
    return read.scatter(rows, [at if at is None or at >= EARLIEST else None for at in found])


@lru_cache(maxsize=1_000)
def _reading(rule: TimeField) -> pl.Expr | None:
    """The vectorised reading of column ``raw``, if one of the formats has any."""
    quick = [part for form in rule.formats for part in _quick(form, rule.zone)]
    at = pl.coalesce(quick) if quick else None
    return pl.when(at >= EARLIEST).then(at).alias("at") if at is not None else None


@lru_cache(maxsize=100_000)
def instant(text: str, rule: TimeField) -> datetime | None:
    """One text as an instant, ``None`` when it cannot be read or does not exist in the zone.

    Of the two instants that a clock put back shows, the first is taken.
    """
    for form in rule.formats:
        found = _instant(text.strip(), form, rule.zone)
        if found is not None:
            return found
    return None


def _instant(text: str, form: str, zone: str | None) -> datetime | None:
    try:
        if form in _EPOCH:
            return EARLIEST + timedelta(microseconds=round(float(text) * _EPOCH[form]))
        if form == "excel":
            return _located(_EXCEL_START + timedelta(milliseconds=round(float(text) * 86_400_000)), zone)
        if form == "chinese":
            return _located(_chinese(text), zone)
        found = datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)  # noqa: DTZ007
        return _located(found, zone)
    except (ValueError, OverflowError):
        return None


def _chinese(text: str) -> datetime:
    """``2026年3月9日 下午3时05分``; 24时 is the midnight that ends the day. Raises ``ValueError``."""
    match = _CHINESE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    year, month, day, half_day, hour, half, minute, second = match.groups()
    hours = int(hour or 0)
    if half_day in _AFTERNOON and hours < 12:
        hours += 12
    elif half_day in ("上午", "凌晨", "早上") and hours == 12:
        hours = 0
    minutes = 30 if half else int(minute or 0)
    start = datetime(int(year), int(month), int(day))  # noqa: DTZ001 - located by the caller
    if hours > 24 or (hours == 24 and (minutes or int(second or 0))) or minutes > 59:
        raise ValueError(text)
    return start + timedelta(hours=hours, minutes=minutes, seconds=int(second or 0))


def _located(found: datetime, zone: str | None) -> datetime | None:
    if found.tzinfo is not None:
        return found.astimezone(UTC)
    if zone is None:
        return None
    local = found.replace(tzinfo=ZoneInfo(zone))
    back = local.astimezone(UTC)
    return back if back.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == found else None


def _quick(form: str, zone: str | None) -> list[pl.Expr]:
    """Vectorised readings of a format; what they leave open is read one by one."""
    text = pl.col("raw")
    if form in _EPOCH:
        number = text.cast(pl.Float64, strict=False) * _EPOCH[form]
        sane = pl.when(number.is_between(0, 253_402_300_799_000_000)).then(number.round())
        return [sane.cast(pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")]
    if form == "excel":
        number = (text.str.strip_chars().cast(pl.Float64, strict=False) * 86_400_000).round()
        sane = pl.when(number.is_between(0, 200_000 * 86_400_000)).then(number)
        start = pl.lit(_EXCEL_START, dtype=pl.Datetime("us"))
        return [_zoned(start + pl.duration(milliseconds=sane.cast(pl.Int64)), zone)]
    if form == "chinese" or not _vectorised(form):
        return []
    if form == "iso":
        offset = text.str.to_datetime(_ISO_WITH_OFFSET, time_unit="us", time_zone="UTC", strict=False)
        local = [_zoned(text.str.to_datetime(p, time_unit="us", strict=False), zone) for p in _ISO_LOCAL if zone]
        return [offset, *local]
    if "%z" in form:
        return [text.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)]
    return [_zoned(text.str.to_datetime(form, time_unit="us", strict=False), zone)]


@lru_cache(maxsize=200)
def _vectorised(form: str) -> bool:
    """Whether the engine reads this pattern; it wants, for example, minutes beside hours."""
    if "%" not in form:
        return True
    try:
        pl.Series(["-"]).str.to_datetime(form, time_unit="us", strict=False)
    except PolarsError:
        return False
    return True


def _zoned(local: pl.Expr, zone: str | None) -> pl.Expr:
    found = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return found.dt.convert_time_zone("UTC")
