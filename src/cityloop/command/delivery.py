"""Orders on their way: sent, sent again, answered, and held against the data until their effect is seen.

Nothing is assumed: an order whose effect the data never showed ends as ``unknown`` and waits for a person. Every step
is one commit; a process that was killed in between goes on with the same key, so a device never does a thing twice.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection
from datetime import datetime, timedelta

from cityloop.access.actor import SYSTEM
from cityloop.command.declarations import Command, Device, span
from cityloop.command.models import CommandRow
from cityloop.command.phrases import PHRASES
from cityloop.command.schemas import CommandState
from cityloop.command.store import Store, order_of, reason
from cityloop.command.surroundings import Surroundings
from cityloop.command.verdict import Seen, holds, safe_to_send
from cityloop.command.wires import Answer, Message, NotSent, Rejected
from cityloop.core.clock import Clock
from cityloop.core.database import Transaction
from cityloop.core.values import Title

log = logging.getLogger(__name__)
AGAIN_SECONDS = 5
"""A wire that is down is tried again after so many seconds of city time."""


class Delivery:
    """One for each city: a timer steps it, wires tell it what they heard, the collector what is new."""

    def __init__(self, store: Store, around: Surroundings, clock: Clock) -> None:
        self._store = store
        self._around = around
        self._clock = clock
        self._turn = threading.Lock()
        self._changed: set[str] = set(around.devices)
        self.troubles: dict[str, str] = {}

    def start(self) -> None:
        """Open the wires."""
        for wire in set(self._around.wires.values()):
            wire.start(self.heard)

    def stop(self) -> None:
        """Close the wires."""
        for wire in set(self._around.wires.values()):
            wire.stop()

    def observed(self, entity_type: str) -> None:
        """There are new observations of a type: effects may show at the next step."""
        if entity_type in self._around.devices:
            with self._turn:
                self._changed.add(entity_type)

    def step(self, now: datetime) -> int:
        """Look for effects, then do what is due; returns how many commands were looked at."""
        with self._turn:
            changed, self._changed = self._changed, set()
        looked = self._look(changed, now)
        due = self._store.due(now)
        for row in due:
            self._due(row, now)
        self.troubles = {name: wire.trouble for name, wire in self._around.wires.items() if wire.trouble}
        return looked + len(due)

    def heard(self, answer: Answer) -> None:
        """Keep what a device says; an answer for an unknown or ended command changes nothing."""
        now = self._clock.now()
        with self._store.database.transaction() as tx:
            row = self._found(tx, answer.id)
            if row is None or row.state not in ("ordered", "sent", "acknowledged", "unknown"):
                log.info("an answer '%s' for command %s came when nobody waited for it", answer.state, answer.id)
                return
            if answer.state == "refused":
                said = PHRASES.what("device_refused", reason=answer.reason or "–")
                row.reasons = [reason("device", said)]
                self._store.move(tx, row, "refused", now, row.entity, said)
            elif row.state == "acknowledged":
                self._store.note(tx, row, now, row.entity, f"says {answer.state}")
            else:
                self._acknowledge(tx, row, answer, now)

    def _acknowledge(self, tx: Transaction, row: CommandRow, answer: Answer, now: datetime) -> None:
        """A late answer counts too: the order is followed again."""
        _, command = self._declared(row)
        row.acknowledged_at = row.acknowledged_at or now
        row.sent_at = row.sent_at or now
        row.tries = max(row.tries, 1)
        row.next_at = now + span(command.effect.within) if command else now
        self._store.move(tx, row, "acknowledged", now, row.entity, detail={"says": answer.state})

    def _due(self, row: CommandRow, now: datetime) -> None:
        if row.state == "proposed":
            self._end(row, "expired", now, "not_confirmed")
        elif row.state == "ordered":
            self._first(row, now)
        elif row.state in ("sent", "acknowledged"):
            self._again(row, now)

    def _first(self, row: CommandRow, now: datetime) -> None:
        device, command = self._declared(row)
        if row.expires_at <= now or device is None or command is None:
            self._end(row, "expired", now, "not_sent")
        elif row.exercise:
            self._play(row, now)
        elif self._still_safe(row, device, command, now):
            self._send(row, device, command, now)

    def _still_safe(self, row: CommandRow, device: Device, command: Command, now: datetime) -> bool:
        """Look at the interlocks once more and keep the state from before; from here on it may have been sent.

        A command that was being handed over when the process was killed is only sent again while that is safe.
        """
        with self._store.database.transaction() as tx:
            kept = self._store.get(tx, row.id)
            if kept.state != "ordered":
                return False
            facts = self._around.facts(tx.session, order_of(kept), SYSTEM, now)
            against = safe_to_send(device, command, facts, kept.parameters, now)
            if against:
                kept.reasons, kept.next_at = [item.model_dump() for item in against], None
                state: CommandState = "unknown" if kept.sent_at else "refused"
                self._store.move(tx, kept, state, now, SYSTEM.id, against[0].said)
                return False
            if kept.sent_at is None and facts.entity is not None:
                kept.before = dict(facts.entity.state)
            kept.sent_at = kept.sent_at or now
            return True

    def _send(self, row: CommandRow, device: Device, command: Command, now: datetime) -> None:
        """Hand over, then keep that it was: killed in between, it is handed over again with the same key."""
        wire = self._around.wires.get(device.wire)
        message = Message(row.id, row.key, row.entity_type, row.entity, row.command, row.parameters, row.expires_at)
        answer: Answer | None = None
        try:
            if wire is None:
                raise NotSent(f"no wire '{device.wire}'")
            answer = wire.send(message)
        except NotSent as trouble:
            self._put_off(row, str(trouble), now)
            return
        except Rejected as refusal:
            self._end(row, "failed", now, "wire_refused", reason=str(refusal))
            return
        with self._store.database.transaction() as tx:
            kept = self._store.get(tx, row.id)
            kept.tries += 1
            if kept.state in ("ordered", "sent", "acknowledged"):
                kept.next_at = now + span(command.acknowledge)
                self._store.move(tx, kept, "sent", now, SYSTEM.id, detail={"try": kept.tries})
        if answer is not None:
            self.heard(answer)

    def _put_off(self, row: CommandRow, why: str, now: datetime) -> None:
        with self._store.database.transaction() as tx:
            kept = self._store.get(tx, row.id)
            if kept.next_at is not None:
                kept.next_at = now + timedelta(seconds=AGAIN_SECONDS)
            if kept.tries == 0:
                kept.sent_at = None
            if kept.tries == 0 and why not in (item["said"]["en"] for item in kept.reasons):
                kept.reasons = [reason("wire", Title(zh=why, en=why))]

    def _again(self, row: CommandRow, now: datetime) -> None:
        """No answer, or no effect, in time: once more while it is valid, then a person."""
        device, command = self._declared(row)
        if device is None or command is None or row.tries >= command.tries or row.expires_at <= now:
            self._give_up(row, command, now)
        else:
            self._send(row, device, command, now)

    def _give_up(self, row: CommandRow, command: Command | None, now: datetime) -> None:
        if row.state == "acknowledged":
            said = PHRASES.what("no_effect", title=command.effect.title if command else row.command)
        else:
            said = PHRASES.what("no_answer", tries=row.tries)
        with self._store.database.transaction() as tx:
            kept = self._store.get(tx, row.id)
            if kept.state == row.state and kept.next_at == row.next_at:
                kept.next_at, kept.reasons = None, [reason("effect", said)]
                self._store.move(tx, kept, "unknown", now, SYSTEM.id, said)

    def _play(self, row: CommandRow, now: datetime) -> None:
        """An exercise ends at once, and says that nothing was sent."""
        with self._store.database.transaction() as tx:
            kept = self._store.get(tx, row.id)
            if kept.state == "ordered":
                self._store.move(tx, kept, "done", now, SYSTEM.id, PHRASES.what("exercise"))

    def _end(self, row: CommandRow, state: CommandState, now: datetime, code: str, **parts: object) -> None:
        said = PHRASES.what(code, **parts)
        with self._store.database.transaction() as tx:
            kept = self._store.get(tx, row.id)
            if kept.state == row.state:
                kept.reasons = [*kept.reasons, reason("delivery", said)]
                self._store.move(tx, kept, state, now, SYSTEM.id, said)

    def _look(self, changed: Collection[str], now: datetime) -> int:
        """Hold what was sent against the newest data."""
        rows = self._store.awaited(sorted(changed), now)
        for row in rows:
            _, command = self._declared(row)
            if command is not None:
                self._judge(row, command, now)
        return len(rows)

    def _judge(self, row: CommandRow, command: Command, now: datetime) -> None:
        """Whether the effect shows in what was observed since it was sent, and has lasted as long as is declared."""
        with self._store.database.reading() as session:
            seen = self._around.seen(session, row.entity_type, row.entity)
        if seen is None or seen.at is None or row.sent_at is None or seen.at <= row.sent_at:
            return
        shows = _shows(command, row, seen)
        since = (row.seen_at or seen.at) if shows else None
        lasted = since is not None and (command.effect.steady is None or now - since >= span(command.effect.steady))
        if since == row.seen_at and not lasted:
            return
        with self._store.database.transaction() as tx:
            kept = self._store.get(tx, row.id)
            if kept.state not in ("sent", "acknowledged", "unknown"):
                return
            kept.seen_at = since
            if lasted:
                self._store.move(tx, kept, "done", now, SYSTEM.id, command.effect.title)
                self._mark_undone(tx, kept, now)
            elif since is None:
                self._store.note(tx, kept, now, SYSTEM.id, "effect lost", command.effect.title)

    def _mark_undone(self, tx: Transaction, row: CommandRow, now: datetime) -> None:
        """A way back that was gone to its end undoes what it was ordered for."""
        first = self._found(tx, row.undo_of) if row.undo_of else None
        if first is not None and first.state != "undone":
            first.undone_by, first.next_at = row.id, None
            self._store.move(tx, first, "undone", now, SYSTEM.id, PHRASES.what("undone", command=row.id))

    def _found(self, tx: Transaction, command: str) -> CommandRow | None:
        locked = self._store.database.dialect == "postgresql"
        return tx.session.get(CommandRow, command, with_for_update=locked)

    def _declared(self, row: CommandRow) -> tuple[Device | None, Command | None]:
        device = self._around.devices.get(row.entity_type)
        return device, device.command(row.command) if device else None


def _shows(command: Command, row: CommandRow, seen: Seen) -> bool:
    read = {"state": dict(seen.state), "parameters": row.parameters, "before": row.before, "entity": seen.context()}
    return holds(command.effect.holds, read) is True
