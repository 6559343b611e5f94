"""Loads the kinds of emergency of the packs, and people and resources of the city; each fault names its place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cityloop.city.grammar import NeedsHuman
from cityloop.city.service import City
from cityloop.core.content import Key, checked, fault_at, load, raise_faults, read_yaml
from cityloop.core.errors import Fault
from cityloop.emergency.declarations import (
    ContactsFile,
    EmergencyFile,
    KindDef,
    PersonDef,
    ResourceDef,
    ResourcesFile,
)

Found = tuple[Key, str, str]


@dataclass(frozen=True)
class EmergencyBook:
    """Kinds by id, people by role, resources by id."""

    kinds: Mapping[str, KindDef] = field(default_factory=dict)
    people: Mapping[str, tuple[PersonDef, ...]] = field(default_factory=dict)
    resources: Mapping[str, ResourceDef] = field(default_factory=dict)


def load_emergency(city: City, rules: Collection[str]) -> EmergencyBook:
    """The book of a city whose packs have these ``rules``; raises :class:`ContentError` with every fault."""
    faults: list[Fault] = []
    kinds: dict[str, KindDef] = {}
    for path in (pack / "emergency.yaml" for pack in city.packs):
        if path.exists():
            value, lines = read_yaml(path)
            for number, kind in enumerate(checked(path, EmergencyFile, value, lines).kinds):
                key = ("kinds", number)
                if kind.id in kinds:
                    faults.append(fault_at(path, lines, (*key, "id"), f"'{kind.id}' twice", "rename one of them"))
                faults += [
                    fault_at(path, lines, (*key, *k), what, mend) for k, what, mend in _checked(kind, city, rules)
                ]
                kinds[kind.id] = kind
    resources = _resources(city, faults)
    raise_faults("the emergencies of the city", faults)
    return EmergencyBook(kinds, _people(city), resources)


def _checked(kind: KindDef, city: City, rules: Collection[str]) -> Iterator[Found]:
    for number, trigger in enumerate(kind.warnings):
        if trigger.rule not in rules:
            yield ("warnings", number, "rule"), f"there is no rule '{trigger.rule}'", "see rules.yaml of the packs"
    if kind.department not in city.departments:
        yield ("department",), f"the city has no department '{kind.department}'", "see departments.yaml"
    for number, task in enumerate(kind.tasks):
        if task.department not in city.departments:
            mend = "see departments.yaml"
            yield ("tasks", number, "department"), f"the city has no department '{task.department}'", mend
        if isinstance(read := city.deadlines.parse(task.limit), NeedsHuman):
            yield ("tasks", number, "limit"), f"'{task.limit}' gives no instant: {read.reason.en}", "write it as 2小时"


def _people(city: City) -> dict[str, tuple[PersonDef, ...]]:
    path = city.folder / "contacts.yaml"
    found = load(path, ContactsFile).contacts if path.exists() else ()
    return {role.role: role.people for role in found}


def _resources(city: City, faults: list[Fault]) -> dict[str, ResourceDef]:
    path: Path = city.folder / "resources.yaml"
    if not path.exists():
        return {}
    value, lines = read_yaml(path)
    found: dict[str, ResourceDef] = {}
    for number, one in enumerate(checked(path, ResourcesFile, value, lines).resources):
        key = ("resources", number)
        if one.id in found:
            faults.append(fault_at(path, lines, (*key, "id"), f"'{one.id}' twice", "rename one of them"))
        if one.department not in city.departments:
            what = f"the city has no department '{one.department}'"
            faults.append(fault_at(path, lines, (*key, "department"), what, "see departments.yaml"))
        found[one.id] = one
    return found
