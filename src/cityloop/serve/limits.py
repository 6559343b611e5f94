"""Limits from a department's sheet: what would change, and the city's file when it is wanted."""

from __future__ import annotations

from pathlib import Path

import yaml

from cityloop.city.content import LimitsFile
from cityloop.city.limit_sheet import HEADINGS, LimitsPlan, SheetLine, columns_of, planned
from cityloop.city.service import City
from cityloop.core.clock import SystemClock
from cityloop.core.errors import ContentError, Fault, Invalid, NotFound
from cityloop.core.values import Title
from cityloop.standard.tables import RawTable, TableOptions, read_table

_NEEDED = ("limit",)
_HEAD = "# yaml-language-server: $schema=../../schemas/limits.json\n"


def plan_limits(city: City, name: str, body: bytes, sheet: str | None = None) -> LimitsPlan:
    """Read a sheet against the city's catalogue and deadline language; raises :class:`Invalid` without its columns."""
    table = read_table(name, body, TableOptions(sheet=sheet))
    origin = Title(zh=f"由 {name} 导入", en=f"imported from {name}")
    current = city.limits.file or LimitsFile(origin=origin)
    plan, after = planned(_lines(table), table.notes, city.catalogue, city.deadlines.parse, current)
    return plan.model_copy(update={"document": _written(city, after)})


def import_limits(folder: Path, file: Path, sheet: str | None, write: bool) -> tuple[LimitsPlan, Path | None]:
    """The plan of a file; with ``write`` the city's file of limits is replaced, which every row must allow.

    Raises :class:`ContentError` naming the cells of rows that could not be read; then nothing is written.
    """
    if not file.is_file():
        raise NotFound(f"there is no file {file}", "correct the name")
    city = City.load(folder, SystemClock())
    plan = plan_limits(city, file.name, file.read_bytes(), sheet)
    if not write:
        return plan, None
    if plan.faults:
        faults = [Fault(fault.where, fault.what, fault.mend) for fault in plan.faults]
        raise ContentError(f"{file} has {len(faults)} rows that cannot be read; nothing was written", faults=faults)
    target = _target(city)
    target.write_text(plan.document, encoding="utf-8")
    return plan, target


def _target(city: City) -> Path:
    value = yaml.safe_load((city.folder / "city.yaml").read_text(encoding="utf-8"))
    name = value.get("deadlines", {}).get("limits")
    if name is None:
        raise ContentError("city.yaml names no file of limits", "write deadlines: {limits: limits.yaml}")
    return city.folder / str(name)


def _lines(table: RawTable) -> list[SheetLine]:
    columns = columns_of(table.frame.columns)
    lacking = [name for name in _NEEDED if name not in columns]
    if "code" not in columns and "name" not in columns:
        lacking.append("code")
    if lacking:
        faults = [Fault(name, "no column is headed so", f"one of: {', '.join(HEADINGS[name])}") for name in lacking]
        raise Invalid(f"the sheet has the columns {', '.join(table.frame.columns)}", "name its columns", faults)
    return [
        SheetLine(
            {what: _plain(what, row[name] or "") for what, name in columns.items()},
            {what: table.address(number, name) for what, name in columns.items()},
        )
        for number, row in enumerate(table.frame.iter_rows(named=True))
    ]


def _plain(what: str, text: str) -> str:
    """A cell in one line; a limit without blanks, its line breaks kept, for they part its stages."""
    if what == "limit":
        return "\n".join("".join(line.split()) for line in text.splitlines())
    return " ".join(text.split())


def _written(city: City, limits: LimitsFile) -> str:
    """The file, with the comment that stood above the old one."""
    path = _target(city)
    head = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        if not line.startswith("#"):
            break
        head.append(f"{line}\n")
    value = limits.model_dump(mode="json", exclude_defaults=True)
    body: str = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=118)
    return "".join(head or [_HEAD]) + body
