"""What stands beyond the packs: declarations that replace or add to theirs, and what is taken away.

The overlay is data of the city, the packs stay as they are. Packs and overlay together are the standard in force.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cityloop.core.content import Key, read_yaml
from cityloop.core.errors import ContentError, Fault, Invalid
from cityloop.standard.changes import Content
from cityloop.standard.declarations import FeedDeclaration
from cityloop.standard.feeds import compile_feed, feed_from
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.service import Standard
from cityloop.steward.declared import Declared
from cityloop.steward.submission import FILES, KINDS, Place, Submission, plain

Values = dict[str, dict[str, Any]]
"""Raw declarations by kind and id."""
Overlay = dict[str, Any]
"""``{code_lists: {id: …}, entity_types: {…}, feeds: {…}, remove: {kind: [id]}}``, plain JSON."""
IN_FORCE = "(in force)"


@dataclass(frozen=True)
class Broken:
    """A fault of one declaration, by its key within the declaration."""

    kind: str
    id: str
    key: Key
    what: str
    mend: str

    def fault(self, places: Mapping[tuple[str, str], Place]) -> Fault:
        """At the file and line of the set, or named as part of what is in force."""
        place = places.get((self.kind, self.id))
        if place is not None:
            return place.fault(self.key, self.what, self.mend)
        dotted = ".".join(str(part) for part in (self.kind, self.id, *self.key))
        return Fault(f"{IN_FORCE} {dotted}", self.what, self.mend)


@dataclass(frozen=True)
class Loaded:
    """Values as a working standard. Feeds that do not fit it are told of in ``broken`` and left out of the mappings."""

    declared: Declared
    content: Content
    broken: tuple[Broken, ...]


def empty() -> Overlay:
    """Nothing beyond the packs."""
    return {**{kind: {} for kind in KINDS}, "remove": {kind: [] for kind in KINDS}}


def read_packs(folders: Sequence[Path]) -> Values:
    """The raw declarations of packs and city, whose files were found sound before."""
    found: Values = {kind: {} for kind in KINDS}
    for folder in folders:
        for kind, name in FILES.items():
            if (folder / name).is_file():
                for item in read_yaml(folder / name)[0].get(kind) or []:
                    found[kind][item["id"]] = _placed(folder, plain(item))
    return found


def laid(overlay: Overlay, submission: Submission, packs: Values) -> Overlay:
    """The overlay with a set laid over it. Raises :class:`Invalid` when something to be removed is not there."""
    made, faults = deepcopy(overlay), []
    for kind in KINDS:
        for identity in submission.removed.get(kind, ()):
            if identity not in made[kind] and identity not in packs[kind]:
                faults.append(Fault(f"remove.{kind}", f"there is no '{identity}'", "leave it out"))
            made[kind].pop(identity, None)
            if identity in packs[kind] and identity not in made["remove"][kind]:
                made["remove"][kind].append(identity)
        for identity, item in submission.items.get(kind, {}).items():
            made[kind][identity] = item
            made["remove"][kind] = [name for name in made["remove"][kind] if name != identity]
    if faults:
        raise Invalid("the set cannot be laid over what is in force", "see the faults", faults)
    return made


def effective(packs: Values, overlay: Overlay) -> Values:
    """Packs and overlay together; what the packs hold keeps its place, new things come behind."""
    whole = {kind: {**packs[kind], **overlay[kind]} for kind in KINDS}
    return {
        kind: {name: item for name, item in whole[kind].items() if name not in overlay["remove"][kind]}
        for kind in KINDS
    }


def load(values: Values, departments: Collection[str], editions: Mapping[str, str]) -> Loaded:
    """Make a standard of raw values, with the editions of indices that the city chooses.

    Raises :class:`StandardFault` for faults of entity types and code lists; without those there is no standard at all.
    """
    standard = _standard(values, editions)
    declarations: dict[str, FeedDeclaration] = {}
    mappings: list[FeedMapping] = []
    broken: list[Broken] = []
    for identity, raw in values["feeds"].items():
        try:
            declarations[identity] = feed_from(raw)
            mappings.append(compile_feed(declarations[identity], standard, departments))
        except Invalid as error:
            faults = error.faults or [Fault("", error.detail, error.mend)]
            broken += [Broken("feeds", identity, _key(f.where), f.what, f.mend) for f in faults]
    content = Content(standard.entity_types, standard.code_lists, declarations)
    return Loaded(Declared(standard, tuple(mappings)), content, tuple(broken))


class StandardFault(Exception):
    """Entity types or code lists that make no standard."""

    def __init__(self, broken: Sequence[Broken]) -> None:
        super().__init__(f"{len(broken)} fault(s)")
        self.broken = tuple(broken)


def texts(overlay: Overlay) -> dict[str, str]:
    """The overlay as files of a pack; what is taken away stands in ``remove.yaml``."""
    made = {FILES[kind]: _dump({kind: list(overlay[kind].values())}) for kind in KINDS if overlay[kind]}
    removed = {kind: ids for kind, ids in overlay["remove"].items() if ids}
    return made | ({"remove.yaml": _dump({"remove": removed})} if removed else {})


def _standard(values: Values, editions: Mapping[str, str]) -> Standard:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in ("code_lists", "entity_types"):
            (folder / FILES[kind]).write_text(_dump({kind: list(values[kind].values())}), encoding="utf-8")
        try:
            return Standard.load([folder], editions)
        except ContentError as error:
            raise StandardFault([_located(fault, folder, values) for fault in error.faults]) from error


_WHERE = re.compile(r"^(?P<path>.*?\.yaml):\d+ (?P<key>\S+)")


def _located(fault: Fault, folder: Path, values: Values) -> Broken:
    """A fault of the written files, back at the declaration it belongs to."""
    match = _WHERE.match(fault.where.removeprefix(f"{folder}/"))
    kind, *rest = match["key"].split(".") if match else ("entity_types",)
    names = list(values.get(kind, {}))
    if rest and rest[0].isdigit() and int(rest[0]) < len(names):
        return Broken(kind, names[int(rest[0])], _key(".".join(rest[1:])), fault.what, fault.mend)
    return Broken(kind, "", _key(".".join(rest)), fault.what, fault.mend)


def _key(dotted: str) -> Key:
    parts = [part for part in dotted.split(".") if part and not part.startswith("(")]
    return tuple(int(part) if part.isdigit() else part for part in parts)


def _placed(folder: Path, item: Mapping[str, Any]) -> dict[str, Any]:
    """Files that a declaration names are found from anywhere."""
    file = item.get("file")
    return {**item, "file": str((folder / file).resolve())} if isinstance(file, str) else dict(item)


def _dump(value: Any) -> str:
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=120)
