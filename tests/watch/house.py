"""A watch with its stores on real files, that can be stopped and started again on the same data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Protected
from cityloop.access.policy import Policy
from cityloop.core.clock import ManualClock
from cityloop.core.database import Database
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.core.web import Paging
from cityloop.standard.batch import EntityCard
from cityloop.watch.locality import Locality
from cityloop.watch.rules import Rule
from cityloop.watch.schemas import WarningFilter, WarningView
from cityloop.watch.service import Watch
from tests.watch.naive import at
from tests.watch.things import Things

POLICY = Policy.model_validate(
    {
        "posts": {
            "supervisor": {
                "title": "supervisor",
                "may": [
                    *("warning.acknowledge", "warning.assign", "warning.mute", "warning.label"),
                    *("rule.change", "rule.try"),
                ],
                "sees": {name: {"rows": ["all"]} for name in ("warning", "rule", "observation")},
            },
            "station": {"title": "station", "may": ["warning.report"]},
            "handler": {
                "title": "handler",
                "may": ["warning.assign"],
                "sees": {"warning": {"rows": ["own_department"]}},
            },
            "collector": {"title": "collector", "sees": {"warning": {"rows": ["own_areas"]}}},
        }
    }
)
BOSS = Actor(id="boss", name=Title(zh="班长", en="Boss"), posts=("supervisor",))
ALL = Paging(page=1, size=50, sort="")


def card(entity_type: str, entity: str) -> EntityCard | None:
    return EntityCard(entity, entity_type, Title(zh=f"站{entity}", en=f"Station {entity}"), "440304000000001", "440304")


class House:
    """A watch with its stores, that can be stopped and started again on the same data."""

    def __init__(
        self, folder: Path, rules: list[Rule], begin: float = 100_000, locality: Locality = Locality(), **more: Any
    ) -> None:
        self.folder = folder
        self.database = Database(f"sqlite:///{folder / 'city.db'}", synchronous="NORMAL")
        self.database.create()
        self.things = Things(folder)
        self.clock = ManualClock(at(begin))
        self.outbox = Outbox(self.database)
        self.audit = Audit(self.database)
        door = Door(POLICY)
        door.register(Protected(entity="observation"))
        self.watch = Watch(
            database=self.database,
            outbox=self.outbox,
            door=door,
            audit=self.audit,
            lake=self.things.lake,
            rules=rules,
            describe=card,
            clock=self.clock,
            locality=locality,
            **more,
        )
        self.watch.catch_up()

    def see(self, *records: tuple[str, float, float], kind: str = "k") -> None:
        """Commit records and watch them."""
        self.watch.observe(self.things.commit(*records, kind=kind))

    def warnings(self, **wanted: Any) -> list[WarningView]:
        """All warnings, oldest first."""
        page = self.watch.list(BOSS, WarningFilter(**wanted), Paging(page=1, size=500, sort="raised_at"))
        return page.items

    def told(self) -> list[str]:
        """Types of all events, in order."""
        return [event.type.removeprefix("cityloop.warning.") for event in self.outbox.after(0)]
