"""Attachments of cases: taken in, put on a case, and shown to whoever may see the case."""

from __future__ import annotations

import builtins
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.cases import entries, queries
from cityloop.cases.files import Files
from cityloop.cases.models import AttachmentRow, CaseRow
from cityloop.cases.mover import Mover
from cityloop.cases.photos import Read, read_file
from cityloop.cases.schemas import AttachmentKind, AttachmentRef, AttachmentView
from cityloop.cases.store import CaseStore
from cityloop.cases.values import Case, scoped
from cityloop.city.service import City
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import Conflict, Fault, Invalid, NotFound, TooLarge
from cityloop.core.ids import new_id
from cityloop.core.prepared import Prepared

Size = Literal["full", "thumb"]
MOST = 40
"""Most attachments of one case, and most of one account that wait for a case."""
_ENTITY = "case"
_HASH = re.compile(r"[0-9a-f]{64}")
_TABLE = AttachmentRow.__table__
_OF_CASE = Prepared(
    select(_TABLE).where(_TABLE.c.case == bindparam("case")).order_by(_TABLE.c.uploaded_at, _TABLE.c.id)
)


class Attachments:
    """All verbs on attachments."""

    def __init__(
        self, *, database: Database, door: Door, audit: Audit, city: City, mover: Mover, files: Files, limit: int
    ) -> None:
        self._database, self._door, self._audit, self._city = database, door, audit, city
        self._mover, self._files = mover, files
        self.limit = limit

    def stage(self, actor: Actor, name: str, kind: AttachmentKind, content: bytes) -> AttachmentView:
        """Take a file in before its case exists; only its uploader sees it until a report names it."""
        self._door.permit(actor, "case.report")
        read = self.read(name, content)
        with self._database.transaction() as tx:
            waiting = _TABLE.c.case.is_(None) & (_TABLE.c.uploaded_by == actor.id)
            self._room_for_one(tx.session, waiting)
            return _view(self._add(tx, actor, None, name, kind, read))

    def add(self, actor: Actor, key: str, name: str, kind: AttachmentKind, content: bytes) -> AttachmentView:
        """Put a file on a case that the actor sees: a timeline entry, an audit line and an event tell of it."""
        scope = self._door.scope(actor, _ENTITY)
        with self._database.reading() as session:
            self._fits(session, self._seen(session, actor, key), kind)
        read = self.read(name, content)
        with self._database.transaction() as tx:
            case = CaseStore.of(tx).find(key)
            if case is None or not scope.lets(scoped(case)):
                raise _no_case(key)
            self._fits(tx.session, case.id, kind)
            row = self._add(tx, actor, case.id, name, kind, read)
            facts = {"hash": row["hash"], "kind": kind, "name": row["name"], "taken_at": _iso(read.taken_at)}
            self._mover.enter(
                tx, actor, case, entries.ATTACHED, self._city.clock.now(), {"photos": counted(case, [kind])}, facts
            )
        return _view(row)

    def stage_in(self, tx: Transaction, actor: Actor, name: str, kind: AttachmentKind, read: Read) -> AttachmentRef:
        """Take a file that was read into a running transaction, whose report then names it."""
        row = self._add(tx, actor, None, name, kind, read)
        tx.flush()
        return AttachmentRef(hash=row["hash"], kind=kind)

    def claim(self, tx: Transaction, actor: Actor, case: str, refs: Sequence[AttachmentRef]) -> dict[str, int]:
        """Give files that the actor has staged to a new case; returns their counts by kind."""
        photos: dict[str, int] = {}
        for index, ref in enumerate(refs):
            waiting = (_TABLE.c.hash == ref.hash) & _TABLE.c.case.is_(None) & (_TABLE.c.uploaded_by == actor.id)
            found = tx.session.execute(select(_TABLE.c.id).where(waiting).limit(1)).scalar_one_or_none()
            if found is None:
                mend = "send it first: POST /api/v1/attachments"
                fault = Fault(f"attachments.{index}", "you have no such file waiting", mend)
                raise Invalid("the report cannot be taken", mend, [fault])
            tx.session.execute(update(AttachmentRow).where(AttachmentRow.id == found).values(case=case, kind=ref.kind))
            photos = _plus(photos, ref.kind)
        return photos

    def list(self, actor: Actor, key: str) -> builtins.list[AttachmentView]:
        """The attachments of a case, oldest first."""
        with self._database.reading() as session:
            return self.of(session, self._seen(session, actor, key))

    def of(self, session: Session, case: str) -> builtins.list[AttachmentView]:
        """The same for a case that the asker has been let to."""
        return [_view(row) for row in _OF_CASE.mappings(session, case=case)]

    def content(self, actor: Actor, hash: str, size: Size) -> tuple[bytes, str, str]:
        """Bytes, media type and name of the stored copy or its thumbnail, for whoever sees one of its cases."""
        if not _HASH.fullmatch(hash):
            raise _no_file()
        with self._database.reading() as session:
            row = self._visible(session, actor, hash)
        found = self._files.get(hash if size == "full" else f"{hash}.thumb")
        if found is None:
            raise _no_file()
        return found, row["media_type"] if size == "full" else "image/webp", row["name"]

    def _visible(self, session: Session, actor: Actor, hash: str) -> Any:
        scope = self._door.scope(actor, _ENTITY)
        own = _TABLE.c.case.is_(None) & (_TABLE.c.uploaded_by == actor.id)
        seen = _TABLE.c.case.in_(select(CaseRow.id).where(scope.where(queries.COLUMNS)))
        query = select(_TABLE).where(_TABLE.c.hash == hash, or_(own, seen)).limit(1)
        row = session.execute(query).mappings().first()
        if row is None:
            raise _no_file()
        return row

    def _seen(self, session: Session, actor: Actor, key: str) -> str:
        scope = self._door.scope(actor, _ENTITY)
        query = select(CaseRow.id).where(or_(CaseRow.id == key, CaseRow.number == key), scope.where(queries.COLUMNS))
        found = session.scalar(query)
        if found is None:
            raise _no_case(key)
        return found

    def read(self, name: str, content: bytes) -> Read:
        """A clean copy of a file, put into the store; raises :class:`TooLarge` and :class:`Unsupported`."""
        if len(content) > self.limit:
            raise TooLarge(f"the file is larger than {self.limit} bytes", "send a smaller picture")
        read = read_file(name, content, self._city.zone)
        self._files.put(read.hash, read.content)
        if read.thumb is not None:
            self._files.put(f"{read.hash}.thumb", read.thumb)
        return read

    def _fits(self, session: Session, case: str, kind: AttachmentKind) -> None:
        """Refuse before anything is written: after the end only evidence, and never too many."""
        number, is_open = session.execute(select(CaseRow.number, CaseRow.open).where(CaseRow.id == case)).one()
        if not is_open and kind != "evidence":
            raise Conflict(f"{number} has ended", "only evidence (kind 'evidence') is added to a closed case")
        self._room_for_one(session, _TABLE.c.case == case)

    def _room_for_one(self, session: Session, where: Any) -> None:
        count = session.scalar(select(func.count()).select_from(_TABLE).where(where)) or 0
        if count >= MOST:
            raise Conflict(f"there are {count} attachments already, {MOST} is the most", "choose the ones that matter")

    def _add(self, tx: Transaction, actor: Actor, case: str | None, name: str, kind: str, read: Read) -> dict[str, Any]:
        now = self._city.clock.now()
        row = {
            "id": new_id("att"),
            "case": case,
            "hash": read.hash,
            "name": _plain(name),
            "kind": kind,
            "media_type": read.media_type,
            "bytes": len(read.content),
            "width": read.width,
            "height": read.height,
            "taken_at": read.taken_at,
            "lon": read.lon,
            "lat": read.lat,
            "uploaded_by": actor.id,
            "uploaded_at": now,
        }
        tx.session.add(AttachmentRow(**row))
        tx.session.flush()
        self._audit.record(
            tx, now, actor.id, "attachment.add", case or str(row["id"]), {"hash": read.hash, "kind": kind}
        )
        return row


def counted(case: Case, kinds: Sequence[AttachmentKind]) -> dict[str, int]:
    """The counts of a case with more attachments."""
    photos = dict(case.photos or {})
    for kind in kinds:
        photos = _plus(photos, kind)
    return photos


def _plus(photos: dict[str, int], kind: str) -> dict[str, int]:
    more = {**photos, kind: photos.get(kind, 0) + 1}
    return {**more, "fresh": more.get("fresh", 0) + 1} if kind == "after" else more


def _view(row: dict[str, Any]) -> AttachmentView:
    return AttachmentView(**row, thumb=row["width"] is not None)


def _plain(name: str) -> str:
    """The last part of a name, without control characters; for people only, never a path."""
    last = re.split(r"[\\/]", name)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:120] or "file"


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _no_case(key: str) -> NotFound:
    return NotFound(f"there is no case '{key[:60]}' within your sight", "check the number")


def _no_file() -> NotFound:
    return NotFound("there is no such attachment within your sight", "take the hash from the case's attachments")
