"""Sheets that are sent to the running server: what one would change, then the same carried out by its own services.

Files of the city are written only as a whole: a change after which the city would not open is taken back at once.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.service import Accounts
from cityloop.cases import limits_desk, proposals
from cityloop.cases.dispatch_table import ResponsibilityFile
from cityloop.city.service import City
from cityloop.city.sheet import SheetKind, SheetPlan
from cityloop.collect.service import Collector
from cityloop.core import canonical
from cityloop.core.database import Database
from cityloop.core.errors import Conflict, ContentError, Invalid, NotFound
from cityloop.core.settings import Settings
from cityloop.serve.importing.accounts import read_staff
from cityloop.serve.importing.addresses import read_address_sheet
from cityloop.serve.importing.areas import read_area_sheet
from cityloop.serve.importing.components import Pushed, read_survey
from cityloop.serve.importing.departments import read_departments
from cityloop.serve.importing.kinds import KINDS
from cityloop.serve.importing.phrases import PHRASES
from cityloop.serve.importing.plans import Draft
from cityloop.serve.importing.responsibility import read_duties
from cityloop.serve.importing.schemas import Effect, SheetApplied, SheetColumnView, SheetKindView, SheetReading
from cityloop.serve.importing.sent import Sent

_EFFECTS: Mapping[str, Effect] = {
    "areas": "restart", "departments": "restart", "limits": "versions", "responsibility": "versions",
    "accounts": "now", "components": "now", "addresses": "now",
}  # fmt: skip
_FILES: Mapping[str, Callable[[Path, Sent], Draft]] = {
    "areas": read_area_sheet,
    "departments": read_departments,
    "addresses": read_address_sheet,
}
_PLACED = {"areas", "addresses"}
"""Kinds whose coordinates may come in another datum."""
_SHOWN = 200
"""Changes and faults of a reading that are shown one by one."""


@dataclass(frozen=True)
class _Done:
    """What carrying a sheet out gave."""

    files: list[str] = field(default_factory=list)
    passwords: dict[str, str] = field(default_factory=dict)
    pushed: Pushed | None = None


@dataclass(frozen=True)
class _Read:
    """A sheet that was read, and how it is carried out."""

    plan: SheetPlan
    carry_out: Callable[[], _Done]
    table: ResponsibilityFile | None = None


class SheetDesk:
    """All verbs on sheets; every kind has a permission of its own."""

    def __init__(
        self, *, settings: Settings, database: Database, audit: Audit, door: Door, accounts: Accounts, city: City,
        collector: Collector, table: Callable[[], ResponsibilityFile],
    ) -> None:  # fmt: skip
        self._settings, self._database, self._audit, self._door = settings, database, audit, door
        self._accounts, self._city, self._collector, self._table = accounts, city, collector, table
        self._one = threading.Lock()
        self._waiting: set[str] = set()

    def kinds(self, actor: Actor) -> list[SheetKindView]:
        """Every kind of sheet, in the order in which a city is set up."""
        allowed = set(self._door.permissions(actor))
        return [self._kind_view(kind, permission(name) in allowed) for name, kind in KINDS.items()]

    def plan(self, actor: Actor, kind: str, sent: Sent) -> SheetReading:
        """What a sheet would change; nothing is written. Raises :class:`Invalid` for one that cannot be read."""
        self._permit(actor, kind)
        read = self._read(actor, kind, sent)
        counts = Counter(change.change for change in read.plan.changes)
        shown = {"changes": read.plan.changes[:_SHOWN], "faults": read.plan.faults[:_SHOWN]}
        return SheetReading(
            plan=read.plan.model_copy(update=shown),
            new=counts["new"],
            changed=counts["changed"],
            removed=counts["removed"],
            mark=_mark(read.plan, sent),
            table=None if read.plan.faults else read.table,
        )

    def apply(self, actor: Actor, kind: str, sent: Sent, mark: str) -> SheetApplied:
        """Carry out a sheet that was explained.

        Raises :class:`Conflict` when the sheet or what stands has changed since, and :class:`Invalid` with every fault.
        """
        self._permit(actor, kind)
        with self._one:
            read = self._read(actor, kind, sent)
            if _mark(read.plan, sent) != mark:
                raise PHRASES.problem(Conflict, "other-plan")
            done = read.carry_out()
            counts = Counter(change.change for change in read.plan.changes)
            self._record(actor, kind, sent, counts, done)
        if _EFFECTS[kind] == "restart":
            self._waiting.add(kind)
        return SheetApplied(
            kind=kind,
            new=counts["new"],
            changed=counts["changed"],
            effect=_EFFECTS[kind],
            files=done.files,
            passwords=done.passwords,
            pushed=done.pushed,
        )

    def _permit(self, actor: Actor, kind: str) -> None:
        if kind not in KINDS:
            raise PHRASES.problem(NotFound, "no-sheet", kind=kind, known=", ".join(KINDS))
        self._door.permit(actor, permission(kind))

    def _kind_view(self, kind: SheetKind, may: bool) -> SheetKindView:
        columns = [
            SheetColumnView(key=one.key, title=one.title, note=one.note, needed=one.needed) for one in kind.columns
        ]
        return SheetKindView(
            kind=kind.name,
            title=kind.title,
            columns=columns,
            effect=_EFFECTS[kind.name],
            datum=kind.name in _PLACED,
            may=may,
            waits=kind.name in self._waiting,
        )

    def _read(self, actor: Actor, kind: str, sent: Sent) -> _Read:
        if kind == "accounts":
            staff = read_staff(self._city, self._accounts, sent, actor)
            enrol = staff.enrol
            return _Read(staff.plan, lambda: _Done(passwords=enrol(self._accounts, actor, sent.name)))
        if kind == "components":
            survey = read_survey(self._city, self._collector, sent)
            return _Read(survey.plan, lambda: _Done(pushed=survey.push(self._collector)))
        if kind == "responsibility":
            duties = read_duties(self._city, self._table(), sent)
            return _Read(duties.plan, lambda: _elsewhere(kind), duties.table)
        if kind not in _FILES:
            _elsewhere(kind)
        draft = _FILES[kind](self._city.folder, sent)
        return _Read(draft.plan, lambda: self._write(draft, sent))

    def _write(self, draft: Draft, sent: Sent) -> _Done:
        """Replace files of the city; where it would not open any more they are put back."""
        if self._settings.demo:
            raise PHRASES.problem(Conflict, "demo")
        before = {path: path.read_text(encoding="utf-8") if path.is_file() else None for path in draft.files}
        try:
            paths = draft.write(sent.name)
            self._city.adopt_addresses(City.load(self._city.folder, self._city.clock).addresses)
        except OSError as error:
            _put_back(before)
            raise PHRASES.problem(Conflict, "not-writable", error=error) from error
        except ContentError as error:
            _put_back(before)
            raise PHRASES.problem(Conflict, "not-loading", error.faults) from error
        return _Done(files=[path.relative_to(self._city.folder).as_posix() for path in paths])

    def _record(self, actor: Actor, kind: str, sent: Sent, counts: Counter[Any], done: _Done) -> None:
        detail = {"file": sent.name, "sha256": hashlib.sha256(sent.body).hexdigest(), **counts, "written": done.files}
        with self._database.transaction() as tx:
            self._audit.record(tx, self._city.clock.now(), actor.id, "sheet.apply", kind, detail)


def permission(kind: str) -> str:
    """What a post must be allowed to send sheets of a kind."""
    own = {"limits": limits_desk.CHANGE, "responsibility": proposals.CHANGE}
    return own.get(kind) or f"sheet.{kind}"


def _elsewhere(kind: str) -> _Done:
    raise PHRASES.problem(Invalid, "elsewhere", kind=KINDS[kind].title)


def _mark(plan: SheetPlan, sent: Sent) -> str:
    return canonical.digest({"plan": plan.model_dump(mode="json"), "sha256": hashlib.sha256(sent.body).hexdigest()})


def _put_back(before: Mapping[Path, str | None]) -> None:
    for path, text in before.items():
        if text is None:
            path.unlink(missing_ok=True)
        elif path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="")
