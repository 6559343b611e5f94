"""The verbs of sharing: ask, decide, withdraw, revoke, list, and show the use. The door alone applies a grant."""

from __future__ import annotations

import builtins
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

from fastapi import Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cityloop.access import predicates
from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Protected
from cityloop.access.grants import Grant, GrantBook, Use
from cityloop.access.predicates import Predicate
from cityloop.city.service import City
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import AccessDenied, Conflict, Fault, Invalid, NotFound
from cityloop.core.ids import new_id
from cityloop.core.outbox import Outbox
from cityloop.core.values import Page, Title
from cityloop.core.web import EXPORT_LIMIT, ExportFormat, Paging, export_rows
from cityloop.steward.declared import Current
from cityloop.steward.models import GrantRow, GrantUseRow
from cityloop.steward.moves import MOVES, Refusal, Standing, refused, state_at
from cityloop.steward.schemas import (
    AreaView,
    FieldView,
    GrantFilter,
    GrantMove,
    GrantRequest,
    GrantView,
    Move,
    Reader,
    UsageView,
)

WRITE_SECONDS = 5.0
"""Counts of reading are written this often."""
KEYS = ("entity", "observed_at", "received_at", "feed", "record", "area", "date")
"""Columns that come with every grant: without them a row could not be told from another."""
_EVENTS = {
    "asked": "cityloop.grant.asked",
    "approved": "cityloop.grant.approved",
    "refused": "cityloop.grant.refused",
    "withdrawn": "cityloop.grant.withdrawn",
    "revoked": "cityloop.grant.revoked",
    "expired": "cityloop.grant.expired",
}
_HEADINGS = {
    "id": ("编号", "Id"),
    "dataset": ("数据集", "Dataset"),
    "title": ("名称", "Title"),
    "department": ("申请部门", "Asking department"),
    "owner": ("归口部门", "Owner"),
    "purpose": ("用途", "Purpose"),
    "state": ("状态", "State"),
    "asked_by_name": ("申请人", "Asked by"),
    "asked_at": ("申请时间", "Asked at"),
    "until": ("期限", "Until"),
    "decided_by_name": ("决定人", "Decided by"),
    "decided_at": ("决定时间", "Decided at"),
    "reason": ("理由", "Reason"),
    "reads": ("读取次数", "Reads"),
}
_SORTS: Mapping[str, Callable[[GrantView], object]] = {
    "asked_at": lambda view: view.asked_at,
    "until": lambda view: view.until,
    "dataset": lambda view: view.dataset,
    "state": lambda view: view.state,
    "department": lambda view: view.department,
    "owner": lambda view: view.owner,
}


