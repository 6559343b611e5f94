"""Loads ``items/*.yaml`` and ``registers.yaml`` of the packs; each fault names file, line, key, and what to do."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cityloop.approve.declarations import EvidenceDef, Item, RegisterDef, RegistersFile
from cityloop.approve.typed import NotOfKind, Value, typed
from cityloop.city.grammar import NeedsHuman
from cityloop.city.service import City
from cityloop.core import canonical
from cityloop.core.content import Key, Lines, checked, fault_at, raise_faults, read_yaml
from cityloop.core.errors import Fault
from cityloop.feel import FeelFault, expression

REGISTERS = "registers.yaml"
ITEMS = "items"
Found = tuple[Key, str, str]


@dataclass(frozen=True)
class ItemBook:
    """Items by id with the digests of their declarations, registers by id, and the rows of those that are tables."""

    items: Mapping[str, Item] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    registers: Mapping[str, RegisterDef] = field(default_factory=dict)
    tables: Mapping[str, Sequence[Mapping[str, Value]]] = field(default_factory=dict)


def load_items(city: City) -> ItemBook:
    """All items and registers of the city's packs; raises :class:`ContentError` with every fault of every file."""
    faults: list[Fault] = []
    registers = _registers(city, faults)
    tables = {one.id: _table(city, one, faults) for one in registers.values() if one.entity_type is None}
    items: dict[str, Item] = {}
    for path in (path for pack in city.packs for path in sorted((pack / ITEMS).glob("*.yaml"))):
        value, lines = read_yaml(path)
        item = checked(path, Item, value, lines)
        if item.id in items:
            faults.append(fault_at(path, lines, ("id",), f"'{item.id}' is declared twice", "rename one of them"))
        faults += [fault_at(path, lines, *found) for found in _checked_item(item, registers, city)]
        items[item.id] = item
    raise_faults("the items of the packs", faults)
    digests = {name: canonical.digest(item.model_dump(mode="json")) for name, item in items.items()}
    return ItemBook(items, digests, registers, tables)


def _registers(city: City, faults: list[Fault]) -> dict[str, RegisterDef]:
    found: dict[str, RegisterDef] = {}
    for path in (pack / REGISTERS for pack in city.packs):
        if path.exists():
            value, lines = read_yaml(path)
            for number, register in enumerate(checked(path, RegistersFile, value, lines).registers):
                key = ("registers", number)
                if register.id in found:
                    faults.append(fault_at(path, lines, (*key, "id"), f"'{register.id}' twice", "rename one of them"))
                faults += _departments(path, lines, key, register, city)
                found[register.id] = register
    return found


def _departments(path: Path, lines: Lines, key: Key, register: RegisterDef, city: City) -> Iterator[Fault]:
    named = [((*key, "department"), register.department)]
    named += [((*key, "share", n, "department"), line.department) for n, line in enumerate(register.share)]
    known = f"known: {', '.join(city.departments)}"
    for where, department in named:
        if department not in city.departments:
            yield fault_at(path, lines, where, f"the city has no department '{department}'", known)


def _table(city: City, register: RegisterDef, faults: list[Fault]) -> list[Mapping[str, Value]]:
    """The rows of the city's own file, else of a pack's."""
    places = [folder / "registers" / f"{register.id}.csv" for folder in (city.folder, *city.packs)]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        what = f"the register '{register.id}' has no rows"
        faults.append(Fault(str(places[0]), what, "write the file, or name an entity type"))
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if missing := [one.id for one in register.columns if one.id not in (reader.fieldnames or ())]:
            faults.append(Fault(f"{path}:1", f"column {', '.join(missing)} is missing", "name every declared column"))
            return []
        return [_row(register, row, f"{path}:{reader.line_num}", faults) for row in reader]


def _row(register: RegisterDef, row: Mapping[str, str], where: str, faults: list[Fault]) -> Mapping[str, Value]:
    found: dict[str, Value] = {}
    for column in register.columns:
        try:
            found[column.id] = typed(column.kind, row[column.id])
        except NotOfKind:
            faults.append(Fault(f"{where} {column.id}", f"'{row[column.id]}' is no {column.kind}", "correct the value"))
    return found


def _checked_item(item: Item, registers: Mapping[str, RegisterDef], city: City) -> Iterator[Found]:
    """What the types cannot say: departments, posts, limits, registers, columns, expressions."""
    over = item.hand_over
    if over.department not in city.departments:
        yield ("hand_over", "department"), f"the city has no department '{over.department}'", "see departments.yaml"
    if over.post not in city.policy.posts:
        yield ("hand_over", "post"), f"the city has no post '{over.post}'", "see policy.yaml"
    for key, limit in ((("hand_over",), over.limit), (("check",), item.check.limit), (("appeal",), item.appeal.limit)):
        if isinstance(read := city.deadlines.parse(limit), NeedsHuman):
            yield (*key, "limit"), f"'{limit}' gives no instant: {read.reason.en}", "write it as 5个工作日"
    names = [one.id for one in item.fields]
    for number, name in enumerate(item.once):
        if name not in names:
            yield ("once", number), f"the form has no field '{name}'", f"known: {', '.join(names)}"
    for number, evidence in enumerate(item.evidence):
        yield from ((("evidence", number, *k), w, m) for k, w, m in _checked_evidence(item, evidence, names, registers))
    for number, fact in enumerate(item.facts):
        try:
            unknown = expression(fact.value).names - {"form", "evidence", "applied"}
        except FeelFault as fault:
            yield ("facts", number, "value"), fault.detail, fault.mend
            continue
        if unknown:
            what = f"{', '.join(sorted(unknown))} is not known here"
            yield ("facts", number, "value"), what, "facts name form, evidence and applied"


def _checked_evidence(
    item: Item, evidence: EvidenceDef, fields: Sequence[str], registers: Mapping[str, RegisterDef]
) -> Iterator[Found]:
    register = registers.get(evidence.looks_in)
    if register is None:
        yield ("looks_in",), f"there is no register '{evidence.looks_in}'", f"known: {', '.join(registers)}"
        return
    columns = [column.id for column in register.columns]
    for name in evidence.read:
        if name not in columns:
            yield ("columns",), f"'{register.id}' has no column '{name}'", f"known: {', '.join(columns)}"
        elif name not in register.shared(item.hand_over.department, item.id):
            what = f"{register.department} does not share '{name}' of '{register.id}' for '{item.id}'"
            yield ("columns",), what, "the owner adds it under 'share' in registers.yaml"
    for name in (*evidence.by.values(), *evidence.fill, *(pair.field for pair in evidence.compare)):
        if name not in fields:
            yield ("by",), f"the form has no field '{name}'", f"known: {', '.join(fields)}"
    if register.entity_type and list(evidence.by) != ["id"]:
        yield ("by",), "the state of an entity is found by its id", "write by: {id: <field>}"
