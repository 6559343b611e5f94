"""The commander: takes orders, has them confirmed, taken back or settled. ``delivery`` sends them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Protected
from cityloop.command import undoing
from cityloop.command.contact import Contacts
from cityloop.command.declarations import Command, Device, span
from cityloop.command.delivery import Delivery
from cityloop.command.models import CommandRow
from cityloop.command.phrases import PHRASES
from cityloop.command.schemas import (
    CommandDetail,
    CommandFilter,
    CommandKind,
    CommandState,
    CommandView,
    ContactView,
    Order,
    Outcome,
    Rehearsed,
    Verdict,
    VerdictReason,
)
from cityloop.command.store import Store, order_of, reason
from cityloop.command.surroundings import CONFIRM, ENTITY, Observed, Surroundings
from cityloop.command.verdict import Facts, expiry, verdict
from cityloop.command.views import Views
from cityloop.command.wires import Wire
from cityloop.core.clock import Clock
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import AccessDenied, Conflict, Invalid, Problem
from cityloop.core.ids import new_id
from cityloop.core.outbox import Outbox
from cityloop.core.values import Page, Title
from cityloop.core.web import Paging

P = TypeVar("P", bound=Problem)


class Commander:
    """One for each city. Without :meth:`start` nothing is sent; orders wait."""

    def __init__(
        self,
        devices: Mapping[str, Device],
        *,
        wires: Mapping[str, Wire],
        observed: Observed,
        database: Database,
        outbox: Outbox,
        door: Door,
        audit: Audit,
        clock: Clock,
    ) -> None:
        door.register(Protected(ENTITY, department="department", area="area", owners=("ordered_by",)))
        self._door = door
        self._clock = clock
        self._database = database
        self._store = Store(database, outbox, audit)
        self._around = Surroundings(devices, observed, door, wires)
        self._delivery = Delivery(self._store, self._around, clock)
        self._contacts = Contacts(database, outbox, audit, self._around, observed)
        self._views = Views(database, self._around, observed, door)

    def start(self) -> None:
        """Open the wires."""
        self._delivery.start()

    def stop(self) -> None:
        """Close the wires; what is under way goes on after the next start."""
        self._delivery.stop()

    def tick(self, now: datetime) -> int:
        """Send, follow and give up what is due, and look at who is out of contact; returns how much was done."""
        return self._delivery.step(now) + self._contacts.step(now)

    def observed(self, entity_type: str) -> None:
        """There are new observations of a type: effects may show at the next tick."""
        self._delivery.observed(entity_type)

    @property
    def troubles(self) -> Mapping[str, str]:
        """Wires that do not work now, with why."""
        return self._delivery.troubles

    def order(
        self, order: Order, actor: Actor, now: datetime | None = None, tx: Transaction | None = None
    ) -> CommandView:
        """Give an order; a refused one is kept as ``refused`` with what stands against it.

        The same key again gives the same command. Raises :class:`Invalid` for an entity or command that does not exist
        and :class:`Conflict` for a key of another order.
        """
        now = now or self._clock.now()
        with self._writing(tx) as own:
            row = self._known(own, order) or self._give(own, order, actor, now)
            return self._views.view(row, actor)

    def dry_run(self, order: Order, actor: Actor, now: datetime | None = None) -> Rehearsed:
        """What an order would meet now; nothing is kept or sent."""
        now = now or self._clock.now()
        with self._database.reading() as session:
            facts = self._around.facts(session, order, actor, now)
        device, command = self._declared(order)
        found = verdict(device, order, facts, now)
        return Rehearsed(
            verdict=found,
            state=dict(facts.entity.state) if facts.entity and facts.asker.sees else {},
            observed_at=facts.entity.at if facts.entity and facts.asker.sees else None,
            effect=command.effect.title if command else None,
            undo=command.undo.command if command and command.undo else None,
        )

    def confirm(self, command: str, actor: Actor, why: str) -> CommandView:
        """A second person agrees; everything is checked once more first. Raises :class:`Conflict` with the reasons."""
        now = self._clock.now()
        with self._writing() as tx:
            row = self._seen(tx, command, actor)
            self._as_second_person(row, actor)
            order = order_of(row)
            facts = self._around.facts(tx.session, order, SYSTEM, now)
            device, declared = self._declared(order)
            found = verdict(device, order, facts, now)
            against = [item for item in found.against if item.check not in ("authority", "sight", "rate")]
            if against:
                raise _refusal(Conflict, against, command=row.id)
            row.confirmed_by, row.before, row.next_at = actor.id, _state(facts), now
            row.expires_at = expiry(declared, order, now) if declared else row.expires_at
            self._store.note(tx, row, now, actor.id, "confirmed", PHRASES.what("by_person", reason=why))
            self._store.move(tx, row, "ordered", now, actor.id)
        return self._view(command, actor)

    def refuse(self, command: str, actor: Actor, why: str) -> CommandView:
        """A second person says no, or whoever ordered it takes it back before it was confirmed."""
        now = self._clock.now()
        with self._writing() as tx:
            row = self._seen(tx, command, actor)
            _must_be(row, ("proposed",), "refused")
            if actor.id != row.ordered_by:
                self._as_second_person(row, actor)
            said = PHRASES.what("by_person", reason=why)
            row.reasons = [reason("second_person", said)]
            self._store.move(tx, row, "refused", now, actor.id, said)
        return self._view(command, actor)

    def undo(
        self, command: str, actor: Actor, why: str, now: datetime | None = None, tx: Transaction | None = None
    ) -> CommandView:
        """Take a command back by the declared way, under the same checks as any order; returns the order that does it.

        One that was not sent yet is cancelled and returned itself. Raises :class:`Conflict` when there is no way back.
        """
        now = now or self._clock.now()
        with self._writing(tx) as own:
            row = self._seen(own, command, actor)
            self._door.permit(actor, "command.order")
            if row.state in ("proposed", "ordered") and row.sent_at is None:
                self._store.move(own, row, "undone", now, actor.id, PHRASES.what("nothing_sent"))
                return self._views.view(row, actor)
            _must_be(row, ("sent", "acknowledged", "done", "unknown"), "undone")
            device, declared = self._declared(order_of(row))
            order = undoing.order_of(row, device, declared, why)
            back = self._known(own, order) or self._give(own, order, actor, now, row.id)
            row.undone_by = back.id if back.state != "refused" else None
            return self._views.view(back, actor)

    def settle(self, command: str, actor: Actor, why: str, outcome: Outcome) -> CommandView:
        """A person found out what became of a command whose outcome was unknown."""
        now = self._clock.now()
        with self._writing() as tx:
            row = self._seen(tx, command, actor)
            self._door.permit(actor, CONFIRM)
            _must_be(row, ("unknown",), "settled")
            said = PHRASES.what("by_person", reason=why)
            self._store.move(tx, row, outcome, now, actor.id, said, {"settled": True})
        return self._view(command, actor)

    def get(self, actor: Actor, command: str) -> CommandDetail:
        """One command with its history; raises :class:`NotFound`."""
        return self._views.detail(actor, command)

    def list(self, actor: Actor, wanted: CommandFilter, paged: Paging) -> Page[CommandView]:
        """Commands in the actor's sight, the newest first."""
        return self._views.page(actor, wanted, paged)

    def lost_contacts(self, actor: Actor, paged: Paging, open: bool | None) -> Page[ContactView]:
        """Devices that are or were out of contact."""
        return self._views.contacts(actor, paged, open)

    def kinds(self, actor: Actor, entity_type: str | None = None) -> tuple[CommandKind, ...]:
        """What may be ordered, with whether the actor's posts may at all."""
        return self._views.kinds(actor, entity_type)

    def _give(
        self, tx: Transaction, order: Order, actor: Actor, now: datetime, undo_of: str | None = None
    ) -> CommandRow:
        self._store.turn(tx)
        tx.flush()
        facts = self._around.facts(tx.session, order, actor, now)
        device, command = self._declared(order)
        found = verdict(device, order, facts, now)
        if device is None or command is None or facts.entity is None:
            raise _refusal(Invalid, found.against)
        row = CommandRow(
            id=new_id("cmd"),
            **order.model_dump(include={"key", "entity", "entity_type", "command", "run", "reason", "exercise"}),
            parameters=found.parameters,
            state=_first(found),
            level=found.level,
            department=facts.entity.department,
            area=facts.entity.area,
            verdict=found.model_dump(),
            reasons=[item.model_dump() for item in found.against],
            before=_state(facts),
            tries=0,
            ordered_by=actor.id,
            ordered_at=now,
            expires_at=_until(command, order, found, now),
            asked_until=order.expires,
            undo_of=undo_of,
        )
        row.next_at = {"ordered": now, "proposed": row.expires_at}.get(row.state)
        row.ended_at = now if row.state == "refused" else None
        self._store.put(tx, row, actor.id, PHRASES.what("by_person", reason=order.reason))
        return row

    def _known(self, tx: Transaction, order: Order) -> CommandRow | None:
        row = self._store.by_key(tx, order.key)
        if row and (row.entity, row.entity_type, row.command) != (order.entity, order.entity_type, order.command):
            raise PHRASES.problem(Conflict, "key_taken", key=order.key, command=row.id)
        return row

    def _declared(self, order: Order) -> tuple[Device | None, Command | None]:
        device = self._around.devices.get(order.entity_type)
        return device, device.command(order.command) if device else None

    def _seen(self, tx: Transaction, command: str, actor: Actor) -> CommandRow:
        row = self._store.get(tx, command)
        self._views.must_see(actor, row)
        return row

    def _as_second_person(self, row: CommandRow, actor: Actor) -> None:
        """Raise unless the actor is another person who may confirm this command, and it waits for one."""
        self._door.permit(actor, CONFIRM)
        _must_be(row, ("proposed",), "confirmed")
        posts = Verdict.model_validate(row.verdict).confirmers
        if actor.id == row.ordered_by:
            raise PHRASES.problem(AccessDenied, "same_person")
        if set(posts).isdisjoint(actor.posts):
            raise PHRASES.problem(AccessDenied, "no_confirmer", actor=actor.id, posts=", ".join(posts))

    def _view(self, command: str, actor: Actor) -> CommandView:
        return self._views.detail(actor, command).command

    @contextmanager
    def _writing(self, tx: Transaction | None = None) -> Iterator[Transaction]:
        """The transaction of the caller, or one of its own."""
        if tx is not None:
            yield tx
            return
        with self._database.transaction() as own:
            yield own


