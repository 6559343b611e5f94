"""Backtests as work that takes its time: one after the other, with progress, to be stopped at any moment; kept."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from queue import Queue
from typing import Literal

from sqlalchemy import select

from cityloop.access.actor import Actor
from cityloop.access.door import Door
from cityloop.core.clock import Clock
from cityloop.core.database import Database
from cityloop.core.errors import AccessDenied, Conflict, Invalid, NotFound, Problem
from cityloop.core.ids import new_id
from cityloop.lake.service import Lake
from cityloop.watch.backtest import BEFORE, Happened, a_week, propose, report, shifted
from cityloop.watch.cards import Describe
from cityloop.watch.judging import instant
from cityloop.watch.locality import Locality
from cityloop.watch.models import WarningRow
from cityloop.watch.rehearsal import Episode, Past, Progress, Rehearsal, Stopped, resting, touching
from cityloop.watch.rule_schemas import BacktestComparison, BacktestView, NewBacktest, RuleReport, TriedThreshold
from cityloop.watch.rulebook import Rulebook, declared
from cityloop.watch.rules import Rule
from cityloop.watch.shelf import KEPT, Shelf

log = logging.getLogger(__name__)
TRY = "rule.try"
USUAL, LONGEST = timedelta(days=28), timedelta(days=732)
TRIES = 14
_WAITING = 5
_SCOPES = {"CaseEvent": "case", "WarningEvent": "warning"}
State = Literal["waiting", "running", "done", "stopped", "failed"]


@dataclass(frozen=True)
class Wish:
    """One backtest to be made."""

    rule: Rule
    start: datetime
    end: datetime
    a_week: float | None = None
    happened: Sequence[Happened] | None = None
    """What is known to have happened; without it the labelled warnings of the rule's entity type."""


@dataclass(frozen=True)
class Rehearsed:
    """A backtest that was made."""

    report: RuleReport
    proposal: list[TriedThreshold] | None
    """Where a number of warnings a week is wished, the thresholds that were tried for it."""
    episodes: Sequence[Episode]
    """The rule's own warnings."""


