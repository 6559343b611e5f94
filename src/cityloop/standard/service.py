"""The standard of a city: what its packs declare, together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from cityloop.core.content import checked, fault_at, raise_faults, read_yaml
from cityloop.core.errors import ContentError, Fault, NotFound
from cityloop.standard.types import EntityType, StandardFile

FILE = "standard.yaml"


class Standard:
    """All entity types, by id."""

    def __init__(self, entity_types: Mapping[str, EntityType]) -> None:
        self.entity_types = dict(entity_types)

    @classmethod
    def load(cls, packs: Sequence[Path]) -> Standard:
        """Read ``standard.yaml`` of every pack that has one; raise :class:`ContentError` with all faults."""
        found: dict[str, EntityType] = {}
        faults: list[Fault] = []
        for path in [pack / FILE for pack in packs if (pack / FILE).is_file()]:
            try:
                _take(path, found, faults)
            except ContentError as error:
                faults += error.faults or [Fault(str(path), error.detail, error.mend)]
        raise_faults("the standard", faults)
        return cls(found)

    def entity_type(self, identity: str) -> EntityType:
        """One entity type; raises :class:`NotFound` naming the nearest ids."""
        found = self.entity_types.get(identity)
        if found is None:
            near = get_close_matches(identity, self.entity_types, 3, 0.4) or sorted(self.entity_types)
            raise NotFound(f"the standard has no entity type '{identity}'", f"known: {', '.join(near) or 'none'}")
        return found


def _take(path: Path, found: dict[str, EntityType], faults: list[Fault]) -> None:
    value, lines = read_yaml(path)
    for index, item in enumerate(checked(path, StandardFile, value, lines).entity_types):
        if item.id in found:
            what = f"entity type '{item.id}' is declared by another pack too"
            faults.append(fault_at(path, lines, ("entity_types", index, "id"), what, "keep one of the two"))
        found[item.id] = item
