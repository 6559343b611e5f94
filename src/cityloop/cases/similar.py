"""The duplicate guard for people: open cases like a report, shown before it is filed, as far as the asker may see."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from cityloop.access.actor import Actor
from cityloop.access.door import Door
from cityloop.cases import nearby, queries
from cityloop.cases.definitions import Book
from cityloop.cases.likeness import LEAST, Likeness, Told, likeness, reach, reason
from cityloop.cases.listings import ENTITY
from cityloop.cases.models import CaseRow
from cityloop.cases.reading import Reading
from cityloop.cases.schemas import SimilarCase, SimilarWish
from cityloop.cases.values import Case, from_row
from cityloop.cases.views import Views
from cityloop.cases.vocabulary import Vocabulary, told
from cityloop.cases.wording import Words
from cityloop.city.schemas import Matter
from cityloop.city.service import City
from cityloop.core.database import Database
from cityloop.core.errors import Fault, Invalid

MOST = 10
"""Most cases shown."""
_CANDIDATES = 500
"""Most cases weighed, the newest first."""
_TABLE = CaseRow.__table__


class Similar:
    """Finds what may have been reported before."""

    def __init__(
        self, *, database: Database, door: Door, city: City, book: Book, views: Views, reading: Reading
    ) -> None:
        self._database, self._door, self._city, self._book = database, door, city, book
        self._views, self._reading, self._vocabulary = views, reading, Vocabulary(database)

    def before(self, actor: Actor, wish: SimilarWish) -> list[SimilarCase]:
        """Open cases like a report that has not been sent; raises :class:`Invalid` for an unknown matter."""
        if wish.matter is not None and not self._city.catalogue.has(wish.matter):
            near = ", ".join(f"{m.key} {m.title.zh}" for m in self._city.catalogue.near(wish.matter, 3))
            fault = Fault("matter", f"there is no matter '{wish.matter}' in the catalogue", f"near: {near or 'none'}")
            raise Invalid("the report cannot be compared", "correct the fields that are named", [fault])
        words = self._vocabulary.words()
        vector = words.vector(told(wish.title, wish.description))
        report = Told(vector, wish.position.lon, wish.position.lat, self._matter(wish.matter))
        return self._like(actor, report, words, None)

    def of(self, actor: Actor, key: str) -> list[SimilarCase]:
        """Open cases like one that is there; raises :class:`NotFound` when the asker does not see it."""
        with self._database.reading() as session:
            case = self._reading.seen(session, self._door.scope(actor, ENTITY), key)
        words = self._vocabulary.words()
        return self._like(actor, self._told(case, words), words, case.id)

    def _like(self, actor: Actor, report: Told, words: Words, but: str | None) -> list[SimilarCase]:
        now, rule = self._city.clock.now(), reach(self._book.current.duplicate)
        scope = self._door.scope(actor, ENTITY)
        around = nearby.around(report.lon, report.lat, rule, now) & (CaseRow.id != (but or ""))
        query = select(_TABLE).where(around, scope.where(queries.COLUMNS)).order_by(_TABLE.c.opened_at.desc())
        with self._database.reading() as session:
            cases = [from_row(dict(row)) for row in session.execute(query.limit(_CANDIDATES)).mappings()]
        weighed = [(likeness(report, case.opened_at, self._told(case, words), rule, now), case) for case in cases]
        found = [item for item in weighed if item[0].score >= LEAST and item[0].metres <= rule.metres]
        found.sort(key=lambda item: (-item[0].score, item[1].number))
        return [self._view(how, case, now) for how, case in found[:MOST]]

    def _told(self, case: Case, words: Words) -> Told:
        vector = words.vector(told(case.title, case.description))
        return Told(vector, case.lon, case.lat, self._matter(case.matter))

    def _matter(self, key: str | None) -> Matter | None:
        known = key is not None and self._city.catalogue.has(key)
        return self._city.catalogue.get(key) if key is not None and known else None

    def _view(self, how: Likeness, case: Case, now: datetime) -> SimilarCase:
        return SimilarCase(
            case=self._views.view(case, now),
            metres=how.metres,
            hours=how.hours,
            matter=how.matter,
            text=how.text,
            score=how.score,
            why=reason(how),
        )
