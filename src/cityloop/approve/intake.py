"""An application comes in: form, registers, facts, decision, answer; all in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import select

from cityloop.access.actor import Actor
from cityloop.access.codes import hash_code, new_code
from cityloop.approve.content import ItemBook
from cityloop.approve.declarations import Item
from cityloop.approve.form import read_form
from cityloop.approve.judging import Conclusion, Doubt, Examined, conclude, examine, sampled
from cityloop.approve.ledger import Ledger
from cityloop.approve.models import ApplicationRow, ItemVersionRow
from cityloop.approve.phrases import PHRASES
from cityloop.approve.registers import Looked, Registers, seen
from cityloop.approve.schemas import Channel
from cityloop.approve.typed import Value, plain
from cityloop.cases.numbers import next_number
from cityloop.city.service import City
from cityloop.core.canonical import digest
from cityloop.core.database import Transaction
from cityloop.core.errors import NotFound, Problem
from cityloop.core.ids import new_id
from cityloop.core.values import Title

OPEN = ("handed", "granted", "appealed")
"""States beside which a second application of the same applicant is one too many."""


class Answer(Protocol):
    """What a decision table answered, as it was stored."""

    @property
    def id(self) -> str: ...
    @property
    def version(self) -> Any: ...
    @property
    def outputs(self) -> Any: ...
    @property
    def rules(self) -> tuple[str, ...]: ...
    @property
    def outcome(self) -> str: ...


Decide = Callable[..., Answer]
"""``decide(table, inputs, subject=…, actor=…, now=…, tx=…)``: asks a decision table and keeps its answer."""


class Intake:
    """Takes applications."""

    def __init__(self, *, city: City, book: ItemBook, registers: Registers, decide: Decide, ledger: Ledger) -> None:
        self._city, self._book, self._registers = city, book, registers
        self._decide, self._ledger = decide, ledger
        self._areas = {area.code for area in city.areas.list() if area.level != "cell"}

    def item(self, name: str) -> Item:
        """An item; raises :class:`NotFound`."""
        found = self._book.items.get(name)
        if found is None:
            raise NotFound(f"there is no item '{name[:40]}'", "GET /api/v1/public/items lists them")
        return found

    def apply_in(
        self, tx: Transaction, actor: Actor, name: str, sent: Mapping[str, Any], channel: Channel, now: datetime
    ) -> tuple[ApplicationRow, str]:
        """Take an application; returns its row and the secret code. Raises :class:`Invalid` for the form."""
        item = self.item(name)
        form = read_form(item, sent, self._areas.__contains__)
        identity, code = new_id("app"), new_code()
        kept = self._looked(tx, item, form, identity, now)
        examined = examine(item, form, seen(self._registers, item, kept), now.astimezone(self._city.zone).date())
        once = _once(item, examined.form)
        doubts = [*examined.doubts, *self._again(tx, once)]
        answer = None if doubts else self._asked(tx, item, examined, identity, actor, now)
        conclusion = _concluded(item, answer, doubts)
        self._keep_item(tx, item, now)
        row = self._row(item, examined, conclusion, kept, answer, now)
        row.id, row.number, row.code_hash = identity, self._number(tx, now), hash_code(code)
        row.once_key, row.channel, row.applied_by = once, channel, actor.id
        self._set_terms(row, item, now)
        self._ledger.moved(tx, row, "apply", "", actor.id, "", now)
        return row, code

    def _looked(
        self, tx: Transaction, item: Item, form: Mapping[str, Value], subject: str, now: datetime
    ) -> dict[str, dict[str, Any]]:
        looks: dict[str, Looked] = {}
        for evidence in item.evidence:
            looks[evidence.id] = self._registers.look(tx, item, evidence, form, subject, now)
        return {name: look.kept() for name, look in looks.items()}

    def _again(self, tx: Transaction, once: str | None) -> list[Doubt]:
        if once is None:
            return []
        query = select(ApplicationRow.id).where(ApplicationRow.once_key == once, ApplicationRow.state.in_(OPEN))
        return [Doubt("again", PHRASES.what("again"))] if tx.session.scalars(query.limit(1)).first() else []

    def _asked(
        self, tx: Transaction, item: Item, examined: Examined, subject: str, actor: Actor, now: datetime
    ) -> Answer | None:
        """The table's answer; ``None`` where it cannot be asked at all."""
        try:
            return self._decide(item.decision, examined.facts, subject=subject, actor=actor.id, now=now, tx=tx)
        except Problem:
            return None

    def _row(
        self,
        item: Item,
        examined: Examined,
        conclusion: Conclusion,
        kept: Mapping[str, Any],
        answer: Answer | None,
        now: datetime,
    ) -> ApplicationRow:
        area = examined.form.get(item.area_field) if item.area_field else None
        return ApplicationRow(
            item=item.id,
            digest=self._book.digests[item.id],
            department=item.hand_over.department,
            post=item.hand_over.post,
            area=str(area) if area is not None else None,
            form={name: plain(value) for name, value in examined.form.items()},
            filled=list(examined.filled),
            evidence=dict(kept),
            facts=dict(examined.facts),
            doubts=[doubt.kept() for doubt in conclusion.doubts],
            decision=answer.id if answer else None,
            table_version=str(answer.version) if answer else None,
            rules=list(answer.rules) if answer else [],
            proposal=conclusion.proposal,
            reasons=[reason.model_dump() for reason in conclusion.reasons],
            results=dict(conclusion.results),
            state=conclusion.state,
            instant=conclusion.state == "granted",
            applied_at=now,
            reminded="",
            late=False,
            check="none",
            appeals=0,
            version=0,
        )

    def _set_terms(self, row: ApplicationRow, item: Item, now: datetime) -> None:
        """Until when a person answers; or that the grant is checked, and until when."""
        if row.state == "handed":
            turns = self._ledger.turns(item.hand_over.limit, row.department, now)
            row.due_at, row.remind_at = turns.red_at, turns.yellow_at
            return
        row.answered_at = now
        if sampled(item.check.seed, row.id, item.check.share):
            row.check, row.check_due_at = "due", self._ledger.turns(item.check.limit, row.department, now).red_at

    def _keep_item(self, tx: Transaction, item: Item, now: datetime) -> None:
        declared = item.model_dump(mode="json")
        row = {"digest": self._book.digests[item.id], "item": item.id, "declared": declared, "first_at": now}
        tx.insert_missing(ItemVersionRow, row)

    def _number(self, tx: Transaction, now: datetime) -> str:
        prefix = f"SP{now.astimezone(self._city.zone):%Y%m%d}"
        return f"{prefix}{next_number(tx, prefix):05d}"


def _concluded(item: Item, answer: Answer | None, doubts: list[Doubt]) -> Conclusion:
    if doubts:
        return Conclusion("handed", None, doubts=tuple(doubts))
    if answer is None:
        return Conclusion("handed", None, doubts=(Doubt("table-error", PHRASES.what("table-error")),))
    return conclude(item, answer)


def _once(item: Item, form: Mapping[str, Value]) -> str | None:
    """By what the same applicant is recognised, as a hash; ``None`` where there is nothing to go by."""
    values = {name: plain(form.get(name)) for name in item.once}
    if not values or None in values.values():
        return None
    return digest({"item": item.id, **values})


def titles(stored: list[Any]) -> list[Title]:
    """Stored sentences as values."""
    return [Title.model_validate(one) for one in stored]
