"""What the page of sheets tells and is told."""

from __future__ import annotations

from typing import Literal

from cityloop.cases.dispatch_table import ResponsibilityFile
from cityloop.city.sheet import SheetPlan
from cityloop.core.values import Frozen, Title
from cityloop.serve.importing.components import Pushed

Effect = Literal["now", "restart", "versions"]
"""When an applied sheet holds: at once, after a restart, or by a version of its own page."""


class SheetColumnView(Frozen):
    """A column of a sheet: its heading, how it is filled, whether it must be there."""

    key: str
    title: Title
    note: Title
    needed: bool


class SheetKindView(Frozen):
    """A kind of sheet, and whether the asker may send one."""

    kind: str
    title: Title
    columns: list[SheetColumnView]
    effect: Effect
    datum: bool
    """Whether the sheet has coordinates, so that their datum matters."""
    may: bool
    waits: bool
    """Whether a sheet of this kind was written and holds after the next restart."""


class SheetReading(Frozen):
    """What a sheet would change; of many changes the first, with the number of all."""

    plan: SheetPlan
    new: int
    changed: int
    removed: int
    mark: str
    """Ties the application to what was read and to what stood then."""
    table: ResponsibilityFile | None = None
    """Of a sheet of duties: the whole table, for ``POST /api/v1/dispatch/plan``."""


class SheetApplied(Frozen):
    """What was carried out."""

    kind: str
    new: int
    changed: int
    effect: Effect
    files: list[str]
    """Files of the city that were written, by their names in its folder."""
    passwords: dict[str, str]
    """Of new accounts, told only this once; each must be changed at the first sign-in."""
    pushed: Pushed | None