class Sharing:
    """Grants between departments. ``names`` gives accounts their names."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        door: Door,
        audit: Audit,
        city: City,
        current: Current,
        names: Callable[[str], Title],
        most_days: float,
    ) -> None:
        self._database, self._outbox, self._door, self._audit = database, outbox, door, audit
        self._city, self._current, self._names = city, current, names
        self._most = timedelta(days=most_days)
        self._book = GrantBook(city.clock)
        self._written = time.monotonic()
        self._turn = threading.Lock()
        door.grants = self._book
        door.register(Protected("grant", department="parties"))
        self.reload()

    def reload(self) -> None:
        """Put all approved grants into the door's book; call it again after the feeds have changed."""
        with self._database.reading() as session:
            for row in session.scalars(select(GrantRow).where(GrantRow.state == "approved")):
                self._book.put(self._grant(row))

    def list(self, actor: Actor, wanted: GrantFilter, paged: Paging) -> Page[GrantView]:
        """Grants that the actor's department asks for or owns (or all, by the policy), newest first."""
        scope, self_now = self._door.scope(actor, "grant"), self._city.clock.now()
        self.write_uses()
        with self._database.reading() as session:
            rows = [row for row in session.scalars(select(GrantRow)) if scope.lets(_parties(row))]
            reads = self._reads(session)
        rows = [row for row in rows if _matches(row, wanted, state_at(row.state, row.until, self_now))]  # type: ignore[arg-type]
        views = _sorted([self._view(actor, row, reads) for row in rows], paged.sort)
        page = views[paged.offset : paged.offset + paged.size]
        return Page(items=page, total=len(views), page=paged.page, size=paged.size)

    def export(self, actor: Actor, wanted: GrantFilter, form: ExportFormat) -> Response:
        """The same list as a file, headed in the city's language."""
        rows = self.list(actor, wanted, Paging(page=1, size=EXPORT_LIMIT, sort="")).items
        with self._database.transaction() as tx:
            self._audit.record(tx, self._city.clock.now(), actor.id, "grant.export", "grants", {"rows": len(rows)})
        chinese = self._city.language == "zh"
        return export_rows("grants", form, _HEADINGS, rows, chinese=chinese, zone=self._city.zone)

    def get(self, actor: Actor, grant: str) -> GrantView:
        """One grant; one out of sight is answered like one that does not exist."""
        self.write_uses()
        with self._database.reading() as session:
            row = self._found(session, actor, grant)
            return self._view(actor, row, self._reads(session))

    def ask(self, actor: Actor, request: GrantRequest) -> GrantView:
        """Ask the owner. Raises :class:`Invalid` with a fault for every field that cannot be asked for."""
        self._door.permit(actor, "grant.request")
        owner = self._checked(actor, request)
        now = self._city.clock.now()
        row = GrantRow(
            id=new_id("gra"), dataset=request.dataset, owner=owner, department=actor.department or "",
            fields=list(dict.fromkeys(request.fields)), areas=list(dict.fromkeys(request.areas)),
            purpose=request.purpose, until=request.until, state="asked", asked_by=actor.id, asked_at=now, version=1,
        )  # fmt: skip
        with self._database.transaction() as tx:
            tx.session.add(row)
            tx.session.flush()
            self._tell(tx, actor, row, {"purpose": row.purpose})
        return self._view(actor, row, {})

    def move(self, actor: Actor, grant: str, wish: GrantMove) -> GrantView:
        """Make one move; raises :class:`AccessDenied` or :class:`Conflict` with what would be needed."""
        with self._database.transaction() as tx:
            row = self._found(tx.session, actor, grant, alone=True)
            found = refused(wish.move, self._standing(row), actor, self._door.may(actor, MOVES[wish.move].permission))
            if found is not None:
                raise _problem(found)
            self._carry_out(tx, actor, row, wish)
            tx.session.flush()
            reads = self._reads(tx.session)
        return self._view(actor, row, reads)

    def usage(self, actor: Actor, grant: str) -> UsageView:
        """How often and by whom a grant was read by."""
        self.write_uses()
        with self._database.reading() as session:
            self._found(session, actor, grant)
            uses = session.scalars(select(GrantUseRow).where(GrantUseRow.grant == grant)).all()
        readers = [
            Reader(account=u.account, name=self._names(u.account), reads=u.reads, last_read_at=u.last_read_at)
            for u in sorted(uses, key=lambda use: use.last_read_at, reverse=True)
        ]
        last = max((reader.last_read_at for reader in readers), default=None)
        return UsageView(grant=grant, reads=sum(r.reads for r in readers), last_read_at=last, readers=readers)

    def step(self) -> None:
        """What happens without anybody asking: counts are written, terms that have ended are told of."""
        if time.monotonic() - self._written < WRITE_SECONDS:
            return
        self._written = time.monotonic()
        self.write_uses()
        self._expire()

    def write_uses(self) -> None:
        """Write the counts of reading, with one audit line for each account and grant."""
        with self._turn:
            uses = self._book.take_uses()
            if not uses:
                return
            try:
                self._write(uses)
            except Exception:
                self._book.give_back(uses)
                raise

    def held(self, dataset: str) -> Sequence[GrantRow]:
        """Grants of a dataset that are asked for or hold now."""
        now = self._city.clock.now()
        with self._database.reading() as session:
            rows = session.scalars(select(GrantRow).where(GrantRow.dataset == dataset)).all()
        return [row for row in rows if state_at(row.state, row.until, now) in ("asked", "approved")]  # type: ignore[arg-type]

    def _write(self, uses: Mapping[tuple[str, str], Use]) -> None:
        with self._database.transaction() as tx:
            for (grant, account), use in uses.items():
                row = tx.session.get(GrantUseRow, (grant, account))
                before = row.reads if row else 0
                last = use.last or self._city.clock.now()
                tx.session.merge(GrantUseRow(grant=grant, account=account, reads=before + use.reads, last_read_at=last))
                self._audit.record(tx, last, account, "grant.read", grant, {"reads": use.reads})

    def _expire(self) -> None:
        now = self._city.clock.now()
        ended = select(GrantRow).where(GrantRow.state.in_(("asked", "approved")), GrantRow.until <= now)
        with self._database.reading() as session:
            if session.scalar(select(func.count()).select_from(ended.subquery())) == 0:
                return
        with self._database.transaction() as tx:
            for row in tx.session.scalars(ended).all():
                row.state, row.ended_at, row.version = "expired", row.until, row.version + 1
                self._tell(tx, SYSTEM, row, {})
                tx.after_commit(partial(self._book.drop, row.id))

    def _carry_out(self, tx: Transaction, actor: Actor, row: GrantRow, wish: GrantMove) -> None:
        now = self._city.clock.now()
        row.state, row.version = MOVES[wish.move].target, row.version + 1
        if wish.move in ("approve", "refuse"):
            row.decided_by, row.decided_at, row.reason = actor.id, now, wish.reason
        else:
            row.ended_by, row.ended_at, row.end_reason = actor.id, now, wish.reason
        self._tell(tx, actor, row, {"reason": wish.reason})
        if row.state == "approved":
            tx.after_commit(lambda: self._book.put(self._grant(row)))
        else:
            tx.after_commit(lambda: self._book.drop(row.id))

    def _tell(self, tx: Transaction, actor: Actor, row: GrantRow, more: Mapping[str, str]) -> None:
        now = self._city.clock.now()
        view = self._view(actor, row, {}).model_dump(mode="json", exclude={"moves", "reads", "last_read_at"})
        self._outbox.record(tx, _EVENTS[row.state], row.id, now, {"grant": view})
        told = {"dataset": row.dataset, "owner": row.owner, "department": row.department, "fields": row.fields,
                "areas": row.areas, "until": row.until.isoformat(), **more}  # fmt: skip
        self._audit.record(tx, now, actor.id, _EVENTS[row.state].removeprefix("cityloop."), row.id, told)

    def _checked(self, actor: Actor, request: GrantRequest) -> str:
        """The owner department of a sound request."""
        declared = self._current.declared
        faults: builtins.list[Fault] = []
        kind = declared.standard.entity_types.get(request.dataset)
        owners = declared.owners(request.dataset)
        if kind is None or not owners:
            known = ", ".join(sorted({mapping.entity_type.id for mapping in declared.feeds}))
            raise Invalid(f"no department owns a dataset '{request.dataset}'", f"known: {known}")
        owner = request.owner or (owners[0] if len(owners) == 1 else None)
        if owner not in owners:
            faults.append(Fault("owner", f"{request.dataset} is owned by {' and '.join(owners)}", "name one of them"))
        if actor.department is None or actor.department == owner:
            what = "the owner needs no grant" if actor.department else f"{actor.id} belongs to no department"
            faults.append(Fault("dataset", what, "a grant goes from one department to another"))
        names = [item.id for item in kind.properties]
        faults += [
            Fault(f"fields.{n}", f"{kind.id} has no property '{field}'", f"known: {', '.join(names)}")
            for n, field in enumerate(request.fields)
            if field not in names
        ]
        faults += self._area_faults(request) + self._term_faults(request)
        if faults:
            raise Invalid("the request cannot be made", "see the faults", faults)
        return str(owner)

    def _area_faults(self, request: GrantRequest) -> builtins.list[Fault]:
        codes = {area.code for area in self._city.areas.list()}
        return [
            Fault(f"areas.{n}", f"there is no area '{code}'", "see GET /api/v1/areas")
            for n, code in enumerate(request.areas)
            if code not in codes
        ]

    def _term_faults(self, request: GrantRequest) -> builtins.list[Fault]:
        now = self._city.clock.now()
        if request.until <= now:
            return [Fault("until", "the term ends before it begins", f"city time is {now.isoformat()}")]
        if request.until > now + self._most:
            return [Fault("until", f"a grant holds for at most {self._most.days} days", "ask again when it has ended")]
        return []

    def _found(self, session: Session, actor: Actor, grant: str, *, alone: bool = False) -> GrantRow:
        scope = self._door.scope(actor, "grant")
        row = session.get(GrantRow, grant, with_for_update=alone)
        if row is None or not scope.lets(_parties(row)):
            raise NotFound(f"there is no grant '{grant[:60]}' within your sight", "GET /api/v1/grants lists them")
        return row

    def _grant(self, row: GrantRow) -> Grant:
        """What the door applies: the owner's rows in the areas, with the fields and the columns every table has."""
        feeds = [
            mapping.id
            for mapping in self._current.declared.feeds_of(row.dataset)
            if mapping.declaration.department == row.owner
        ]
        owned: Predicate = predicates.In("feed", tuple(feeds)) if feeds else predicates.Nothing()
        inside: Predicate = predicates.Under("area", tuple(row.areas)) if row.areas else predicates.Everything()
        columns = frozenset([*KEYS, *row.fields])
        rows = {"observation": predicates.both([owned, inside]), "entity": inside}
        return Grant(row.id, row.department, row.dataset, columns, rows, row.until)

    def _standing(self, row: GrantRow) -> Standing:
        state = state_at(row.state, row.until, self._city.clock.now())  # type: ignore[arg-type]
        return Standing(state, row.owner, row.department, row.asked_by)

    def _reads(self, session: Session) -> Mapping[str, tuple[int, object]]:
        use = GrantUseRow
        query = select(use.grant, func.sum(use.reads), func.max(use.last_read_at)).group_by(use.grant)
        return {grant: (int(reads), last) for grant, reads, last in session.execute(query)}

    def _view(self, actor: Actor, row: GrantRow, reads: Mapping[str, tuple[int, object]]) -> GrantView:
        kind = self._current.declared.standard.entity_types.get(row.dataset)
        standing = self._standing(row)
        moves: builtins.list[Move] = [
            m
            for m, rule in MOVES.items()
            if refused(m, standing, actor, self._door.may(actor, rule.permission)) is None
        ]
        count, last = reads.get(row.id, (0, None))
        values = {name: getattr(row, name) for name in GrantView.model_fields if hasattr(row, name)}
        return GrantView.model_validate(
            {
                **values,
                "title": kind.title if kind else Title(zh=row.dataset, en=row.dataset),
                "fields": [_field(name, kind.find(name) if kind else None) for name in row.fields],
                "areas": [AreaView(code=code, title=self._city.areas.title(code)) for code in row.areas],
                "state": standing.state,
                "asked_by_name": self._names(row.asked_by),
                "decided_by_name": self._names(row.decided_by) if row.decided_by else None,
                "moves": moves,
                "reads": count,
                "last_read_at": last,
            }
        )


def _field(name: str, item: object) -> FieldView:
    title = getattr(item, "title", None) or Title(zh=name, en=name)
    return FieldView(id=name, title=title, sensitivity=getattr(item, "sensitivity", "open"))


def _parties(row: GrantRow) -> Mapping[str, object]:
    return {"parties": [row.owner, row.department]}


def _matches(row: GrantRow, wanted: GrantFilter, state: str) -> bool:
    return (
        (wanted.state is None or state == wanted.state)
        and (wanted.dataset is None or row.dataset == wanted.dataset)
        and (wanted.department is None or wanted.department in (row.owner, row.department))
    )


def _sorted(views: list[GrantView], sort: str) -> list[GrantView]:
    name, down = (sort.removeprefix("-") or "asked_at"), sort.startswith("-") or not sort
    if name not in _SORTS:
        raise Invalid(f"grants cannot be sorted by '{name}'", f"known: {', '.join(_SORTS)}")
    key = _SORTS[name]
    return sorted(views, key=lambda view: (key(view), view.id), reverse=down)


def _problem(found: Refusal) -> Conflict | AccessDenied:
    return (Conflict if found.conflict else AccessDenied)(found.detail, found.mend)
