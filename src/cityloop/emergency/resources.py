"""People, vehicles and goods: where they are, how much is free, nearest first, sent and released."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cityloop.cases.nearby import metres
from cityloop.core.database import Transaction
from cityloop.core.errors import Conflict, NotFound
from cityloop.core.ids import new_id
from cityloop.emergency.content import EmergencyBook
from cityloop.emergency.declarations import ResourceDef
from cityloop.emergency.journal import Journal
from cityloop.emergency.models import AssignmentRow, ResourceRow, ResponseRow
from cityloop.emergency.phrases import PHRASES
from cityloop.emergency.schemas import AssignmentView, AssignmentWish, ResourcePlace, ResourceView


class Resources:
    """Keeps where resources are and what they do."""

    def __init__(self, book: EmergencyBook, journal: Journal) -> None:
        self._book, self._journal = book, journal

    def nearest(self, session: Session, row: ResponseRow) -> list[ResourceView]:
        """The resources of the kind of emergency, nearest to it first; those out of service last."""
        busy, places = self._busy(session), self._places(session)
        wanted = self._book.kinds[row.kind].resources
        views = [_view(one, places.get(one.id), busy[one.id], row) for one in self._of(wanted)]
        return sorted(views, key=lambda one: (one.out, one.free == 0, one.metres or 0.0, one.id))

    def assigned(self, session: Session, response: str) -> Sequence[AssignmentRow]:
        """What a response has called for, the newest last."""
        query = select(AssignmentRow).where(AssignmentRow.response == response)
        return session.scalars(query.order_by(AssignmentRow.assigned_at, AssignmentRow.id)).all()

    def shown(self, row: AssignmentRow) -> AssignmentView:
        """An assignment with the names of its resource."""
        one = self._book.resources[row.resource]
        return AssignmentView(
            id=row.id, resource=one.id, title=one.title, unit=one.unit, count=row.count, assigned_at=row.assigned_at,
            arrived_at=row.arrived_at, released_at=row.released_at,
        )  # fmt: skip

    def get(self, resource: str) -> ResourceDef:
        """A resource; raises :class:`NotFound`."""
        found = self._book.resources.get(resource)
        if found is None:
            raise PHRASES.problem(NotFound, "no-resource", (), resource=resource[:40], id="{id}")
        return found

    def assign(self, tx: Transaction, row: ResponseRow, wish: AssignmentWish, actor: str, now: datetime) -> None:
        """Send so much of a resource; raises :class:`Conflict` when less of it is free."""
        one = self.get(wish.resource)
        place = self._row(tx, one, now)
        left = one.count - self._busy(tx.session)[one.id]
        if place.out:
            raise PHRASES.problem(Conflict, "out", (), resource=one.title)
        if wish.count > left:
            raise PHRASES.problem(Conflict, "too-few", (), resource=one.title, left=left, unit=one.unit)
        tx.session.add(
            AssignmentRow(id=new_id("asg"), response=row.id, resource=one.id, count=wish.count, assigned_at=now)
        )
        tx.session.flush()
        parts = {"resource": one.title, "count": wish.count, "unit": one.unit}
        self._journal.say(tx, row, actor, now, "assigned", "assigned", **parts)

    def held(self, session: Session, row: ResponseRow, assignment: str) -> AssignmentRow:
        """An assignment of a response that is not released; raises :class:`NotFound`."""
        found = session.get(AssignmentRow, assignment, with_for_update=True)
        if found is None or found.response != row.id or found.released_at is not None:
            raise PHRASES.problem(NotFound, "no-assignment")
        return found

    def arrive(self, tx: Transaction, row: ResponseRow, found: AssignmentRow, actor: str, now: datetime) -> None:
        """It is where it was sent; from now on it stands there."""
        one = self._book.resources[found.resource]
        found.arrived_at = now
        if row.lon is not None and row.lat is not None:
            place = self._row(tx, one, now)
            place.lon, place.lat, place.at = row.lon, row.lat, now
        self._journal.say(tx, row, actor, now, "arrived", "arrived", resource=one.title)

    def release(self, tx: Transaction, row: ResponseRow, found: AssignmentRow, actor: str, now: datetime) -> None:
        """It is free again."""
        one = self._book.resources[found.resource]
        found.released_at = now
        parts = {"resource": one.title, "count": found.count, "unit": one.unit}
        self._journal.say(tx, row, actor, now, "released", "released", **parts)

    def release_all(self, tx: Transaction, row: ResponseRow, actor: str, now: datetime) -> None:
        """Everything that a response holds is free again."""
        for found in self.assigned(tx.session, row.id):
            if found.released_at is None:
                self.release(tx, row, found, actor, now)

    def place(self, tx: Transaction, resource: str, wish: ResourcePlace, now: datetime) -> None:
        """Keep where a resource is and whether it can be used."""
        row = self._row(tx, self.get(resource), now)
        row.lon, row.lat, row.out, row.at = wish.lon, wish.lat, wish.out, now

    def _of(self, kinds: Iterable[str]) -> list[ResourceDef]:
        wanted = set(kinds)
        return [one for one in self._book.resources.values() if one.kind in wanted]

    def _row(self, tx: Transaction, one: ResourceDef, now: datetime) -> ResourceRow:
        """The row of a resource, locked: two who ask for the last one wait for each other."""
        tx.insert_missing(ResourceRow, {"id": one.id, "lon": one.lon, "lat": one.lat, "out": False, "at": now})
        return tx.session.get_one(ResourceRow, one.id, with_for_update=True)

    def _busy(self, session: Session) -> Counter[str]:
        query = select(AssignmentRow.resource, func.sum(AssignmentRow.count)).where(AssignmentRow.released_at.is_(None))
        return Counter({name: int(count) for name, count in session.execute(query.group_by(AssignmentRow.resource))})

    def _places(self, session: Session) -> Mapping[str, ResourceRow]:
        return {row.id: row for row in session.scalars(select(ResourceRow))}


def _view(one: ResourceDef, place: ResourceRow | None, busy: int, row: ResponseRow) -> ResourceView:
    lon, lat = (place.lon, place.lat) if place else (one.lon, one.lat)
    known = row.lon is not None and row.lat is not None
    return ResourceView(
        **{name: getattr(one, name) for name in ("id", "title", "kind", "department", "count", "unit", "phone")},
        lon=lon,
        lat=lat,
        metres=round(metres(lon, lat, row.lon or 0.0, row.lat or 0.0)) if known else None,
        free=one.count - busy,
        out=bool(place and place.out),
    )
