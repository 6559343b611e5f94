"""Limits from a department's sheet: what would change, and the city's file when it is wanted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml

from cityloop.city.content import LimitsFile
from cityloop.city.limit_sheet import HEADINGS, LimitsPlan, planned
from cityloop.city.service import City
from cityloop.city.sheet import SheetLine, headed
from cityloop.core.clock import SystemClock
from cityloop.core.errors import ContentError, Fault, Invalid, NotFound
from cityloop.core.values import Title
from cityloop.serve.importing.files import replace_file, yaml_text
from cityloop.serve.importing.kinds import LIMITS
from cityloop.serve.importing.rows import lines_of, without_example
from cityloop.standard.tables import RawTable, TableOptions, read_table

_NEEDED = ("limit",)


def plan_limits(city: City, name: str, body: bytes, sheet: str | None = None) -> LimitsPlan:
    """Read a sheet against the city's catalogue and deadline language; raises :class:`Invalid` without its columns."""
    table = read_table(name, body, TableOptions(sheet=sheet))
    origin = Title(zh=f"由 {name} 导入", en=f"imported from {name}")
    current = city.limits.file or LimitsFile(origin=origin)
    plan, after = planned(_lines(table), table.notes, city.catalogue, city.deadlines.parse, current)
    value = after.model_dump(mode="json", exclude_defaults=True)
    return plan.model_copy(update={"document": yaml_text(_target(city), "limits", value)})


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
    replace_file(target, plan.document)
    return plan, target


def _target(city: City) -> Path:
    value = yaml.safe_load((city.folder / "city.yaml").read_text(encoding="utf-8"))
    name = value.get("deadlines", {}).get("limits")
    if name is None:
        raise ContentError("city.yaml names no file of limits", "write deadlines: {limits: limits.yaml}")
    return city.folder / str(name)


def _lines(table: RawTable) -> list[SheetLine]:
    columns = headed(table.frame.columns, HEADINGS)
    lacking = [name for name in _NEEDED if name not in columns]
    if "code" not in columns and "name" not in columns:
        lacking.append("code")
    if lacking:
        faults = [Fault(name, "no column is headed so", f"one of: {', '.join(HEADINGS[name])}") for name in lacking]
        raise Invalid(f"the sheet has the columns {', '.join(table.frame.columns)}", "name its columns", faults)
    lines, _ = without_example(lines_of(table, HEADINGS), LIMITS)
    return [replace(line, texts={what: _plain(what, text) for what, text in line.texts.items()}) for line in lines]


def _plain(what: str, text: str) -> str:
    """A cell in one line; a limit without blanks, its line breaks kept, for they part its stages."""
    if what == "limit":
        return "\n".join("".join(line.split()) for line in text.splitlines())
    return " ".join(text.split())
