"""Cases as the public sees them: a few columns, personal things taken out, every row through the door."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from cityloop.access.actor import PUBLIC
from cityloop.access.door import Door, Protected
from cityloop.cases.definitions import Book
from cityloop.cases.models import CaseRow, TimelineRow
from cityloop.citizen.plain import CLOSING_STAGE, Standing, clean, standing
from cityloop.core.database import Database
from cityloop.core.values import Title

ENTITY = "public_case"
"""What the public sees of a case: the columns of :class:`PublicCase`, no others."""
_TABLE = CaseRow.__table__
COLUMNS: dict[str, ColumnElement[Any]] = {column.name: column for column in _TABLE.columns}
_READ = (
    "id", "number", "title", "description", "matter", "address", "lon", "lat", "area", "department", "state", "stage",
    "open", "clock_state", "due_at", "opened_at", "updated_at", "closed_at", "merged_into", "photos", "rating",
    "workflow", "filed", "reporter_name", "reporter_phone", "handler",
)  # fmt: skip


@dataclass(frozen=True)
class PublicCase:
    """Everything of a case that anybody may know."""

    id: str
    number: str
    title: str
    description: str
    matter: str
    address: str
    lon: float
    lat: float
    area: str | None
    department: str | None
    state: str
    stage: int
    open: bool
    standing: Standing
    expected_at: datetime | None
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    merged_into: str | None
    photos: int
    rating: int | None
    note: Title | None
    """The declared reason with which it ended without being handled."""


class PublicCases:
    """Reads cases as the actor :data:`PUBLIC`; the policy's post ``public`` says which rows there are at all."""

    def __init__(self, database: Database, door: Door, book: Book) -> None:
        door.register(Protected(ENTITY, department="department", area="area"))
        self._database, self._door, self._book = database, door, book

    def list(self, where: Sequence[ColumnElement[bool]], limit: int, offset: int = 0) -> builtins.list[PublicCase]:
        """Cases under further conditions, the newest first; raises :class:`AccessDenied` where the city is closed."""
        scope = self._door.scope(PUBLIC, ENTITY)
        query = (
            select(*[COLUMNS[name] for name in _READ])
            .where(scope.where(COLUMNS), *where)
            .order_by(_TABLE.c.opened_at.desc(), _TABLE.c.id.desc())
            .limit(limit)
            .offset(offset)
        )
        with self._database.reading() as session:
            rows = [dict(row) for row in session.execute(query).mappings()]
            notes = self._notes(session, rows)
        return [_public(row, notes.get(row["id"])) for row in rows]

    def one(self, where: ColumnElement[bool]) -> PublicCase | None:
        """The case under a condition, if the public may see it."""
        found = self.list([where], 1)
        return found[0] if found else None

    def entries(self, cases: Collection[str]) -> dict[str, builtins.list[tuple[int, datetime]]]:
        """Stage and instant of every entry of cases that :meth:`list` has let through, by case, oldest first."""
        found: dict[str, builtins.list[tuple[int, datetime]]] = {case: [] for case in cases}
        query = select(TimelineRow.case, TimelineRow.stage, TimelineRow.at).where(TimelineRow.case.in_(list(cases)))
        with self._database.reading() as session:
            for case, stage, at in session.execute(query.order_by(TimelineRow.case, TimelineRow.seq)):
                found[case].append((stage, at))
        return found

    def _notes(self, session: Session, rows: Sequence[Mapping[str, Any]]) -> dict[str, Title]:
        ended = {row["id"]: row for row in rows if not row["open"] and row["stage"] < CLOSING_STAGE}
        if not ended:
            return {}
        query = select(TimelineRow).where(TimelineRow.case.in_(list(ended))).order_by(TimelineRow.seq)
        notes = {}
        for entry in session.scalars(query):
            if note := self._note(ended[entry.case], entry):
                notes[entry.case] = note
        return notes

    def _note(self, row: Mapping[str, Any], entry: TimelineRow) -> Title | None:
        """The choice that ended the case: only declared sentences, never what somebody typed."""
        move = self._book.of(row["workflow"], row["filed"]).move_by_id.get(entry.move)
        if move is None or entry.to_state != row["state"]:
            return None
        choices = (c for field in move.fields for c in field.choices if entry.facts.get(field.name) == c.id)
        return next((choice.title for choice in choices), None)


def _public(row: dict[str, Any], note: Title | None) -> PublicCase:
    known = (row["reporter_name"], row["reporter_phone"], row["handler"])
    paused = row["clock_state"] == "paused"
    texts = {name: clean(row[name], known) for name in ("title", "description", "address")}
    kept = {name: row[name] for name in PublicCase.__dataclass_fields__ if name in row}
    return PublicCase(
        **{
            **kept,
            **texts,
            "standing": standing(row["stage"], row["open"], paused, row["merged_into"] is not None),
            "expected_at": row["due_at"] if row["clock_state"] in ("running", "stopped") else None,
            "photos": sum(n for kind, n in (row["photos"] or {}).items() if kind != "fresh"),
            "note": note,
        }
    )
