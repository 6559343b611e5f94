"""From a case's timeline to one typed row for each run of each step. Pure: the same timeline gives the same rows.

Clocks are followed as :mod:`cityloop.cases.moves` moves them; what a step, an end and a mark is, the city declares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cityloop.cases import entries as written
from cityloop.cases.workflow import ALL, HANDLING, MoveDef, Workflow
from cityloop.evaluate.content import Book
from cityloop.evaluate.declarations import COUNTERS, FLAGS, StepDef

Flows = Callable[[str], Workflow]
"""The workflow of a timeline entry by its key."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What counts of a timeline entry."""

    at: datetime
    move: str
    from_state: str | None
    to_state: str
    actor: str
    post: str | None
    receiver: str | None
    facts: Mapping[str, Any]
    used_seconds: int | None
    on_time: bool | None
    workflow: str


@dataclass(slots=True)
class Run:
    """One run of a step while the timeline is read."""

    step: str
    number: int
    began: datetime
    department: str | None
    ended: datetime | None = None
    paused: datetime | None = None
    pauses: float = 0.0
    """Seconds that the clock stood still."""
    before: int = 0
    """Counted seconds of earlier runs that this run's clock goes on from."""
    due: datetime | None = None
    limit: int | None = None
    used: int | None = None
    late: bool | None = None
    actor: str | None = None
    post: str | None = None
    named: bool = False
    """The actor did the work; whoever ends the step does not replace him."""
    outcome: str | None = None
    rating: int | None = None
    """Stars of the reporter, on the run that the rating itself is."""
    marks: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTERS, 0))


def derive(case: Mapping[str, Any], entries: Iterable[Entry], flows: Flows, book: Book) -> list[dict[str, Any]]:
    """The rows of one case. ``case`` holds the columns of the case that are copied onto every row."""
    reader = _Reader(book)
    for entry in entries:
        workflow = flows(entry.workflow)
        move = workflow.move_by_id.get(entry.move)
        if move is None and entry.move in written.TITLES:
            move = written.definition(entry.move)
        if move is not None:
            reader.read(entry, move, workflow)
    return reader.rows(case)


