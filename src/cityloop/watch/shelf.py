"""Keeps backtests in the store: the last ones with their reports, over restarts, so that two can be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select, update

from cityloop.core.database import Database
from cityloop.core.errors import Invalid
from cityloop.watch.backtest import meeting
from cityloop.watch.models import BacktestRow
from cityloop.watch.rehearsal import Episode
from cityloop.watch.rule_schemas import BacktestComparison, BacktestView
from cityloop.watch.rulebook import changes_between

KEPT = 200
AT_WORK = ("waiting", "running")
_STOPPED = "the program stopped before it was done"


class Shelf:
    """Backtests by id, the newest :data:`KEPT` of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self) -> None:
        """On start: what was at work when the program ended will not go on."""
        with self._database.transaction() as tx:
            for row in tx.session.scalars(select(BacktestRow).where(BacktestRow.state.in_(AT_WORK))).all():
                row.view, row.state = {**row.view, "state": "failed", "problem": _STOPPED}, "failed"

    def put(self, view: BacktestView, declaration: Mapping[str, Any]) -> None:
        """Keep a new one; the oldest that are done make room."""
        row = {"id": view.id, "at": view.at, "state": view.state, "view": view.model_dump(mode="json")}
        kept = select(BacktestRow.id).order_by(BacktestRow.at.desc(), BacktestRow.id.desc()).limit(KEPT - 1)
        with self._database.transaction() as tx:
            ids = tx.session.scalars(kept).all()
            old = BacktestRow.id.not_in(ids) & BacktestRow.state.not_in(AT_WORK)
            tx.session.execute(delete(BacktestRow).where(old))
            tx.insert(BacktestRow, {**row, "declaration": dict(declaration), "episodes": None})

    def settle(self, view: BacktestView, episodes: Sequence[Episode] | None = None) -> None:
        """Keep what became of it, with the warnings that the rule would have raised."""
        values = {"state": view.state, "view": view.model_dump(mode="json")}
        told = [_told(episode) for episode in episodes] if episodes is not None else None
        with self._database.transaction() as tx:
            tx.session.execute(update(BacktestRow).where(BacktestRow.id == view.id).values(**values, episodes=told))

    def get(self, backtest: str) -> BacktestView | None:
        """One with its report."""
        with self._database.reading() as session:
            row = session.get(BacktestRow, backtest)
            return _view(row.view) if row else None

    def list(self) -> list[BacktestView]:
        """All, without their reports, the newest first."""
        query = select(BacktestRow.view).order_by(BacktestRow.at.desc(), BacktestRow.id.desc())
        with self._database.reading() as session:
            return [_view({**view, "report": None, "proposal": None}) for view in session.scalars(query)]

    def compared(self, first: str, second: str) -> BacktestComparison:
        """Two that are done, over the time that both looked at; raises :class:`Invalid` where there is none."""
        with self._database.reading() as session:
            rows = [session.get_one(BacktestRow, backtest) for backtest in (first, second)]
        views = [_view(row.view) for row in rows]
        reports = [view.report for view in views if view.report is not None]
        start, end = max((r.start for r in reports), default=None), min((r.end for r in reports), default=None)
        if len(reports) < 2 or start is None or end is None or start >= end:
            raise Invalid("these two cannot be compared", "choose two that are done and share a part of their time")
        mine, theirs = (
            [episode for told in row.episodes or () if start <= (episode := _episode(told)).raised < end]
            for row in rows
        )
        both = meeting(theirs, mine)
        return BacktestComparison(
            first=views[0],
            second=views[1],
            changes=changes_between(rows[0].declaration, rows[1].declaration),
            start=start,
            end=end,
            both=both,
            only_first=len(mine) - meeting(mine, theirs),
            only_second=len(theirs) - both,
        )


def _view(told: Mapping[str, Any]) -> BacktestView:
    return BacktestView.model_validate_json(json.dumps(told))


def _told(episode: Episode) -> list[Any]:
    ended = episode.ended.timestamp() if episode.ended else None
    return [episode.entity, episode.raised.timestamp(), ended, episode.peak]


def _episode(told: Sequence[Any]) -> Episode:
    entity, raised, ended, peak = told
    until = datetime.fromtimestamp(ended, UTC) if ended is not None else None
    return Episode("", entity, datetime.fromtimestamp(raised, UTC), peak, until)
