"""From what a sheet says and what stands to a plan: new, changed, the same, kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cityloop.city.faults import Faults
from cityloop.city.sheet import SheetChange, SheetFault, SheetKind, SheetPlan
from cityloop.core.errors import ContentError

Told = Mapping[str, str]
"""What is said of one thing, part by part, as people read it."""
_FIRST = 5


def compared(standing: Mapping[str, Told], said: Mapping[str, Told]) -> list[SheetChange]:
    """What a sheet brings and changes, in its own order."""
    return [change for key, told in said.items() if (change := _change(key, standing.get(key), told)) is not None]


def plan_of(
    kind: SheetKind, rows: int, standing: Mapping[str, Told], said: Mapping[str, Told], faults: Faults,
    notes: Sequence[str], removed: Sequence[SheetChange] = (),
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
        faults=[SheetFault(where=f.where, what=f.what, mend=f.mend) for f in faults.found],
        notes=list(notes),
    )


def refuse_faults(plan: SheetPlan, faults: Faults, source: str) -> None:
    """Raise :class:`ContentError` with every fault of a sheet that is to be written."""
    if plan.faults:
        what = f"{source} has {len(plan.faults)} cells or rows that cannot be read; nothing was written"
        raise ContentError(what, faults=faults.found)


def _change(key: str, before: Told | None, after: Told) -> SheetChange | None:
    if before is None:
        return SheetChange(key=key, change="new", after=_parts(after, [name for name, text in after.items() if text]))
    names = [name for name in dict.fromkeys([*before, *after]) if before.get(name, "") != after.get(name, "")]
    if not names:
        return None
    return SheetChange(key=key, change="changed", before=_parts(before, names), after=_parts(after, names))


def _parts(told: Told, names: Sequence[str]) -> str:
    return "; ".join(f"{name}: {told.get(name) or '-'}" for name in names)
