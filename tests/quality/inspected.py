"""A city with five feeds of five departments, each with one known fault, on a clock that is moved by hand.

One step is one hour: every feed pushes its three entities, at the full hour, unless its fault says otherwise.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cityloop.access.actor import Actor
from cityloop.cases.schemas import CaseDetail, MoveRequest
from cityloop.core.clock import ManualClock
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.core.web import Paging
from cityloop.quality.schemas import Finding, InspectionDetail
from cityloop.quality.views import FindingFilter
from cityloop.serve.house import House

ROOT = Path(__file__).parents[2]
HOUR = timedelta(hours=1)
START = datetime(2026, 3, 7, 2, tzinfo=UTC)
"""Saturday 2026-03-07, 10:00 in the city. After 48 hours it is Monday 10:00."""
HOURS = 48
ALL = Paging(page=1, size=500, sort="")
FEEDS = {
    "river-levels": ("RiverGauge", "water"),
    "road-counts": ("RoadSensor", "transport"),
    "noise-levels": ("NoiseMeter", "environment"),
    "lamp-states": ("StreetLamp", "urban"),
    "site-dust": ("DustSensor", "housing"),
}
ENTITIES = ("1", "2", "3")
STEWARD = Actor(id="shuju", name=Title(zh="数据管理员", en="Steward"), posts=("steward",), department="centre")
MACHINE = Actor(id="sensors", name=Title(zh="接入", en="Pusher"), kind="machine", posts=("feed",))


def department(name: str, post: str = "department") -> Actor:
    return Actor(id=f"{name}-{post}", name=Title(zh=name, en=name), posts=(post,), department=name)


def write_city(folder: Path) -> Path:
    """The demo city without its replays, and a pack of five feeds."""
    (folder / "cities").mkdir(parents=True)
    (folder / "packs").symlink_to(ROOT / "packs")
    city = folder / "cities" / "demo"
    shutil.copytree(ROOT / "cities" / "demo", city, ignore=shutil.ignore_patterns("series", "drill.yaml"))
    text = (city / "city.yaml").read_text(encoding="utf-8")
    with_probes, count = re.subn(r"^(packs: \[.*)\]$", r"\1, ../../probes]", text, flags=re.MULTILINE)
    assert count == 1
    (city / "city.yaml").write_text(with_probes)
    _write_pack(folder / "probes")
    for kind, _ in FEEDS.values():
        rows = "".join(f"{kind}-{n},{kind}{n},{kind} {n},114.05,22.55\n" for n in ENTITIES)
        (city / "entities" / f"{kind}.csv").write_text("id,title_zh,title_en,lon,lat\n" + rows)
    feeds = ", ".join(FEEDS)
    (city / "inspections.yaml").write_text(
        "inspections:\n"
        f"  - {{id: five, title: {{zh: 五源检查, en: Five sources}}, feeds: [{feeds}], period: {HOURS}h,\n"
        "     schedule: quarterly, sample: {size: 50, seed: 7}, limit: 1工作日, recheck_after: 8h, owner: steward}\n"
    )
    return city


def _write_pack(pack: Path) -> None:
    pack.mkdir()
    (pack / "pack.yaml").write_text("{id: probes, title: 探头, version: 0.1.0, description: 五个数据接入}\n")
    types = [
        {
            "id": kind,
            "title": kind,
            "properties": [
                {"id": "value", "title": "value", "unit": "m", "min": 0, "max": 100},
                {"id": "state", "title": "state", "kind": "text", "enum": ["on", "off"]},
            ],
        }
        for kind, _ in FEEDS.values()
    ]
    (pack / "standard.yaml").write_text(json.dumps({"entity_types": types}))
    feeds = [
        {
            "id": feed,
            "title": {"zh": f"{feed} 数据", "en": feed},
            "entity_type": kind,
            "department": owner,
            "fresh_minutes": 120,
            "expected_every": "1h",
            "completeness_per_hour": 0.9,
            "entity": {"field": "id"},
            "time": {"field": "at"},
            "properties": {"value": "v", "state": {"field": "s", "codes": {"1": "on", "2": "off"}}},
        }
        for feed, (kind, owner) in FEEDS.items()
    ]
    (pack / "feeds.yaml").write_text(json.dumps({"feeds": feeds}))


class Inspected:
    """The running house; ``broken`` are the feeds whose fault still works."""

    def __init__(self, folder: Path, city: Path, start: datetime = START) -> None:
        self.clock = ManualClock(start)
        self.house = House(Settings(city=city, data=folder / "data", sync=False), self.clock)
        self.quality = self.house.quality
        self.broken = set(FEEDS)
        self.hour = 0

    def hours(self, count: int) -> None:
        """Let so many hours pass, each with its pushes."""
        for _ in range(count):
            for feed in FEEDS:
                for records in FAULTS[feed](self, self.hour) if feed in self.broken else [records_of(feed, self)]:
                    self.push(feed, records)
            self.hour += 1
            self.clock.advance(HOUR)

    def push(self, feed: str, records: Iterable[dict[str, Any]]) -> None:
        self.house.collector.push(MACHINE, feed, json.dumps(list(records)).encode(), "application/json")

    def work(self) -> None:
        """Everything that would happen by itself."""
        self.house.collector._tallies.write()
        for _ in range(40):
            self.house.relay.drain()
            if not self.quality.tick(self.clock.now()):
                break

    def only(self) -> str:
        """The inspection that is planned."""
        return self.quality.inspections(STEWARD, ALL, "planned", None).items[0].id

    def detail(self, inspection: str) -> InspectionDetail:
        return self.quality.inspection(STEWARD, inspection)

    def findings(self, inspection: str) -> dict[str, Finding]:
        page = self.quality.findings(STEWARD, inspection, FindingFilter(), ALL)
        return {finding.feed: finding for finding in page.items}

    def case(self, finding: Finding) -> CaseDetail:
        assert finding.case is not None
        leader = department("centre", "leader")
        return self.house.desk.get(leader, finding.case)

    def hand_in(self, finding: Finding) -> None:
        """The department handles the case and declares it done."""
        handler = department(finding.department, "handler")
        self.move(finding, department(finding.department), "assign")
        self.move(finding, handler, "submit_result", result="已整改")
        self.move(finding, department(finding.department), "confirm")
        self.work()

    def move(self, finding: Finding, actor: Actor, move: str, **fields: Any) -> None:
        case = self.case(finding)
        wish = MoveRequest(move=move, version=case.version, fields=fields)
        self.house.desk.move(actor, case.id, wish)

    def close(self) -> None:
        self.house.stop()


def records_of(feed: str, city: Inspected, numbers: Iterable[str] = ENTITIES, **values: Any) -> list[dict[str, Any]]:
    kind = FEEDS[feed][0]
    at = city.clock.now().isoformat()
    return [{"id": f"{kind}-{n}", "at": at, "v": 5, "s": "1", **values} for n in numbers]


def _silent(city: Inspected, hour: int) -> list[list[dict[str, Any]]]:
    return [] if 10 <= hour < 20 or hour >= HOURS else [records_of("river-levels", city)]


def _twice(city: Inspected, hour: int) -> list[list[dict[str, Any]]]:
    return [records_of("road-counts", city)] * (2 if hour >= 40 else 1)


def _too_loud(city: Inspected, hour: int) -> list[list[dict[str, Any]]]:
    loud = 5 <= hour < 11 or hour >= HOURS
    return [
        records_of("noise-levels", city, "1", **({"v": 500} if loud else {})),
        records_of("noise-levels", city, "23"),
    ]


def _unknown_code(city: Inspected, hour: int) -> list[list[dict[str, Any]]]:
    odd = 20 <= hour < 24 or hour >= HOURS
    return [records_of("lamp-states", city, "1", **({"s": "9"} if odd else {})), records_of("lamp-states", city, "23")]


def _stops(city: Inspected, hour: int) -> list[list[dict[str, Any]]]:
    return [] if hour >= 45 else [records_of("site-dust", city)]


FAULTS: dict[str, Callable[[Inspected, int], list[list[dict[str, Any]]]]] = {
    "river-levels": _silent,
    "road-counts": _twice,
    "noise-levels": _too_loud,
    "lamp-states": _unknown_code,
    "site-dust": _stops,
}
