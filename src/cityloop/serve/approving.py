"""Instant approval, wired: registers are tables or the state of entities, answers come from decision tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.turnstile import Turnstile
from cityloop.approve.content import ItemBook
from cityloop.approve.desk import ApprovalDesk
from cityloop.approve.intake import Intake
from cityloop.approve.ledger import Ledger
from cityloop.approve.public import PublicApprovals
from cityloop.approve.rates import Again, Supervision
from cityloop.approve.registers import Registers
from cityloop.approve.shown import Shown
from cityloop.city.service import City
from cityloop.collect.service import Collector
from cityloop.core.clock import SystemClock
from cityloop.core.database import Database
from cityloop.core.outbox import Outbox
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.decide.models import DecisionRow, DecisionTableRow
from cityloop.decide.ready import prepare
from cityloop.decide.service import Decider
from cityloop.serve.public import rules


@dataclass(frozen=True)
class Approvals:
    """The services of the room."""

    desk: ApprovalDesk
    public: PublicApprovals
    supervision: Supervision

    def all(self) -> tuple[Any, ...]:
        """For the house's list of services."""
        return self.desk, self.public, self.supervision


def open_approvals(
    settings: Settings,
    book: ItemBook,
    collector: Collector,
    decider: Decider,
    *,
    database: Database,
    outbox: Outbox,
    door: Door,
    audit: Audit,
    city: City,
    names: Callable[[str], Title],
) -> Approvals:
    """All three. Limits run on the machine's own time, like those of the citizen's page."""
    registers = Registers(
        door=door, audit=audit, definitions=book.registers, tables=book.tables, state_of=_state_of(collector)
    )
    ledger, shown = Ledger(outbox, audit, city), Shown(city, book, registers, names)
    intake = Intake(city=city, book=book, registers=registers, decide=decider.decide, ledger=ledger)
    kept: dict[str, Any] = {"database": database, "door": door, "city": city, "book": book}
    made: dict[str, Any] = {**kept, "intake": intake, "ledger": ledger, "shown": shown}
    return Approvals(
        desk=ApprovalDesk(**made, audit=audit),
        public=PublicApprovals(**made, turnstile=Turnstile(database, SystemClock(), rules(settings))),
        supervision=Supervision(**kept, registers=registers, again=answer_again(database)),
    )


def _state_of(collector: Collector) -> Callable[[Actor, str], Mapping[str, Any]]:
    def state_of(actor: Actor, entity: str) -> Mapping[str, Any]:
        view = collector.entity(actor, entity)
        return {**view.values, "id": view.id, "title": view.title.zh, "area": view.area}

    return state_of


def answer_again(database: Database) -> Again:
    """Works a stored decision out once more, by the version of its table that made it."""

    def again(decision: str) -> Any:
        with database.reading() as session:
            made = session.get(DecisionRow, decision)
            table = session.get(DecisionTableRow, (made.table, made.version)) if made else None
        return prepare(table.xml, table.table).answer(made.inputs) if made and table else None

    return again
