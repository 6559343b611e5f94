"""The append-only timeline: every entry holds the hash of the one before, and the case holds the last hash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from cityloop.access.actor import Actor
from cityloop.cases.moves import Entry
from cityloop.cases.values import Case
from cityloop.core import canonical
from cityloop.core.values import utc

START = "0" * 64
_HASHED = (
    "case",
    "seq",
    "at",
    "move",
    "from_state",
    "to_state",
    "stage",
    "actor",
    "actor_zh",
    "actor_en",
    "actor_kind",
    "post",
    "department",
    "receiver",
    "opinion",
    "facts",
    "used_seconds",
    "on_time",
    "request",
    "workflow",
    "previous",
)


def row_of(case: Case, entry: Entry, actor: Actor, post: str | None, opinion: str, now: datetime) -> dict[str, Any]:
    """The next timeline row of ``case`` (the case before the entry was counted), with its hash."""
    row: dict[str, Any] = {
        "case": case.id,
        "seq": case.entries + 1,
        "at": utc(now),
        "move": entry.move,
        "from_state": entry.from_state,
        "to_state": entry.to_state,
        "stage": entry.stage,
        "actor": actor.id,
        "actor_zh": actor.name.zh,
        "actor_en": actor.name.en,
        "actor_kind": actor.kind,
        "post": post,
        "department": actor.department,
        "receiver": entry.receiver,
        "opinion": opinion,
        "facts": entry.facts,
        "used_seconds": entry.used_seconds,
        "on_time": entry.on_time,
        "request": entry.request,
        "workflow": case.workflow,
        "previous": case.head,
    }
    row["hash"] = digest(row)
    return row


def digest(row: Mapping[str, Any]) -> str:
    """SHA-256 over every field of an entry and the hash before it."""
    return canonical.digest({name: row[name] for name in _HASHED})


def first_fault(rows: Iterable[Mapping[str, Any]], entries: int, head: str) -> int | None:
    """Walk one case's entries in order; return the first sequence number that does not fit, or ``None``.

    ``entries`` and ``head`` are what the case itself says, so that entries cut off at the end are missed too.
    """
    expected, seq = START, 0
    for row in rows:
        seq += 1
        if row["seq"] != seq or row["previous"] != expected or digest(row) != row["hash"]:
            return seq
        expected = row["hash"]
    return None if (seq, expected) == (entries, head) else seq + 1
