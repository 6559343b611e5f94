"""The library of plans: what the packs bring, and what was drawn over it; explained, applied with a reason, versioned.

Every version is kept with its diagram, and runs follow the one that they were started by. An applied version stays in
force over restarts until the pack's own file of that plan changes: then the pack counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Protected
from cityloop.core.clock import Clock
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import Conflict, ContentError, Fault, Invalid, NotFound
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.linkage.drawing import Drawing, read
from cityloop.linkage.engine import Engine
from cityloop.linkage.layout import laid_out
from cityloop.linkage.lint import PlanFault, errors, lint, lint_drawing
from cityloop.linkage.lint_known import PlanNames
from cityloop.linkage.lint_phrases import PHRASES
from cityloop.linkage.models import PlanVersionRow
from cityloop.linkage.plan_changes import changes_between, redrawn
from cityloop.linkage.plan_schemas import (
    NewPlanVersion,
    PlanApplied,
    PlanDetail,
    PlanExplained,
    PlanLane,
    PlanLint,
    PlanText,
    PlanTrigger,
    PlanVersionDetail,
    PlanVersionView,
    PlanView,
)
from cityloop.linkage.ports import PlanSource
from cityloop.linkage.schemas import MigrationVerdict
from cityloop.linkage.steps import Steps

CHANGE = "plan.change"
CHANGED = "cityloop.plan.changed"
EDITED = "edited"


@dataclass(frozen=True)
class PlanFile:
    """A plan of a pack; ``xml`` is drawn, ``digest`` is of the file as it is written."""

    plan: str
    pack: str
    xml: str
    digest: str
    title: Title


class Migrations(Protocol):
    """The open runs of a plan, and whether they could go on by another version."""

    def preview(self, plan: str, xml: str) -> list[MigrationVerdict]:
        """Of every open run, whether it may; nothing is written."""
        ...

    def migrate(self, plan: str, actor: Actor, now: datetime, reason: str) -> list[MigrationVerdict]:
        """Let every open run that may go on by the version in force."""
        ...


def load_plans(packs: Sequence[Path], names: PlanNames) -> tuple[PlanFile, ...]:
    """The plans of the packs; raises :class:`ContentError` with file, line and element of every fault."""
    faults: list[Fault] = []
    found: dict[str, PlanFile] = {}
    for path in [path for pack in packs for path in sorted((pack / "plans").glob("*.bpmn"))]:
        raw = path.read_bytes()
        wrong = errors(lint(raw, names))
        faults += [_placed(path, raw, fault) for fault in wrong]
        if wrong:
            continue
        drawing = read(raw)
        if drawing.id in found:
            where = f"{path}:1"
            faults.append(Fault(where, f"plan '{drawing.id}' is in pack {found[drawing.id].pack} too", "rename one"))
        xml = drawing.xml if drawing.drawn else laid_out(drawing)
        digest = hashlib.sha256(raw).hexdigest()
        found[drawing.id] = PlanFile(drawing.id, path.parents[1].name, xml, digest, drawing.title)
    if faults:
        raise ContentError(f"the plans of the packs have {len(faults)} error(s)", faults=faults)
    return tuple(found.values())


class Library:
    """All verbs on plans as such; runs find here the diagrams that they follow (:class:`ports.Plans`)."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        door: Door,
        audit: Audit,
        clock: Clock,
        packs: Sequence[PlanFile],
        names: PlanNames,
        engine: Engine,
    ) -> None:
        self._database, self._outbox, self._door, self._audit, self._clock = database, outbox, door, audit, clock
        self._names, self._engine = names, engine
        self.migrations: Migrations | None = None
        """The runs, once they are there."""
        self.on_changed: list[Callable[[], None]] = []
        """Told whenever another version of a plan has come into force."""
        door.register(Protected(entity="plan"))
        with database.transaction() as tx:
            for file in packs:
                self._take(tx, file)
        self._load()

    def in_force(self) -> Sequence[PlanSource]:
        """The version of every plan that new runs follow."""
        return list(self._current.values())

    def current(self, plan: str) -> PlanSource:
        """The version of one plan that new runs follow; raises :class:`NotFound`."""
        if plan not in self._current:
            raise NotFound(f"there is no plan '{plan}'", "GET /api/v1/plans lists them")
        return self._current[plan]

    def version(self, plan: str, version: int) -> PlanSource:
        """A version of a plan, also an old one; raises :class:`NotFound`."""
        with self._database.reading() as session:
            return _source(_version(session, plan, version))

    def list(self, actor: Actor) -> list[PlanView]:
        """All plans in force, by title."""
        self._door.scope(actor, "plan")
        with self._database.reading() as session:
            rows = session.scalars(select(PlanVersionRow).where(PlanVersionRow.in_force)).all()
        return sorted(map(_view, rows), key=lambda plan: plan.id)

    def get(self, actor: Actor, plan: str) -> PlanDetail:
        """One plan with its diagram; raises :class:`NotFound`."""
        self._door.scope(actor, "plan")
        with self._database.reading() as session:
            return self._detail(_version(session, plan, self.current(plan).version))

    def versions(self, actor: Actor, plan: str) -> list[PlanVersionView]:
        """Every version, the newest first; raises :class:`NotFound`."""
        self._door.scope(actor, "plan")
        self.current(plan)
        with self._database.reading() as session:
            return [PlanVersionView(**_told(row)) for row in _rows(session, plan)]

    def version_detail(self, actor: Actor, plan: str, version: int) -> PlanVersionDetail:
        """One version with its diagram; raises :class:`NotFound`."""
        self._door.scope(actor, "plan")
        with self._database.reading() as session:
            row = _version(session, plan, version)
        return PlanVersionDetail(**_told(row), xml=row.xml)

    def lint(self, actor: Actor, sent: PlanText) -> PlanLint:
        """What is wrong with a diagram that is being drawn."""
        self._door.scope(actor, "plan")
        found = self._faults(sent.xml)
        return PlanLint(faults=found, sound=not errors(found))

    def layout(self, actor: Actor, sent: PlanText) -> PlanText:
        """The diagram, drawn anew."""
        self._door.scope(actor, "plan")
        return PlanText(xml=laid_out(read(sent.xml)))

    def explain(self, actor: Actor, plan: str, sent: PlanText) -> PlanExplained:
        """What a diagram would change, also for the runs that are open; nothing is written."""
        self._door.permit(actor, CHANGE)
        drawing = self._belonging(plan, sent.xml)
        before = self._current.get(plan)
        old = read(before.xml) if before else None
        faults = self._faults(sent.xml)
        open_runs = [] if errors(faults) or not self.migrations else self.migrations.preview(plan, sent.xml)
        return PlanExplained(
            plan=plan,
            base=before.version if before else 0,
            faults=faults,
            changes=changes_between(old, drawing),
            redrawn=redrawn(old, drawing),
            running=open_runs,
        )

    def apply(self, actor: Actor, plan: str, sent: NewPlanVersion) -> PlanApplied:
        """Put a diagram into force.

        Raises :class:`Conflict` when another version came first, :class:`Invalid` with the faults of the diagram.
        """
        self._door.permit(actor, CHANGE)
        drawing, now = self._belonging(plan, sent.xml), self._clock.now()
        faults = errors(self._faults(sent.xml))
        if faults:
            told = [
                Fault(fault.element, fault.what.en, fault.mend.en, fault.code, fault.what, fault.mend)
                for fault in faults
            ]
            raise PHRASES.problem(Invalid, "not-sound", told, count=len(told))
        with self._database.transaction() as tx:
            base = max((row.version for row in _rows(tx.session, plan) if row.in_force), default=0)
            if base != sent.base:
                raise PHRASES.problem(Conflict, "another-version", base=sent.base, version=base)
            xml = sent.xml if drawing.drawn else laid_out(drawing)
            row = self._enter(
                tx, PlanFile(plan, EDITED, xml, _digest(sent.xml), drawing.title), actor, now, sent.reason
            )
            told = {"plan": plan, "version": row.version, "title": drawing.title.model_dump(), "reason": sent.reason}
            self._audit.record(tx, now, actor.id, CHANGE, plan, told)
            self._outbox.record(tx, CHANGED, plan, now, {"plan": told})
        self._load()
        moved = self.migrations.migrate(plan, actor, now, sent.reason) if sent.migrate and self.migrations else []
        for tell in self.on_changed:
            tell()
        return PlanApplied(plan=self.get(actor, plan), migrated=moved)

    def _belonging(self, plan: str, xml: str) -> Drawing:
        """The diagram, which must be one of this plan."""
        drawing = read(xml)
        if drawing.id != plan:
            raise PHRASES.problem(Invalid, "another-plan", [], found=drawing.id, plan=plan)
        return drawing

    def _faults(self, xml: str) -> list[PlanFault]:
        """What lint says; of a sound diagram, whether the engine can follow it too."""
        found = lint(xml, self._names)
        if errors(found):
            return found
        try:
            self._engine.parse(xml)
        except Invalid as refusal:
            more = refusal.more
            what, mend = (
                Title.model_validate(more.get(key) or text)
                for key, text in (("said", refusal.detail), ("remedy", refusal.mend))
            )
            return [PlanFault(element="", code="cannot-follow", severity="error", what=what, mend=mend), *found]
        return found

    def _take(self, tx: Transaction, file: PlanFile) -> None:
        """Put a pack's plan into force, unless its file is the one over which others were applied."""
        rows = [row for row in _rows(tx.session, file.plan) if row.origin != EDITED]
        if not rows or rows[0].digest != file.digest:
            self._enter(tx, file, SYSTEM, self._clock.now(), "")

    def _enter(self, tx: Transaction, file: PlanFile, actor: Actor, now: datetime, reason: str) -> PlanVersionRow:
        before = _rows(tx.session, file.plan)
        for row in before:
            row.in_force = False
        made = PlanVersionRow(
            plan=file.plan,
            version=before[0].version + 1 if before else 1,
            digest=file.digest,
            xml=file.xml,
            title=file.title.model_dump(),
            origin=file.pack,
            reason=reason,
            actor=actor.id,
            at=now,
            in_force=True,
        )
        tx.session.add(made)
        return made

    def _load(self) -> None:
        with self._database.reading() as session:
            rows = session.scalars(select(PlanVersionRow).where(PlanVersionRow.in_force)).all()
            self._current: Mapping[str, PlanSource] = {row.plan: _source(row) for row in rows}

    def _detail(self, row: PlanVersionRow) -> PlanDetail:
        steps = _steps(row.xml)
        return PlanDetail(
            plan=_view(row),
            xml=row.xml,
            version=row.version,
            triggers=[_trigger(one) for one in steps.triggers],
            lanes=[
                PlanLane(
                    id=lane.id,
                    title=lane.title,
                    department=next(iter(lane.departments), None),
                    post=next(iter(lane.posts), None),
                )
                for lane in steps.drawing.lanes
            ],
            faults=lint_drawing(steps.drawing, self._names),
        )


