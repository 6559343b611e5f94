"""The words of the city's queries for Spark. Trees are written in DuckDB's sense; what Spark says otherwise is here.

sqlglot knows most of it. These rules are ours: ``time_bucket`` and ``timezone`` with a zone, exact quantiles, the day
of the week (Sunday is 0) and intervals that are cast from text.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.generators.spark import SparkGenerator

NAME = "cityspark"
_ORIGIN = datetime(2000, 1, 3)  # noqa: DTZ001 - a wall clock's Monday: DuckDB counts hours from here in the zone
_UNITS = {"day": "DAY", "week": "WEEK", "month": "MONTH", "3 month": "QUARTER", "12 month": "YEAR"}
Rule = Callable[[SparkGenerator, exp.Expr], str]


def _function(generator: SparkGenerator, node: exp.Expr) -> str:
    assert isinstance(node, exp.Anonymous)
    name = str(node.this).lower()
    if name == "time_bucket":
        return _time_bucket(generator, *node.expressions)
    if name == "timezone":
        return _timezone(generator, *node.expressions)
    return generator.anonymous_sql(node)


def _timezone(generator: SparkGenerator, zone: exp.Expr, value: exp.Expr) -> str:
    """An instant as a wall clock; what was a wall clock before becomes an instant again."""
    walls = [call for call in value.find_all(exp.Anonymous) if str(call.this).lower() == "timezone"]
    name = "to_utc_timestamp" if len(walls) % 2 else "from_utc_timestamp"
    return f"{name}({generator.sql(value)}, {generator.sql(zone)})"


def _time_bucket(generator: SparkGenerator, width: exp.Expr, time: exp.Expr, zone: exp.Expr) -> str:
    """Start of the hour, day, week (Monday), month, quarter or year that holds ``time``, by the clocks of ``zone``."""
    grain = width.find(exp.Literal)
    unit = str(grain.this).removeprefix("1 ").rstrip("s") if grain else ""
    column, place = generator.sql(time), generator.sql(zone)
    if unit == "hour":
        # Hours are counted on, never repeated or left out when the clocks change.
        start = int(_ORIGIN.replace(tzinfo=ZoneInfo(zone.name)).timestamp())
        seconds = f"unix_seconds({column}) - ({start})"
        return f"timestamp_seconds(({start}) + FLOOR(({seconds}) / 3600) * 3600)"
    if unit not in _UNITS:
        raise ValueError(f"time_bucket by '{unit}' has no rule for Spark")
    local = f"from_utc_timestamp({column}, {place})"
    return f"to_utc_timestamp(date_trunc('{_UNITS[unit]}', {local}), {place})"


def _quantile(generator: SparkGenerator, node: exp.Expr) -> str:
    return f"PERCENTILE({generator.sql(node, 'this')}, {generator.sql(node, 'expression')})"


def _median(generator: SparkGenerator, node: exp.Expr) -> str:
    return f"PERCENTILE({generator.sql(node, 'this')}, 0.5)"


def _extract(generator: SparkGenerator, node: exp.Expr) -> str:
    assert isinstance(node, exp.Extract)
    if node.name.lower() in ("dow", "dayofweek", "weekday"):
        return f"(DAYOFWEEK({generator.sql(node, 'expression')}) - 1)"
    if node.name.lower() == "isodow":
        return f"(WEEKDAY({generator.sql(node, 'expression')}) + 1)"
    return generator.extract_sql(node)


def _day_of_week(generator: SparkGenerator, node: exp.Expr) -> str:
    return f"(DAYOFWEEK({generator.sql(node, 'this')}) - 1)"


def _cast(generator: SparkGenerator, node: exp.Expr) -> str:
    assert isinstance(node, exp.Cast)
    if node.to.this == exp.DType.INTERVAL and isinstance(node.this, exp.Literal):
        count, unit = str(node.this.this).split()
        return f"INTERVAL '{int(count)}' {unit.upper().rstrip('S')}"
    return generator.cast_sql(node)


class CitySpark(Spark):
    """Spark with the city's rules; sqlglot finds it as ``cityspark``."""

    class Generator(SparkGenerator):
        """The rules."""

        TRANSFORMS = {
            **SparkGenerator.TRANSFORMS,
            exp.Anonymous: _function,
            exp.PercentileCont: _quantile,
            exp.Median: _median,
            exp.Extract: _extract,
            exp.DayOfWeek: _day_of_week,
            exp.Cast: _cast,
        }
