"""The process picture of one case, for whoever sees the case."""

from __future__ import annotations

from sqlalchemy import select

from cityloop.access.actor import Actor
from cityloop.access.door import Door
from cityloop.cases.definitions import Book
from cityloop.cases.listings import ENTITY
from cityloop.cases.models import TimelineRow
from cityloop.cases.process import ProcessPicture, Step, picture
from cityloop.cases.reading import Reading
from cityloop.core.database import Database


class Pictures:
    """Draws from the version of the workflow that the case runs under."""

    def __init__(self, *, database: Database, door: Door, book: Book, reading: Reading) -> None:
        self._database, self._door, self._book, self._reading = database, door, book, reading

    def of(self, actor: Actor, key: str) -> ProcessPicture:
        """The picture of a case by id or number; raises :class:`NotFound` when the asker does not see it."""
        with self._database.reading() as session:
            case = self._reading.seen(session, self._door.scope(actor, ENTITY), key)
            rows = session.scalars(select(TimelineRow).where(TimelineRow.case == case.id).order_by(TimelineRow.seq))
            steps = [Step(row.at, row.move, row.from_state, row.to_state) for row in rows]
        return picture(self._book.of(case.workflow, case.filed), case.state, steps)
