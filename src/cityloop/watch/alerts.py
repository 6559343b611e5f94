"""Warnings of others: CAP messages that come in, each chain of alert, update and cancel one warning of ours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import select

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.door import Door
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import Invalid, NotFound
from cityloop.core.ids import new_id
from cityloop.core.values import Title
from cityloop.watch.cap import CapMessage, read
from cityloop.watch.cap_cases import CapCase, case_of
from cityloop.watch.cards import Describe
from cityloop.watch.models import CAP_RULE, CapMessageRow, WarningRow
from cityloop.watch.places import name_of
from cityloop.watch.rules import LEVELS
from cityloop.watch.schemas import CapReceipt, Evidence, NewOutcome
from cityloop.watch.store import Store

PERMISSION = "warning.report"
_ENTITY_TYPE = "CapAlert"
_ACTED_ON = ("Actual", "Exercise")
_EXPIRED = Title(zh="已过有效期，未收到解除", en="its term has ended; no cancellation came")


class Alerts:
    """Takes CAP messages, each once, and ends those whose term has ended."""

    def __init__(
        self,
        database: Database,
        door: Door,
        store: Store,
        describe: Describe,
        now: Callable[[], datetime],
        cases: Sequence[CapCase] = (),
    ) -> None:
        self._database, self._door, self._store, self._describe, self._now = database, door, store, describe, now
        self._cases = tuple(cases)

    def take(self, actor: Actor, body: bytes) -> CapReceipt:
        """Act on one message; the same message again changes nothing.

        Raises :class:`Invalid` for one that is not CAP 1.2 or only a test, :class:`NotFound` for the cancellation of
        something unknown.
        """
        self._door.permit(actor, PERMISSION)
        message = read(body)
        if message.status not in _ACTED_ON:
            raise Invalid(f"a message of status {message.status} is not acted on", "send Actual or Exercise")
        with self._database.transaction() as tx:
            known = tx.session.get(CapMessageRow, (message.sender, message.identifier))
            if known is not None:
                return CapReceipt(identifier=message.identifier, warning=known.warning, acted="known")
            acted, row = self._act(tx, message)
            tx.session.add(
                CapMessageRow(
                    sender=message.sender,
                    identifier=message.identifier,
                    sent=message.sent,
                    expires=message.expires,
                    warning=row.id if row else None,
                )
            )
            return CapReceipt.model_validate(
                {"identifier": message.identifier, "warning": row.id if row else None, "acted": acted}
            )

    def step(self, now: datetime) -> int:
        """Clear the warnings whose last message has expired; returns how many."""
        still = select(WarningRow).where(WarningRow.rule == CAP_RULE, WarningRow.status == "open")
        with self._database.reading() as session:
            due = [row.id for row in session.scalars(still) if (until := _until(row)) and until <= now]
        for warning in due:
            with self._database.transaction() as tx:
                row = tx.session.get_one(WarningRow, warning)
                if row.status == "open":
                    self._store.clear(tx, row, math.nan, _EXPIRED, now, {"records": [], "trace": []})
        return len(due)

    def _act(self, tx: Transaction, message: CapMessage) -> tuple[str, WarningRow | None]:
        row = self._referred(tx, message)
        if message.kind in ("Ack", "Error"):
            return "noted", row
        if message.kind == "Cancel":
            if row is None:
                raise NotFound(f"none of {', '.join(message.references)} is known here", "send the alert first")
            if row.status == "open":
                self._store.clear(tx, row, math.nan, message.headline, self._now(), _told(message))
            return "cleared", row
        if row is None or row.status != "open":
            return "raised", self._raise(tx, message)
        row.evidence = _evidence(message)
        self._give(row, message)
        row.message = message.headline.model_dump()
        self._store.relevel(tx, row, message.level, message.headline, self._now(), _told(message))
        return "updated", row

    def _referred(self, tx: Transaction, message: CapMessage) -> WarningRow | None:
        for identifier in reversed(message.references):
            found = tx.session.get(CapMessageRow, (message.sender, identifier))
            if found is not None and found.warning:
                return tx.session.get(WarningRow, found.warning)
        return None

    def _raise(self, tx: Transaction, message: CapMessage) -> WarningRow:
        now, place = self._now(), None
        if message.lon is not None and message.lat is not None:
            place = self._describe(_ENTITY_TYPE, name_of("", (message.lon, message.lat)))
        row = WarningRow(
            id=new_id("wrn"),
            rule=CAP_RULE,
            rule_version="1.2",
            title=message.title.model_dump(),
            message=message.headline.model_dump(),
            entity=f"{message.sender}:{message.identifier}"[:120],
            entity_type=_ENTITY_TYPE,
            entity_title=message.area.model_dump(),
            property="",
            unit="",
            level=message.level,
            rank=LEVELS.index(message.level) + 1,
            peak=message.level,
            status="open",
            value=float(LEVELS.index(message.level) + 1),
            threshold=0.0,
            raised_at=now,
            updated_at=now,
            area=place.area if place else None,
            district=place.district if place else None,
            lon=message.lon,
            lat=message.lat,
            evidence=_evidence(message),
        )
        self._give(row, message)
        self._store.open(tx, row, message.headline, _told(message))
        if message.status == "Exercise":
            self._store.label(tx, row, NewOutcome(outcome="drill"), SYSTEM, now)
        return row

    def _give(self, row: WarningRow, message: CapMessage) -> None:
        """Let a warning open a case where the city says so; what was given once, or by a person, stays."""
        case = case_of(self._cases, message)
        if case is not None and row.matter is None:
            row.matter, row.department = case.matter, row.department or case.department


def _evidence(message: CapMessage) -> dict[str, object]:
    """The message as evidence: from when to when it counts, and its headline."""
    return Evidence(
        aggregate=CAP_RULE,
        window_from=message.sent,
        window_to=message.expires or message.sent,
        thresholds={},
        hold_seconds=0,
        points=[],
        trace=[message.headline],
    ).model_dump(mode="json")


def _told(message: CapMessage) -> dict[str, object]:
    return {"records": [f"{message.sender},{message.identifier}"], "trace": [message.headline.model_dump()]}


def _until(row: WarningRow) -> datetime | None:
    """When the last message of a warning expires; empty for one without a term."""
    start, end = (datetime.fromisoformat(row.evidence[name]) for name in ("window_from", "window_to"))
    return end if end > start else None
