"""What became of the applications of each item, and whether a stored decision comes out the same again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.access.door import Door
from cityloop.approve.content import ItemBook
from cityloop.approve.declarations import Item
from cityloop.approve.desk import COLUMNS, ENTITY
from cityloop.approve.judging import conclude, examine
from cityloop.approve.models import ApplicationEntryRow, ApplicationRow, ItemVersionRow
from cityloop.approve.registers import Registers, seen
from cityloop.approve.schemas import ItemRates, Reproduced
from cityloop.approve.typed import revived
from cityloop.city.service import City
from cityloop.core.database import Database
from cityloop.core.errors import NotFound

Again = Callable[[str], Any]
"""The answer of a stored decision, worked out once more by the version of its table; ``None`` when that is gone."""


class Supervision:
    """Counts and reproduces."""

    def __init__(
        self, *, database: Database, door: Door, city: City, book: ItemBook, registers: Registers, again: Again
    ) -> None:
        self._database, self._door, self._city, self._book = database, door, city, book
        self._registers, self._again = registers, again

    def rates(self, actor: Actor, since: datetime, until: datetime) -> list[ItemRates]:
        """The rates of every item, over applications in the actor's sight that came in from ``since`` to ``until``."""
        where = [self._door.scope(actor, ENTITY).where(COLUMNS), COLUMNS["applied_at"] >= since]
        with self._database.reading() as session:
            rows = session.scalars(select(ApplicationRow).where(*where, COLUMNS["applied_at"] < until)).all()
            overturned = self._overturned(session, rows)
        return [
            _rates(item, [row for row in rows if row.item == item.id], overturned) for item in self._book.items.values()
        ]

    def reproduce(self, actor: Actor, key: str) -> Reproduced:
        """Work out facts and answer anew from what was kept, by the item as it stood then."""
        with self._database.reading() as session:
            query = select(ApplicationRow).where((ApplicationRow.id == key) | (ApplicationRow.number == key))
            row = session.scalars(query).first()
            sight = {"department": row.department, "area": row.area} if row else {}
            if row is None or not self._door.scope(actor, ENTITY).lets(sight):
                raise NotFound(f"there is no application '{key[:40]}' within your sight", "GET /api/v1/applications")
            item = Item.model_validate(session.get_one(ItemVersionRow, row.digest).declared)
        facts = self._facts(item, row)
        differences = [
            f"{name}: {row.facts.get(name)} → {facts[name]}" for name in facts if facts[name] != row.facts.get(name)
        ]
        answer = self._again(row.decision) if row.decision else None
        same = None if answer is None else conclude(item, answer).proposal == row.proposal
        if same is False:
            differences.append(f"answer: {row.proposal}")
        return Reproduced(
            same=not differences, facts_same=facts == row.facts, answer_same=same, differences=differences
        )

    def _facts(self, item: Item, row: ApplicationRow) -> Mapping[str, Any]:
        kinds = {field.id: field.kind for field in item.fields}
        form = revived(kinds, {name: None if name in row.filled else value for name, value in row.form.items()})
        day = row.applied_at.astimezone(self._city.zone).date()
        return examine(item, form, seen(self._registers, item, row.evidence), day).facts

    def _overturned(self, session: Session, rows: Sequence[ApplicationRow]) -> set[str]:
        """Applications that were granted on appeal."""
        appealed = [row.id for row in rows if row.appeals]
        entry = ApplicationEntryRow
        query = select(entry.application).where(entry.application.in_(appealed), entry.move == "grant")
        return set(session.scalars(query.where(entry.from_state == "appealed"))) if appealed else set()


def _rates(item: Item, rows: Sequence[ApplicationRow], overturned: set[str]) -> ItemRates:
    def count(holds: Callable[[ApplicationRow], bool]) -> int:
        return sum(1 for row in rows if holds(row))

    checked, failed = count(lambda r: r.check in ("passed", "failed")), count(lambda r: r.check == "failed")
    instant = count(lambda r: r.instant)
    spans = [(row.answered_at - row.applied_at).total_seconds() for row in rows if row.answered_at is not None]
    return ItemRates(
        item=item.id,
        item_title=item.title,
        applied=len(rows),
        instant=instant,
        handed=len(rows) - instant,
        granted=count(lambda r: r.state == "granted"),
        refused=count(lambda r: r.state == "refused"),
        revoked=count(lambda r: r.state == "revoked"),
        appealed=count(lambda r: r.appeals > 0),
        overturned=count(lambda r: r.id in overturned),
        checked=checked,
        check_failed=failed,
        late=count(lambda r: r.late),
        instant_share=instant / len(rows) if rows else None,
        handed_share=(len(rows) - instant) / len(rows) if rows else None,
        check_failed_share=failed / checked if checked else None,
        median_seconds=median(spans) if spans else None,
    )
