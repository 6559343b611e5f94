"""``cityloop import departments``: the list of bodies → ``departments.yaml``; those that the sheet leaves out stay."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

from cityloop.city.content import CityFile, DepartmentPart, DepartmentsFile
from cityloop.city.faults import Faults
from cityloop.city.loading import credit_code_fits
from cityloop.core.content import load
from cityloop.core.values import Title
from cityloop.serve.importing.files import yaml_text
from cityloop.serve.importing.kinds import DEPARTMENTS
from cityloop.serve.importing.plans import Draft, Told, plan_of
from cityloop.serve.importing.rows import Row, sheet_lines, table_of
from cityloop.serve.importing.sent import Sent

FILE = "departments.yaml"
_ID = re.compile(r"[a-z][a-z0-9_-]*")
_KINDS: Mapping[str, Literal["centre", "department"]] = {
    "": "department", "部门": "department", "department": "department", "中心": "centre", "centre": "centre",
    "center": "centre",
}  # fmt: skip


def read_departments(folder: Path, sent: Sent) -> Draft:
    """A sheet of departments as ``departments.yaml``, which every row must allow."""
    calendars = load(folder / "city.yaml", CityFile).calendars
    path = folder / FILE
    standing = {part.id: part for part in load(path, DepartmentsFile).departments} if path.is_file() else {}
    lines, notes = sheet_lines(table_of(sent), DEPARTMENTS)
    faults, read = Faults(), dict[str, DepartmentPart]()
    for row in (Row(line, faults) for line in lines):
        part = _department(row, standing, calendars)
        if part is not None and part.id in read:
            row.fault("id", "twice", text=part.id)
        elif part is not None:
            read[part.id] = part
            notes += [] if part.code else [row.note("id", "no-code", text=part.id)]
    told = {identity: _told(part) for identity, part in read.items()}
    plan = plan_of(DEPARTMENTS, len(lines), {i: _told(p) for i, p in standing.items()}, told, faults, notes)
    parts = [_plain(part) for part in {**standing, **read}.values()]
    text = yaml_text(path, "departments", {"departments": parts})
    return Draft(plan, faults.found, {} if faults.found else {path: text})


def _department(row: Row, standing: Mapping[str, DepartmentPart], calendars: Collection[str]) -> DepartmentPart | None:
    identity, before = row.needed("id"), len(row.faults.found)
    if identity and not _ID.fullmatch(identity):
        row.fault("id", "no-id", text=identity)
    title = row.title("name", "english")
    kind = _KINDS.get(row.text("kind").casefold())
    if kind is None:
        row.fault("kind", "no-kind", text=row.text("kind"))
    code = row.text("code").upper() or None
    if code is not None and not credit_code_fits(code):
        row.fault("code", "no-credit-code", text=code)
    calendar = row.text("calendar") or None
    if calendar is not None and calendar not in calendars:
        row.fault("calendar", "no-calendar", text=calendar, known=", ".join(calendars))
    if len(row.faults.found) > before or not identity or kind is None:
        return None
    old = standing.get(identity)
    short = row.text("short")
    return DepartmentPart(
        id=identity,
        title=title,
        short=Title(zh=short, en=row.text("short_english") or short) if short else (old.short if old else None),
        code=code or (old.code if old else None),
        kind=kind,
        calendar=calendar or (old.calendar if old else None),
        exceptions=old.exceptions if old else (),
    )


def _told(part: DepartmentPart) -> Told:
    short = part.short.zh if part.short else ""
    told = {"name": part.title.zh, "english": part.title.en, "short": short, "code": part.code or ""}
    return {**told, "kind": part.kind, "calendar": part.calendar or ""}


def _plain(part: DepartmentPart) -> dict[str, Any]:
    """A department as the file has it: the id first, nothing that is empty."""
    return part.model_dump(mode="json", exclude_defaults=True)