def _first(found: Verdict) -> CommandState:
    if not found.allowed:
        return "refused"
    return "proposed" if found.second_person else "ordered"


def _until(command: Command, order: Order, found: Verdict, now: datetime) -> datetime:
    """Until when it may be sent, or confirmed where another person must."""
    if not (found.second_person and command.second_person):
        return expiry(command, order, now)
    waits = now + span(command.second_person.within)
    return min(waits, order.expires) if order.expires else waits


def _state(facts: Facts) -> dict[str, object]:
    return dict(facts.entity.state) if facts.entity else {}


def _must_be(row: CommandRow, states: tuple[CommandState, ...], what: str) -> None:
    if row.state not in states:
        raise PHRASES.problem(Conflict, "state", state=row.state, what=what)


def refusal_of(view: CommandView) -> Problem:
    """A refused command as the problem that a caller gets: authority 403, everything else 409."""
    against = [item for item in view.reasons if not item.fits]
    denied = any(item.check in ("authority", "sight") for item in against)
    return _refusal(AccessDenied if denied else Conflict, against, command=view.id)


def _refusal(kind: type[P], against: Sequence[VerdictReason], **more: str) -> P:
    told = Title(zh="；".join(item.said.zh for item in against), en="; ".join(item.said.en for item in against))
    refusal = PHRASES.problem(kind, "refused", reasons=told)
    refusal.more = {**refusal.more, **more, "reasons": [item.model_dump() for item in against]}
    return refusal
