"""Answers to warnings: each opens a case or joins the open one of the same matter and entity, exactly once.

The relay commits its position in the same transaction; on top, every warning remembers the last event it wrote here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import update

from cityloop.access.actor import SYSTEM
from cityloop.access.audit import Audit
from cityloop.cases.intake import Brought, Intake
from cityloop.cases.models import OPEN, CaseRow, CaseWarningRow
from cityloop.cases.mover import Mover, Wish
from cityloop.cases.schemas import CaseReport
from cityloop.cases.store import CaseStore
from cityloop.cases.values import Case
from cityloop.city.schemas import Position
from cityloop.city.service import City
from cityloop.core.database import Transaction
from cityloop.core.errors import Problem
from cityloop.core.outbox import Event

log = logging.getLogger(__name__)
RAISED, LEVEL, CLEARED = "cityloop.warning.raised", "cityloop.warning.level", "cityloop.warning.cleared"
EVENTS = (RAISED, LEVEL, CLEARED)
_URGENT = ("orange", "red")
_LEVELS = {"blue": "蓝色", "yellow": "黄色", "orange": "橙色", "red": "红色"}


class WarningAnswers:
    """The relay handler for ``cityloop.warning.*``."""

    def __init__(self, *, audit: Audit, city: City, intake: Intake, mover: Mover) -> None:
        self._audit = audit
        self._city = city
        self._intake = intake
        self._mover = mover

    def answer(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Handle some events in order. One that cannot be answered leaves a refused audit line and is passed over."""
        for event in events:
            if event.type in EVENTS:
                self._one(tx, event, event.data["warning"])

    def _one(self, tx: Transaction, event: Event, warning: Mapping[str, Any]) -> None:
        link = tx.session.get(CaseWarningRow, warning["id"])
        if link is not None and event.seq <= link.seq:
            return
        if link is not None:
            self._follow(tx, event, warning, link.case)
        elif event.type in (RAISED, LEVEL) and warning.get("matter") and not warning.get("muted"):
            # A warning of others may come to the level at which the city wants a case only later.
            self._begin(tx, event, warning)

    def _begin(self, tx: Transaction, event: Event, warning: Mapping[str, Any]) -> None:
        same = (CaseRow.matter == warning["matter"]) & (CaseRow.entity == warning["entity"]) & OPEN
        running = CaseStore.of(tx).select(same, limit=1, order=CaseRow.opened_at)
        try:
            case = self._join(tx, running[0], event, warning) if running else self._open(tx, event, warning)
        except Problem as problem:
            log.warning("warning %s opened no case: %s", warning["id"], problem)
            detail = {"reason": str(problem)}
            self._audit.record(tx, self._now(event), SYSTEM.id, "case.answer", warning["id"], detail, "refused")
            return
        tx.session.add(CaseWarningRow(warning=warning["id"], case=case.id, seq=event.seq))
        tx.session.flush()

    def _open(self, tx: Transaction, event: Event, warning: Mapping[str, Any]) -> Case:
        brought = Brought(
            area=warning["area"],
            department=warning["department"] if warning["department"] in self._city.departments else None,
            warning=warning["id"],
            entity=warning["entity"],
        )
        case, _ = self._intake.report(tx, SYSTEM, self._report(warning), self._now(event), brought)
        return case

    def _report(self, warning: Mapping[str, Any]) -> CaseReport:
        message = self._text(warning["message"])
        return CaseReport(
            title=f"{self._text(warning['entity_title'])}：{message}"[:120] if len(message) < 40 else message[:120],
            description=f"{self._text(warning['title'])}\n{message}",
            matter=warning["matter"],
            position=self._position(warning),
            address=self._text(warning["entity_title"])[:200],
            channel="warning",
            external_number=warning["id"],
            urgent=warning["level"] in _URGENT,
            series=warning["series"],
        )

    def _position(self, warning: Mapping[str, Any]) -> Position:
        """The warning's own point, else the centre of its area."""
        if warning["lon"] is not None and warning["lat"] is not None:
            return Position(lon=warning["lon"], lat=warning["lat"])
        centre = self._city.areas.get(warning["area"]).centre if warning["area"] else None
        if centre is None:
            raise Problem(f"warning {warning['id']} has neither a position nor an area with a centre")
        return centre

    def _join(self, tx: Transaction, case: Case, event: Event, warning: Mapping[str, Any]) -> Case:
        told = f"预警并入：{warning['message']['zh']}" if self._zh else f"warning joined: {warning['message']['en']}"
        return self._note(tx, case, event, warning, told, linked=True)

    def _follow(self, tx: Transaction, event: Event, warning: Mapping[str, Any], key: str) -> None:
        case = CaseStore.of(tx).find(key)
        if case is not None and case.open:
            self._note(tx, case, event, warning, self._told(event, warning))
        seen = update(CaseWarningRow).where(CaseWarningRow.warning == warning["id"]).values(seq=event.seq)
        tx.session.execute(seen)

    def _told(self, event: Event, warning: Mapping[str, Any]) -> str:
        level = warning["level"]
        if event.type == CLEARED:
            return "预警已解除" if self._zh else "the warning has cleared"
        return f"预警等级变为{_LEVELS[level]}" if self._zh else f"the warning is now {level}"

    def _note(
        self, tx: Transaction, case: Case, event: Event, warning: Mapping[str, Any], told: str, linked: bool = False
    ) -> Case:
        more = {
            "event": event.id,
            "level": warning["level"],
            "value": warning["value"],
            "status": warning["status"],
            "warning" if linked else "of_warning": warning["id"],
        }
        urgent = warning["status"] == "open" and warning["level"] in _URGENT
        return self._mover.move(tx, SYSTEM, case, Wish("note", told, more=more, urgent=urgent), self._now(event))

    def _now(self, event: Event) -> datetime:
        """City time, which may run ahead of the event while the relay catches up; never behind it."""
        return max(self._city.clock.now(), event.time)

    @property
    def _zh(self) -> bool:
        return self._city.language == "zh"

    def _text(self, title: Any) -> str:
        return cast(str, title["zh"] if self._zh else title["en"])
