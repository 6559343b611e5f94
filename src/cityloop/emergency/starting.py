"""What opens a response by itself: warnings and runs of plans, taken from their events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cityloop.access.actor import SYSTEM
from cityloop.city.service import City
from cityloop.core.database import Transaction
from cityloop.core.outbox import Event
from cityloop.core.values import Title
from cityloop.emergency.content import EmergencyBook
from cityloop.emergency.declarations import KindDef, Level, rank
from cityloop.emergency.desk import Responses
from cityloop.emergency.phrases import PHRASES
from cityloop.emergency.schemas import LevelWish, ResponseWish

CONSUMER = "emergency"
WARNINGS = ("cityloop.warning.raised", "cityloop.warning.level")
RUNS = ("cityloop.run.started",)


class Starter:
    """A consumer of events. One response for each kind and district: a graver warning raises its level."""

    def __init__(self, city: City, book: EmergencyBook, desk: Responses) -> None:
        self._city, self._book, self._desk = city, book, desk

    def wanted(self, event: Event) -> bool:
        """Whether an event may open a response."""
        return any(True for _ in self._asked(event))

    def __call__(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Open or raise what the events ask for."""
        for event in events:
            for kind, level, view, cause in self._asked(event):
                self._start(tx, kind, level, view, cause, event)

    def _asked(self, event: Event) -> list[tuple[KindDef, Level, Mapping[str, Any], dict[str, str]]]:
        if event.type in WARNINGS:
            warning = event.data["warning"]
            cause = {"kind": "warning", "id": str(warning["id"])}
            return [
                (kind, line.levels[warning["level"]], warning, cause)
                for kind in self._book.kinds.values()
                for line in kind.warnings
                if line.rule == warning["rule"] and warning["level"] in line.levels
            ]
        run = event.data["run"]
        cause = {"kind": "run", "id": str(run["id"])}
        return [
            (kind, line.level, run, cause)
            for kind in self._book.kinds.values()
            for line in kind.runs
            if line.plan == run.get("plan")
        ]

    def _start(
        self,
        tx: Transaction,
        kind: KindDef,
        level: Level,
        view: Mapping[str, Any],
        cause: dict[str, str],
        event: Event,
    ) -> None:
        area = view.get("area") or view.get("district")
        known = {one.code for one in self._city.areas.list()}
        area = area if area in known else None
        key = f"{kind.id}:{self._city.areas.district_of(area) if area else ''}"
        reason = self._words(cause, view)
        running = self._desk.running(tx.session, key)
        if running is not None:
            if rank(level) > rank(running.level):  # type: ignore[arg-type]
                self._desk.level_in(tx, running, LevelWish(level=level, reason=reason), SYSTEM.id, event.time)
            return
        title = self._said(kind.title)
        wish = ResponseWish(
            kind=kind.id, level=level, title=title, reason=reason, area=area, lon=view.get("lon"), lat=view.get("lat")
        )
        self._desk.open_in(tx, wish, SYSTEM.id, cause, event.time)

    def _words(self, cause: Mapping[str, str], view: Mapping[str, Any]) -> str:
        if cause["kind"] == "warning":
            return self._said(PHRASES.what("by-warning", level=view["level"]))
        return self._said(PHRASES.what("by-run", plan=view.get("plan", "")))

    def _said(self, title: Title) -> str:
        return title.zh if self._city.language == "zh" else title.en
