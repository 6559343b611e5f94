"""Makes moves last: decides, then writes case, timeline, audit line and outbox event into one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.models import AccountRow
from cityloop.cases import entries, nearby, timeline
from cityloop.cases.ask import Ask, Facts, PartWish
from cityloop.cases.automation import next_rule
from cityloop.cases.definitions import Book
from cityloop.cases.dispatch import Match
from cityloop.cases.dispatch_table import beside
from cityloop.cases.dispatcher import Dispatcher
from cityloop.cases.handling import HandlingRules
from cityloop.cases.joint import Parts, read_wishes
from cityloop.cases.models import TimelineRow
from cityloop.cases.moves import Entry, MoveOutcome, decide
from cityloop.cases.refusal import Refusal
from cityloop.cases.refusals import refused
from cityloop.cases.store import CaseStore, numbered
from cityloop.cases.values import Case
from cityloop.cases.views import Views
from cityloop.cases.workflow import SUBMIT, MoveDef
from cityloop.city.service import City
from cityloop.core.database import Transaction
from cityloop.core.errors import Invalid
from cityloop.core.ids import new_id
from cityloop.core.outbox import Outbox
from cityloop.core.prepared import Prepared
from cityloop.core.values import Title

MOVED = "cityloop.case.moved"
_ACCOUNT = AccountRow.__table__.c
_PERSON = Prepared(
    select(_ACCOUNT.name_zh, _ACCOUNT.name_en, _ACCOUNT.department).where(_ACCOUNT.id == bindparam("account"))
)
_AUTOMATIC_STEPS = 20
"""Most automatic moves in a row; a loop in the table ends here."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A move that somebody wants, with what was filled in."""

    move: str
    opinion: str = ""
    fields: Mapping[str, Any] | None = None
    more: Mapping[str, Any] | None = None
    """Facts for the timeline and the event that no field asks for (an automatic move's rule, a warning's event)."""
    urgent: bool = False
    """Marks the case urgent as well (a warning that has risen)."""


