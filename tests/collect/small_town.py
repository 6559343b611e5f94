"""A small city with two air stations, a metro station and a bin, over the real packs, lake and database."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.policy import Policy, Post, Sight
from cityloop.city.schemas import Place
from cityloop.collect.schemas import Receipt
from cityloop.collect.service import Collector
from cityloop.core.clock import ManualClock
from cityloop.core.database import Database
from cityloop.core.outbox import Outbox
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.lake.service import Lake
from cityloop.standard.feeds import load_feeds
from cityloop.standard.service import Standard

PACKS = [Path(__file__).parents[2] / "packs" / name for name in ("air", "metro", "sanitation")]
NOON = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
"""Twelve o'clock in the demo city."""
_SEES = {name: Sight() for name in ("observation", "entity", "feed", "quarantine", "case", "warning", "source")}
_AREA = {name: Sight(rows=("own_areas",)) for name in ("observation", "entity")}
POLICY = Policy(
    posts={
        "feed": Post(title=Title(zh="接入", en="Feed"), may=("feed.push",)),
        "steward": Post(
            title=Title(zh="数据专员", en="Steward"), may=("quarantine.correct", "source.operate"), sees=_SEES
        ),
        "collector": Post(title=Title(zh="监督员", en="Collector"), sees=_AREA),
        "department": Post(
            title=Title(zh="部门", en="Department"),
            sees={name: Sight(rows=("own_department",)) for name in ("feed", "quarantine", "source")},
        ),
    }
)
MACHINE = Actor(id="air-gateway", name=Title(zh="空气网关", en="Air gateway"), kind="machine", posts=("feed",))
STEWARD = Actor(id="li", name=Title(zh="李", en="Li"), posts=("steward",))


class TwoDistricts:
    """West of 114° lies one district, east of it another; beyond 115° nothing."""

    def locate_many(self, lons: Sequence[float], lats: Sequence[float], /) -> list[Place | None]:
        return [self._place(lon) for lon in lons]

    def nearest(self, lon: float, lat: float, /) -> None:
        """No area is drawn."""

    def _place(self, lon: float) -> Place | None:
        if lon > 115:
            return None
        district = "440305" if lon < 114 else "440304"
        return Place(area=f"{district}000000001", district=district)


@dataclass
class SmallCity:
    """The part of a city that collect needs."""

    folder: Path
    clock: ManualClock
    areas: TwoDistricts = field(default_factory=TwoDistricts)


@dataclass
class Town:
    """A running collector and everything around it; :meth:`restart` makes a new one over the same folders."""

    folder: Path
    clock: ManualClock
    settings: Settings
    packs: list[Path]
    started: bool = True
    collector: Collector = field(init=False)
    lake: Lake = field(init=False)
    database: Database = field(init=False)
    outbox: Outbox = field(init=False)
    door: Door = field(init=False)

    def open(self) -> Town:
        self.database = Database(f"sqlite:///{self.folder / 'city.db'}", "OFF")
        self.outbox = Outbox(self.database)
        self.lake = Lake(self.folder / "lake", sync=False)
        self.database.create()
        self.door = Door(POLICY)
        standard = Standard.load(self.packs)
        self.collector = Collector(
            database=self.database,
            lake=self.lake,
            standard=standard,
            feeds=load_feeds(self.packs, standard),
            city=SmallCity(self.folder / "city", self.clock),
            door=self.door,
            audit=Audit(self.database),
            outbox=self.outbox,
            settings=self.settings,
        )
        if self.started:
            self.collector.start()
        return self

    def close(self) -> None:
        self.collector.stop()
        self.lake.close()
        self.database.close()

    def restart(self) -> Town:
        self.close()
        return self.open()

    def push(self, records: Any, feed: str = "air-hourly") -> Receipt:
        return self.collector.push(MACHINE, feed, json.dumps(records).encode(), "application/json")


TownMaker = Callable[..., Town]


def write_entities(city: Path) -> None:
    """Write the entity directory of the small city."""
    entities = city / "entities"
    entities.mkdir(parents=True, exist_ok=True)
    head = "id,title_zh,title_en,lon,lat,measured_station\n"
    air = "1001A,万寿西宫,Wanshouxigong,114.05,22.55,万寿西宫\n1002A,定陵,Dingling,113.92,22.53,定陵\n"
    (entities / "AirQualityStation.csv").write_text(head + air, encoding="utf-8")
    (entities / "MetroStation.csv").write_text(head + "s00,车站,Station,114.1,22.5,s00\n", encoding="utf-8")
    (entities / "WasteContainer.csv").write_text(head + "324925,果皮箱,Bin,116.0,22.5,\n", encoding="utf-8")


def air(
    station: str = "1001A", time: str = "2026-03-09T11:00:00+08:00", values: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """One record of the hourly air feed."""
    return {"station": station, "time": time, **({"PM2.5": 35.0} if values is None else values)}
