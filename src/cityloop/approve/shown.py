"""Applications as they are shown: to officers under their scope, to the applicant in plain words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cityloop.access.actor import PUBLIC
from cityloop.access.door import Scope
from cityloop.approve.content import ItemBook
from cityloop.approve.declarations import EvidenceDef, Item, RegisterDef
from cityloop.approve.intake import titles
from cityloop.approve.models import ApplicationEntryRow, ApplicationRow
from cityloop.approve.moves import REASONED, Move
from cityloop.approve.phrases import HANDED, MOVES, STATES
from cityloop.approve.registers import Registers
from cityloop.approve.schemas import (
    ApplicationColumn,
    ApplicationDoubt,
    ApplicationEntry,
    ApplicationEvidence,
    ApplicationFact,
    ApplicationLine,
    ApplicationReceipt,
    ApplicationResult,
    ApplicationStep,
    ApplicationValue,
    ApplicationView,
    ApprovalItem,
    PublicApplication,
)
from cityloop.city.service import City
from cityloop.core.values import Title

_PUBLIC_MOVES = ("apply", "grant", "refuse", "revoke", "appeal")
"""What the applicant is told of; a check afterwards is the office's own matter."""
_LEVELS = ("open", "internal", "sensitive")


class Shown:
    """Makes views of rows; ``names`` gives accounts their names."""

    def __init__(self, city: City, book: ItemBook, registers: Registers, names: Callable[[str], Title]) -> None:
        self._city, self._book, self._registers, self._names = city, book, registers, names

    def item(self, item: Item) -> ApprovalItem:
        """An item for everybody."""
        registers = [self._registers.definition(one.looks_in) for one in item.evidence]
        own = ("id", "title", "description", "answer_within")
        return ApprovalItem(
            **{name: getattr(item, name) for name in own},
            department=item.hand_over.department,
            department_title=self._city.departments[item.hand_over.department].title,
            fields=list(item.fields),
            evidence=[one.title for one in item.evidence],
            limit=item.hand_over.limit,
            appeal_days=item.appeal.days,
            sample=any(register.sample for register in registers),
        )

    def line(self, row: ApplicationRow) -> ApplicationLine:
        """A row of a list."""
        values = {name: getattr(row, name) for name in ApplicationLine.model_fields if hasattr(row, name)}
        return ApplicationLine.model_validate({**values, "item_title": self._book.items[row.item].title})

    def view(
        self, row: ApplicationRow, scope: Scope, entries: Sequence[ApplicationEntryRow], moves: list[Move]
    ) -> ApplicationView:
        """Everything of one application, with what the scope covers."""
        item = self._book.items[row.item]
        shown = scope.cover({**row.form, **_columns(row), "department": row.department, "area": row.area})
        named = {name: getattr(row, name) for name in ApplicationView.model_fields if hasattr(row, name)}
        return ApplicationView.model_validate(
            {
                **named,
                "item_title": item.title,
                "table": item.decision,
                "form": [self._form_value(item, row, name, shown) for name in row.form],
                "evidence": [self._evidence(item, one, row, shown) for one in item.evidence if one.id in row.evidence],
                "facts": [ApplicationFact(id=f.id, title=f.title, value=row.facts.get(f.id)) for f in item.facts],
                "doubts": [ApplicationDoubt.model_validate(doubt) for doubt in row.doubts],
                "reasons": titles(row.reasons),
                "results": results(item, row.results),
                "decided_by_name": self._names(row.decided_by) if row.decided_by else None,
                "timeline": [self._entry(entry) for entry in entries],
                "moves": moves,
            }
        )

    def public(
        self, row: ApplicationRow, entries: Sequence[ApplicationEntryRow], can_appeal: bool
    ) -> PublicApplication:
        """What the applicant is told."""
        item = self._book.items[row.item]
        waits = row.state in ("handed", "appealed")
        return PublicApplication(
            number=row.number,
            item=item.id,
            item_title=item.title,
            department_title=self._city.departments[row.department].title,
            state=row.state,
            state_title=STATES[row.state],
            instant=row.instant,
            reasons=told_reasons(row),
            results=results(item, row.results) if row.state == "granted" else [],
            applied_at=row.applied_at,
            answered_at=None if waits else row.answered_at,
            expected_at=row.due_at if waits else None,
            steps=[
                ApplicationStep(title=MOVES[e.move], at=e.at, reason=e.reason if e.move in REASONED else "")
                for e in entries
                if e.move in _PUBLIC_MOVES
            ],
            can_appeal=can_appeal,
        )

    def receipt(self, row: ApplicationRow, code: str) -> ApplicationReceipt:
        """The answer to an application, with the code that opens it."""
        waits = row.state == "handed"
        return ApplicationReceipt(
            number=row.number,
            code=code,
            state=row.state,
            state_title=STATES[row.state],
            instant=row.instant,
            reasons=told_reasons(row),
            results=[] if waits else results(self._book.items[row.item], row.results),
            expected_at=row.due_at if waits else None,
        )

    def _form_value(self, item: Item, row: ApplicationRow, name: str, shown: Mapping[str, Any]) -> ApplicationValue:
        field = item.field(name)
        value = shown[name]
        words = {choice.id: choice.title for choice in field.choices}
        if field.kind == "area" and value and value == row.form[name]:
            words = {str(value): self._city.areas.title(str(value))}
        return ApplicationValue(
            id=name,
            title=field.title,
            value=value,
            shown=words.get(str(value)),
            filled=name in row.filled,
            differs=any(doubt["code"] == "differs" and doubt["about"] == name for doubt in row.doubts),
        )

    def _evidence(
        self, item: Item, evidence: EvidenceDef, row: ApplicationRow, shown: Mapping[str, Any]
    ) -> ApplicationEvidence:
        register, kept = self._registers.definition(evidence.looks_in), row.evidence[evidence.id]
        return ApplicationEvidence(
            id=evidence.id,
            title=evidence.title,
            register_title=register.title,
            department=register.department,
            purpose=evidence.purpose,
            status=kept["status"],
            why=Title.model_validate(kept["why"]) if kept["why"] else None,
            sample=register.sample,
            values=[_column(evidence, register, name, row, shown) for name in kept["row"]],
        )

    def _entry(self, entry: ApplicationEntryRow) -> ApplicationEntry:
        return ApplicationEntry(
            at=entry.at,
            actor=entry.actor,
            actor_name=PUBLIC.name if entry.actor == PUBLIC.id else self._names(entry.actor),
            move=entry.move,
            title=MOVES[entry.move],
            from_state=entry.from_state,
            state=entry.state,
            reason=entry.reason,
        )


