"""How a city speaks in its own cases: counted once, kept up as cases come in. Counts of all cases, the text of none."""

from __future__ import annotations

from threading import Lock

from sqlalchemy import select

from cityloop.cases.models import CaseRow
from cityloop.cases.wording import Words
from cityloop.core.database import Database

RECENT = 5000
"""So many of the newest cases are counted; anew when as many have come in since."""
_TABLE = CaseRow.__table__


class Vocabulary:
    """Gives the words as they stand; a question costs the cases that came in since the one before."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._words = Words()
        self._last = ""

    def words(self) -> Words:
        """The words of the newest cases, at least :data:`RECENT` of them where there are so many."""
        with self._lock:
            found = self._since(self._last)
            if not self._last or self._words.texts + len(found) >= 2 * RECENT:
                found, self._words = self._since(""), Words()
            if found:
                self._words.add(text for _, text in found)
                self._last = found[0][0]
            return self._words

    def _since(self, last: str) -> list[tuple[str, str]]:
        """Ids and texts of the cases after ``last``, the newest first; ids rise with time."""
        query = select(_TABLE.c.id, _TABLE.c.title, _TABLE.c.description).where(_TABLE.c.id > last)
        with self._database.reading() as session:
            rows = session.execute(query.order_by(_TABLE.c.id.desc()).limit(RECENT)).all()
        return [(id, told(title, description)) for id, title, description in rows]


def told(title: str, description: str) -> str:
    """What a report says, as one text."""
    return f"{title} {description}"
