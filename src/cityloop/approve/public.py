"""The citizen's side: items, an application, how it stands, an appeal; as the declared actor ``public``."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from cityloop.access.actor import PUBLIC
from cityloop.access.codes import opens
from cityloop.access.door import Door
from cityloop.access.turnstile import Turnstile, network
from cityloop.approve.content import ItemBook
from cityloop.approve.desk import FILE, entries_of, standing
from cityloop.approve.intake import Intake
from cityloop.approve.ledger import Ledger
from cityloop.approve.models import ApplicationRow
from cityloop.approve.moves import appeal_refused
from cityloop.approve.phrases import PHRASES
from cityloop.approve.schemas import Appeal, ApplicationReceipt, ApplicationWish, ApprovalItem, PublicApplication
from cityloop.approve.shown import Shown
from cityloop.city.service import City
from cityloop.core.database import Database
from cityloop.core.errors import NotFound


class PublicApprovals:
    """What anybody may do; limits of the turnstile hold for each network address."""

    def __init__(
        self,
        *,
        database: Database,
        door: Door,
        city: City,
        book: ItemBook,
        intake: Intake,
        ledger: Ledger,
        shown: Shown,
        turnstile: Turnstile,
    ) -> None:
        self._database, self._door, self._city, self._book = database, door, city, book
        self._intake, self._ledger, self._shown, self._turnstile = intake, ledger, shown, turnstile

    def items(self) -> list[ApprovalItem]:
        """What can be applied for."""
        self._door.permit(PUBLIC, FILE)
        return [self._shown.item(item) for item in self._book.items.values()]

    def apply(self, wish: ApplicationWish, address: str) -> ApplicationReceipt:
        """Apply; the answer comes at once, or the instant until which a person answers."""
        self._door.permit(PUBLIC, FILE)
        self._turnstile.enter("apply", network(address))
        with self._database.transaction() as tx:
            row, code = self._intake.apply_in(tx, PUBLIC, wish.item, wish.values, "citizen", self._city.clock.now())
        return self._shown.receipt(row, code)

    def follow(self, number: str, code: str, address: str) -> PublicApplication:
        """How an application stands. A wrong code and an unknown number get the same answer: :class:`NotFound`."""
        self._turnstile.enter("look", network(address))
        with self._database.reading() as session:
            return self._view(session, self._held(session, number, code))

    def appeal(self, number: str, wish: Appeal, address: str) -> PublicApplication:
        """Appeal against a refusal or revocation, once and in time; raises :class:`Conflict` otherwise."""
        self._door.permit(PUBLIC, FILE)
        self._turnstile.enter("look", network(address))
        now = self._city.clock.now()
        with self._database.transaction() as tx:
            row = self._held(tx.session, number, wish.code, alone=True)
            item = self._book.items[row.item]
            problem = appeal_refused(item, standing(row), now)
            if problem is not None:
                raise problem
            before, row.state, row.appeals = row.state, "appealed", row.appeals + 1
            turns = self._ledger.turns(item.appeal.limit, row.department, now)
            row.due_at, row.remind_at, row.reminded = turns.red_at, turns.yellow_at, ""
            self._ledger.moved(tx, row, "appeal", before, PUBLIC.id, wish.words, now)
            tx.flush()
            return self._view(tx.session, row)

    def _view(self, session: Session, row: ApplicationRow) -> PublicApplication:
        item = self._book.items[row.item]
        can_appeal = appeal_refused(item, standing(row), self._city.clock.now()) is None
        return self._shown.public(row, entries_of(session, row.id), can_appeal)

    def _held(self, session: Session, number: str, code: str, *, alone: bool = False) -> ApplicationRow:
        query = select(ApplicationRow).where(ApplicationRow.number == number.strip().upper())
        row = session.scalars(query.with_for_update() if alone else query).first()
        if not opens(code, row.code_hash if row else None) or row is None or row.item not in self._book.items:
            raise PHRASES.problem(NotFound, "not-found")
        return row
