"""The small town with sources: a running collector and real wires, declared as a city declares them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.collect.sources.loading import FILE, load_sources
from cityloop.collect.sources.schemas import SourceView
from cityloop.collect.sources.service import Sources
from cityloop.core.clock import Clock, ManualClock
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from tests.collect.small_town import NOON, PACKS, STEWARD, Town, write_entities
from tests.running import PATIENCE

ROOT = Path(__file__).parents[3]
ZONE = ZoneInfo("Asia/Shanghai")
OPERATOR = STEWARD
WATER = Actor(id="shui", name=Title(zh="水务", en="Water"), posts=("department",), department="water")
_SQL = 'SELECT entity, observed_at, pm2_5, record FROM "AirQualityStation" ORDER BY observed_at, entity'


@dataclass
class _City:
    clock: Clock
    zone: ZoneInfo = ZONE


@dataclass
class Wired:
    """A town with its sources; :meth:`restart` builds both anew over the same folder."""

    folder: Path
    sync: bool = False
    started: bool = True
    replaying: bool = False
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    town: Town = field(init=False)
    sources: Sources = field(init=False)

    def declare(self, *sources: Mapping[str, Any]) -> Wired:
        """Write ``sources.yaml``; what is alike in every declaration is filled in."""
        common = {"id": "air", "title": "空气", "feed": "air-hourly"}
        (self.folder / "city").mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump({"sources": [{**common, **source} for source in sources]}, allow_unicode=True)
        (self.folder / "city" / FILE).write_text(text, encoding="utf-8")
        return self

    def open(self) -> Wired:
        write_entities(self.folder / "city")
        settings = Settings(linger_ms=2, sync=self.sync)
        self.town = Town(self.folder, self.clock, settings, PACKS).open()
        collector = self.town.collector
        self.sources = Sources(
            load_sources(self.folder / "city", {m.id: m for m in collector._feeds.values()}),
            collector=collector,
            database=self.town.database,
            city=_City(self.clock),
            door=self.town.door,
            audit=Audit(self.town.database),
            outbox=self.town.outbox,
            replaying=self.replaying,
        )
        if self.started:
            self.sources.start()
        return self

    def close(self) -> None:
        self.sources.stop()
        self.town.close()

    def restart(self) -> Wired:
        self.close()
        return self.open()

    def rows(self) -> list[dict[str, Any]]:
        """Stored rows of air stations."""
        return list(self.town.lake.query(_SQL, ["AirQualityStation"]).to_pylist())

    def values(self) -> list[float]:
        """Their PM2.5, sorted."""
        return sorted(row["pm2_5"] for row in self.rows())

    def view(self, source: str = "air") -> SourceView:
        """A source as its operator sees it."""
        return self.sources.get(OPERATOR, source)

    def settle(self, rows: int, quarantined: int = 0, source: str = "air") -> SourceView:
        """Wait until so much has arrived, and return the health line."""

        def there() -> bool:
            view = self.view(source)
            return view.accepted + view.duplicate >= rows and view.quarantined >= quarantined

        wait(there, lambda: f"{rows} rows: {self.view(source)}")
        return self.view(source)


def wait(there: Callable[[], bool], what: Callable[[], str] | str, seconds: float = PATIENCE) -> None:
    """Return as soon as something holds."""
    limit = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < limit, what if isinstance(what, str) else what()
        time.sleep(0.01)


def killed_at_work(folder: Path, seconds: float) -> None:
    """Let a process take what the sources of ``folder`` bring, and kill it after so long."""
    command = [sys.executable, "-m", "tests.collect.sources.taking_process", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline(), "the process did not start"
    time.sleep(seconds)
    process.kill()
    process.wait()
    process.stdout.close()


def environment(name: str, value: str) -> str:
    """Set a variable of this process and return the reference to it."""
    os.environ[name] = value
    return f"env:{name}"
