"""Registers: rows of other departments, read for one item and one purpose, through the door and with an audit line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Protected
from cityloop.approve.declarations import EvidenceDef, Item, RegisterDef
from cityloop.approve.phrases import PHRASES
from cityloop.approve.typed import NotOfKind, Value, alike, plain, revived, typed
from cityloop.core.canonical import digest
from cityloop.core.database import Transaction
from cityloop.core.errors import AccessDenied, NotFound
from cityloop.core.values import Title

ENTITY = "register"
POST = "evidence"
"""The post as which registers are read; a city that gives it no sight of registers keeps them closed."""
Status = Literal["found", "none", "many", "denied"]
StateOf = Callable[[Actor, str], Mapping[str, Any]]
"""The latest values of an entity as an actor sees them; raises :class:`NotFound` and :class:`AccessDenied`."""


@dataclass(frozen=True)
class Looked:
    """What one look into a register gave: ``row`` holds plain JSON values of the columns that were asked for."""

    status: Status
    row: Mapping[str, Any]
    why: Title | None = None

    def kept(self) -> dict[str, Any]:
        """As an application keeps it."""
        return {"status": self.status, "row": dict(self.row), "why": self.why.model_dump() if self.why else None}


class Registers:
    """The registers of a city. ``tables`` has the rows of those that are tables, typed."""

    def __init__(
        self,
        *,
        door: Door,
        audit: Audit,
        definitions: Mapping[str, RegisterDef],
        tables: Mapping[str, Sequence[Mapping[str, Value]]],
        state_of: StateOf,
    ) -> None:
        door.register(Protected(ENTITY, department="department"))
        self._door, self._audit = door, audit
        self._definitions, self._tables, self._state_of = definitions, tables, state_of
        self._indexes: dict[tuple[str, str], dict[str, list[Mapping[str, Value]]]] = {}

    def definition(self, register: str) -> RegisterDef:
        """One register; raises ``KeyError``."""
        return self._definitions[register]

    def kinds(self, evidence: EvidenceDef) -> dict[str, str]:
        """The kind of each column that is read."""
        columns = {column.id: column.kind for column in self._definitions[evidence.looks_in].columns}
        return {name: columns[name] for name in evidence.read if name in columns}

    def look(
        self, tx: Transaction, item: Item, evidence: EvidenceDef, form: Mapping[str, Value], subject: str, now: datetime
    ) -> Looked:
        """Read one register for an application; a reading that is refused is an answer too, and audited like any."""
        register = self._definitions[evidence.looks_in]
        keys = {column: form.get(field) for column, field in evidence.by.items()}
        actor = reader(item)
        try:
            self._permitted(actor, register, item, evidence)
            looked = Looked("none", {}) if None in keys.values() else self._found(actor, register, evidence, keys)
        except AccessDenied as error:
            looked = Looked("denied", {}, Title(zh="无权读取该登记", en=error.detail))
        detail = {"item": item.id, "register": register.id, "columns": list(evidence.read),
                  "purpose": evidence.purpose.zh, "key": _key(keys)}  # fmt: skip
        self._audit.record(tx, now, actor.id, "register.read", subject, detail, looked.status)
        return looked

    def _permitted(self, actor: Actor, register: RegisterDef, item: Item, evidence: EvidenceDef) -> None:
        """Both must let it through: the city's policy, and what the owner shares with the department for this item."""
        scope = self._door.scope(actor, ENTITY, register.id)
        if not scope.lets({"department": register.department}):
            raise AccessDenied(f"{actor.id} has no sight of the register '{register.id}'", scope.reason)
        closed = [name for name in evidence.read if name not in register.shared(item.hand_over.department, item.id)]
        if closed:
            what = f"{register.department} does not share {', '.join(closed)} of '{register.id}' for '{item.id}'"
            raise AccessDenied(what, "the owner can add it under 'share' in registers.yaml")

    def _found(self, actor: Actor, register: RegisterDef, evidence: EvidenceDef, keys: Mapping[str, Value]) -> Looked:
        rows = self._of_state(actor, register, keys) if register.entity_type else self._of_table(register, keys)
        if not rows:
            return Looked("none", {})
        if len(rows) > 1:
            return Looked("many", {})
        return Looked("found", {name: plain(rows[0].get(name)) for name in evidence.read})

    def _of_table(self, register: RegisterDef, keys: Mapping[str, Value]) -> list[Mapping[str, Value]]:
        column, *others = keys
        near = self._index(register.id, column).get(_folded(keys[column]), [])
        return [row for row in near if all(alike(row.get(name), keys[name]) for name in others)]

    def _index(self, register: str, column: str) -> dict[str, list[Mapping[str, Value]]]:
        if (register, column) not in self._indexes:
            index: dict[str, list[Mapping[str, Value]]] = {}
            for row in self._tables.get(register, ()):
                index.setdefault(_folded(row.get(column)), []).append(row)
            self._indexes[register, column] = index
        return self._indexes[register, column]

    def _of_state(self, actor: Actor, register: RegisterDef, keys: Mapping[str, Value]) -> list[Mapping[str, Value]]:
        try:
            state = self._state_of(actor, str(keys["id"]))
        except NotFound:
            return []
        row: dict[str, Value] = {}
        for column in register.columns:
            try:
                row[column.id] = typed(column.kind, state.get(column.id))
            except NotOfKind:
                row[column.id] = None
        return [row]


def reader(item: Item) -> Actor:
    """Who reads registers for an item: a machine of the department that answers for it."""
    return Actor(
        id=f"item:{item.id}", name=item.title, kind="machine", posts=(POST,), department=item.hand_over.department
    )


def seen(registers: Registers, item: Item, kept: Mapping[str, Mapping[str, Any]]) -> dict[str, Looked]:
    """What was kept of the registers with an application, as it was seen then."""
    found = {}
    for evidence in item.evidence:
        one = kept.get(evidence.id, {"status": "none", "row": {}, "why": None})
        row = revived(registers.kinds(evidence), one["row"])
        why = Title.model_validate(one["why"]) if one["why"] else None
        found[evidence.id] = Looked(one["status"], row, why)
    return found


def denied_reason(looked: Looked) -> Title:
    """Why a register could not be read."""
    return looked.why or PHRASES.what("no-evidence", evidence="")


def _folded(value: Value) -> str:
    return "".join(str(value).split()).casefold()


def _key(keys: Mapping[str, Value]) -> str:
    """What was looked for, so that two looks can be told apart without keeping whom."""
    return digest({name: plain(value) for name, value in keys.items()})[:16]