class Mover:
    """The one place where a case changes."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        door: Door,
        audit: Audit,
        city: City,
        book: Book,
        dispatcher: Dispatcher,
        views: Views,
    ) -> None:
        self._outbox = outbox
        self._door = door
        self._audit = audit
        self._city = city
        self._book = book
        self._dispatcher = dispatcher
        self._views = views
        self.rules = HandlingRules(city, optional=book.current.limits == "optional")
        self.parts = Parts(door=door, city=city, rules=self.rules)
        self._matters = frozenset(matter.key for matter in city.catalogue.list())

    def ask(
        self, source: Transaction | Session, actor: Actor, case: Case, move: MoveDef, wish: Wish, now: datetime
    ) -> Ask:
        """Everything that decides about one wish; in a session that only reads, no more than an offer needs."""
        workflow = self._book.of(case.workflow, case.filed)
        facts = self._facts(source, actor, case, move, wish.fields or {}, now)
        return Ask(case, move, workflow, actor, now, self.rules, facts, wish.opinion, wish.fields or {})

    def move(self, tx: Transaction, actor: Actor, case: Case, wish: Wish, now: datetime) -> Case:
        """Make one move or raise a :class:`Problem` that names every reason."""
        workflow = self._book.of(case.workflow, case.filed)
        move = workflow.move_by_id.get(wish.move)
        if move is None:
            known = ", ".join(item.id for item in workflow.moves)
            raise Invalid(f"there is no move '{wish.move}' in the workflow {workflow.key}", f"moves: {known}")
        ask = self.ask(tx, actor, case, move, wish, now)
        result = decide(ask, lambda permission: self._door.may(actor, permission))
        if isinstance(result, Refusal):
            raise refused(ask, result, self._door.policy, self._city.language)
        moved = self._carry_out(tx, ask, result, wish)
        if ask.facts.target is not None and moved.merged_into:
            self._join(tx, actor, moved, ask.facts.target, now)
        if result.opens_linked:
            self._open_linked(tx, actor, moved, wish, now)
        return moved

    def _carry_out(self, tx: Transaction, ask: Ask, result: MoveOutcome, wish: Wish) -> Case:
        """Write a decided move, open its parts, and remember whom a dispatcher chose."""
        moved = self.write(tx, ask.actor, ask.case, result, wish, ask.move, ask.now)
        if ask.facts.parts:
            self.parts.begin(tx, ask.actor, moved, ask.facts.parts, ask.now)
        self._dispatcher.keep(tx, ask, moved)
        return moved

    def enter(
        self,
        tx: Transaction,
        actor: Actor,
        case: Case,
        name: str,
        now: datetime,
        values: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
        opinion: str = "",
    ) -> Case:
        """Write something that is no move (see :mod:`cityloop.cases.entries`) onto the case."""
        result = entries.outcome(case, actor, name, values or {}, facts or {}, now)
        return self.write(tx, actor, case, result, Wish(name, opinion), entries.definition(name), now)

    def automate(self, tx: Transaction, case: Case, now: datetime) -> Case:
        """Let the system make every move that the table gives it now; a refusal leaves the case to people."""
        for _ in range(_AUTOMATIC_STEPS):
            workflow = self._book.of(case.workflow, case.filed)
            rule = next_rule(workflow, case, now, lambda c: bool(self.near(tx, c, now)))
            if rule is None:
                return case
            told = self._reason(rule.reason)
            wish = Wish(rule.move, told, rule.fields, {"automation": rule.id, "reason": rule.reason.model_dump()})
            move = workflow.move_by_id[rule.move]
            ask = self.ask(tx, SYSTEM, case, move, wish, now)
            result = decide(ask, lambda _permission: True)
            if isinstance(result, Refusal):
                return case
            case = self._carry_out(tx, ask, result, wish)
        return case

    def write(
        self, tx: Transaction, actor: Actor, before: Case, result: MoveOutcome, wish: Wish, move: MoveDef, now: datetime
    ) -> Case:
        """Put a decided move into the transaction; returns the case with its timeline counted."""
        entry, case = result.entry, result.case
        if wish.more:
            entry.facts.update(wish.more)
        row = timeline.row_of(case, entry, actor, self._post(actor, move), wish.opinion.strip(), now)
        case = case.having(entries=row["seq"], head=row["hash"], urgent=case.urgent or wish.urgent)
        store = CaseStore.of(tx)
        if before.version:
            store.put(case)
        else:
            store.add(case)
        tx.insert(TimelineRow, row)
        if before.parts and not entries.is_part(move.id):
            self.parts.follow(tx, actor, case, now)
        detail = {"number": case.number, "from": entry.from_state, "to": entry.to_state}
        self._audit.record(tx, now, actor.id, f"case.{move.id}", case.id, detail)
        self._outbox.record(tx, MOVED, case.id, now, self._event(case, entry, actor, wish, now))
        return case

    def _join(self, tx: Transaction, actor: Actor, merged: Case, target: Case, now: datetime) -> None:
        """The target keeps a trace of every report that was merged into it; both reporters stay on their own cases."""
        facts = {"number": merged.number, "channel": merged.channel}
        count = target.petitioners + merged.petitioners + 1
        self.enter(tx, actor, target, entries.MERGED_IN, now, {"petitioners": count}, facts)

    def _open_linked(self, tx: Transaction, actor: Actor, closed: Case, wish: Wish, now: datetime) -> None:
        """A new case of the same matter and place, with the reporter who was not satisfied."""
        workflow, local = self._book.current, now.astimezone(self._city.zone)
        kept = ("title", "description", "matter", "area", "district", "lon", "lat", "address", "channel",
                "reporter_name", "reporter_phone", "urgent", "entity", "series", "named_department")  # fmt: skip
        draft = Case(
            **{name: getattr(closed, name) for name in kept},
            id=new_id("case"),
            number=numbered(workflow.number, local, closed.district, CaseStore.of(tx)),
            state=workflow.move_by_id[SUBMIT].origin[0],
            stage=1,
            opened_at=now,
            updated_at=now,
            updated_by=actor.id,
            last_move=SUBMIT,
            workflow=workflow.key,
            linked_from=closed.id,
        )
        more = {"linked_from": closed.number, "channel": closed.channel}
        opened = self.move(tx, SYSTEM, draft, Wish(SUBMIT, wish.opinion, more=more), now)
        self.enter(tx, actor, closed, entries.LINKED, now, facts={"number": opened.number})

    def near(self, tx: Transaction, case: Case, now: datetime) -> list[Case]:
        """What the duplicate guard finds for this case, inside a transaction."""
        rule = self._book.current.duplicate
        CaseStore.of(tx).flush()
        return nearby.nearest(case, nearby.listed_near(tx.session, case, rule, now), rule)

    def _event(self, case: Case, entry: Entry, actor: Actor, wish: Wish, now: datetime) -> dict[str, Any]:
        """Handling seconds counted so far, and wall-clock seconds since the report, go along with every move."""
        used = case.used_seconds
        if case.clock_state == "running" and case.handling is not None:
            used = self.rules.used(case.handling, now)
        more = {"linked_warning": wish.more["warning"]} if wish.more and "warning" in wish.more else {}
        return {
            "case": self._views.document(case, now),
            "move": entry.move,
            "from_state": entry.from_state,
            "used_seconds": used,
            "elapsed_seconds": int((now - case.opened_at).total_seconds()),
            "actor": actor.id,
            **more,
        }

    def _facts(
        self,
        source: Transaction | Session,
        actor: Actor,
        case: Case,
        move: MoveDef,
        fields: Mapping[str, Any],
        now: datetime,
    ) -> Facts:
        effects = {effect.name for effect in move.effects}
        tx = None if isinstance(source, Session) else source
        match = self._dispatcher.match(source, case, now) if "take_department" in effects else None
        person = target = None
        near: tuple[str, ...] = ()
        if tx is not None:
            if fields.get("handler"):
                person = self._person(tx, str(fields["handler"]))
            if "link_target" in effects and fields.get("target"):
                target = CaseStore.of(tx).find(str(fields["target"]).strip())
            if "show_nearby" in effects and actor.kind != "system":
                near = tuple(other.number for other in self.near(tx, case, now))
        wishes, fault = read_wishes(fields.get("parts")) if "take_parts" in effects else ((), None)
        if match is not None and "take_parts" in effects and "parts" not in fields and not case.parts:
            wishes = _helpers(match, str(fields.get("department") or "").strip() or match.department)
        there = self.parts.there(tx, case) if tx is not None and "take_parts" in effects else frozenset[str]()
        return Facts(
            self._city.departments,
            self._matters,
            match,
            person,
            target,
            near,
            parts=wishes,
            parts_fault=fault,
            parts_there=there,
            dates=self._dates(move, fields),
        )

    def _dates(self, move: MoveDef, fields: Mapping[str, Any]) -> dict[str, datetime]:
        """The fields of the kind ``date`` that are dates."""
        read: dict[str, datetime] = {}
        for item in move.fields:
            if item.kind == "date" and fields.get(item.name):
                with suppress(ValueError):
                    read[item.name] = self.rules.instant(str(fields[item.name]).strip())
        return read

    def _person(self, tx: Transaction, account: str) -> Actor | None:
        known: dict[str, Actor | None] = tx.memory.setdefault("cases.people", {})
        if account not in known:
            row = _PERSON.first(tx.session, account=account)
            known[account] = Actor(id=account, name=Title(zh=row[0], en=row[1]), department=row[2]) if row else None
        return known[account]

    def _post(self, actor: Actor, move: MoveDef) -> str | None:
        """The post that this act was done at: the first of the actor's posts that holds the permission."""
        posts = self._door.policy.posts
        holders = (name for name in actor.posts if name in posts and move.needs in posts[name].may)
        return next(holders, actor.posts[0] if actor.kind == "system" and actor.posts else None)

    def _reason(self, title: Title) -> str:
        return title.zh if self._city.language == "zh" else title.en


def _helpers(match: Match, lead: str) -> tuple[PartWish, ...]:
    """The parts that a row declares beside a lead of its own; whoever leads otherwise names the parts himself."""
    if lead not in match.equals:
        return ()
    return tuple(PartWish.model_validate(helper.model_dump()) for helper in beside(match.co_handlers, lead))
