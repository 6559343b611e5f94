"""``cityloop import responsibility``: the list of duties (权责清单) → ``responsibility.yaml``, in its order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from cityloop.cases.dispatch_table import (
    AS_NAMED,
    CoHandler,
    Known,
    ResponsibilityFile,
    ResponsibilityRow,
    table_faults,
)
from cityloop.cases.schemas import Channel
from cityloop.city.faults import Faults
from cityloop.city.schemas import Matter
from cityloop.city.service import City
from cityloop.city.sheet import SheetChange, SheetPlan
from cityloop.core.clock import SystemClock
from cityloop.core.content import Key, load
from cityloop.core.errors import Fault
from cityloop.serve.importing.files import yaml_text
from cityloop.serve.importing.kinds import RESPONSIBILITY
from cityloop.serve.importing.named import AREA, CLASS, DEPARTMENT, MATTER, area_names, department_names
from cityloop.serve.importing.plans import Draft, Told, plan_of
from cityloop.serve.importing.rows import Names, Row, sheet_lines, table_of
from cityloop.serve.importing.sent import Sent

FILE = "responsibility.yaml"
_HOURS = re.compile(r"(\d{1,2}:\d{2})\s*[-–—~至到]\s*(\d{1,2}:\d{2})")
_ALL = {"全部", "所有", "其他", "其余", "其它", "all", "any", "other", "*"}
_CHANNELS: Mapping[str, Channel] = {
    "监督员": "collector", "采集员": "collector", "热线": "hotline", "12345": "hotline", "市民": "citizen",
    "领导": "leader", "领导交办": "leader", "媒体": "media", "部门": "department", "预警": "warning", "设备": "device",
    "巡检": "inspection", **{name: name for name in get_args(Channel)},
}  # fmt: skip


class _Words:
    """What the words of a row stand for in this city."""

    def __init__(self, city: City) -> None:
        self.departments = Names(DEPARTMENT, department_names(city.departments))
        self.areas = Names(AREA, area_names(city))
        known = [matter for matter in city.catalogue.list() if matter.standard == city.catalogue.in_force]
        self.matters = Names(MATTER, [(matter.key, _names(matter)) for matter in known])
        classes = {f"{m.standard}:{m.kind}:{m.class_code}*": (m.class_title.zh, m.class_code) for m in known}
        self.classes = Names(CLASS, list(classes.items()))


@dataclass(frozen=True)
class Duties:
    """A sheet of duties that was read: what would change, and the whole table as it would be."""

    plan: SheetPlan
    faults: Sequence[Fault]
    table: ResponsibilityFile | None


def read_responsibility(folder: Path, sent: Sent) -> Draft:
    """A sheet of duties, which is the whole table, as ``responsibility.yaml``."""
    path = folder / FILE
    standing = load(path, ResponsibilityFile) if path.is_file() else None
    duties = read_duties(City.load(folder, SystemClock()), standing, sent)
    if duties.table is None or duties.faults:
        return Draft(duties.plan, duties.faults)
    return Draft(duties.plan, (), {path: yaml_text(path, "responsibility", _plain(duties.table))})


def read_duties(city: City, standing: ResponsibilityFile | None, sent: Sent) -> Duties:
    """A sheet of duties beside the table that stands."""
    lines, notes = sheet_lines(table_of(sent), RESPONSIBILITY)
    faults, words = Faults(), _Words(city)
    rows = [(row, made) for n, line in enumerate(lines, 1) if (made := _made(row := Row(line, faults), words, n))]
    table = _table(standing, [made for _, made in rows])
    if table is not None:
        known = Known(city.departments, [m.key for m in city.catalogue.list()], [a.code for a in city.areas.list()])
        faults.found += table_faults(table, known, lambda key: _at(rows, key))
    before = {row.id: _told(row) for row in standing.rows} if standing else {}
    said = {made.id: _told(made) for _, made in rows}
    removed = [SheetChange(key=key, change="removed") for key in before if key not in said]
    plan = plan_of(RESPONSIBILITY, len(lines), before, said, faults, notes, removed)
    return Duties(plan, faults.found, table)


def _made(row: Row, words: _Words, number: int) -> ResponsibilityRow | None:
    before = len(row.faults.found)
    leads = [name for text in row.many("department") if (name := _lead(row, text, words))]
    if not row.text("department"):
        row.needed("department")
    facts: dict[str, Any] = {
        "id": row.text("id") or f"row-{number}",
        "title": row.title("title", "english"),
        "matters": tuple(key for text in _some(row, "matters") if (key := _matter(row, text, words))),
        "areas": tuple(code for text in _some(row, "areas") if (code := row.named("areas", text, words.areas))),
        "owners": _departments(row, "owners", words),
        "channels": tuple(name for text in _some(row, "channels") if (name := _channel(row, text))),
        "weekdays": tuple(day for text in row.many("weekdays") if (day := _weekday(row, text))),
        "hours": _hours(row),
        "department": leads[0] if len(leads) == 1 else None,
        "candidates": tuple(leads) if len(leads) > 1 else (),
        "co_handlers": _helpers(row, words),
    }
    if len(row.faults.found) > before:
        return None
    try:
        return ResponsibilityRow.model_validate(facts)
    except ValidationError as error:
        for item in error.errors():
            row.fault(str(item["loc"][0]) if item["loc"] else "department", "row-refused", reason=item["msg"])
        return None


def _some(row: Row, key: str) -> list[str]:
    """The words of a condition; one that says "all" is no condition."""
    return [text for text in row.many(key) if text.casefold() not in _ALL]


def _lead(row: Row, text: str, words: _Words) -> str | None:
    return AS_NAMED if text == AS_NAMED else row.named("department", text, words.departments)


def _departments(row: Row, key: str, words: _Words) -> tuple[str, ...]:
    return tuple(name for text in _some(row, key) if (name := row.named(key, text, words.departments)))


def _helpers(row: Row, words: _Words) -> tuple[CoHandler, ...]:
    required = row.text("required").casefold() not in ("否", "no", "n", "false", "0")
    demand = row.text("demand")
    names = _departments(row, "co_handlers", words)
    return tuple(CoHandler(department=name, required=required, demand=demand) for name in names)


def _matter(row: Row, text: str, words: _Words) -> str | None:
    """A matter by key, code or name, else a class by code or name."""
    if not words.matters.ids(text) and (of_class := words.classes.ids(text)):
        return of_class[0]
    return row.named("matters", text, words.matters)


def _channel(row: Row, text: str) -> str | None:
    found = _CHANNELS.get(text.casefold())
    if found is None:
        row.fault("channels", "no-channel", text=text, known=", ".join(_CHANNELS))
    return found


def _weekday(row: Row, text: str) -> int | None:
    if text in "1234567" and len(text) == 1:
        return int(text)
    row.fault("weekdays", "no-weekday", text=text)
    return None


def _hours(row: Row) -> dict[str, str] | None:
    text = row.text("hours")
    if not text:
        return None
    found = _HOURS.fullmatch(text)
    if found is None:
        row.fault("hours", "no-hours", text=text)
        return None
    return {"from": found[1].zfill(5), "to": found[2].zfill(5)}


def _names(matter: Matter) -> list[str]:
    """How sheets name a matter; a component's anomaly goes by the component too."""
    return [matter.title.zh, matter.title.en, matter.code, matter.title.zh.removesuffix("异常")]