def sensitivities(book: ItemBook, item: str | None) -> dict[str, str]:
    """The sensitivity of every field and column of an item; of all items together the highest."""
    found: dict[str, str] = {}
    for one in book.items.values() if item is None else [book.items[item]] if item in book.items else []:
        levels = [(field.id, field.sensitivity) for field in one.fields]
        for evidence in one.evidence:
            columns = book.registers[evidence.looks_in].columns
            levels += [(place(evidence.id, column.id), column.sensitivity) for column in columns]
        for name, level in levels:
            found[name] = max(found.get(name, "open"), level, key=_LEVELS.index)
    return found


def place(evidence: str, column: str) -> str:
    """The name of a register's column beside the fields of a form."""
    return f"{evidence}.{column}"


def _columns(row: ApplicationRow) -> dict[str, Any]:
    return {place(name, column): value for name, kept in row.evidence.items() for column, value in kept["row"].items()}


def _column(
    evidence: EvidenceDef, register: RegisterDef, name: str, row: ApplicationRow, shown: Mapping[str, Any]
) -> ApplicationColumn:
    column = register.column(name)
    compared = {pair.column: pair.field for pair in evidence.compare}
    beside = {**{column: field for field, column in evidence.fill.items()}, **evidence.by, **compared}.get(name)
    differs = any(doubt["code"] == "differs" and doubt["about"] == beside for doubt in row.doubts)
    return ApplicationColumn(
        id=name,
        title=column.title if column else Title(zh=name, en=name),
        value=shown[place(evidence.id, name)],
        field=beside,
        same=not differs if name in compared else None,
    )


def results(item: Item, values: Mapping[str, Any]) -> list[ApplicationResult]:
    """The further results of a decision, by their titles."""
    known = [one for one in item.results if values.get(one.id) is not None]
    return [ApplicationResult(id=one.id, title=one.title, value=values[one.id], unit=one.unit) for one in known]


def told_reasons(row: ApplicationRow) -> list[Title]:
    """The reasons of a machine's grant; while a person looks at it, only that one does."""
    if row.state in ("handed", "appealed"):
        return [HANDED]
    return titles(row.reasons) if row.state == "granted" else []
