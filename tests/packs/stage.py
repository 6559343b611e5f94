"""A stage on which a pack plays: a real collector, lake and watch over the pack's own files, on a clock that is set."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.collect.schemas import Receipt
from cityloop.core.clock import ManualClock
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.core.web import Paging
from cityloop.standard.service import Standard
from cityloop.watch.content import load_rules
from cityloop.watch.schemas import WarningFilter, WarningView
from cityloop.watch.service import Watch
from tests.collect.small_town import STEWARD, Town

ROOT = Path(__file__).parents[2]
MACHINE = Actor(id="gateway", name=Title(zh="网关", en="Gateway"), kind="machine", posts=("feed",))


class Stage:
    """One pack with the entities that are given: ``{type: [{id, lon, lat, …}]}``. Nobody here reports cases."""

    def __init__(self, folder: Path, pack: str, start: datetime, entities: Mapping[str, Sequence[Mapping[str, Any]]]):
        packs = [ROOT / "packs" / pack]
        _write(folder / "city" / "entities", entities)
        self.clock = ManualClock(start)
        self.town = Town(folder, self.clock, Settings(linger_ms=1, sync=False), packs).open()
        self.standard = Standard.load(packs)
        town = self.town
        self.watch = Watch(
            database=town.database,
            outbox=town.outbox,
            door=town.door,
            audit=Audit(town.database),
            lake=town.lake,
            rules=[rule for rule in load_rules(packs, self.standard) if rule.entity_type in self.standard.entity_types],
            describe=town.collector.describe,
            clock=self.clock,
        )
        self.watch.catch_up()
        town.collector.on_committed.append(self.watch.observe)

    def send(self, feed: str, *records: Mapping[str, Any]) -> Receipt:
        """Push records of this moment; refused ones are a fault of the test."""
        receipt = self.town.collector.push(MACHINE, feed, json.dumps(records).encode(), "application/json")
        assert not receipt.rejections, receipt.rejections
        return receipt

    def wait(self, span: timedelta) -> None:
        """Let time pass."""
        self.clock.advance(span)
        self.watch.tick(self.clock.now())

    def warnings(self, rule: str, **wanted: Any) -> list[WarningView]:
        """The warnings of a rule, oldest first."""
        page = self.watch.list(STEWARD, WarningFilter(**wanted), Paging(page=1, size=500, sort="raised_at"))
        return [item for item in page.items if item.rule == rule]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """What the lake holds, by time."""
        found: list[dict[str, Any]] = self.town.lake.query(
            f'SELECT * FROM "{table}" ORDER BY observed_at', [table]
        ).to_pylist()
        return found

    def close(self) -> None:
        """Stop the collector and close the stores."""
        self.town.close()


def _write(folder: Path, entities: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    folder.mkdir(parents=True)
    for kind, items in entities.items():
        head = [
            "id",
            "title_zh",
            "title_en",
            "lon",
            "lat",
            *sorted({n for i in items for n in i} - {"id", "lon", "lat"}),
        ]
        lines = [",".join(_cell(item, name) for name in head) for item in items]
        (folder / f"{kind}.csv").write_text("\n".join([",".join(head), *lines]) + "\n", encoding="utf-8")


def _cell(item: Mapping[str, Any], name: str) -> str:
    value = str(item.get(name, item["id"] if name.startswith("title_") else ""))
    return f'"{value}"' if "," in value else value
