"""Cases inside one transaction: each is loaded once, changed in memory, and written once at the end.

That is what makes a replay of fifty thousand cases as quick as a single move is plain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from string import Formatter
from typing import Any

from sqlalchemy import ColumnElement, String, Table, bindparam, or_, select, update

from cityloop.cases.models import OPEN, CaseRow, CounterRow
from cityloop.cases.values import Case, from_row, to_row
from cityloop.core.database import Transaction
from cityloop.core.prepared import Prepared, Source

_TABLE: Table = CaseRow.__table__  # type: ignore[assignment]
_COUNTER: Table = CounterRow.__table__  # type: ignore[assignment]
_FIXED = (
    *("id", "number", "opened_at", "channel", "external_number", "risk", "risk_at", "title", "description", "address"),
    *("area", "district", "lon", "lat", "reporter", "reporter_name", "reporter_phone", "entity", "warning", "series"),
    *("linked_from", "target_at", "named_department"),
)
"""What no move changes: neither these columns nor their indexes are written again."""
_CHANGING = (*(column.name for column in _TABLE.columns if column.name not in _FIXED), "id")
"""All other columns, and the key behind them."""
_MEMORY = "cases"
_KEY = bindparam("key", type_=String)
_BY_KEY = select(_TABLE).where(or_(_TABLE.c.id == _KEY, _TABLE.c.number == _KEY)).limit(1)
_READ, _LOCKED = Prepared(_BY_KEY), Prepared(_BY_KEY.with_for_update())


@dataclass
class CaseStore:
    """The cases that one transaction holds in its hands."""

    tx: Transaction
    cases: dict[str, Case] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    """Case ids by number."""
    external: dict[tuple[str, str], str | None] = field(default_factory=dict)
    """Case ids by channel and outside number; ``None`` where the store was asked and has none."""
    counters: dict[str, int] = field(default_factory=dict)
    _new: set[str] = field(default_factory=set)
    _changed: set[str] = field(default_factory=set)

    @staticmethod
    def of(tx: Transaction) -> CaseStore:
        """The one store of a transaction."""
        found = tx.memory.get(_MEMORY)
        if not isinstance(found, CaseStore):
            found = tx.memory[_MEMORY] = CaseStore(tx)
            tx.before_commit(lambda _: found.flush())
        return found

    def find(self, key: str) -> Case | None:
        """A case by id or number, locked against other writers until the transaction ends."""
        known = self.cases.get(key) or self.cases.get(self.ids.get(key, ""))
        if known:
            return known
        found = _LOCKED.mappings(self.tx.session, key=key)
        return self._keep(found[0]) if found else None

    def by_external(self, channel: str, number: str) -> Case | None:
        """The case that a channel's own number already made."""
        if (channel, number) not in self.external:
            self.prefetch(channel, [number])
        known = self.external[channel, number]
        return self.cases[known] if known else None

    def prefetch(self, channel: str, numbers: Sequence[str]) -> None:
        """Look up many outside numbers of a channel in one query; those that made no case are remembered too."""
        self.external |= {(channel, number): None for number in numbers if (channel, number) not in self.external}
        self._read((_TABLE.c.channel == channel) & _TABLE.c.external_number.in_(numbers), None, None)

    def select(self, condition: ColumnElement[bool], limit: int | None = None, order: Any = None) -> list[Case]:
        """Cases under a condition, with everything that this transaction has done so far."""
        self.flush()
        return self._read(condition, limit, order)

    def _read(self, condition: ColumnElement[bool], limit: int | None, order: Any) -> list[Case]:
        query = select(_TABLE).where(condition).with_for_update().limit(limit).order_by(order)
        rows = self.tx.session.execute(query).mappings().all()
        return [self._keep(dict(row)) for row in rows]

    def add(self, case: Case) -> None:
        """A new case; it is written with all its first moves in one row."""
        self._new.add(case.id)
        self._remember(case)

    def put(self, case: Case) -> None:
        """A changed case."""
        if case.id not in self._new:
            self._changed.add(case.id)
        self.cases[case.id] = case

    def next_number(self, prefix: str) -> int:
        """The next sequence number under ``prefix``, never given twice."""
        if prefix not in self.counters:
            self.tx.insert_missing(CounterRow, {"prefix": prefix, "last": 0})
            query = select(_COUNTER.c.last).where(_COUNTER.c.prefix == prefix).with_for_update()
            self.counters[prefix] = self.tx.session.scalars(query).one()
        self.counters[prefix] += 1
        return self.counters[prefix]

    def flush(self) -> None:
        """Write everything in hand: new cases in one statement, changed ones in another."""
        self.tx.insert_now(CaseRow, [to_row(self.cases[key]) for key in sorted(self._new)])
        self.tx.update_now(CaseRow, [_changes(self.cases[key]) for key in sorted(self._changed)])
        self._new.clear()
        self._changed.clear()
        for prefix, last in self.counters.items():
            self.tx.session.execute(update(_COUNTER).where(_COUNTER.c.prefix == prefix).values(last=last))

    def _keep(self, row: Mapping[str, Any]) -> Case:
        if row["id"] not in self.cases:
            self._remember(from_row(row))
        return self.cases[row["id"]]

    def _remember(self, case: Case) -> None:
        self.cases[case.id] = case
        self.ids[case.number] = case.id
        if case.external_number:
            self.external[case.channel, case.external_number] = case.id


def place_older(tx: Transaction) -> None:
    """Give open cases that an older version of the program wrote their place in the order of a desk."""
    unplaced = OPEN & _TABLE.c.late.is_(False) & _TABLE.c.urgent_at.is_(None)
    due, late = _TABLE.c.due_at, _TABLE.c.reminded.in_(("due", "escalated"))
    tx.session.execute(update(_TABLE).where(unplaced, due.is_not(None)).values(urgent_at=due, late=late))


def load(source: Source, key: str) -> Case | None:
    """One case by id or number, for reading."""
    found = _READ.mappings(source, key=key)
    return from_row(found[0]) if found else None


def numbered(template: str, local: datetime, district: str | None, store: CaseStore) -> str:
    """The next case number after ``template``; the sequence restarts whenever another part of the number changes."""
    parts = {"date": local, "district": district or "0"}
    prefix = "".join(
        text + (format(parts[name], spec or "") if name in parts else "") for text, name, spec, _ in _pieces(template)
    )
    return template.format(**parts, sequence=store.next_number(prefix))


def _pieces(template: str) -> Iterable[tuple[str, str, str, str]]:
    return (
        (text, name or "", spec or "", conversion or "") for text, name, spec, conversion in Formatter().parse(template)
    )


def _changes(case: Case) -> dict[str, Any]:
    row = to_row(case)
    return {name: row[name] for name in _CHANGING}
