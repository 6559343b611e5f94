"""All services of one city, built, wired and started in the right order; for the server, the replay and the bench."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.saved import ViewKeeper
from cityloop.access.service import Accounts
from cityloop.analyse.service import Analyst
from cityloop.cases.files import Folder
from cityloop.cases.service import CaseDesk
from cityloop.city.service import City
from cityloop.collect.service import Collector
from cityloop.collect.sources.service import Sources
from cityloop.core.clock import Clock, PacedClock
from cityloop.core.database import Database
from cityloop.core.errors import NotFound
from cityloop.core.outbox import LINGER, Outbox, Relay
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.drill.service import Drill
from cityloop.evaluate import keeper
from cityloop.evaluate.service import Evaluator
from cityloop.lake.compactor import Compactor
from cityloop.lake.events import TYPES, WARNINGS, EventWriter
from cityloop.lake.retention import Retention, keep_days
from cityloop.learn.service import Learner
from cityloop.quality.inspector import of_finding
from cityloop.quality.service import Quality
from cityloop.serve.analysing import open_analysis
from cityloop.serve.answering import open_answers
from cityloop.serve.asking import open_asking
from cityloop.serve.clockkeeper import ClockKeeper, city_clock
from cityloop.serve.commanding import open_commander
from cityloop.serve.content import declaring, load_content, rule_names
from cityloop.serve.deciding import open_decisions
from cityloop.serve.forecasting import desk_of, forecasts_of, to_learn
from cityloop.serve.health import Health
from cityloop.serve.importing.desk import SheetDesk
from cityloop.serve.linking.opened import join
from cityloop.serve.public import open_public
from cityloop.serve.pulse import Pulse
from cityloop.serve.stewarding import open_steward
from cityloop.serve.stores import occupy, open_lake
from cityloop.serve.stream import Stream
from cityloop.serve.telling import open_telling
from cityloop.serve.timers import Timers
from cityloop.serve.training import Apprentice, models_folder
from cityloop.standard.desk import StandardDesk
from cityloop.standard.world import World
from cityloop.steward.declared import Current
from cityloop.steward.versions import in_force
from cityloop.watch.cap import Office
from cityloop.watch.cards import with_areas
from cityloop.watch.locality import locality_of
from cityloop.watch.service import Watch, warnings_of
from cityloop.watch.trace import Voice

TICK_SECONDS = 0.2
CHORE_SECONDS = 1.0
LEARN_SECONDS = 5.0


class House:
    """Every service of one city over one data folder; ``services`` is what routes find by class.

    With ``packs_alone`` applied versions of the standard are left aside, for when they no longer fit the packs.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None, *, packs_alone: bool = False) -> None:
        self._occupied = occupy(settings.data)
        try:
            self._build(settings, clock, packs_alone)
        except BaseException:
            self._occupied.close()
            raise

    def _build(self, settings: Settings, clock: Clock | None, packs_alone: bool) -> None:
        self.settings = settings
        self.database = Database(settings.database_url())
        self.database.create()
        self.clock = clock or city_clock(settings, self.database)
        self.city = City.load(settings.city, self.clock)
        applied = None if packs_alone else in_force(declaring(self.city), self.city, self.database)
        self.content = load_content(self.city, applied, settings.data)
        self.outbox = Outbox(self.database)
        self.relay = Relay(self.database, self.outbox)
        self.audit = Audit(self.database)
        self.door = Door(self.city.policy)
        self.accounts = Accounts(self.database, self.audit, settings.session_hours)
        self.views = ViewKeeper(self.database, self.audit)
        self._build_rooms()
        self._wire()

    def _build_rooms(self) -> None:
        shared: dict[str, Any] = {name: getattr(self, name) for name in ("database", "outbox", "door", "audit")}
        self._build_intake(shared)
        self.decider, self.decision_desk = open_decisions(self.city, shared)
        self._build_loop(shared)
        self.commander, self.field = open_commander(
            self.settings, self.city, self.content.devices, self.collector, shared
        )
        self.joined = join(shared, self)
        self._build_standard(shared)
        self.drill = self._open_drill()
        self.current = Current(self.content.standard, self.content.feeds)
        self.sharing, self.lineage, self.catalogue, self.versions = open_steward(shared, self, self._name)
        self.forecast_desk = desk_of(self.forecasts, self.settings, self.city, self.collector, self.current, shared)
        self.answers = open_answers(
            self.settings, self.content, self.collector, self.decider, self.relay, self.accounts, self._name,
            self.city, shared,
        )  # fmt: skip
        self.sheets = SheetDesk(
            settings=self.settings,
            **{name: shared[name] for name in ("database", "audit", "door")},
            accounts=self.accounts,
            city=self.city,
            collector=self.collector,
            table=self.desk.dispatch.in_force,
        )

    def _build_intake(self, shared: Mapping[str, Any]) -> None:
        """The lake and what comes into it."""
        settings, content = self.settings, self.content
        self.lake = open_lake(settings)
        self.retention = Retention(
            **{name: shared[name] for name in ("database", "audit", "outbox")},
            lake=self.lake,
            clock=self.clock,
            keep=lambda: keep_days(self.current.declared.standard, settings),
        )
        self.compactor = Compactor(self.lake, settings.compact_seconds, self.retention.apply)
        self.collector = Collector(
            **shared, lake=self.lake, standard=content.standard, feeds=content.feeds, city=self.city, settings=settings
        )
        self.sources = Sources(
            content.sources, **shared, collector=self.collector, city=self.city, replaying=settings.demo
        )

    def _build_loop(self, shared: Mapping[str, Any]) -> None:
        """From a warning to a case to a figure."""
        settings, content = self.settings, self.content
        self.forecasts = forecasts_of(settings, self.city, content.forecasts, self.lake)
        self.watch = Watch(
            **shared,
            lake=self.lake,
            rules=content.rules,
            describe=with_areas(self.collector.describe, self.city.areas, self._group_titles()),
            clock=self.clock,
            voice=Voice(self.city.language, self.city.zone),
            locality=locality_of(self.city, self.collector.known, self.forecasts),
            known=rule_names(self.city, content.standard),
            people=self.accounts.get,
            cap_cases=content.cap_cases,
            office=Office(f"cityloop.{self.city.id}", self.city.title, self.city.zone, settings.demo),
        )
        self.learner = Learner(**shared, city=self.city, folder=models_folder(settings), seconds=settings.risk_seconds)
        self.desk = CaseDesk(
            **shared,
            city=self.city,
            workflow=content.workflow,
            responsibility=content.responsibility,
            classifier=self.learner,
            owner_of=self.collector.owner_of,
            title_of=self.collector.title_of,
            files=Folder(settings.data / "attachments"),
            attachment_limit=settings.attachment_limit,
        )
        self.citizens, self.open311, self.sender = open_public(
            settings, content.open311, self.accounts, self.database, self.door, self.city, self.desk, self.audit
        )
        rule_titles = {rule.id: rule.title for rule in self.watch.rulebook.rules.values()}
        self.watch.on_adopted.append(lambda rules: rule_titles.update({rule.id: rule.title for rule in rules.values()}))
        self.webhooks, self.notices, self.sent_notices = open_telling(
            settings, self.city, self.database, self.outbox, self.relay, self.audit, self.door
        )
        self.analyst = Analyst(
            lake=self.lake,
            model=content.model,
            door=self.door,
            city=self.city,
            clock=self.clock,
            describe=self.collector.describe,
            rules=rule_titles,
            audit=self.audit,
        )
        self.explainer, self.sql = open_analysis(self.analyst, self.lake, self.database, self.audit)
        self.asking = open_asking(settings, self.analyst, self.explainer, self.collector, rule_titles)
        self.evaluator = Evaluator(**shared, city=self.city, book=content.evaluation, font=settings.report_font)

    def _build_standard(self, shared: Mapping[str, Any]) -> None:
        """What is measured by the standard, and where it is looked up and mapped to."""
        content = self.content
        self.quality = Quality(
            **shared, lake=self.lake, city=self.city, desk=self.desk, source=self.collector, content=content.quality
        )
        self.standard_desk = StandardDesk(
            content.standard,
            content.feeds,
            door=self.door,
            clock=self.clock,
            zone=self.city.zone.key,
            departments=list(self.city.departments),
            known=self.collector.known,
            world=World(of=self.collector.known, locate=self.city.areas.locate_many, nearest=self.city.areas.nearest),
        )

    def _group_titles(self) -> dict[str, Title]:
        """Names of what rules may group by beside entities and areas: matters and feeds."""
        matters = {matter.key: matter.title for matter in self.city.catalogue.list()}
        return matters | {feed.id: feed.declaration.title for feed in self.content.feeds}

    def _name(self, account: str) -> Title:
        """The name of an account for people; one that is gone keeps its id."""
        try:
            return self.accounts.get(account).name
        except NotFound:
            return Title(zh=account, en=account)

    def _open_drill(self) -> Drill:
        if not self.settings.demo:
            return Drill.absent(self.database, self.clock)
        english = self.city.language == "en"
        return Drill.open(self.city.folder, self.database, self.clock, self.accounts, self.city.policy, english)

    def _wire(self) -> None:
        """Same-floor rooms meet only here: committed rows go to the watch, events go to whoever answers them."""
        events = EventWriter(self.lake, self.city.areas.list("city")[0].code)
        self.collector.on_committed.append(self.watch.observe)
        events.on_committed.append(self.watch.observe)
        self.relay.consume("cases", self.desk.answer_warnings, WARNINGS)
        self.relay.consume("watch", self.watch.link_cases, ["cityloop.case.moved"], only=lambda e: bool(warnings_of(e)))
        self.relay.consume(keeper.CONSUMER, self.evaluator.take, keeper.MOVED, LINGER)
        self.relay.consume("quality", self.quality.follow_cases, ["cityloop.case.moved"], LINGER, of_finding)
        if self.sender.active:
            self.relay.consume("open311", self.sender.take, ["cityloop.case.moved"])
        self.relay.consume("lake", events, TYPES, LINGER, before=events.write)
        self.timers = Timers(
            {
                "replay": lambda: self.collector.replay_step(self.clock.now()) if self.settings.demo else 0,
                "watch": lambda: self.watch.tick(self.clock.now()),
                "cases": lambda: self.desk.tick(self.clock.now()),
                "grants": self.sharing.step,
                "commands": lambda: self.commander.tick(self.clock.now()),
                "devices": lambda: self.field.step(self.clock.now()) if self.field else 0,
                "answers": self.answers.tick,
            },
            TICK_SECONDS,
        )
        # Measuring data takes long enough to hold up warnings, so it has a thread of its own.
        self.chores = Timers({"quality": lambda: self.quality.tick(self.clock.now())}, CHORE_SECONDS)
        self.apprentice = Apprentice(self.settings, to_learn(self.learner, self.forecasts), self.clock.now)
        self.learning = Timers({"models": self.apprentice.step, "risk": self.learner.score_due}, LEARN_SECONDS)
        self.stream = Stream(self.outbox, self.door, Pulse(self.city, self.collector))
        self.health = Health(
            self.city,
            {
                "relay": lambda: self.relay.errors,
                "timers": lambda: {**self.timers.troubles, **self.chores.troubles, **self.learning.troubles},
                "linkage": lambda: self.joined.timers.troubles,
                "watch": lambda: self.watch.errors,
                "sources": lambda: self.sources.troubles,
                "open311": lambda: self.sender.troubles,
                "webhooks": lambda: self.webhooks.troubles,
                "notices": lambda: self.notices.troubles,
                "commands": lambda: self.commander.troubles,
                "models": lambda: {**self.learner.troubles, **self.forecasts.troubles},
                "drill": lambda: {"players": self.drill.problem} if self.drill.problem else {},
            },
        )
        self.keeper = ClockKeeper(self.database, self.clock) if isinstance(self.clock, PacedClock) else None

    @property
    def services(self) -> Mapping[type[Any], Any]:
        """All services by class."""
        rooms = (
            self.settings, self.door, self.accounts, self.views, self.city, self.collector, self.sources,
            self.watch, self.desk, self.analyst, self.quality, self.evaluator, self.drill, self.stream, self.health,
            self.sharing, self.lineage, self.catalogue, self.standard_desk, self.versions, self.learner,
            self.citizens, self.open311, self.sender, self.sent_notices, self.sheets, self.forecast_desk,
            self.explainer, self.sql,
            *self.joined.services,
            self.decider, self.decision_desk, self.commander, self.asking, *self.answers.all(),
        )  # fmt: skip
        return {type(room): room for room in rooms}

    def start(self) -> None:
        """Catch up with what was committed before the last stop, then start every thread."""
        self.watch.catch_up()
        self.evaluator.catch_up()
        for part in (
            self.collector, self.relay, self.stream, self.compactor, self.keeper, self.commander, self.timers,
            self.chores, self.learning, self.sources, self.sender, self.webhooks, self.notices, self.joined,
        ):  # fmt: skip
            if part is not None:
                part.start()

    def open(self, address: str) -> None:
        """The house answers requests at ``address``: let the drill players in."""
        self.drill.start(address)

    def stop(self) -> None:
        """Stop in the reverse order; everything committed stays."""
        takers = (
            self.drill,
            self.joined,
            self.sources,
            self.sender,
            self.webhooks,
            self.notices,
            self.learning,
            self.apprentice,
            self.chores,
            self.timers,
            self.commander,
            self.collector,
        )
        for part in (*takers, self.relay, self.stream, self.compactor, self.keeper):
            if part is not None:
                part.stop()
        self.watch.backtests.close()
        self.close()

    def close(self) -> None:
        """Let go of data folder, lake and database; for a house that was never started."""
        self.sharing.write_uses()
        self.lake.close()
        self.database.close()
        self._occupied.close()
