"""Times of records → instants in UTC: one reading for single values, one for columns; tests hold them equal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import polars as pl

from cityloop.standard.declarations import TimeField

INSTANT = pl.Datetime("us", "UTC")
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH = {"epoch_s": 1_000_000, "epoch_ms": 1_000}
_ISO_WITH_OFFSET = "%Y-%m-%dT%H:%M:%S%.f%#z"


def parsed(raw: pl.Series, rule: TimeField) -> pl.Series:
    """A column of texts as instants; what cannot be read, or lies before 1970, is null."""
    if raw.dtype.base_type() is pl.Datetime:
        return raw.cast(INSTANT)
    read = raw.to_frame("raw").select(_quick(rule).alias("at")).to_series()
    open_rows = (read.is_null() & raw.is_not_null()).arg_true()
    if len(open_rows):
        read = read.scatter(open_rows, [instant(raw[i], rule) for i in open_rows.to_list()])
    return read.set(read < EARLIEST, None)


@lru_cache(maxsize=100_000)
def instant(text: str, rule: TimeField) -> datetime | None:
    """One text as an instant, ``None`` when it cannot be read or does not exist in the zone.

    Of the two instants that a clock put back shows, the first is taken.
    """
    try:
        if rule.format in _EPOCH:
            return EARLIEST + timedelta(microseconds=round(float(text) * _EPOCH[rule.format]))
        text = text.strip()
        found = datetime.fromisoformat(text) if rule.format == "iso" else datetime.strptime(text, rule.format)  # noqa: DTZ007
        return _located(found, rule.zone)
    except (ValueError, OverflowError):
        return None


def _located(found: datetime, zone: str | None) -> datetime | None:
    if found.tzinfo is not None:
        return found.astimezone(UTC)
    if zone is None:
        return None
    local = found.replace(tzinfo=ZoneInfo(zone))
    back = local.astimezone(UTC)
    return back if back.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == found else None


def _quick(rule: TimeField) -> pl.Expr:
    text = pl.col("raw")
    if rule.format in _EPOCH:
        number = text.cast(pl.Float64, strict=False) * _EPOCH[rule.format]
        sane = pl.when(number.is_between(0, 253_402_300_799_000_000)).then(number.round())
        return sane.cast(pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    pattern = _ISO_WITH_OFFSET if rule.format == "iso" else rule.format
    if rule.format == "iso" or "%z" in pattern:
        return text.str.to_datetime(pattern, time_unit="us", time_zone="UTC", strict=False)
    local = text.str.to_datetime(pattern, time_unit="us", strict=False)
    return local.dt.replace_time_zone(rule.zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
