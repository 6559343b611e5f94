"""``cityloop import components``: a survey of components (部件普查) → a feed, by the door that every record passes.

The feed maps, checks and stores; what it refuses lies in quarantine. Rows that say what stands are not sent again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from cityloop.access.actor import SYSTEM
from cityloop.city.faults import Faults
from cityloop.city.service import City
from cityloop.city.sheet import SheetLine, SheetPlan
from cityloop.collect.decode import LINE_TYPES
from cityloop.collect.service import Collector
from cityloop.core.errors import NotFound
from cityloop.core.values import Frozen, Title
from cityloop.serve.importing.kinds import COMPONENTS
from cityloop.serve.importing.named import DEPARTMENT, department_names
from cityloop.serve.importing.phrases import PHRASES
from cityloop.serve.importing.plans import Told, plan_of
from cityloop.serve.importing.rows import Names, Row, sheet_lines, table_of
from cityloop.serve.importing.sent import Sent
from cityloop.standard.checks import Refusal
from cityloop.standard.mapped import INDEX, Mapped
from cityloop.standard.mapping import FeedMapping

FEED = "components"
_OWNERS = ("owner", "owner_code", "supervisor", "supervisor_code")
"""Who answers for a component: the first of these that the sheet fills."""
_PUSH = 5_000
"""Records of one push."""


class Pushed(Frozen):
    """What became of the rows that were sent."""

    accepted: int
    quarantined: int
    duplicate: int


@dataclass(frozen=True)
class Survey:
    """A survey that was read: what would change, and the records that would be pushed."""

    feed: str
    plan: SheetPlan
    records: Sequence[Mapping[str, str]]

    def push(self, collector: Collector) -> Pushed:
        """Push the new, changed and refused rows in portions, so that none of them is too large for the door."""
        form = min(LINE_TYPES)
        receipts = [
            collector.push(
                SYSTEM, self.feed, "\n".join(json.dumps(one, ensure_ascii=False) for one in part).encode(), form
            )
            for start in range(0, len(self.records), _PUSH)
            if (part := self.records[start : start + _PUSH])
        ]
        return Pushed(
            accepted=sum(receipt.accepted for receipt in receipts),
            quarantined=sum(receipt.quarantined for receipt in receipts),
            duplicate=sum(receipt.duplicate for receipt in receipts),
        )


def read_survey(city: City, collector: Collector, sent: Sent, feed: str = FEED) -> Survey:
    """A survey beside the components that there are; raises :class:`NotFound` for an unknown feed."""
    lines, notes = sheet_lines(table_of(sent), COMPONENTS)
    mapping = collector.mappings.get(feed)
    if mapping is None:
        raise PHRASES.problem(NotFound, "no-feed", feed=feed)
    now = city.clock.now()
    words = Names(DEPARTMENT, department_names(city.departments))
    records = [_record(line, words) | {"at": now.isoformat()} for line in lines]
    frame = mapping.fit(pl.DataFrame(records, schema=dict.fromkeys(_fields(records), pl.String())))
    mapped = mapping.apply(frame, now, collector.known(mapping.entity_type.id), collector.world)
    plan, wanted = _planned(collector, mapping, mapped, lines, notes)
    return Survey(feed, plan, [records[at] for at in wanted])


def _record(line: SheetLine, words: Names) -> dict[str, str]:
    """A row as the feed reads it; the owner as the id of a department where the sheet names one."""
    record = {key: text for key, text in line.texts.items() if text and key not in _OWNERS}
    row = Row(line, Faults())
    owner = next((text for key in _OWNERS if (text := row.text(key))), "")
    ids = words.ids(owner)
    supervisor = row.text("supervisor")
    return record | {"owner": ids[0] if len(ids) == 1 else owner} | ({"supervisor": supervisor} if supervisor else {})


def _fields(records: Sequence[Mapping[str, str]]) -> list[str]:
    return list(dict.fromkeys(name for record in records for name in record)) or ["code"]


def _planned(
    collector: Collector, mapping: FeedMapping, mapped: Mapped, lines: Sequence[SheetLine], notes: Sequence[Title]
) -> tuple[SheetPlan, list[int]]:
    """The plan, and the lines that are to be sent."""
    features = collector.geojson(SYSTEM, mapping.entity_type.id)["features"]
    standing = {feature["id"]: _standing(feature["properties"]) for feature in features}
    said, place_of = dict[str, Told](), dict[str, int]()
    faults = Faults()
    names = [item.id for item in mapping.entity_type.properties]
    rows = zip(mapped.rows.iter_rows(named=True), mapped.head.iter_rows(named=True), strict=True)
    for row, head in rows:
        key, at = row["entity"], row[INDEX]
        if key in said:
            where = Row(lines[at], faults)
            where.fault("code", "stands-at", text=key, place=_where(lines[place_of[key]]))
            continue
        said[key] = _told({name: row[name] for name in names}, head["title"], head["lon"], head["lat"])
        place_of[key] = at
    for at, refusals in sorted(mapped.refusals.items()):
        _tell(Row(lines[at], faults), refusals)
    flags = [
        PHRASES.what("at", place=_where(lines[at]), said=flag.said)
        for at, found in sorted(mapped.flags.items())
        for flag in found
    ]
    plan = plan_of(COMPONENTS, len(lines), standing, said, faults, [*notes, *flags])
    wanted = sorted([*(place_of[change.key] for change in plan.changes), *mapped.refusals])
    return plan, wanted


def _standing(view: Mapping[str, Any]) -> Told:
    return _told(view["values"], view["title"]["zh"], view["lon"], view["lat"])


def _told(values: Mapping[str, Any], title: Any, lon: float | None, lat: float | None) -> Told:
    told = {name: str(value) for name, value in values.items() if value is not None and name != "code"}
    return {"name": str(title or values.get("code") or ""), "lon": f"{lon:.6f}", "lat": f"{lat:.6f}", **told}


def _tell(row: Row, refusals: Sequence[Refusal]) -> None:
    """What the feed says of a row, once for each cell: what comes first is the cause of the rest."""
    filled = next((key for key in _OWNERS if row.text(key)), "owner")
    cells: dict[str, Refusal] = {}
    for refusal in refusals:
        names = [filled if name == "owner" else name for name in refusal.column.split(",")]
        cells.setdefault(next((name for name in names if name in row.line.places), "code"), refusal)
    for key, refusal in cells.items():
        lost = key == "code" and "e+" in row.text("code").lower()
        row.fault(key, "lost-digits" if lost else "refused", reason=refusal.said)


def _where(line: SheetLine) -> str:
    return line.places["code"]
