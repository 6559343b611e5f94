"""The verbs of changing the standard: plan, apply, show the versions, bring one back.

A change holds from the next record on. Its version, audit line and event are written in one transaction; when that
fails, the standard before it is put back. Several changes take turns.
"""

from __future__ import annotations

import builtins
import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from fastapi import Response
from sqlalchemy import select

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.city.service import City
from cityloop.core.database import Database
from cityloop.core.errors import Conflict, ContentError, Fault, Invalid, NotFound
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.core.web import ExportFormat, export_rows
from cityloop.standard.changes import Content, diff
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.service import Standard
from cityloop.steward import overlay as over
from cityloop.steward.declared import Current, Declared
from cityloop.steward.explaining import Surroundings, explain, view
from cityloop.steward.graph import Graph
from cityloop.steward.models import StandardVersionRow
from cityloop.steward.overlay import Loaded, Overlay, StandardFault, Values
from cityloop.steward.plans import (
    ApplyRequest,
    ChangeView,
    Dependant,
    FeedTrial,
    Plan,
    PlanRequest,
    RestoreRequest,
    VersionLine,
    VersionView,
)
from cityloop.steward.submission import Submission, TextFile, read
from cityloop.steward.trying import Trier

PERMISSION = "standard.change"
CHANGED = "cityloop.standard.changed"
_HEADINGS = {
    "number": ("版本", "Version"),
    "current": ("现行", "In force"),
    "at": ("应用时间", "Applied at"),
    "by_name": ("应用人", "Applied by"),
    "reason": ("理由", "Reason"),
    "restored": ("恢复自", "Restores"),
    "changes": ("变更数", "Changes"),
    "breaking": ("破坏性变更", "Breaking changes"),
}


class Adopter(Protocol):
    """Who works by the standard: the collector."""

    def adopt(self, standard: Standard, feeds: Sequence[FeedMapping]) -> None:
        """Work by this from the next record on; raises a problem before anything has changed."""
        ...


@dataclass(frozen=True)
class _Draft:
    """A set laid over what is in force, with everything that follows from it."""

    overlay: Overlay
    loaded: Loaded
    base: int
    hash: str
    changes: tuple[ChangeView, ...]
    dependants: tuple[Dependant, ...]

    @property
    def breaks(self) -> list[Dependant]:
        """What would not work any more."""
        return [dependant for dependant in self.dependants if dependant.breaks]


