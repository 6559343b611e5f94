"""A small working city for the tests of this room: the demo city's content, a clock that stands still, a real store."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.models import AccountRow
from cityloop.cases.definitions import load_workflow
from cityloop.cases.dispatch import Responsibility, load_responsibility
from cityloop.cases.dispatch_table import ResponsibilityFile
from cityloop.cases.files import Folder
from cityloop.cases.schemas import CaseDetail, CaseFilter, CaseReport, MoveRequest
from cityloop.cases.service import CaseDesk
from cityloop.cases.workflow import Workflow
from cityloop.city.schemas import Position
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.database import Database
from cityloop.core.outbox import Event, Outbox, Relay
from cityloop.core.values import Page, Title
from cityloop.core.web import Paging

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "cities" / "demo"
URBAN = ROOT / "packs" / "urban"
MONDAY = datetime(2026, 3, 9, 1, 0, tzinfo=UTC)
"""Monday 2026-03-09 09:00 in the demo city."""
LITTER, ROAD, DUST = "gb47678:matter:06010", "gb47678:matter:06013", "gb47678:matter:08004"
FUTIAN = Position(lon=114.055, lat=22.535)
FIRST = Paging(page=1, size=50, sort="")


def person(account: str, *posts: str, department: str | None = "centre", areas: Sequence[str] = ()) -> Actor:
    return Actor(id=account, name=Title(zh=account, en=account), posts=posts, department=department, areas=tuple(areas))


ACCEPTOR = person("acceptor.an", "acceptor")
LEADER = person("leader.lin", "shift_leader")
DISPATCHER = person("dispatcher.deng", "dispatcher")
DISPATCHER_2 = person("dispatcher.ding", "dispatcher")
SANITATION = person("sanitation", "department", department="sanitation")
SWEEPER = person("sweeper.su", "handler", department="sanitation")
TRANSPORT = person("transport", "department", department="transport")
COLLECTOR = person("collector.chen", "collector", areas=["440304"])
SUPERVISOR = person("supervisor.shi", "supervisor")
ANALYST = person("analyst.ai", "analyst")
MACHINE = Actor(id="hotline-12345", name=Title(zh="12345", en="12345"), kind="machine", posts=("feed",))
NOBODY = person("nobody.ning")
PEOPLE = [ACCEPTOR, LEADER, DISPATCHER, DISPATCHER_2, SANITATION, SWEEPER, TRANSPORT, COLLECTOR, SUPERVISOR, ANALYST]


@cache
def _demo() -> City:
    return City.load(DEMO, ManualClock(MONDAY))


@cache
def demo_workflow() -> Workflow:
    return load_workflow(_demo().packs)


@cache
def by_hand() -> Workflow:
    """The demo workflow without automation: every move is somebody's."""
    return changed_workflow(version="by-hand", automation=())


def changed_workflow(**changes: Any) -> Workflow:
    """The demo workflow with some of its parts replaced."""
    return Workflow.model_validate({**demo_workflow().model_dump(by_alias=True), **changes})


def demo_city(clock: ManualClock) -> City:
    """The demo city on a clock of its own; its content is loaded once for all tests."""
    city = copy.copy(_demo())
    city.clock = clock
    return city


def demo_table(city: City) -> Responsibility:
    matters = [matter.key for matter in city.catalogue.list()]
    areas = [area.code for area in city.areas.list()]
    return load_responsibility(DEMO / "responsibility.yaml", city.departments, matters, areas, city.zone)