def _table(standing: ResponsibilityFile | None, rows: Sequence[ResponsibilityRow]) -> ResponsibilityFile | None:
    if not rows:
        return None
    if standing is None:
        return ResponsibilityFile(version="1", rows=tuple(rows))
    same = standing.rows == tuple(rows)
    version = standing.version if same or not standing.version.isdigit() else str(int(standing.version) + 1)
    return standing.model_copy(update={"rows": tuple(rows), "version": version})


def _at(rows: Sequence[tuple[Row, ResponsibilityRow]], key: Key) -> str:
    """The cell that a key of the table comes from."""
    if len(key) > 2 and key[0] == "rows":
        name = {"candidates": "department"}.get(str(key[2]), str(key[2]))
        return rows[int(key[1])][0].where(name)
    return f"{FILE} {'.'.join(map(str, key))}"


def _told(row: ResponsibilityRow) -> Told:
    value = _row(row)
    title = value.pop("title")
    parts = {"title": title["zh"], "english": title["en"]}
    return parts | {key: _said(item) for key, item in value.items() if key != "id"}


def _said(value: Any) -> str:
    return (
        value if isinstance(value, str) else yaml.safe_dump(value, allow_unicode=True, default_flow_style=True).strip()
    )


def _row(row: ResponsibilityRow) -> dict[str, Any]:
    value = row.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    hours = value.get("hours")
    return value | ({"hours": {name: at[:5] for name, at in hours.items()}} if hours else {})


def _plain(table: ResponsibilityFile) -> dict[str, Any]:
    value = table.model_dump(mode="json", exclude_defaults=True, exclude={"rows"})
    return value | {"rows": [_row(row) for row in table.rows]}
