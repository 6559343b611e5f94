"""A proposed change as it is sent: declarations in the words of the packs, and what is to be removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_core import from_json, to_json

from cityloop.core.content import Key, Lines, fault_at, parse_yaml
from cityloop.core.errors import ContentError, Fault, Invalid
from cityloop.core.values import Frozen

KINDS = ("code_lists", "entity_types", "feeds")
FILES = {kind: f"{name}.yaml" for kind, name in zip(KINDS, ("code_lists", "standard", "feeds"), strict=True)}
"""In which file of a pack a kind of declaration stands."""
MOST_BYTES = 2_000_000


class TextFile(Frozen):
    """One file of a set: YAML or JSON."""

    name: str = Field(min_length=1, max_length=120)
    text: str = Field(max_length=MOST_BYTES)


@dataclass(frozen=True)
class Place:
    """Where a declaration was written."""

    path: Path
    lines: Lines
    key: Key

    def fault(self, within: Key, what: str, mend: str) -> Fault:
        """A fault at a key within the declaration."""
        return fault_at(self.path, self.lines, (*self.key, *within), what, mend)


@dataclass(frozen=True)
class Submission:
    """Declarations by kind and id, as raw values, with their places; and ids to be removed, by kind."""

    items: Mapping[str, Mapping[str, Any]]
    places: Mapping[tuple[str, str], Place] = field(default_factory=dict)
    removed: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether it asks for nothing."""
        return not any(self.items.values()) and not any(self.removed.values())


def read(files: Sequence[TextFile]) -> Submission:
    """Read a set; raises :class:`Invalid` with every fault at file, line and key."""
    items: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    removed: dict[str, list[str]] = {kind: [] for kind in KINDS}
    places: dict[tuple[str, str], Place] = {}
    faults: list[Fault] = []
    for file in files:
        path = Path(file.name)
        try:
            value, lines = parse_yaml(path, file.text)
        except ContentError as error:
            faults += error.faults
            continue
        if not isinstance(value, dict) or not set(value) <= {*KINDS, "remove"}:
            known = ", ".join((*KINDS, "remove"))
            faults.append(fault_at(path, lines, (), "the file holds something else", f"its keys are {known}"))
            continue
        for kind in KINDS:
            _take(path, lines, kind, value.get(kind), items[kind], places, faults)
        _take_removed(path, lines, value.get("remove"), removed, faults)
    if faults:
        raise Invalid(f"the set has {len(faults)} error(s)", "correct them and plan again", faults)
    return Submission(items, places, removed)


def plain(value: Any) -> Any:
    """A value of YAML as JSON would hold it: days as texts, keys as texts."""
    return from_json(to_json(value))


def _take(
    path: Path,
    lines: Lines,
    kind: str,
    value: Any,
    found: dict[str, Any],
    places: dict[tuple[str, str], Place],
    faults: list[Fault],
) -> None:
    if value is None:
        return
    if not isinstance(value, list):
        faults.append(fault_at(path, lines, (kind,), "not a list", f"write '{kind}:' and a list below it"))
        return
    for number, item in enumerate(value):
        key: Key = (kind, number)
        identity = item.get("id") if isinstance(item, dict) else None
        if not isinstance(identity, str) or not identity:
            faults.append(fault_at(path, lines, key, "the declaration has no id", "give it an id"))
        elif identity in found:
            faults.append(fault_at(path, lines, (*key, "id"), f"'{identity}' is declared twice in the set", "keep one"))
        elif kind == "code_lists" and item.get("file"):
            mend = "write the codes into the list; only a pack may keep them in a file beside it"
            faults.append(fault_at(path, lines, (*key, "file"), "a set brings no files of its own", mend))
        else:
            found[identity] = plain(item)
            places[kind, identity] = Place(path, lines, key)


def _take_removed(path: Path, lines: Lines, value: Any, removed: dict[str, list[str]], faults: list[Fault]) -> None:
    if value is None:
        return
    if not isinstance(value, dict) or not set(value) <= set(KINDS):
        faults.append(fault_at(path, lines, ("remove",), "not understood", f"its keys are {', '.join(KINDS)}"))
        return
    for kind, ids in value.items():
        if not isinstance(ids, list) or not all(isinstance(item, str) for item in ids):
            faults.append(fault_at(path, lines, ("remove", kind), "not a list of ids", "write a list of ids"))
        else:
            removed[kind] += ids