class Versions:
    """The applied versions of a city's standard; ``folders`` are those that declare it (packs, then the city)."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        door: Door,
        audit: Audit,
        city: City,
        folders: Sequence[Path],
        current: Current,
        collector: Adopter,
        graph: Callable[[], Graph],
        world: Surroundings,
        trier: Trier,
        names: Callable[[str], Title],
    ) -> None:
        self.on_adopted: list[Callable[[Declared], None]] = []
        """Called with what is in force after every change: for rooms that keep something of the standard."""
        self._database, self._outbox, self._door, self._audit = database, outbox, door, audit
        self._city, self._current, self._collector = city, current, collector
        self._graph, self._world, self._trier, self._names = graph, world, trier, names
        self._packs = over.read_packs(folders)
        self._turn = threading.Lock()

    def plan(self, actor: Actor, request: PlanRequest) -> Plan:
        """What a set changes, what rests on that, what breaks, and what becomes of recent records.

        Raises :class:`Invalid` with faults at file, line and key when the set itself is not sound.
        """
        self._door.permit(actor, PERMISSION)
        draft = self._draft(read(request.files))
        return Plan(
            hash=draft.hash,
            base=draft.base,
            applicable=bool(draft.changes) and not draft.breaks,
            changes=list(draft.changes),
            dependants=list(draft.dependants),
            trial=self._trial(actor, draft, request.trial) if request.trial else [],
        )

    def apply(self, actor: Actor, request: ApplyRequest) -> VersionView:
        """Make a set the next version; raises :class:`Conflict` for a stale plan and where something would break."""
        self._door.permit(actor, PERMISSION)
        with self._turn:
            draft = self._draft(read(request.files))
            if draft.hash != request.hash:
                raise Conflict("the plan is stale: set or standard have changed since", "plan again and look at it")
            return self._make(actor, draft, request.reason, request.files, None)

    def restore(self, actor: Actor, number: int, request: RestoreRequest) -> VersionView:
        """Bring the state of a former version back as a new one; 0 are the packs alone."""
        self._door.permit(actor, PERMISSION)
        with self._turn:
            former = self._row(number).overlay if number else over.empty()
            draft = self._checked(former, Submission({}))
            return self._make(actor, draft, request.reason, _files(former), number)

    def list(self, actor: Actor) -> list[VersionLine]:
        """All versions, newest first; the last line are the packs."""
        self._door.scope(actor, "dataset")
        with self._database.reading() as session:
            rows = session.scalars(select(StandardVersionRow).order_by(StandardVersionRow.number.desc())).all()
        packs = Title(zh="领域包", en="Packs")
        first = VersionLine(number=0, by="", by_name=packs, at=None, reason="", restored=None, changes=0, breaking=0,
                            current=not rows)  # fmt: skip
        return [*[self._line(row, row is rows[0]) for row in rows], first]

    def export_list(self, actor: Actor, form: ExportFormat) -> Response:
        """The same list as a file, headed in the city's language."""
        chinese = self._city.language == "zh"
        return export_rows("versions", form, _HEADINGS, self.list(actor), chinese=chinese, zone=self._city.zone)

    def get(self, actor: Actor, number: int) -> VersionView:
        """One version; raises :class:`NotFound`."""
        self._door.scope(actor, "dataset")
        return self._view(self._row(number))

    def export(self, actor: Actor, number: int) -> Mapping[str, str]:
        """All that stands beyond the packs in a version, as files of a pack by name."""
        self._door.scope(actor, "dataset")
        return over.texts(self._row(number).overlay)

    def _draft(self, submission: Submission) -> _Draft:
        if submission.empty:
            raise Invalid("the set holds nothing", "declare code_lists, entity_types or feeds, or remove some")
        return self._checked(over.laid(self._newest(), submission, self._packs), submission)

    def _checked(self, made: Overlay, submission: Submission) -> _Draft:
        """A new overlay with everything that follows; raises :class:`Invalid` for faults of the set itself."""
        before, after = over.effective(self._packs, self._newest()), over.effective(self._packs, made)
        loaded = _loaded(after, self._city, submission)
        old = self._current.declared
        changes = diff(_content(old), loaded.content)
        dependants = explain(changes, old, loaded.declared, loaded.broken, self._graph(), self._world)
        base = self._number()
        return _Draft(
            overlay=made,
            loaded=loaded,
            base=base,
            hash=_hash(base, before, after),
            changes=tuple(view(change) for change in changes),
            dependants=tuple(dependants),
        )

    def _make(
        self, actor: Actor, draft: _Draft, reason: str, files: Sequence[TextFile], restored: int | None
    ) -> VersionView:
        if not draft.changes and draft.overlay == self._newest():
            raise Conflict("nothing would change", "everything in the set is in force already")
        if draft.breaks:
            faults = [Fault(f"{d.kind} {d.id}", d.why.en, f"because of {d.on}") for d in draft.breaks]
            what = f"{len(faults)} dependant(s) would break"
            raise Conflict(what, "change them in the same set, or in their pack first", faults)
        before = self._current.declared
        after = draft.loaded.declared
        self._collector.adopt(after.standard, after.feeds)
        try:
            row = self._write(actor, draft, reason, files, restored)
        except Exception:
            self._collector.adopt(before.standard, before.feeds)
            raise
        self._current.declared = after
        for tell in self.on_adopted:
            tell(after)
        return self._view(row)

    def _write(
        self, actor: Actor, draft: _Draft, reason: str, files: Sequence[TextFile], restored: int | None
    ) -> StandardVersionRow:
        now = self._city.clock.now()
        row = StandardVersionRow(
            number=draft.base + 1,
            by=actor.id,
            at=now,
            reason=reason,
            restored=restored,
            files=[file.model_dump() for file in files],
            diff=[change.model_dump(mode="json") for change in draft.changes],
            overlay=draft.overlay,
        )
        told = {"version": row.number, "reason": reason, "changes": [change.id for change in draft.changes][:100]}
        with self._database.transaction() as tx:
            tx.session.add(row)
            tx.session.flush()
            self._audit.record(tx, now, actor.id, "standard.change", f"standard {row.number}", told)
            self._outbox.record(tx, CHANGED, f"standard {row.number}", now, {"by": actor.id, **told})
        return row

    def _trial(self, actor: Actor, draft: _Draft, most: int) -> builtins.list[FeedTrial]:
        """Feeds that the change reaches, on their newest records; who may not see all records gets counts alone."""
        old, new = self._current.declared, draft.loaded.declared
        open_to = all(self._door.scope(actor, entity).whole for entity in ("quarantine", "observation"))
        found = []
        for mapping in old.feeds:
            after = new.feed(mapping.id)
            if after is None or not _reached(mapping, after, old.standard, new.standard):
                continue
            trial = self._trier.try_feed(mapping, after, new.standard, most, self._city.clock.now())
            found.append(trial if open_to else trial.model_copy(update={"examples": []}))
        return found

    def _newest(self) -> Overlay:
        return newest_overlay(self._database)

    def _number(self) -> int:
        with self._database.reading() as session:
            query = select(StandardVersionRow.number).order_by(StandardVersionRow.number.desc()).limit(1)
            return session.scalar(query) or 0

    def _row(self, number: int) -> StandardVersionRow:
        with self._database.reading() as session:
            row = session.get(StandardVersionRow, number)
        if row is None:
            raise NotFound(f"there is no version {number} of the standard", "GET /api/v1/standard/versions lists them")
        return row

    def _line(self, row: StandardVersionRow, current: bool) -> VersionLine:
        return VersionLine(
            number=row.number,
            by=row.by,
            by_name=self._names(row.by),
            at=row.at,
            reason=row.reason,
            restored=row.restored,
            changes=len(row.diff),
            breaking=sum(change["breaking"] for change in row.diff),
            current=current,
        )

    def _view(self, row: StandardVersionRow) -> VersionView:
        return VersionView(
            **dict(self._line(row, row.number == self._number())),
            diff=[ChangeView.model_validate(change) for change in row.diff],
            files=[TextFile.model_validate(file) for file in row.files],
            overlay=_files(row.overlay),
        )


