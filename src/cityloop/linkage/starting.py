"""What starts a plan by itself: a warning, a move of a case, the hour. A person starts one at the desk."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import select

from cityloop.access.actor import SYSTEM
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import Conflict, Problem
from cityloop.core.outbox import Event
from cityloop.core.values import Title
from cityloop.linkage import wheel
from cityloop.linkage.book import Diagrams
from cityloop.linkage.elements import feel
from cityloop.linkage.log import Log
from cityloop.linkage.models import LinkageTimerRow
from cityloop.linkage.phrases import PHRASES
from cityloop.linkage.runner import Begin, Runner, said
from cityloop.linkage.steps import Once, Trigger

log = logging.getLogger(__name__)
STARTERS = ("cityloop.warning.raised", "cityloop.warning.level", "cityloop.case.moved")
MISSED = timedelta(hours=1)
"""A scheduled start that the house slept through is made up for within so long."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def claim_of(once: Once, area: str | None, entity: str) -> str | None:
    """What an open run holds so that no second one of its plan starts."""
    if once == "none":
        return None
    if once == "entity" and entity:
        return f"entity:{entity}"
    return f"area:{area or 'city'}"


def wants_warning(trigger: Trigger, warning: Mapping[str, Any]) -> bool:
    """Whether a warning starts a plan. A condition that cannot be decided starts nothing."""
    return (
        trigger.kind == "warning"
        and trigger.rule in (None, warning["rule"])
        and (not trigger.levels or warning["level"] in trigger.levels)
        and trigger.type in (None, warning["entity_type"])
        and _within(trigger.area, warning["area"])
        and _holds(trigger.when, {"warning": warning})
    )


def wants_case(trigger: Trigger, case: Mapping[str, Any], move: str) -> bool:
    """Whether a move of a case starts a plan."""
    return (
        trigger.kind == "case"
        and trigger.move in (None, move)
        and trigger.type in (None, case["matter"])
        and _within(trigger.area, case["area"])
        and _holds(trigger.when, {"case": case, "move": move})
    )


def next_time(text: str, after: datetime, zone: tzinfo) -> datetime:
    """The next instant of a schedule such as ``06:30`` or ``Mon,Fri 06:30``; raises ``ValueError``."""
    days, _, clock = text.strip().rpartition(" ")
    wanted = {_DAYS.index(day.strip()) for day in days.split(",")} if days else set(range(7))
    at, local = time.fromisoformat(clock), after.astimezone(zone)
    for ahead in range(8):
        day = local.date() + timedelta(days=ahead)
        found = datetime.combine(day, at, zone)
        if day.weekday() in wanted and found > after:
            return found
    raise ValueError(f"'{text}' never comes")


