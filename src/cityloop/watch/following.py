"""Follows open warnings through time: quiet that begins or ends, reminders, escalation; durable over restarts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cityloop.core.database import Database, Transaction
from cityloop.watch.cards import Describe, card_of
from cityloop.watch.models import MuteRow, WarningRow
from cityloop.watch.mutes import Mutes
from cityloop.watch.muting import Due, due
from cityloop.watch.rules import Rule
from cityloop.watch.schemas import Muted
from cityloop.watch.store import Store

EVERY = 5
"""Ticks of the watch between two looks: reminders and escalations count in minutes."""


class Follower:
    """``rules`` gives the rules in force by id."""

    def __init__(
        self,
        database: Database,
        store: Store,
        mutes: Mutes,
        describe: Describe,
        rules: Callable[[], Mapping[str, Rule]],
    ) -> None:
        self._database, self._store, self._mutes = database, store, mutes
        self._describe, self._rules = describe, rules
        self._ticks = 0

    def tick(self, now: datetime) -> bool:
        """Look now and then; returns whether it was time to."""
        self._ticks += 1
        if self._ticks % EVERY:
            return False
        self.step(now)
        return True

    def step(self, now: datetime) -> int:
        """Say what is due; returns how many warnings were touched."""
        with self._database.reading() as session:
            held = self._mutes.holding(session, now)
            touched = [row.id for row in _open(session) if self._wanted(session, row, held, now)]
        for warning in touched:
            with self._database.transaction() as tx:
                row = tx.session.get(WarningRow, warning)
                if row is not None and row.status == "open":
                    self._act(tx, row, self._mutes.holding(tx.session, now), now)
        return len(touched)

    def _wanted(self, session: Session, row: WarningRow, held: Sequence[MuteRow], now: datetime) -> bool:
        muted = self._muted(session, row, held, now)
        if (muted is None) != (row.muted is None):
            return True
        rule = self._rules().get(row.rule)
        found = due(rule, row, now) if rule and muted is None else Due(steps=row.escalated or 0)
        return found.remind or found.steps != (row.escalated or 0)

    def _act(self, tx: Transaction, row: WarningRow, held: Sequence[MuteRow], now: datetime) -> None:
        muted, rule = self._muted(tx.session, row, held, now), self._rules().get(row.rule)
        if (muted is None) != (row.muted is None):
            self._store.mute(tx, row, muted, now)
        if muted is not None or rule is None:
            return
        found = due(rule, row, now)
        row.escalated = found.steps
        for step in found.escalate:
            self._store.escalate(tx, row, step, now)
        if found.remind:
            self._store.remind(tx, row, now)

    def _muted(self, session: Session, row: WarningRow, held: Sequence[MuteRow], now: datetime) -> Muted | None:
        rule = self._rules().get(row.rule)
        if rule is None or not (held or rule.depends):
            return None
        return self._mutes.quiet(
            session, rule, card_of(self._describe, row.entity_type, row.entity, row.area), now, held
        )


def _open(session: Session) -> list[WarningRow]:
    return list(session.scalars(select(WarningRow).where(WarningRow.status == "open")))