def newest_overlay(database: Database) -> Overlay:
    """All that stands beyond the packs now."""
    with database.reading() as session:
        row = session.scalar(select(StandardVersionRow).order_by(StandardVersionRow.number.desc()).limit(1))
    return row.overlay if row is not None else over.empty()


def in_force(folders: Sequence[Path], city: City, database: Database) -> Declared | None:
    """Packs and applied versions together, ``None`` when nothing was applied; for the start.

    Raises :class:`ContentError` when the packs have changed so that the versions no longer fit them.
    """
    overlay = newest_overlay(database)
    if overlay == over.empty():
        return None
    try:
        values = over.effective(over.read_packs(folders), overlay)
        loaded = over.load(values, city.departments, city.editions)
        broken = loaded.broken
    except StandardFault as error:
        broken = error.broken
    if broken:
        faults = [fault.fault({}) for fault in broken]
        mend = "mend the packs, or bring the packs back alone: cityloop standard restore CITY 0"
        raise ContentError("the applied versions of the standard no longer fit the packs", mend, faults)
    return loaded.declared


def _loaded(values: Values, city: City, submission: Submission) -> Loaded:
    """The values as a standard; faults of the set itself, or of what it makes impossible, raise :class:`Invalid`."""
    try:
        loaded = over.load(values, city.departments, city.editions)
        own = [fault for fault in loaded.broken if (fault.kind, fault.id) in submission.places]
    except StandardFault as error:
        own = list(error.broken)
    if own:
        faults = [fault.fault(submission.places) for fault in own]
        raise Invalid(f"the set has {len(faults)} error(s)", "correct them and plan again", faults)
    return loaded


def _content(declared: Declared) -> Content:
    feeds = {mapping.id: mapping.declaration for mapping in declared.feeds}
    return Content(declared.standard.entity_types, declared.standard.code_lists, feeds)


def _reached(old: FeedMapping, new: FeedMapping, before: Standard, after: Standard) -> bool:
    """Whether a change touches what the feed's records are held against."""
    if old.declaration != new.declaration or old.entity_type != new.entity_type:
        return True
    return before.lists_of(old.entity_type) != after.lists_of(new.entity_type)


def _hash(base: int, before: Values, after: Values) -> str:
    text = json.dumps([base, before, after], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _files(overlay: Overlay) -> list[TextFile]:
    files: list[Any] = [TextFile(name=name, text=text) for name, text in over.texts(overlay).items()]
    return files
