"""From what a sheet says and what stands to a plan: new, changed, the same, kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cityloop.city.faults import Faults
from cityloop.city.sheet import SheetChange, SheetFault, SheetKind, SheetPlan
from cityloop.core.errors import Fault, Invalid
from cityloop.core.values import Title
from cityloop.serve.importing.files import replace_file
from cityloop.serve.importing.phrases import PHRASES

Told = Mapping[str, str]
"""What is said of one thing, part by part, as people read it."""
_FIRST = 5


def compared(standing: Mapping[str, Told], said: Mapping[str, Told]) -> list[SheetChange]:
    """What a sheet brings and changes, in its own order."""
    return [change for key, told in said.items() if (change := _change(key, standing.get(key), told)) is not None]


def plan_of(
    kind: SheetKind, rows: int, standing: Mapping[str, Told], said: Mapping[str, Told], faults: Faults,
    notes: Sequence[Title], removed: Sequence[SheetChange] = (),
) -> SheetPlan:  # fmt: skip
    """The plan of a sheet; ``removed`` are things that fall away because the sheet is the whole of them."""
    changes = compared(standing, said)
    return SheetPlan(
        kind=kind.name,
        rows=rows,
        understood=len(said),
        same=len(said) - len(changes),
        kept=len([key for key in standing if key not in said]) - len(removed),
        changes=[*changes, *removed],
        first=[{"key": key, **told} for key, told in list(said.items())[:_FIRST]],
        faults=[SheetFault.of(fault) for fault in faults.found],
        notes=list(notes),
    )


def refuse_faults(faults: Sequence[Fault], source: str) -> None:
    """Raise :class:`Invalid` with every fault of a sheet that is to be written."""
    if faults:
        raise PHRASES.problem(Invalid, "faults", faults, source=source, count=len(faults))


@dataclass(frozen=True)
class Draft:
    """A sheet that becomes files of the city: what would change, what cannot be read, the files as they would be."""

    plan: SheetPlan
    faults: Sequence[Fault]
    files: Mapping[Path, str] = field(default_factory=dict)
    """None while there are faults."""

    def write(self, source: str) -> list[Path]:
        """Replace the files; raises :class:`Invalid` with every fault of the sheet."""
        refuse_faults(self.faults, source)
        for path, text in self.files.items():
            replace_file(path, text)
        return list(self.files)


def _change(key: str, before: Told | None, after: Told) -> SheetChange | None:
    if before is None:
        return SheetChange(key=key, change="new", after=_parts(after, [name for name, text in after.items() if text]))
    names = [name for name in dict.fromkeys([*before, *after]) if before.get(name, "") != after.get(name, "")]
    if not names:
        return None
    return SheetChange(key=key, change="changed", before=_parts(before, names), after=_parts(after, names))


def _parts(told: Told, names: Sequence[str]) -> dict[str, str]:
    return {name: told.get(name, "") for name in names}