class Starter:
    """Starts plans by their triggers. ``district_of`` gives the area by which ``once="area"`` counts."""

    def __init__(
        self,
        database: Database,
        diagrams: Diagrams,
        runner: Runner,
        log: Log,
        district_of: Callable[[str], str | None],
        zone: tzinfo,
    ) -> None:
        self._database, self._diagrams, self._runner, self._log = database, diagrams, runner, log
        self._district_of, self._zone = district_of, zone

    def take(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Relay handler of :data:`STARTERS`."""
        for event in events:
            if event.type == "cityloop.case.moved":
                self._case(tx, event)
            elif not event.data["warning"].get("muted"):
                self._warning(tx, event)

    def schedule(self, now: datetime) -> None:
        """Set the next start of every plan that has hours; forget those of plans that have none any more."""
        wanted = {}
        for source, diagram in self._diagrams.in_force():
            for number, trigger in enumerate(diagram.steps.triggers):
                if trigger.kind == "schedule" and trigger.at:
                    wanted[f"{source.plan}:{number}"] = next_time(trigger.at, now, self._zone)
        with self._database.transaction() as tx:
            of = select(LinkageTimerRow.ref, LinkageTimerRow.due).where(LinkageTimerRow.kind == "schedule")
            there = dict(tx.session.execute(of).all())
            wheel.drop(tx, "schedule", *[ref for ref in there if ref not in wanted])
            for ref, due in wanted.items():
                # What was missed by little is kept, so that the wheel makes up for it.
                if ref not in there or not now - MISSED <= there[ref] <= due:
                    wheel.put(tx, "schedule", ref, None, due)

    def fire(self, tx: Transaction, ref: str, now: datetime) -> None:
        """The hour of a schedule has come: start it, and set the next."""
        plan, _, number = ref.rpartition(":")
        _, diagram = self._diagrams.current(plan)
        trigger = diagram.steps.triggers[int(number)]
        wheel.put(tx, "schedule", ref, None, next_time(trigger.at or "", now, self._zone))
        if not _holds(trigger.when, {"now": now.astimezone(self._zone).isoformat()}):
            return
        reason = PHRASES.what("why-schedule", at=trigger.at or "").zh
        claim = claim_of(trigger.once, trigger.area, "")
        self._begin(tx, Begin(plan, "schedule", SYSTEM, reason, area=trigger.area, claim=claim), now)

    def _warning(self, tx: Transaction, event: Event) -> None:
        warning = event.data["warning"]
        for plan, trigger in self._triggers():
            if not wants_warning(trigger, warning):
                continue
            area = warning["district"] or warning["area"]
            begin = Begin(
                plan=plan,
                trigger="warning",
                actor=SYSTEM,
                reason=PHRASES.what("why-warning", message=Title(**warning["message"])).zh,
                area=area,
                subject=warning["id"],
                subject_title=Title(**warning["message"]),
                facts={"warning": warning, "entity": warning["entity"], "level": warning["level"]},
                claim=claim_of(trigger.once, area, warning["entity"]),
            )
            self._begin(tx, begin, event.time)

    def _case(self, tx: Transaction, event: Event) -> None:
        case, move = event.data["case"], str(event.data["move"])
        for plan, trigger in self._triggers():
            if not wants_case(trigger, case, move):
                continue
            area = self._district_of(case["area"]) if case["area"] else None
            begin = Begin(
                plan=plan,
                trigger="case",
                actor=SYSTEM,
                reason=PHRASES.what("why-case", number=case["number"]).zh,
                area=area or case["area"],
                subject=case["id"],
                subject_title=Title(zh=case["number"], en=case["number"]),
                facts={"case": {key: case.get(key) for key in _CASE_FACTS}},
                claim=claim_of(trigger.once, area or case["area"], case["id"]),
            )
            self._begin(tx, begin, event.time)

    def _triggers(self) -> list[tuple[str, Trigger]]:
        """Of each plan; the first that fits starts it, the claim keeps the others from starting it twice."""
        return [
            (source.plan, trigger)
            for source, diagram in self._diagrams.in_force()
            for trigger in diagram.steps.triggers
        ]

    def _begin(self, tx: Transaction, wish: Begin, now: datetime) -> None:
        """Start a run; where there is one already, note there what came on top."""
        try:
            self._runner.begin(tx, wish, now)
        except Conflict as conflict:
            holder = conflict.more.get("run")
            if holder is None:
                self._refused(tx, wish, conflict, now)
            elif wish.subject:
                text = PHRASES.what("line-joined", what=wish.subject_title or "")
                self._log.line(tx, str(holder), now, "joined", SYSTEM, text, detail={"subject": wish.subject})
        except Problem as problem:
            self._refused(tx, wish, problem, now)

    def _refused(self, tx: Transaction, wish: Begin, problem: Problem, now: datetime) -> None:
        log.warning("plan %s was not started: %s", wish.plan, problem)
        detail = {"reason": said(problem).zh, "subject": wish.subject}
        self._log.audit(tx, now, SYSTEM, "run.start", wish.plan, detail, "refused")


_CASE_FACTS = ("id", "number", "matter", "title", "area", "department", "state", "lon", "lat", "warning", "entity")
"""What a plan is told of a case: not who reported it."""


def _within(area: str | None, place: str | None) -> bool:
    return area is None or (place is not None and place.startswith(area))


def _holds(when: str | None, facts: Mapping[str, Any]) -> bool:
    if when is None:
        return True
    try:
        return feel(when, facts) is True
    except Problem:
        log.warning("the condition '%s' of a trigger cannot be read", when)
        return False
