"""The desk of co-handlers: their own parts, and nothing of the case that is another department's."""

from __future__ import annotations

import builtins
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, false, func, or_, select, true
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.models import AccountRow
from cityloop.cases import entries, joint
from cityloop.cases.ask import Reason, reason
from cityloop.cases.models import CaseRow, PartEntryRow, PartRow
from cityloop.cases.mover import Mover
from cityloop.cases.moves import both_languages
from cityloop.cases.parts import ACTIVE, BY_HANDLER, MOVES, OPEN, Part, PartMove, weigh
from cityloop.cases.schemas import (
    CaseBrief,
    CasePartDetail,
    CasePartView,
    FieldAsked,
    MoveOffer,
    MoveRequest,
    TaskEntry,
)
from cityloop.cases.store import CaseStore
from cityloop.cases.store import load as load_case
from cityloop.cases.values import Case
from cityloop.city.service import City
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import AccessDenied, Conflict, Fault, Invalid, NotFound
from cityloop.core.values import Page, Title
from cityloop.core.web import Paging

_TABLE = PartRow.__table__


class Tasks:
    """All verbs on parts."""

    def __init__(self, *, database: Database, door: Door, audit: Audit, city: City, mover: Mover) -> None:
        self._database, self._door, self._audit, self._city = database, door, audit, city
        self._mover, self._parts = mover, mover.parts

    def list(
        self, actor: Actor, paged: Paging, mine: bool, open: bool | None, department: str | None, case: str | None
    ) -> Page[CasePartView]:
        """Parts within the actor's sight, the first due before all others; ``mine``: that wait for the actor."""
        now = self._city.clock.now()
        where = [joint.where(self._door.scope(actor, joint.TASK))]
        if mine:
            where += self._waiting_for(actor)
        if open is not None:
            where.append(_TABLE.c.state.in_(OPEN) if open else _TABLE.c.state.not_in(OPEN))
        where += [c == v for c, v in ((_TABLE.c.department, department), (_TABLE.c.case, case)) if v is not None]
        order = (_TABLE.c.due_at.is_(None), _TABLE.c.due_at, _TABLE.c.id)
        query = select(_TABLE.c.id).where(*where).order_by(*order).offset(paged.offset).limit(paged.size)
        with self._database.reading() as session:
            total = session.scalar(select(func.count()).select_from(_TABLE).where(*where)) or 0
            ids = list(session.scalars(query))
            found = {part.id: part for part in joint.load(session, _TABLE.c.id.in_(ids))}
            items = [self._parts.view(found[id], self._case(session, found[id]), now, True) for id in ids]
        return Page(items=items, total=total, page=paged.page, size=paged.size)

    def _waiting_for(self, actor: Actor) -> builtins.list[ColumnElement[bool]]:
        """Parts of the actor's department on which the actor can make a move now, as :func:`weigh` would let it."""
        known = [move for move in MOVES.values() if move.own and self._door.may(actor, move.needs)]
        free = or_(_TABLE.c.handler.is_(None), _TABLE.c.handler == actor.id)
        able = [_TABLE.c.state.in_(m.origin) & (free if m.id in BY_HANDLER else true()) for m in known]
        active = select(CaseRow.id).where(CaseRow.state.in_(ACTIVE))
        return [_TABLE.c.department == actor.department, or_(false(), *able), _TABLE.c.case.in_(active)]

    def get(self, actor: Actor, key: str) -> CasePartDetail:
        """One part with its history and the moves on offer."""
        now = self._city.clock.now()
        with self._database.reading() as session:
            part = self._seen(session, actor, key)
            case = self._case(session, part)
            rows = session.scalars(
                select(PartEntryRow).where(PartEntryRow.part == part.id).order_by(PartEntryRow.seq)
            ).all()
        brief = CaseBrief(**{name: getattr(case, name) for name in CaseBrief.model_fields})
        return CasePartDetail(
            **self._parts.view(part, case, now, True).model_dump(),
            brief=brief,
            moves=[self._offer(actor, part, case, move) for move in MOVES.values() if part.state in move.origin],
            entries=[_entry(row) for row in rows],
        )

    def move(self, actor: Actor, key: str, wish: MoveRequest) -> CasePartDetail:
        """Change a part; the case gets a timeline entry that says so and not what was written."""
        move = MOVES.get(wish.move)
        if move is None:
            raise Invalid(f"there is no move '{wish.move}' of a part", f"moves: {', '.join(MOVES)}")
        with self._database.transaction() as tx:
            self._make(tx, actor, key, move, wish, self._city.clock.now())
        return self.get(actor, key)

    def _make(self, tx: Transaction, actor: Actor, key: str, move: PartMove, wish: MoveRequest, now: datetime) -> None:
        case = CaseStore.of(tx).find(self._seen(tx.session, actor, key).case)
        assert case is not None
        [part] = joint.load(tx.session, _TABLE.c.id == key, locked=True)
        if wish.version != part.version:
            what = f"the part was changed meanwhile: you saw version {wish.version}, it is {part.version}"
            raise Conflict(what, "read it again and decide anew", more={"version": part.version})
        self._refuse(actor, part, case, move, self._wanting(tx.session, part, move, wish))
        after = self._after(part, move, wish, now)
        self._parts.save(tx, after)
        facts = {name: value for name, value in wish.fields.items() if value not in (None, "")}
        mark = self._parts.enter(tx, actor, after, move.id, now, facts, wish.opinion.strip())
        self._tell(tx, actor, case, after, move, mark, now)

    def _after(self, part: Part, move: PartMove, wish: MoveRequest, now: datetime) -> Part:
        after = replace(part, state=move.to, version=part.version + 1)
        if move.id == "part_sign":
            after = replace(after, handler=str(wish.fields.get("handler") or "") or None)
        if move.id == "part_give_back":
            after = replace(after, handler=None)
        if move.id == "part_submit":
            after = replace(after, result=str(wish.fields["result"]).strip())
        if move.to not in OPEN:
            ended = self._parts.finish(after, now) if move.to == "done" else self._parts.stop(after, now)
            after = replace(ended, closed_at=now)
        return after

    def _tell(
        self, tx: Transaction, actor: Actor, case: Case, part: Part, move: PartMove, mark: str, now: datetime
    ) -> None:
        ended = part.state not in OPEN
        values = {"parts_open": case.parts_open - 1} if ended and part.required else {}
        facts = {"part": part.id, "department": part.department, "move": move.id, "state": part.state, "content": mark}
        after = self._mover.enter(tx, actor, case, entries.PART_MOVED, now, values, facts)
        if ended:
            self._parts.release(tx, actor, after, now)

    def _refuse(self, actor: Actor, part: Part, case: Case, move: PartMove, wanting: builtins.list[Reason]) -> None:
        refusal = weigh(part, case.state, move, actor, lambda permission: self._door.may(actor, permission))
        zh = self._city.language == "zh"
        if refusal is None and not wanting:
            return
        reasons = refusal.reasons if refusal else tuple(wanting)
        told = "；".join(r.title.zh for r in reasons) if zh else "; ".join(r.title.en for r in reasons)
        able = [name for name, post in self._door.policy.posts.items() if move.needs in post.may]
        more = {
            "refusal": refusal.kind if refusal else "input",
            "move": move.id,
            "state": part.state,
            "reasons": [title.model_dump() for title in both_languages(reasons)],
            "able": able,
        }
        head = f"{case.number} {part.department} ({part.state}): {move.id}: {told}"
        if refusal is None:
            faults = [Fault(r.field or "move", r.title.zh if zh else r.title.en) for r in wanting]
            raise Invalid(head, "fill in what is missing and send the move again", faults, more)
        if refusal.kind == "permission":
            raise AccessDenied(head, f"posts that hold '{move.needs}': {', '.join(able) or 'none'}", more=more)
        raise Conflict(head, "see the moves on offer: GET /api/v1/tasks/{id}", more=more)

    def _wanting(self, session: Session, part: Part, move: PartMove, wish: MoveRequest) -> builtins.list[Reason]:
        found = []
        if move.reason_needed and not wish.opinion.strip():
            found.append(reason("请填写理由", "a reason is needed", "opinion"))
        known = {item.name for item in move.fields}
        found += [
            reason(f"没有字段“{n}”", f"there is no field '{n}'", f"fields.{n}") for n in wish.fields if n not in known
        ]
        for item in move.fields:
            text = str(wish.fields.get(item.name) or "").strip()
            if item.required and not text:
                found.append(reason(f"请填写“{item.title.zh}”", f"'{item.title.en}' is needed", f"fields.{item.name}"))
            if item.kind == "person" and text:
                found += _stranger(session, text, part.department)
        return found

    def _offer(self, actor: Actor, part: Part, case: Case, move: PartMove) -> MoveOffer:
        refusal = weigh(part, case.state, move, actor, lambda permission: self._door.may(actor, permission))
        asked = [FieldAsked(name=f.name, title=f.title, kind=f.kind, required=f.required) for f in move.fields]
        return MoveOffer(
            move=move.id,
            title=move.title,
            to=move.to,
            allowed=refusal is None,
            reasons=both_languages(refusal.reasons) if refusal else [],
            reason_needed=move.reason_needed,
            fields=asked,
        )

    def _seen(self, session: Session, actor: Actor, key: str) -> Part:
        scope = self._door.scope(actor, joint.TASK)
        found = joint.load(session, (_TABLE.c.id == key) & joint.where(scope))
        if not found:
            raise NotFound(f"there is no task '{key[:60]}' within your sight", "GET /api/v1/tasks lists yours")
        return found[0]

    def _case(self, session: Session, part: Part) -> Case:
        found = load_case(session, part.case)
        assert found is not None
        return found


def _stranger(session: Session, account: str, department: str) -> builtins.list[Reason]:
    row = session.get(AccountRow, account)
    if row is None or row.department != department:
        return [reason(f"{account} 不属于协办部门", f"{account} does not belong to the department", "fields.handler")]
    return []


def _entry(row: Any) -> TaskEntry:
    return TaskEntry(
        at=row.at,
        move=row.move,
        title=joint.titled(row.move),
        state=row.state,
        actor=row.actor,
        actor_name=Title(zh=row.actor_zh, en=row.actor_en),
        opinion=row.opinion,
        fields=row.facts,
    )