class Rehearser:
    """Makes backtests at once, in the caller's thread."""

    def __init__(
        self, database: Database, lake: Lake, describe: Describe, rules: Callable[[], Mapping[str, Rule]],
        locality: Locality = Locality(),
    ) -> None:  # fmt: skip
        self._database, self._lake, self._describe = database, lake, describe
        self._rules, self._locality = rules, locality

    def run(self, wish: Wish, progress: Progress) -> Rehearsed:
        """What the rule would have said; raises :class:`Stopped` where ``progress`` does."""
        wish = replace(wish, start=self._first(wish))
        rounds = 1 if wish.a_week is None else 1 + TRIES
        begun = time.perf_counter()
        beside = {rule.id: rule for rule in self._beside(wish.rule)}
        past = self._rehearse(list(beside.values()), wish.start, wish.end, lambda share: progress(share / rounds))
        spent = time.perf_counter() - begun
        happened = self._labelled(wish) if wish.happened is None else wish.happened
        made = report(wish.rule, beside, past, (wish.start, wish.end), happened, self._locality.zone, spent)
        episodes = past.of(wish.rule.id)
        if wish.a_week is None:
            return Rehearsed(made, None, episodes)
        tried = self._proposed(wish, lambda turn, share: progress((1 + turn + share) / rounds))
        return Rehearsed(made, tried, episodes)

    def _first(self, wish: Wish) -> datetime:
        """The beginning of the period, or the first record where the history begins later: rates count from there."""
        tables = {rule.entity_type for rule in touching(wish.rule, self._rules()) if not rule.conditions}
        first = min((at for table in tables if (at := self._oldest(table)) is not None), default=wish.start)
        return first if wish.start < first < wish.end else wish.start

    def _oldest(self, table: str) -> datetime | None:
        if self._lake.version(table) < 0:
            return None
        sql = f'SELECT epoch_us(min(observed_at)) AS first FROM "{table}"'  # noqa: S608 - a table of a checked rule
        first = self._lake.query(sql, [table])["first"][0].as_py()
        return None if first is None else instant(first)

    def _proposed(self, wish: Wish, progress: Callable[[int, float], None]) -> list[TriedThreshold]:
        assert wish.a_week is not None
        turn = iter(range(TRIES))

        def ask(threshold: float) -> float:
            number, rule = next(turn, TRIES - 1), shifted(wish.rule, threshold)
            past = self.alone(rule, wish.start, wish.end, lambda share: progress(number, share))
            return a_week(len(past.of(rule.id)), wish.start, wish.end)

        return propose(wish.rule, wish.a_week, ask, TRIES)

    def alone(self, rule: Rule, start: datetime, end: datetime, progress: Progress) -> Past:
        """What a rule would have said, without the others of its types beside it."""
        return self._rehearse(resting(rule, self._rules()), start, end, progress)

    def _rehearse(self, rules: Sequence[Rule], start: datetime, end: datetime, progress: Progress) -> Past:
        return Rehearsal(rules, self._lake, self._describe, self._locality).run(start, end, progress)

    def _beside(self, rule: Rule) -> list[Rule]:
        """What runs together: the rule, what it rests on, others of its types, its version in force if it differs."""
        rules = self._rules()
        found = touching(rule, rules)
        before = rules.get(rule.id)
        if before is None or before == rule:
            return found
        return [*found, before.model_copy(update={"id": rule.id + BEFORE})]

    def _labelled(self, wish: Wish) -> list[Happened]:
        """Warnings of the same entity type whose outcome is known; a drill says nothing."""
        wanted = (
            WarningRow.entity_type == wish.rule.entity_type,
            WarningRow.outcome.in_(("true", "false")),
            WarningRow.raised_at >= wish.start,
            WarningRow.raised_at < wish.end,
        )
        with self._database.reading() as session:
            rows = session.scalars(select(WarningRow).where(*wanted)).all()
        return [Happened(r.entity, r.raised_at, r.cleared_at or wish.end, r.outcome == "true") for r in rows]


