"""The standard of a city: what its packs declare, together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from cityloop.core.content import Lines, checked, fault_at, raise_faults, read_yaml
from cityloop.core.errors import ContentError, Fault, NotFound
from cityloop.standard.code_lists import CodeList, load_code_lists
from cityloop.standard.consistency import type_faults
from cityloop.standard.indices import chosen
from cityloop.standard.types import EntityType, StandardFile

FILE = "standard.yaml"
_Place = tuple[Path, Lines, int]


class Standard:
    """All entity types and code lists, by id. Never changed in place: an adopted change is another standard."""

    def __init__(
        self, entity_types: Mapping[str, EntityType], code_lists: Mapping[str, CodeList] | None = None
    ) -> None:
        self.entity_types = dict(entity_types)
        self.code_lists = dict(code_lists or {})

    @classmethod
    def load(cls, packs: Sequence[Path], editions: Mapping[str, str] = MappingProxyType({})) -> Standard:
        """Read ``standard.yaml`` and ``code_lists.yaml`` of every pack that has one.

        ``editions`` are those that the city chooses, by index. Raises :class:`ContentError` with all faults.
        """
        found: dict[str, tuple[EntityType, _Place]] = {}
        faults: list[Fault] = []
        lists: dict[str, CodeList] = {}
        try:
            lists = load_code_lists(packs)
        except ContentError as error:
            faults += error.faults or [Fault("code_lists.yaml", error.detail, error.mend)]
        for path in [pack / FILE for pack in packs if (pack / FILE).is_file()]:
            try:
                _take(path, found, faults)
            except ContentError as error:
                faults += error.faults or [Fault(str(path), error.detail, error.mend)]
        found = {name: (chosen(item, editions), place) for name, (item, place) in found.items()}
        if not faults:
            faults += [*_misfits(found, lists), *_unknown_editions(found, editions)]
        raise_faults("the standard", faults)
        return cls({name: item for name, (item, _) in found.items()}, lists)

    @cached_property
    def version(self) -> str:
        """Twelve letters that are equal for equal content, whatever its order in the files."""
        parts = [item.model_dump_json() for item in (*self.entity_types.values(), *self.code_lists.values())]
        return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()[:12]

    def entity_type(self, identity: str) -> EntityType:
        """One entity type; raises :class:`NotFound` naming the nearest ids."""
        found = self.entity_types.get(identity)
        if found is None:
            near = get_close_matches(identity, self.entity_types, 3, 0.4) or sorted(self.entity_types)
            raise NotFound(f"the standard has no entity type '{identity}'", f"known: {', '.join(near) or 'none'}")
        return found

    def code_list(self, identity: str) -> CodeList:
        """One code list; raises :class:`NotFound` naming the nearest ids."""
        found = self.code_lists.get(identity)
        if found is None:
            near = get_close_matches(identity, self.code_lists, 3, 0.4) or sorted(self.code_lists)
            raise NotFound(f"the standard has no code list '{identity}'", f"known: {', '.join(near) or 'none'}")
        return found

    def lists_of(self, entity_type: EntityType) -> dict[str, CodeList]:
        """The code lists that a type's properties use."""
        wanted = {item.code_list for item in entity_type.properties} - {None}
        return {name: self.code_lists[name] for name in sorted(filter(None, wanted)) if name in self.code_lists}


def _take(path: Path, found: dict[str, tuple[EntityType, _Place]], faults: list[Fault]) -> None:
    value, lines = read_yaml(path)
    for index, item in enumerate(checked(path, StandardFile, value, lines).entity_types):
        if item.id in found:
            what = f"entity type '{item.id}' is declared by another pack too"
            faults.append(fault_at(path, lines, ("entity_types", index, "id"), what, "keep one of the two"))
        found[item.id] = (item, (path, lines, index))


def _misfits(found: Mapping[str, tuple[EntityType, _Place]], lists: Mapping[str, CodeList]) -> list[Fault]:
    return [
        fault_at(path, lines, ("entity_types", index, *key), what, mend)
        for item, (path, lines, index) in found.values()
        for key, what, mend in type_faults(item, found, lists)
    ]


def _unknown_editions(found: Mapping[str, tuple[EntityType, _Place]], editions: Mapping[str, str]) -> list[Fault]:
    """Choices of the city for indices that no pack declares."""
    known = {index.id for item, _ in found.values() for index in item.indices}
    mend = f"known: {', '.join(sorted(known)) or 'none'}"
    return [
        Fault(f"city.yaml editions.{name}", f"the packs declare no index '{name}'", mend)
        for name in editions
        if name not in known
    ]
