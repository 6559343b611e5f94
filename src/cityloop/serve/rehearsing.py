"""Backtests from the command line, beside a running city or without one: a rule in force, or one of a file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.city.service import City
from cityloop.collect.directory import Directory
from cityloop.core.clock import SystemClock
from cityloop.core.content import raise_faults
from cityloop.core.database import Database
from cityloop.core.errors import ContentError, Fault, NotFound
from cityloop.core.outbox import Outbox
from cityloop.core.settings import Settings
from cityloop.lake.service import Lake
from cityloop.serve.content import load_content, rule_names
from cityloop.serve.forecasting import forecasts_of
from cityloop.serve.stores import open_lake
from cityloop.watch.backtest import Happened
from cityloop.watch.backtests import Rehearsed, Rehearser, wish_of, with_events
from cityloop.watch.cards import with_areas
from cityloop.watch.content import read_draft
from cityloop.watch.locality import locality_of
from cityloop.watch.rehearsal import Progress, touching
from cityloop.watch.rulebook import Rulebook
from cityloop.watch.rules import Rule


def rehearse(
    settings: Settings,
    name: str,
    progress: Progress,
    *,
    file: Path | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    a_week: float | None = None,
    events: Path | None = None,
) -> Rehearsed:
    """What a rule would have said of the lake; nothing is written.

    ``file`` holds a changed version of the rule, ``events`` what is known to have happened (columns ``entity``,
    ``start``, ``end``, instants with offset). The period ends by default with the newest record.
    """
    city = City.load(settings.city, SystemClock())
    content = load_content(city)
    known = rule_names(city, content.standard)
    with _stores(settings) as (lake, database):
        book = Rulebook(
            database=database,
            outbox=Outbox(database),
            door=Door(city.policy),
            audit=Audit(database),
            packs=content.rules,
            known=known,
            adopt=lambda _: None,
        )
        rule = read_draft(file, name, known, book.rules) if file else book.rules.get(name)
        if rule is None:
            raise NotFound(f"there is no rule '{name}'", f"in force: {', '.join(book.rules)}")
        wish = wish_of(rule, start, end, a_week, _newest(lake, touching(rule, book.rules)))
        if events:
            wish = with_events(wish, read_events(events))
        directory = Directory(database, city.areas)
        directory.load(city.folder / "entities", {mapping.entity_type.id: None for mapping in content.feeds})
        directory.restore()
        describe = with_areas(directory.get, city.areas)
        locality = locality_of(city, directory.of, forecasts_of(settings, city, content.forecasts, lake))
        rehearser = Rehearser(database, lake, describe, lambda: book.rules, locality)
        return rehearser.run(wish, progress)


def read_events(path: Path) -> list[Happened]:
    """Events of a CSV file; raises :class:`ContentError` with the line of every fault."""
    faults: list[Fault] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = {"entity", "start", "end"} - set(reader.fieldnames or ())
        if missing:
            raise ContentError(f"{path} lacks the column {', '.join(sorted(missing))}", "entity,start,end")
        found = [_event(row, f"{path}:{reader.line_num}", faults) for row in reader]
    raise_faults(str(path), faults)
    return [event for event in found if event]


def _event(row: dict[str, str], where: str, faults: list[Fault]) -> Happened | None:
    try:
        start, end = (datetime.fromisoformat(row[name]) for name in ("start", "end"))
    except (TypeError, ValueError):
        faults.append(Fault(where, "start or end is no instant", "write 2026-03-09T08:00:00+08:00"))
        return None
    if start.tzinfo is None or end.tzinfo is None or end < start:
        faults.append(Fault(where, "an instant without offset, or an end before its start", "correct the line"))
        return None
    return Happened(row["entity"], start.astimezone(UTC), end.astimezone(UTC))


def _newest(lake: Lake, rules: list[Rule]) -> datetime:
    """The newest instant of what the rules look at; raises :class:`NotFound` for an empty lake."""
    tables = dict.fromkeys(rule.entity_type for rule in rules if not rule.conditions)
    there = [table for table in tables if lake.version(table) >= 0]
    found = [lake.query(f'SELECT max(observed_at) AS at FROM "{table}"', [table])["at"][0].as_py() for table in there]  # noqa: S608
    newest = max((at for at in found if at is not None), default=None)
    if newest is None:
        raise NotFound(f"the lake holds nothing of {', '.join(tables)}", "backtest over a data folder with history")
    return datetime.fromtimestamp(newest.timestamp() + 1, UTC)


@contextmanager
def _stores(settings: Settings) -> Iterator[tuple[Lake, Database]]:
    database = Database(settings.database_url())
    database.create()
    lake = open_lake(settings)
    try:
        yield lake, database
    finally:
        lake.close()
        database.close()
