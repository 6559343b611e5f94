"""A demo city with real accounts, case desk and drill, behind a real server on loopback."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.routes import router as access_router
from cityloop.access.service import Accounts
from cityloop.cases.definitions import load_workflow
from cityloop.cases.dispatch import Responsibility, load_responsibility
from cityloop.cases.files import Folder
from cityloop.cases.routes import router as cases_router
from cityloop.cases.service import CaseDesk
from cityloop.cases.workflow import Workflow
from cityloop.city.faults import Faults
from cityloop.city.loading import Loaded, read_city
from cityloop.city.service import City
from cityloop.core.clock import PacedClock
from cityloop.core.database import Database
from cityloop.core.errors import Problem
from cityloop.core.outbox import Outbox
from cityloop.core.settings import Settings
from cityloop.drill.people import People, ensure_accounts, load_people
from cityloop.drill.plan import DrillPlan, PacePlan, load_plan
from cityloop.drill.routes import router as drill_router
from cityloop.drill.service import Drill
from cityloop.serve.app import _problem
from tests.running import PATIENCE

DEMO = Path(__file__).parents[2] / "cities/demo"
START = datetime.fromisoformat("2026-03-09T06:30:00+08:00")


@dataclass
class Town:
    """Everything of one running town that a test may want to look at."""

    url: str
    database: Database
    clock: PacedClock
    city: City
    desk: CaseDesk
    accounts: Accounts
    drill: Drill

    def client(self, account: str) -> httpx.Client:
        """A signed-in visitor."""
        headers = {"Authorization": f"Bearer {self.accounts.open_session(account)}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE)

    def until(self, met: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Wait until ``met``, or fail with what the drill says is wrong."""
        last = time.monotonic() + seconds
        while not met():
            assert time.monotonic() < last, f"not met in time; the drill says: {self.drill.problem or 'nothing'}"
            time.sleep(0.05)


@cache
def content() -> tuple[Loaded, Workflow, Responsibility, People, DrillPlan]:
    """What the demo city's files say, read once for all tests."""
    loaded = read_city(DEMO, Faults())
    assert loaded
    city = City(DEMO, loaded, PacedClock(START, 0))
    table = load_responsibility(
        DEMO / "responsibility.yaml",
        city.departments,
        {matter.key for matter in city.catalogue.list()},
        {area.code for area in city.areas.list()},
        city.zone,
    )
    plan = load_plan(DEMO).model_copy(update={"pace": PacePlan(look_seconds=0.3, rest=0.1)})
    return loaded, load_workflow(city.packs, city.folder), table, load_people(DEMO, city.policy), plan


@pytest.fixture(scope="session")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that has all accounts and nothing else."""
    path = tmp_path_factory.mktemp("accounts") / "city.db"
    database = Database(f"sqlite:///{path}")
    database.create()
    ensure_accounts(content()[3], Accounts(database, Audit(database), 12))
    database.close()
    return path


def build(folder: Path, port: int, clock: PacedClock, url: str) -> tuple[Town, FastAPI]:
    database = Database(url or f"sqlite:///{folder / 'city.db'}")
    loaded, workflow, table, people, plan = content()
    city = City(DEMO, loaded, clock)
    door, audit, outbox = Door(city.policy), Audit(database), Outbox(database)
    accounts = Accounts(database, audit, 12)
    if url:
        database.create()
        ensure_accounts(people, accounts)
    desk = CaseDesk(
        database=database,
        outbox=outbox,
        door=door,
        audit=audit,
        city=city,
        workflow=workflow,
        responsibility=table,
        files=Folder(folder / "attachments"),
    )
    drill = Drill(database, clock, plan, people, accounts.open_session)
    app = FastAPI()
    app.state.services = {Accounts: accounts, Door: door, CaseDesk: desk, Drill: drill, Settings: Settings(demo=True)}
    for router in (access_router, cases_router, drill_router):
        app.include_router(router)
    app.add_exception_handler(Problem, _problem)
    return Town(f"http://127.0.0.1:{port}", database, clock, city, desk, accounts, drill), app


@pytest.fixture
def towns(tmp_path: Path, first_day: Path) -> Iterator[Callable[..., Town]]:
    """Opens a town over the test's own data folder; everything that runs is stopped at the end."""
    shutil.copy(first_day, tmp_path)
    running: list[tuple[Town, uvicorn.Server, threading.Thread]] = []

    def open_town(clock: PacedClock, url: str = "") -> Town:
        listener = socket.create_server(("127.0.0.1", 0))
        town, app = build(tmp_path, listener.getsockname()[1], clock, url)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        town.until(lambda: server.started)
        running.append((town, server, thread))
        return town

    yield open_town
    for town, server, thread in running:
        town.drill.stop()
        server.should_exit = True
        thread.join(10)
        town.database.close()
