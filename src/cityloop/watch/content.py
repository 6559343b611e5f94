"""Loads ``rules.yaml`` of every pack; each fault names file, line, key, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from cityloop.core.content import Key, Lines, checked, fault_at, raise_faults, read_yaml
from cityloop.core.errors import ContentError, Fault
from cityloop.lake.events import SCHEMAS as EVENTS
from cityloop.standard.service import Standard
from cityloop.standard.units import unit
from cityloop.watch.checking import Found, Known, among, check
from cityloop.watch.rules import Rule


def read_rules(packs: Sequence[Path], known: Known) -> tuple[Rule, ...]:
    """All rules of the packs, in order; a pack without ``rules.yaml`` has none. Raises :class:`ContentError`."""
    faults: list[Fault] = []
    items = [(path, *item) for path in _files(packs) for item in _items(path, faults)]
    rules = {rule.id: rule for _, _, rule, _ in items}
    seen: set[str] = set()
    for path, key, rule, lines in items:
        twice: list[Found] = [(("id",), f"rule '{rule.id}' is declared twice", "rename one of them")]
        found = [*check(rule, known), *among(rule, rules), *(twice if rule.id in seen else ())]
        faults += [fault_at(path, lines, (*key, *where), what, mend) for where, what, mend in found]
        seen.add(rule.id)
    raise_faults("the rules of the packs", faults)
    return tuple(rules.values())


def read_draft(path: Path, name: str, known: Known, rules: Mapping[str, Rule]) -> Rule:
    """One rule of a file, checked beside the rules in force; raises :class:`ContentError` with file, line and key."""
    faults: list[Fault] = []
    items = {rule.id: (key, rule, lines) for key, rule, lines in _items(path, faults)}
    raise_faults(str(path), faults)
    if name not in items:
        raise ContentError(f"{path} has no rule '{name}'", f"it has {', '.join(items) or 'none'}")
    key, rule, lines = items[name]
    found = [*check(rule, known), *among(rule, {**rules, name: rule})]
    raise_faults(str(path), [fault_at(path, lines, (*key, *where), what, mend) for where, what, mend in found])
    return signed(rule)


def _files(packs: Sequence[Path]) -> list[Path]:
    return [path for pack in packs if (path := pack / "rules.yaml").exists()]


def _items(path: Path, faults: list[Fault]) -> Iterator[tuple[Key, Rule, Lines]]:
    value, lines = read_yaml(path)
    items = value.get("rules") if isinstance(value, dict) else None
    if not isinstance(items, list) or set(value) != {"rules"}:
        faults.append(fault_at(path, lines, (), "a rules file has one key, 'rules', with a list", "see docs/rules.md"))
        return
    for number, item in enumerate(items):
        try:
            yield ("rules", number), checked(path, Rule, item, lines, ("rules", number)), lines
        except ContentError as error:
            faults += error.faults


def load_rules(
    packs: Sequence[Path],
    standard: Standard | None = None,
    departments: Collection[str] | None = None,
    matters: Collection[str] | None = None,
    areas: Collection[str] | None = None,
    foretold: Callable[[str, str], bool] | None = None,
) -> tuple[Rule, ...]:
    """All rules of the packs, checked against what is given; units become the signs that people write."""
    known = Known(departments=departments, matters=matters, areas=areas, foretold=foretold)
    if standard is not None:
        known = known_of(standard, known)
    return tuple(signed(rule) for rule in read_rules(packs, known))


def signed(rule: Rule) -> Rule:
    """The rule with its unit as the sign that people write."""
    return rule.model_copy(update={"unit": found.symbol if (found := unit(rule.unit)) else ""})


def known_of(standard: Standard, known: Known = Known()) -> Known:
    """What a rule may refer to under ``standard``."""
    return replace(known, units=_units(standard), columns=_columns(standard))


def _units(standard: Standard) -> dict[str, dict[str, str]]:
    """Numeric properties and their units; those of the event tables are counts and seconds, without a unit."""
    numeric = (pa.float64(), pa.int64())
    events = {name: {f.name: "" for f in schema if f.type in numeric} for name, schema in EVENTS.items()}
    observed = {
        kind.id: {item.id: item.unit for item in kind.properties if item.kind in ("number", "integer")}
        for kind in standard.entity_types.values()
    }
    return events | observed


def _columns(standard: Standard) -> dict[str, list[str]]:
    """Text columns, by which rows may be matched."""
    schemas = {**EVENTS, **{kind.id: kind.schema for kind in standard.entity_types.values()}}
    return {name: [f.name for f in schema if f.type == pa.string()] for name, schema in schemas.items()}