class Backtests:
    """The backtests that people asked for: those at work with their progress, those that are done on the shelf."""

    def __init__(self, *, door: Door, clock: Clock, rulebook: Rulebook, rehearser: Rehearser, shelf: Shelf) -> None:
        self._door, self._clock, self._rulebook, self._rehearser = door, clock, rulebook, rehearser
        self._shelf = shelf
        shelf.open()
        self._jobs: dict[str, BacktestView] = {}
        """Those that wait or run."""
        self._wishes: Queue[tuple[str, Wish] | None] = Queue()
        self._stopping: set[str] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self, actor: Actor, wished: NewBacktest) -> BacktestView:
        """Begin a backtest; raises :class:`Invalid`, :class:`AccessDenied`, or :class:`Conflict` when too many wait."""
        self._door.permit(actor, TRY)
        wish = self._wish(wished)
        readable(self._door, actor, touching(wish.rule, self._rulebook.rules))
        view = BacktestView(
            id=new_id("bkt"), rule=wish.rule.id, by=actor.id, at=self._clock.now(), state="waiting", done=0.0
        )
        with self._lock:
            if len(self._jobs) >= _WAITING:
                raise Conflict(f"{_WAITING} backtests are waiting already", "stop one, or wait for it")
            self._shelf.put(view, declared(wish.rule))
            self._jobs[view.id] = view
            self._wishes.put((view.id, wish))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="backtests", daemon=True)
                self._thread.start()
        return view

    def list(self, actor: Actor) -> list[BacktestView]:
        """All that are kept, without their reports, the newest first."""
        self._door.permit(actor, TRY)
        found = (self._jobs.get(kept.id, kept) for kept in self._shelf.list())
        return [job for job in found if self._seen(actor, job)]

    def get(self, actor: Actor, backtest: str) -> BacktestView:
        """One with its report; raises :class:`NotFound`."""
        self._door.permit(actor, TRY)
        job = self._jobs.get(backtest) or self._shelf.get(backtest)
        if job is None or not self._seen(actor, job):
            raise NotFound(f"there is no backtest '{backtest}'", f"the last {KEPT} are kept")
        return job

    def compare(self, actor: Actor, first: str, second: str) -> BacktestComparison:
        """Two that are done, side by side; raises :class:`NotFound`, or :class:`Invalid` where they share no time."""
        ids = [self.get(actor, backtest).id for backtest in (first, second)]
        return self._shelf.compared(*ids)

    def stop(self, actor: Actor, backtest: str) -> BacktestView:
        """End it within a day of its history; one that has ended stays as it is."""
        job = self.get(actor, backtest)
        if job.id in self._jobs:
            self._stopping.add(backtest)
        return job

    def join(self) -> None:
        """Wait until all that was asked for is done; for tests."""
        self._wishes.join()

    def close(self) -> None:
        """Stop whatever runs or waits, before the lake is closed."""
        self._stopping |= set(self._jobs)
        self._wishes.put(None)
        if self._thread is not None:
            self._thread.join(timeout=30)

    def _seen(self, actor: Actor, job: BacktestView) -> bool:
        return job.by == actor.id or self._door.may(actor, "rule.change")

    def _wish(self, wished: NewBacktest) -> Wish:
        if (wished.rule is None) == (wished.draft is None):
            raise Invalid("say which rule", "give one of 'rule' and 'draft'")
        rule = self._rulebook.draft(wished.draft) if wished.draft else self._rulebook.rules.get(wished.rule or "")
        if rule is None:
            raise NotFound(f"there is no rule '{wished.rule}'", "GET /api/v1/rules lists them")
        return wish_of(rule, wished.start, wished.end, wished.a_week, self._clock.now())

    def _work(self) -> None:
        while (asked := self._wishes.get()) is not None:
            id, wish = asked
            try:
                self._one(id, wish)
            finally:
                self._stopping.discard(id)
                self._wishes.task_done()

    def _one(self, id: str, wish: Wish) -> None:
        def progress(share: float) -> None:
            if id in self._stopping:
                raise Stopped("the backtest was stopped")
            self._jobs[id] = self._jobs[id].model_copy(update={"state": "running", "done": round(share, 4)})

        try:
            progress(0.0)
            made = self._rehearser.run(wish, progress)
            self._settle(id, made.episodes, state="done", done=1.0, report=made.report, proposal=made.proposal)
        except Stopped:
            self._settle(id, state="stopped")
        except Problem as problem:
            self._settle(id, state="failed", problem=str(problem))
        except Exception as error:
            log.exception("backtest %s failed", id)
            self._settle(id, state="failed", problem=str(error))

    def _settle(self, id: str, episodes: Sequence[Episode] | None = None, **changes: object) -> None:
        """Put what became of one on the shelf."""
        self._shelf.settle(self._jobs[id].model_copy(update=changes), episodes)
        del self._jobs[id]


def readable(door: Door, actor: Actor, rules: Sequence[Rule]) -> None:
    """Figures over all rows are for those who may read them all, with every column that the rules look at."""
    for one in (rule for rule in rules if not rule.conditions):
        scope = door.scope(actor, _SCOPES.get(one.entity_type, "observation"), one.entity_type)
        if not scope.whole or set(one.columns) & set(scope.masks):
            detail = f"{actor.id} does not see all of {one.entity_type} that '{one.id}' looks at"
            raise AccessDenied(detail, "ask somebody who does, or for a grant")


def wish_of(rule: Rule, start: datetime | None, end: datetime | None, rate: float | None, now: datetime) -> Wish:
    """The wish with its period, by default the last four weeks; raises :class:`Invalid` for an impossible one."""
    until = min(end or now, now)
    begin = start or until - USUAL
    if begin >= until or until - begin > LONGEST:
        raise Invalid("that is no period of the past", f"choose up to {LONGEST.days} days that lie behind us")
    return Wish(rule, begin, until, rate)


def with_events(wish: Wish, happened: Sequence[Happened]) -> Wish:
    """The same wish, judged by given events instead of labelled warnings."""
    return replace(wish, happened=tuple(happened))
