"""A real lake with a handful of cases and warnings whose figures can be counted by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cityloop.access.actor import Actor
from cityloop.access.door import Door, Protected
from cityloop.access.policy import Policy
from cityloop.analyse.content import load_model
from cityloop.analyse.service import Analyst
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.values import Title
from cityloop.lake.events import SCHEMAS
from cityloop.lake.service import Lake
from cityloop.standard.batch import EntityCard
from cityloop.standard.service import Standard

ROOT = Path(__file__).parents[2]
PACKS = [ROOT / "packs" / name for name in ("urban", "air", "metro", "sanitation", "complaints")]
START = datetime(2026, 3, 8, 16, 0, tzinfo=UTC)
"""Monday 9 March 2026, 00:00 in the demo city."""
POLICY = Policy.model_validate(
    {
        "posts": {
            "leader": {
                "title": "leader",
                "may": ["data.sql"],
                "sees": {"case": {}, "warning": {}, "observation": {}},
            },
            "department": {"title": "department", "may": ["data.sql"], "sees": {"case": {"rows": ["own_department"]}}},
            "collector": {"title": "collector", "may": ["data.sql"], "sees": {"case": {"rows": ["own_areas"]}}},
            "masked": {"title": "masked", "may": ["data.sql"], "sees": {"case": {"mask": {"channel": "hide"}}}},
        }
    }
)
LEADER = Actor(id="leader", name=Title(zh="领导", en="Leader"), posts=("leader",))


def at(hours: float) -> datetime:
    """An instant so many hours after the start."""
    return START + timedelta(hours=hours)


class Book:
    """Writes events as the outbox would."""

    def __init__(self, lake: Lake) -> None:
        self.lake, self.seq = lake, 0
        for table, schema in SCHEMAS.items():
            lake.ensure(table, schema)

    def _base(self, hours: float, area: str) -> dict[str, Any]:
        self.seq += 1
        instant = at(hours)
        base = {"entity": area[:6], "observed_at": instant, "received_at": instant, "feed": "outbox", "area": area}
        return base | {"record": f"outbox:{self.seq}", "date": instant.date(), "seq": self.seq, "district": area[:6]}

    def case(
        self,
        case: str,
        opened: float,
        closed: float | None = None,
        on_time: bool | None = None,
        department: str = "urban",
        area: str = "440304000000001",
        channel: str = "hotline",
    ) -> None:
        """A case with its report, its dispatch and, if there is one, its close."""
        same = {"case": case, "matter": "gb47678:matter:06010", "matter_class": "市容环境类", "channel": channel}
        rows = [{**self._base(opened, area), **same, "state": "reported", "final": False, "opened": 1.0}]
        more = {"department": department, "opened": 0.0, "final": False}
        rows.append({**self._base(opened + 0.1, area), **same, **more, "from_state": "reported", "state": "to_handle"})
        if closed is not None:
            end = {"from_state": "to_close", "state": "closed", "final": True, "on_time": on_time}
            span = {"elapsed_seconds": int((closed - opened) * 3600)}
            rows.append({**self._base(closed, area), **same, **more, **end, **span})
            rows.append({**rows[-1], **self._base(closed + 0.1, area), "from_state": "closed", "move": "note"})
        self.lake.append("CaseEvent", pa.Table.from_pylist(rows, SCHEMAS["CaseEvent"]))

    def warning(self, hours: float, level: str, what: str = "raised", area: str = "440304000000001") -> None:
        """One event of a warning."""
        row = {**self._base(hours, area), "what": what, "level": level, "rule": "air.pm2_5_hourly"}
        row |= {"department": "environment", "series": "beijing-air"}
        self.lake.append("WarningEvent", pa.Table.from_pylist([row], SCHEMAS["WarningEvent"]))


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    one = Lake(tmp_path / "lake", sync=False)
    yield one
    one.close()


@pytest.fixture
def book(lake: Lake) -> Book:
    return write_book(lake)


def write_book(lake: Lake) -> Book:
    """Four cases and three warnings."""
    one = Book(lake)
    one.case("c1", opened=1, closed=3, on_time=True)
    one.case("c2", opened=2, closed=30, on_time=False)
    one.case("c3", opened=5, department="transport", area="440305000000002", channel="citizen")
    one.case("c4", opened=26, closed=27, on_time=None, department="transport", area="440305000000002")
    one.warning(1, "blue")
    one.warning(2, "red", what="level")
    one.warning(25, "orange", area="440305000000002")
    return one


def titled(entity_type: str, entity: str) -> EntityCard | None:
    return EntityCard(entity, entity_type, Title(zh="万寿西宫", en="Wanshou"))


@pytest.fixture(scope="session")
def city() -> City:
    return City.load(ROOT / "cities" / "demo", ManualClock(START))


def make_analyst(lake: Lake, city: City) -> Analyst:
    """An analyst over ``lake`` with the metrics of all packs."""
    door = Door(POLICY)
    door.register(Protected(entity="case", department="department", area="area", owners=("handler",)))
    door.register(Protected(entity="warning", department="department", area="area"))
    door.register(Protected(entity="observation", area="area"))
    model = load_model(PACKS, Standard.load(PACKS))
    rules = {"air.pm2_5_hourly": Title(zh="超标", en="Above")}
    return Analyst(lake=lake, model=model, door=door, city=city, clock=city.clock, describe=titled, rules=rules)


@pytest.fixture
def analyst(lake: Lake, book: Book, city: City) -> Analyst:
    return make_analyst(lake, city)
