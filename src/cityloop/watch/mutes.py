"""Silences, maintenance windows and dependencies: who may be quiet, and until when. Stored, audited, ended early."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.core.database import Database
from cityloop.core.errors import Conflict, Fault, Invalid, NotFound
from cityloop.core.ids import new_id
from cityloop.core.values import Title
from cityloop.standard.batch import EntityCard
from cityloop.watch.joining import key_of
from cityloop.watch.models import MuteRow, RuleStateRow, WarningRow
from cityloop.watch.muting import active, muted_by
from cityloop.watch.rules import Rule
from cityloop.watch.schemas import Muted, MuteView, NewMute

PERMISSION = "warning.mute"
_FIELDS = tuple(name for name in MuteView.model_fields if name not in ("active", "warnings"))


class Mutes:
    """All verbs on mutes; ``rules`` gives the rules in force by id."""

    def __init__(self, database: Database, door: Door, audit: Audit, rules: Callable[[], Mapping[str, Rule]]) -> None:
        self._database, self._door, self._audit, self._rules = database, door, audit, rules

    def holding(self, session: Session, now: datetime) -> Sequence[MuteRow]:
        """The mutes that hold now."""
        wanted = (MuteRow.ended_at.is_(None), MuteRow.start <= now, MuteRow.end > now)
        return session.scalars(select(MuteRow).where(*wanted)).all()

    def quiet(
        self, session: Session, rule: Rule, card: EntityCard, now: datetime, held: Sequence[MuteRow] | None = None
    ) -> Muted | None:
        """Why a warning is to be kept quiet now: a mute that somebody made, else the fault of what it depends on.

        ``held`` are the mutes of :meth:`holding`, where they are known.
        """
        mutes = self.holding(session, now) if held is None else held
        return muted_by(mutes, rule.id, card.id, card.area, now) or self._depends(session, rule, card)

    def list(self, actor: Actor, now: datetime, every: bool = False) -> builtins.list[MuteView]:
        """Mutes that hold or will hold, with ``every`` also the past ones; the one that ends last comes first."""
        if not self._door.scope(actor, "rule").lets({}):
            return []
        wanted = [] if every else [MuteRow.ended_at.is_(None), MuteRow.end > now]
        with self._database.reading() as session:
            rows = session.scalars(select(MuteRow).where(*wanted).order_by(MuteRow.end.desc()).limit(500)).all()
            return [_view(session, row, now) for row in rows]

    def make(self, actor: Actor, wish: NewMute, now: datetime) -> MuteView:
        """Make a mute; raises :class:`Invalid` for one of everything, one in the past, or an unknown rule."""
        self._door.permit(actor, PERMISSION)
        start = wish.start or now
        self._check(wish, start, now)
        row = MuteRow(
            id=new_id("mut"),
            **wish.model_dump(exclude={"start"}),
            start=start,
            by=actor.id,
            at=now,
        )
        with self._database.transaction() as tx:
            tx.session.add(row)
            tx.flush()
            self._audit.record(tx, now, actor.id, "warning.mute", row.id, wish.model_dump(mode="json"))
            return _view(tx.session, row, now)

    def end(self, actor: Actor, mute: str, now: datetime) -> MuteView:
        """End a mute early; raises :class:`NotFound`, or :class:`Conflict` when it has ended."""
        self._door.permit(actor, PERMISSION)
        with self._database.transaction() as tx:
            row = tx.session.get(MuteRow, mute)
            if row is None:
                raise NotFound(f"there is no mute '{mute}'", "GET /api/v1/mutes lists them")
            if row.ended_at is not None or row.end <= now:
                raise Conflict(f"'{mute}' has ended already", "make a new one where it is still needed")
            row.ended_at, row.ended_by = now, actor.id
            self._audit.record(tx, now, actor.id, "warning.unmute", row.id, {})
            tx.flush()
            return _view(tx.session, row, now)

    def _check(self, wish: NewMute, start: datetime, now: datetime) -> None:
        faults = []
        if wish.end <= max(start, now):
            faults.append(Fault("end", "it ends before it begins, or in the past", "choose a later end"))
        if not (wish.rule or wish.entity or wish.area):
            faults.append(Fault("rule", "everything would be silent", "name a rule, an entity or an area"))
        if wish.rule and wish.rule not in self._rules():
            faults.append(Fault("rule", f"there is no rule '{wish.rule}'", "GET /api/v1/rules lists them"))
        if faults:
            raise Invalid("this cannot be kept quiet", "correct what is named", faults)

    def _depends(self, session: Session, rule: Rule, card: EntityCard) -> Muted | None:
        for dependency in rule.depends:
            key = key_of(card.id, card, dependency.by)
            if key is None or (dependency.rule, key) == (rule.id, card.id):
                continue
            state = session.get(RuleStateRow, (dependency.rule, key))
            parent = self._rules().get(dependency.rule)
            if state is not None and state.level is not None and parent is not None:
                reason = Title(zh=f"“{parent.title.zh}”：{key}", en=f"'{parent.title.en}': {key}")
                return Muted(kind="dependency", id=parent.id, reason=reason)
        return None


def _view(session: Session, row: MuteRow, now: datetime) -> MuteView:
    muted = (WarningRow.status == "open") & (WarningRow.muted["id"].as_string() == row.id)
    count = session.scalar(select(func.count()).select_from(WarningRow).where(muted)) or 0
    values = {name: getattr(row, name) for name in _FIELDS}
    return MuteView.model_validate({**values, "active": active(row, now), "warnings": count})
