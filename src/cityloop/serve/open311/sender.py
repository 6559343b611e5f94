"""Cases of chosen departments go to those departments' own systems, and what these say comes back onto the case.

GeoReport v2 knows no repeated request: a case whose arrival is not known is never sent again by itself.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import ColumnElement, delete, select, update

from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.cases.models import CaseRow
from cityloop.cases.service import CaseDesk
from cityloop.citizen.plain import clean
from cityloop.city.service import City
from cityloop.core.clock import Clock, SystemClock
from cityloop.core.database import Database, Transaction
from cityloop.core.outbox import Event
from cityloop.serve.delivery import Doubtful, NotYet, Refused
from cityloop.serve.open311.client import Partner, Remote
from cityloop.serve.open311.content import Open311File, Recipient
from cityloop.serve.open311.models import SentRow
from cityloop.serve.open311.sent import STUCK, SentCases
from cityloop.serve.timers import Timers

STEP_SECONDS = 5.0
POLL = timedelta(minutes=10)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
_BATCH = 20


class Sender:
    """Sends, retries, asks for news; without recipients it does nothing."""

    def __init__(
        self,
        file: Open311File | None,
        *,
        database: Database,
        desk: CaseDesk,
        city: City,
        door: Door,
        audit: Audit,
        clock: Clock | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._recipients: dict[str, Recipient] = {one.id: one for one in (file.send if file else ())}
        self._partners = {id: Partner(one, transport) for id, one in self._recipients.items()}
        self._database, self._desk, self._city = database, desk, city
        self._clock = clock or SystemClock()
        self.sent = SentCases(self._recipients, database=database, door=door, audit=audit, city=city, clock=self._clock)
        self._timers = Timers({"open311": self.step}, STEP_SECONDS)

    @property
    def active(self) -> bool:
        """Whether the city sends cases anywhere."""
        return bool(self._recipients)

    @property
    def troubles(self) -> Mapping[str, str]:
        """Recipients with cases that wait for a person, for the health of the house."""
        if not self.active:
            return {}
        query = select(SentRow.recipient, SentRow.state).where(SentRow.state.in_(STUCK))
        with self._database.reading() as session:
            stuck = [recipient for recipient, _ in session.execute(query)]
        return {one: f"{stuck.count(one)} cases were not taken or may not have arrived" for one in dict.fromkeys(stuck)}

    def start(self) -> None:
        """Begin; what was being sent when the program ended may have arrived or not."""
        if not self.active:
            return
        lost = update(SentRow).where(SentRow.state == "sending")
        with self._database.transaction() as tx:
            tx.session.execute(lost.values(state="doubtful", error="the program ended while it was being sent"))
        self._timers.start()

    def stop(self) -> None:
        """End in good order."""
        self._timers.stop()
        for partner in self._partners.values():
            partner.close()

    def take(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Relay handler: a case that has come to a chosen department is noted for its system, once."""
        for event in events:
            case = event.data["case"]
            for one in self._recipients.values():
                if case["department"] == one.department and case["closed_at"] is None:
                    self._note(tx, case, one)

    def step(self) -> int:
        """Send and ask whatever is due; returns how many."""
        now = self._clock.now()
        due = select(SentRow).where(SentRow.state.in_(("waiting", "sent")), SentRow.next_at <= now)
        with self._database.reading() as session:
            rows = builtins.list(session.scalars(due.order_by(SentRow.next_at).limit(_BATCH)))
        for row in rows:
            if row.recipient in self._recipients:
                self._send(row) if row.state == "waiting" else self._ask(row)
        return len(rows)

    def _note(self, tx: Transaction, case: Mapping[str, Any], one: Recipient) -> None:
        known = one.service_of(case["matter"]) is not None
        row = {
            "case": case["id"],
            "recipient": one.id,
            "state": "waiting" if known else "refused",
            "attempts": 0,
            "next_at": self._clock.now(),
            "token": None,
            "number": None,
            "status": None,
            "notes": None,
            "error": None if known else f"'services' of {one.id} names no code for {case['matter']}",
        }
        tx.insert_missing(SentRow, row)

    def _send(self, row: SentRow) -> None:
        one = self._recipients[row.recipient]
        with self._database.transaction() as tx:
            case = tx.session.get_one(CaseRow, row.case)
            if not case.open or case.department != one.department:
                # It has moved on since; should it come back, its next move notes it anew.
                tx.session.execute(delete(SentRow).where(_is(row)))
                return
            fields = self._fields(case, one)
            self._set(tx, row, state="sending", attempts=row.attempts + 1)
        try:
            found = self._partners[one.id].post(fields)
        except NotYet as error:
            wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(row.attempts, 12))
            self._keep(row, state="waiting", next_at=self._clock.now() + wait, error=str(error)[:500])
        except (Refused, Doubtful) as error:
            state = "refused" if isinstance(error, Refused) else "doubtful"
            self._keep(row, state=state, error=str(error)[:500])
        else:
            self._arrived(row, one, found)

    def _arrived(self, row: SentRow, one: Recipient, found: Remote) -> None:
        values = {"state": "sent", "number": found.number, "token": found.token, "error": None}
        with self._database.transaction() as tx:
            self._set(tx, row, **values, next_at=self._clock.now() + POLL)
            facts = {"system": one.title.model_dump(), "remote": found.number or found.token}
            self._desk.relay_in(tx, row.case, facts, self._city.clock.now())

    def _ask(self, row: SentRow) -> None:
        partner, later = self._partners[row.recipient], self._clock.now() + POLL
        try:
            number = row.number or (partner.number_of(row.token) if row.token else None)
            found = partner.news(number) if number else Remote()
        except NotYet as error:
            self._keep(row, next_at=later, error=str(error)[:500])
            return
        values: dict[str, Any] = {"number": found.number, "status": found.status, "notes": found.notes, "error": None}
        with self._database.transaction() as tx:
            self._set(tx, row, **values, state="ended" if found.status == "closed" else "sent", next_at=later)
            if (found.status, found.notes) != (row.status, row.notes):
                title = self._recipients[row.recipient].title.model_dump()
                facts = {"system": title, "remote": found.number, "status": found.status, "notes": found.notes}
                self._desk.relay_in(tx, row.case, facts, self._city.clock.now())

    def _fields(self, case: CaseRow, one: Recipient) -> dict[str, str]:
        """What the other system gets: no names, no phones."""
        known = (case.reporter_name, case.reporter_phone)
        words = clean("\n".join(filter(None, (case.title, case.description))), known)
        return {
            "service_code": one.service_of(case.matter) or "",
            "lat": f"{case.lat:.6f}",
            "long": f"{case.lon:.6f}",
            "address_string": clean(case.address, known),
            "description": words[:4000],
        }

    def _keep(self, row: SentRow, **values: Any) -> None:
        with self._database.transaction() as tx:
            self._set(tx, row, **values)

    def _set(self, tx: Transaction, row: SentRow, **values: Any) -> None:
        tx.session.execute(update(SentRow).where(_is(row)).values(**values))


def _is(row: SentRow) -> ColumnElement[bool]:
    return (SentRow.case == row.case) & (SentRow.recipient == row.recipient)
