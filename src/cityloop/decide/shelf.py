"""The tables in force: a pack's file, or what was applied over it, until the file itself is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cityloop.core import canonical
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import ContentError, NotFound
from cityloop.decide.content import PackTable
from cityloop.decide.models import DecisionTableRow
from cityloop.decide.phrases import PHRASES
from cityloop.decide.ready import Ready, prepare
from cityloop.decide.schemas import TableVersion

_FILE = "领域包中的文件 / the file of the pack"


@dataclass(frozen=True)
class InForce:
    """A table as it decides now."""

    id: str
    pack: str
    version: int
    ready: Ready


class Shelf:
    """Finds tables and keeps their versions."""

    def __init__(self, database: Database, packs: Mapping[str, PackTable]) -> None:
        self._database, self._packs = database, packs
        self._tables: dict[str, InForce] = {}

    def open(self, now: datetime) -> None:
        """Put every table into force; raises :class:`ContentError` when an applied version is sound no longer."""
        for id, declared in self._packs.items():
            mark = digest_of(declared.ready.xml)
            with self._database.transaction() as tx:
                newest = next(iter(rows_of(tx.session, id)), None)
                if newest is None or newest.file_digest != mark:
                    version = newest.version + 1 if newest else 1
                    self.enter(tx, id, declared.ready, version, now, by="content", reason=_FILE)
                    continue
            self._tables[id] = InForce(id, declared.pack, newest.version, _stored(newest))

    def get(self, id: str) -> InForce:
        """The table in force; raises :class:`NotFound`."""
        found = self._tables.get(id)
        if found is None:
            raise PHRASES.problem(NotFound, "no-table", id=id[:80])
        return found

    def __iter__(self) -> Iterator[InForce]:
        return iter(self._tables.values())

    def enter(
        self, tx: Transaction, id: str, ready: Ready, version: int, now: datetime, *, by: str, reason: str
    ) -> None:
        """Write a version; it is in force once the transaction has landed."""
        declared = self._packs[id]
        row = DecisionTableRow(
            table=id,
            version=version,
            xml=ready.xml,
            digest=digest_of(ready.xml),
            file_digest=digest_of(declared.ready.xml),
            origin="content" if by == "content" else "changed",
            at=now,
            by=by,
            reason=reason,
        )
        tx.session.add(row)
        tx.after_commit(lambda: self._tables.update({id: InForce(id, declared.pack, version, ready)}))


def rows_of(session: Session, id: str) -> list[DecisionTableRow]:
    """All versions of a table, the newest first."""
    query = select(DecisionTableRow).where(DecisionTableRow.table == id).order_by(DecisionTableRow.version.desc())
    return list(session.scalars(query))


def version_of(row: DecisionTableRow) -> TableVersion:
    """When and why a version came into force."""
    return TableVersion.model_validate({name: getattr(row, name) for name in TableVersion.model_fields})


def digest_of(xml: str) -> str:
    """The digest of a text."""
    return canonical.digest({"xml": xml})


def _stored(row: DecisionTableRow) -> Ready:
    ready = prepare(row.xml, f"{row.table} version {row.version}")
    if not ready.sound:
        mend = "put a table that is sound into the pack: a changed file comes into force"
        raise ContentError(
            f"version {row.version} of decision table '{row.table}' is sound no longer", mend, ready.faults
        )
    return ready
