"""The room put together: the desks of people, and the machine that follows plans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.city.service import City
from cityloop.core.database import Database
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.linkage.answering import Answers, StillOpen
from cityloop.linkage.book import Diagrams
from cityloop.linkage.desk import RunDesk
from cityloop.linkage.driving import Driver
from cityloop.linkage.engine import Engine
from cityloop.linkage.limits import Limits
from cityloop.linkage.log import Log
from cityloop.linkage.migrations import RunMigrations
from cityloop.linkage.opening import Opener
from cityloop.linkage.performing import Performer
from cityloop.linkage.ports import People, Plans
from cityloop.linkage.runner import Runner
from cityloop.linkage.seeing import Sight
from cityloop.linkage.starting import Starter
from cityloop.linkage.subplans import Subplan
from cityloop.linkage.tasks import TaskDesk
from cityloop.linkage.views import Views


@dataclass(frozen=True)
class Linkage:
    """All of it. Other rooms are reached by the services that :meth:`Performer.offer` is given."""

    runs: RunDesk
    tasks: TaskDesk
    runner: Runner
    performer: Performer
    starter: Starter
    answers: Answers
    driver: Driver
    migrations: RunMigrations
    log: Log

    def tick(self, now: datetime) -> int:
        """Let happen what is due; call it several times a second."""
        return self.driver.tick(now)


def engine_of(city: City) -> Engine:
    """The engine on the city's language of limits."""
    return Engine(Limits(city.deadlines).due_of)


def open_linkage(
    *,
    database: Database,
    outbox: Outbox,
    door: Door,
    audit: Audit,
    city: City,
    plans: Plans,
    engine: Engine,
    people: People,
    still_open: StillOpen,
    final: Callable[[str], bool],
) -> Linkage:
    """Build the room. ``still_open`` asks of warnings, ``final`` whether a state of a case is its last."""
    log, sight = Log(outbox, audit), Sight(door)
    opener = Opener(Limits(city.deadlines), log)
    diagrams = Diagrams(engine, plans)
    runner = Runner(diagrams, opener, log)
    performer = Performer(database, runner, log)
    views = Views(city.areas, lambda name: _name(city, name))
    starter = Starter(database, diagrams, runner, log, city.areas.district_of, city.zone)
    runs = RunDesk(
        database=database,
        clock=city.clock,
        sight=sight,
        runner=runner,
        performer=performer,
        opener=opener,
        log=log,
        views=views,
    )
    tasks = TaskDesk(
        database=database,
        clock=city.clock,
        sight=sight,
        runner=runner,
        log=log,
        views=views,
        people=people,
        kind_of=lambda name: _kind(city, name),
    )
    performer.offer({"subplan": Subplan(runner, performer, log)})
    return Linkage(
        runs=runs,
        tasks=tasks,
        runner=runner,
        performer=performer,
        starter=starter,
        answers=Answers(runner, still_open, final),
        driver=Driver(database, runner, performer, opener, starter),
        migrations=RunMigrations(database, runner, log),
        log=log,
    )


def _kind(city: City, name: str) -> Literal["department", "post"] | None:
    if name in city.departments:
        return "department"
    return "post" if name in city.policy.posts else None


def _name(city: City, name: str) -> Title:
    if name in city.departments:
        return city.departments[name].title
    post = city.policy.posts.get(name)
    return post.title if post else Title(zh=name, en=name)