@dataclass
class Room:
    """The cases room over one database."""

    database: Database
    outbox: Outbox
    audit: Audit
    door: Door
    city: City
    clock: ManualClock
    desk: CaseDesk
    relay: Relay
    data: Path

    def later(self, **span: float) -> datetime:
        self.clock.advance(timedelta(**span))
        return self.clock.now()

    def report(self, actor: Actor = ACCEPTOR, **values: Any) -> CaseDetail:
        return self.desk.report(actor, litter(**values))[0]

    def move(self, actor: Actor, case: CaseDetail | str, move: str, opinion: str = "", **fields: Any) -> CaseDetail:
        """Make a move on the case as it stands now."""
        key = case if isinstance(case, str) else case.id
        seen = self.desk.get(ACCEPTOR, key)
        return self.desk.move(actor, key, MoveRequest(move=move, version=seen.version, opinion=opinion, fields=fields))

    def walk(self, case: CaseDetail | str, *steps: tuple[Any, ...]) -> CaseDetail:
        """Make several moves; each step is (actor, move, opinion?, fields?)."""
        detail: CaseDetail | None = None
        for actor, move, *rest in steps:
            opinion = rest[0] if rest else ""
            fields: Mapping[str, Any] = rest[1] if len(rest) > 1 else {}
            detail = self.move(actor, case, move, opinion, **fields)
        assert detail is not None
        return detail

    def listed(self, actor: Actor, paged: Paging = FIRST, **wanted: Any) -> Page[Any]:
        return self.desk.list(actor, CaseFilter(**wanted), paged)

    def events(self, kind: str = "cityloop.case.moved") -> list[Event]:
        return [event for event in self.outbox.after(0, 100_000) if event.type == kind]


def open_room(
    tmp_path: Path,
    workflow: Workflow | None = None,
    start: datetime = MONDAY,
    url: str | None = None,
    table: Mapping[str, Any] | None = None,
    owners: Mapping[str, str] | None = None,
    things: Collection[str] = (),
) -> Room:
    """A room over a new (or the existing) database file in ``tmp_path``; ``table``: another one of responsibility."""
    database = Database(url or f"sqlite:///{tmp_path / 'cityloop.db'}", synchronous="OFF")
    database.create()
    clock = ManualClock(start)
    city = demo_city(clock)
    outbox, audit, door = Outbox(database), Audit(database), Door(city.policy)
    responsibility = demo_table(city)
    if table is not None:
        responsibility = responsibility.having(ResponsibilityFile.model_validate(table))
    desk = CaseDesk(
        database=database,
        outbox=outbox,
        door=door,
        audit=audit,
        city=city,
        workflow=workflow or demo_workflow(),
        responsibility=responsibility,
        files=Folder(tmp_path / "attachments"),
        owner_of=(owners or {}).get,
        title_of=lambda _actor, thing: Title(zh=thing, en=thing) if thing in things else None,
    )
    _enter_people(database)
    relay = Relay(database, outbox)
    relay.consume("cases", desk.answer_warnings, WARNINGS)
    return Room(database, outbox, audit, door, city, clock, desk, relay, tmp_path)


WARNINGS = ("cityloop.warning.raised", "cityloop.warning.level", "cityloop.warning.cleared")


def _enter_people(database: Database) -> None:
    with database.transaction() as tx:
        for actor in PEOPLE:
            tx.session.merge(
                AccountRow(
                    id=actor.id,
                    name_zh=actor.name.zh,
                    name_en=actor.name.en,
                    kind=actor.kind,
                    posts=list(actor.posts),
                    department=actor.department,
                    areas=list(actor.areas),
                    failures=0,
                )
            )


def litter(**values: Any) -> CaseReport:
    """A hotline report of litter in Futian."""
    told = {"title": "路边暴露垃圾", "matter": LITTER, "position": FUTIAN, "channel": "hotline"}
    return CaseReport(**{**told, **values})


TO_DISPATCH: tuple[tuple[Any, ...], ...] = ((ACCEPTOR, "accept"), (LEADER, "file"))
TO_HANDLE = (*TO_DISPATCH, (DISPATCHER, "dispatch"))
TO_INSPECT = (
    *TO_HANDLE,
    (SANITATION, "assign", "", {"handler": "sweeper.su"}),
    (SWEEPER, "submit_result", "", {"result": "已清理"}),
    (SANITATION, "confirm"),
)
TO_CLOSED = (*TO_INSPECT, (ACCEPTOR, "accept_without_visit"), (LEADER, "close"))
