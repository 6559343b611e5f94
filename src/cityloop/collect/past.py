"""What checks must know of the rows that are stored: every entity's last readings, and values that must be unique.

The memory of readings is rebuilt from the lake on start and after a failed commit, so that it holds what is durable.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from cityloop.collect.phrases import PHRASES
from cityloop.core.phrases import Saying
from cityloop.lake.service import Lake
from cityloop.standard.check_rules import UniqueRule, code_of
from cityloop.standard.checks import Refusal
from cityloop.standard.mapped import INDEX, Mapped
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.memory import PAST, Memory

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Pasts:
    """The past of one entity type, for each of its feeds. Used by its reading thread only."""

    def __init__(self, lake: Lake, table: str) -> None:
        self._lake = lake
        self._table = table
        self._memories: dict[str, Memory] = {}

    def judge(self, mapping: FeedMapping, mapped: Mapped) -> Mapped:
        """Judge records that the mapping found good against what came before them."""
        for rule in mapping.unique_rules:
            mapped = self._unique(mapping, rule, mapped)
        if not mapping.state_rules:
            return mapped
        if mapping.id not in self._memories:
            self._memories[mapping.id] = self._rebuilt(mapping)
        return self._memories[mapping.id].judge(mapped)

    def forget(self) -> None:
        """Read the past anew before the next batch: a commit has failed, or the lake has changed otherwise."""
        self._memories = {}

    def _rebuilt(self, mapping: FeedMapping) -> Memory:
        memory = Memory(mapping)
        parts = [self._readings(mapping.id, name) for name in memory.properties]
        memory.restore(pl.concat(parts))
        return memory

    def _readings(self, feed: str, name: str) -> pl.DataFrame:
        sql = f"""
            WITH readings AS (
                SELECT entity, observed_at AS seen, "{name}"::DOUBLE AS value FROM "{self._table}"
                WHERE feed = $feed AND "{name}" IS NOT NULL AND NOT contains(coalesce(quality, ''), $jump)
            ), latest AS (
                SELECT entity, max(seen) AS seen, arg_max(value, seen) AS value FROM readings GROUP BY entity
            ), broke AS (
                SELECT r.entity, max(r.seen) AS seen FROM readings r JOIN latest l USING (entity)
                WHERE r.value <> l.value GROUP BY r.entity
            )
            SELECT l.entity, $name AS property, epoch_us(any_value(l.seen)) AS "at", any_value(l.value) AS value,
                   epoch_us(min(r.seen)) AS since, count(DISTINCT r.seen) AS "count"
            FROM latest l JOIN readings r USING (entity) LEFT JOIN broke b USING (entity)
            WHERE b.seen IS NULL OR r.seen > b.seen GROUP BY l.entity
        """  # noqa: S608 - table and column are named by the standard
        rows = self._lake.query(sql, [self._table], {"feed": feed, "jump": f"jump:{name}", "name": name})
        return pl.DataFrame(rows).cast(pl.Schema(PAST)) if rows.num_rows else pl.DataFrame(schema=PAST)

    def _unique(self, mapping: FeedMapping, rule: UniqueRule, mapped: Mapped) -> Mapped:
        """Refuse or flag records whose values another stored record has; the record itself, sent again, stays."""
        names = list(rule.properties)
        asked = mapped.rows.drop_nulls(names)
        if asked.is_empty():
            return mapped
        columns = ", ".join(f'"{name}"' for name in names)
        since = _since(rule, asked)
        lead = f'"{names[0]}"'
        sql = f"""
            SELECT DISTINCT {columns}, entity AS held_by, observed_at AS held_at, feed AS held_feed FROM "{self._table}"
            WHERE date >= $since AND {lead} IN (SELECT unnest($values))
        """  # noqa: S608 - table and columns are named by the standard
        values = asked[names[0]].unique().to_list()
        held = pl.DataFrame(self._lake.query(sql, [self._table], {"values": values, "since": since.date()}))
        if held.is_empty():
            return mapped
        twice = asked.join(held, on=names).filter(
            (pl.col("entity") != pl.col("held_by"))
            | (pl.col("observed_at") != pl.col("held_at"))
            | (pl.col("held_feed") != mapping.id)
        )
        return _marked(mapping, rule, mapped, twice.unique(INDEX, keep="first", maintain_order=True))


def _since(rule: UniqueRule, asked: pl.DataFrame) -> datetime:
    first = asked["observed_at"].min()
    assert isinstance(first, datetime)
    return max(_EPOCH, first - timedelta(seconds=rule.within)) if rule.within else _EPOCH


def _marked(mapping: FeedMapping, rule: UniqueRule, mapped: Mapped, twice: pl.DataFrame) -> Mapped:
    if twice.is_empty():
        return mapped
    column = ",".join(mapping.column_of(name) for name in rule.properties)
    found = {
        row[INDEX]: Refusal(row[INDEX], column, "unique", _taken(rule, row)) for row in twice.iter_rows(named=True)
    }
    return mapped.refused(found) if rule.severity == "refuse" else mapped.marked(found, code_of(rule))


def _taken(rule: UniqueRule, row: Mapping[str, Any]) -> Saying:
    values, at = ", ".join(repr(row[name]) for name in rule.properties), row["held_at"].isoformat(timespec="seconds")
    return PHRASES.say("unique", values=values, entity=row["held_by"], at=at)