class _Reader:
    def __init__(self, book: Book) -> None:
        self._book = book
        self._clocks = {step.clock: step for step in book.steps.values() if step.clock and step.clock != HANDLING}
        self._handle = next((step for step in book.steps.values() if step.clock == HANDLING), None)
        self._whole = [step for step in book.steps.values() if step.whole]
        self._moved = [step for step in book.steps.values() if step.begins]
        self._runs: list[Run] = []
        self._last: dict[str, Run] = {}
        self._flags = dict.fromkeys(FLAGS, False)
        self._department: str | None = None
        self._due: datetime | None = None
        self._verdict: bool | None = None

    def read(self, entry: Entry, move: MoveDef, workflow: Workflow) -> None:
        """Take one entry in."""
        effects = {effect.name for effect in move.effects}
        if not self._runs:
            for step in self._whole:
                self._begin(step, entry)
        self._notes(entry, effects)
        if "take_department" in effects:
            self._department = entry.receiver
        if "due_at" in entry.facts:
            after = entry.facts["due_at"]["after"]
            self._due = datetime.fromisoformat(after) if after else None
        self._post_clocks(entry, move, workflow)
        self._handling(entry, move, workflow)
        if "release_department" in effects:
            self._department = None
        self._rename()
        self._moves(entry)
        self._ends(entry, workflow)

    def rows(self, case: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Every run as a row."""
        shared = {name: case[name] for name in ("area", "district", "matter", "channel", "series")}
        return [{**self._row(run), **shared, **self._flags, "case": case["id"]} for run in self._runs]

    def _row(self, run: Run) -> dict[str, Any]:
        elapsed = int((run.ended - run.began).total_seconds()) if run.ended else None
        return {
            "step": run.step,
            "number": run.number,
            "actor": run.actor,
            "post": run.post,
            "department": run.department,
            "began_at": run.began,
            "ended_at": run.ended,
            "due_at": run.due,
            "limit_seconds": run.limit,
            "used_seconds": run.used,
            "elapsed_seconds": elapsed,
            "late": run.late,
            "outcome": run.outcome,
            "rating": run.rating,
            **run.marks,
        }

    def _begin(self, step: StepDef, entry: Entry) -> Run:
        earlier = self._last.get(step.id)
        run = Run(step.id, earlier.number + 1 if earlier else 1, entry.at, self._department)
        run.rating = entry.facts.get("rating")
        self._runs.append(run)
        self._last[step.id] = run
        return run

    def _end(self, run: Run, entry: Entry, at: datetime | None = None) -> None:
        run.ended, run.paused, run.outcome = at or entry.at, None, entry.move
        if not run.named:
            run.actor, run.post = entry.actor, entry.post

    def _open(self, step: StepDef | None) -> Run | None:
        run = self._last.get(step.id) if step else None
        return run if run is not None and run.ended is None else None

    def _post_clocks(self, entry: Entry, move: MoveDef, workflow: Workflow) -> None:
        wanted = move.clocks
        for name, step in self._clocks.items():
            run = self._open(step)
            if run is not None and (wanted.stop == ALL or name in wanted.stop):
                self._stop_post(run, entry)
            elif run is not None and name in wanted.pause and run.paused is None:
                run.paused = entry.at
            run = self._open(step)
            if run is not None and run.paused is not None and name in wanted.resume and name not in wanted.pause:
                run.pauses += (entry.at - run.paused).total_seconds()
                run.paused = None
            if name in wanted.start:
                if run is not None:
                    self._stop_post(run, entry)
                fresh = self._begin(step, entry)
                clock = workflow.clocks.get(name)
                fresh.limit = clock.minutes * 60 if clock and clock.minutes is not None else None

    def _stop_post(self, run: Run, entry: Entry) -> None:
        stood = run.pauses + ((entry.at - run.paused).total_seconds() if run.paused else 0)
        run.used = int((entry.at - run.began).total_seconds() - stood)
        run.late = run.used > run.limit if run.limit is not None else None
        run.department = self._department or run.department
        self._end(run, entry)

    def _handling(self, entry: Entry, move: MoveDef, workflow: Workflow) -> None:
        step, wanted = self._handle, move.clocks
        if step is None:
            return
        run = self._open(step)
        if HANDLING in wanted.pause:
            if run is not None and run.paused is None:
                run.paused, run.used = entry.at, _less(entry.used_seconds, run.before)
        elif wanted.stop == ALL or HANDLING in wanted.stop:
            if run is not None:
                self._stop_handling(run, entry)
        elif HANDLING in wanted.resume or (
            wanted.start_or_resume and run is not None and run.paused and run.department == entry.receiver
        ):
            self._go_on(run)
        elif wanted.start_or_resume or HANDLING in wanted.start or wanted.rework:
            earlier = self._last.get(step.id)
            if run is not None:
                run.late = None
                self._end(run, entry, run.paused)
            run = self._begin(step, entry)
            if wanted.rework and workflow.rework_clock == "rest" and earlier is not None:
                run.before = earlier.before + (earlier.used or 0)
        if run is not None and run.ended is None:
            run.due = self._due
            self._work(step, run, entry)

    def _go_on(self, run: Run | None) -> None:
        if run is not None and run.paused is not None:
            run.paused = None

    def _stop_handling(self, run: Run, entry: Entry) -> None:
        run.due = self._due
        if run.due is not None:
            run.used = _less(entry.used_seconds, run.before)
        run.late = self._late(run, entry)
        if run.late is not None:
            self._verdict = bool(self._verdict) or run.late
        step = self._handle
        if step is not None:
            self._work(step, run, entry)
        self._end(run, entry)

    def _late(self, run: Run, entry: Entry) -> bool | None:
        """The verdict of the move itself; where it gave none, the due instant of that moment decides."""
        if entry.on_time is not None:
            return not entry.on_time
        return entry.at > run.due if run.due is not None else None

    def _work(self, step: StepDef, run: Run, entry: Entry) -> None:
        if entry.move in step.by:
            run.actor, run.post, run.named = entry.actor, entry.post, True

    def _rename(self) -> None:
        """What is open belongs to the department that has the case now; handling stays with whoever began it."""
        for run in self._runs:
            if run.ended is None and (self._handle is None or run.step != self._handle.id):
                run.department = self._department

    def _moves(self, entry: Entry) -> None:
        for step in self._moved:
            run = self._open(step)
            if run is not None and entry.move in step.ends:
                self._end(run, entry)
            if entry.move in step.begins:
                run = self._begin(step, entry)
                if not step.ends:
                    self._end(run, entry)

    def _notes(self, entry: Entry, effects: set[str]) -> None:
        """Before the clocks move: a return or a rework is noted on the run that it sends back."""
        for mark in self._book.marks:
            made = entry.move in mark.moves or not effects.isdisjoint(mark.effects)
            if mark.mark in self._flags:
                self._flags[mark.mark] = made or (self._flags[mark.mark] and entry.move not in mark.undo)
            elif made:
                for run in [self._last[name] for name in mark.steps if name in self._last]:
                    run.marks[mark.mark] += 1

    def _ends(self, entry: Entry, workflow: Workflow) -> None:
        """The whole case: over with a final state, open again when a move leaves one."""
        final = workflow.state_by_id[entry.to_state].final if entry.to_state in workflow.state_by_id else False
        for step in self._whole:
            run = self._last[step.id]
            run.due, run.late = self._due, self._verdict
            run.used = self._used()
            if final and run.ended is None:
                self._end(run, entry)
                run.outcome = entry.to_state
            elif not final:
                run.ended = run.outcome = run.actor = run.post = None

    def _used(self) -> int | None:
        spent = [
            run.used for run in self._runs if self._handle and run.step == self._handle.id and run.used is not None
        ]
        return sum(spent) if spent else None


def _less(used: int | None, before: int) -> int | None:
    return None if used is None else used - before
