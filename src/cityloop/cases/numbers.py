"""Numbers that people read out: a prefix and a counter that never gives one twice."""

from __future__ import annotations

from sqlalchemy import update

from cityloop.cases.models import CounterRow
from cityloop.core.database import Transaction


def next_number(tx: Transaction, prefix: str) -> int:
    """The next number under ``prefix``, from 1 on; others wait for this transaction."""
    tx.insert_missing(CounterRow, {"prefix": prefix, "last": 0})
    row = tx.session.get_one(CounterRow, prefix, with_for_update=True, populate_existing=True)
    number = row.last + 1
    tx.session.execute(update(CounterRow).where(CounterRow.prefix == prefix).values(last=number))
    return number