def _rows(session: Session, plan: str) -> list[PlanVersionRow]:
    """All versions of a plan, the newest first."""
    wanted = select(PlanVersionRow).where(PlanVersionRow.plan == plan)
    return list(session.scalars(wanted.order_by(PlanVersionRow.version.desc())))


def _version(session: Session, plan: str, version: int) -> PlanVersionRow:
    row = session.get(PlanVersionRow, (plan, version))
    if row is None:
        raise NotFound(f"plan '{plan}' has no version {version}", f"GET /api/v1/plans/{plan}/versions lists them")
    return row


def _source(row: PlanVersionRow) -> PlanSource:
    return PlanSource(row.plan, row.version, row.xml, Title.model_validate(row.title), row.origin)


def _told(row: PlanVersionRow) -> dict[str, object]:
    return {
        "version": row.version,
        "origin": row.origin,
        "at": row.at,
        "by": row.actor,
        "reason": row.reason,
        "in_force": row.in_force,
    }


@lru_cache(64)
def _steps(xml: str) -> Steps:
    return Steps(read(xml))


def _view(row: PlanVersionRow) -> PlanView:
    steps = _steps(row.xml)
    drawing = steps.drawing
    return PlanView(
        id=row.plan,
        title=drawing.title,
        note=drawing.note,
        version=row.version,
        origin=row.origin,
        changed_at=row.at,
        triggers=tuple(dict.fromkeys(one.kind for one in steps.triggers)),
        departments=tuple(dict.fromkeys(one for lane in drawing.lanes for one in lane.departments)),
        tasks=len(steps.user),
        services=len(steps.service),
    )


def _trigger(trigger: object) -> PlanTrigger:
    return PlanTrigger.model_validate({name: getattr(trigger, name) for name in PlanTrigger.model_fields})


def _digest(xml: str) -> str:
    return hashlib.sha256(xml.encode()).hexdigest()


def _placed(path: Path, raw: bytes, fault: PlanFault) -> Fault:
    """A fault with file, line and element."""
    place = raw.find(f'id="{fault.element}"'.encode()) if fault.element else 0
    line = raw.count(b"\n", 0, max(place, 0)) + 1
    return Fault(
        f"{path}:{line} {fault.element}".rstrip(), fault.what.en, fault.mend.en, fault.code, fault.what, fault.mend
    )
