"""The clock of one limit: pure functions from a frozen state to its due instant, its used time and its light.

Only counted seconds matter. A clock is a list of spans in which it ran; a pause ends one, a resumption begins the next.
The due instant is the first instant at which the running spans have used the limit up; finished then is on time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from cityloop.city import counting
from cityloop.city.calendar import Calendar
from cityloop.city.counting import Span
from cityloop.city.days import SECOND, instant_of, ticks
from cityloop.city.grammar import Limit, Stage
from cityloop.city.profile import Profile
from cityloop.core.errors import Conflict, Invalid
from cityloop.core.values import Frozen, Instant, Title, utc

_PLAIN = Profile()
Light = Literal["green", "yellow", "red", "paused", "none"]


class Until(Frozen):
    """An absolute limit: due at this instant. For records that bring their own target."""

    instant: Instant


class Run(Frozen):
    """A span in which the clock ran; ``end`` is ``None`` while it runs."""

    start: Instant
    end: Instant | None = None


class HandlingClock(Frozen):
    """The state of one limit clock; JSON-able with ``model_dump(mode="json")``."""

    limit: Limit
    absolute: bool = False
    calendar: str
    calendar_version: str
    started_at: Instant
    runs: tuple[Run, ...]
    extensions: int = 0
    finished: dict[str, Instant] = Field(default_factory=dict)
    """Stages that are done, by label."""
    stopped_at: Instant | None = None

    @property
    def running(self) -> bool:
        """Whether the clock runs now."""
        return bool(self.runs) and self.runs[-1].end is None

    @property
    def paused(self) -> bool:
        """Whether it stands still and has not been stopped."""
        return not self.running and self.stopped_at is None


class StageDue(Frozen):
    """The due instant of one stage."""

    label: str
    at: Instant | None
    provisional: bool
    finished_at: Instant | None


class Due(Frozen):
    """When a limit is used up: ``at`` for the last stage, ``None`` while the clock is paused.

    ``provisional`` when it rests on days that have not been announced.
    """

    at: Instant | None
    provisional: bool
    stages: tuple[StageDue, ...]


class Turns(Frozen):
    """When a light changes by itself: yellow from ``yellow_at`` on, red after ``red_at``; ``None`` while paused."""

    yellow_at: Instant | None
    red_at: Instant | None


def start(limit: Limit | Until, calendar: Calendar, at: datetime) -> HandlingClock:
    """A clock that runs from ``at``; outside the limit's season, from its opening or not yet (profile)."""
    at = utc(at)
    plain = _absolute(limit, at) if isinstance(limit, Until) else limit
    begin = _in_season(plain, calendar, at)
    waits = begin > at and plain.profile.season == "suspend"
    return HandlingClock(
        limit=plain,
        absolute=isinstance(limit, Until),
        calendar=calendar.id,
        calendar_version=calendar.version,
        started_at=at,
        runs=() if waits else (Run(start=begin),),
    )


def pause(clock: HandlingClock, at: datetime) -> HandlingClock:
    """Stand still from ``at``; raises :class:`Conflict` when it does not run."""
    if not clock.running:
        raise Conflict("the clock does not run", "only a running clock can be paused")
    last = clock.runs[-1]
    end = Run(start=last.start, end=max(last.start, _later(clock, at)))
    return clock.model_copy(update={"runs": (*clock.runs[:-1], end)})


def resume(clock: HandlingClock, calendar: Calendar, at: datetime) -> HandlingClock:
    """Go on with what was left, also after a stop (rework); raises :class:`Conflict` when it runs."""
    if clock.running:
        raise Conflict("the clock runs already", "only a paused or stopped clock can be resumed")
    begin = _later(clock, at)
    if clock.limit.profile.season == "defer":
        begin = _in_season(clock.limit, calendar, begin)
    return clock.model_copy(update={"runs": (*clock.runs, Run(start=begin)), "stopped_at": None})


def extend(clock: HandlingClock) -> HandlingClock:
    """One more original limit, added to the current due instant by the same unit and calendar."""
    if clock.absolute:
        raise Invalid("an absolute target has no original limit that could be added", "set a new target instead")
    return clock.model_copy(update={"extensions": clock.extensions + 1})


def stop(clock: HandlingClock, at: datetime) -> HandlingClock:
    """End the clock at ``at``: this instant decides on time or late. A paused clock keeps its pause."""
    at = _later(clock, at)
    runs = pause(clock, at).runs if clock.running else clock.runs
    return clock.model_copy(update={"runs": runs, "stopped_at": at})


def finish(clock: HandlingClock, stage: str, at: datetime) -> HandlingClock:
    """Note that a stage is done; the clock runs on for the others."""
    if stage not in [known.label for known in clock.limit.stages]:
        labels = ", ".join(known.label for known in clock.limit.stages)
        raise Invalid(f"the limit has no stage '{stage}'", f"its stages: {labels}")
    return clock.model_copy(update={"finished": {**clock.finished, stage: utc(at)}})


def due(clock: HandlingClock, calendar: Calendar) -> Due:
    """When the limit is used up, stage by stage."""
    stages: list[StageDue] = []
    for stage, spans, end in _walked(clock, calendar):
        inherited = bool(stages) and _chained(clock) and stages[-1].provisional
        provisional = inherited or counting.provisional(stage, calendar, spans, end)
        finished = clock.finished.get(stage.label, clock.stopped_at)
        at = None if end is None else instant_of(end)
        stages.append(StageDue(label=stage.label, at=at, provisional=provisional, finished_at=finished))
    ends = [stage.at for stage in stages if stage.at is not None]
    last = max(ends) if len(ends) == len(stages) else None
    return Due(at=last, provisional=any(stage.provisional for stage in stages), stages=tuple(stages))


def used(clock: HandlingClock, calendar: Calendar, at: datetime) -> int:
    """Whole counted seconds used until ``at`` (or until the stop), by the clock of the last stage."""
    stage = clock.limit.stages[-1]
    return counting.used(stage, calendar, counting.cut(_spans(clock), ticks(_end(clock, at)))) // SECOND


def left(clock: HandlingClock, calendar: Calendar, at: datetime) -> int | None:
    """Counted seconds to the due instant as seen at ``at``; below 0 when it has passed; ``None`` without one.

    While paused: what will be left on resumption.
    """
    going = resume(clock, calendar, at) if clock.paused and clock.runs else clock
    end = due(going, calendar).at
    if end is None:
        return None
    now, then = ticks(_end(clock, at)), ticks(end)
    stage = clock.limit.stages[-1]
    count = counting.used(stage, calendar, [(min(now, then), max(now, then))]) // SECOND
    return count if then >= now else -count


def on_time(clock: HandlingClock, calendar: Calendar) -> bool | None:
    """Whether every stage that decides was finished by its due instant; ``None`` while the clock is not stopped."""
    if clock.stopped_at is None:
        return None
    verdicts = [
        end is None or ticks(clock.finished.get(stage.label, clock.stopped_at)) <= end
        for stage, _, end in _walked(clock, calendar)
    ]
    return all(verdicts) if clock.limit.profile.late == "any" else verdicts[-1]


def turns(clock: HandlingClock, calendar: Calendar) -> Turns:
    """When the light turns yellow and red by itself, while nothing moves the clock; the first stage decides."""
    yellow, red = [], []
    for stage, spans, end in _walked(clock, calendar):
        if end is not None and stage.label not in clock.finished:
            yellow.append(counting.yellow(stage, calendar, spans, end))
            red.append(end)
    return Turns(yellow_at=_first(yellow), red_at=_first(red))


def light(clock: HandlingClock, calendar: Calendar, at: datetime) -> Light:
    """Green below 80 % of the limit, yellow to 100 %, red above; the worst stage decides."""
    if clock.paused:
        return "paused" if clock.runs else "none"
    worst = 0
    for stage, spans, end in _walked(clock, calendar):
        seen = ticks(clock.finished.get(stage.label, _end(clock, at)))
        if end is not None:
            worst = max(worst, 2 if seen > end else int(seen >= counting.yellow(stage, calendar, spans, end)))
    shades: tuple[Light, ...] = ("green", "yellow", "red")
    return shades[worst]


def explain(clock: HandlingClock, calendar: Calendar) -> Title:
    """In a sentence: the limit, the clock it runs on, from when, what moved it."""
    since = clock.started_at.astimezone(calendar.zone).strftime("%Y-%m-%d %H:%M")
    if clock.absolute:
        target = datetime.fromisoformat(clock.limit.text).astimezone(calendar.zone).strftime("%Y-%m-%d %H:%M")
        return Title(zh=f"记录自带的办结时点 {target}", en=f"target of the record itself, {target}")
    office = any(stage.measure != "continuous" for stage in clock.limit.stages)
    zh = f"按“{calendar.title.zh}”（{calendar.hours()}）计时" if office else "昼夜连续计时"
    en = f"counted in “{calendar.title.en}” ({calendar.hours()})" if office else "counted day and night"
    moved_zh, moved_en = _moved(clock)
    text = clock.limit.text.strip()
    return Title(zh=f"时限 {text}，自 {since} 起，{zh}{moved_zh}", en=f"limit {text} from {since}, {en}{moved_en}")


def _moved(clock: HandlingClock) -> tuple[str, str]:
    zh, en = "", ""
    if len(clock.runs) > 1:
        zh, en = f"，暂停 {len(clock.runs) - 1} 次", f", paused {len(clock.runs) - 1} time(s)"
    if clock.extensions:
        zh, en = f"{zh}，延期 {clock.extensions} 次", f"{en}, extended {clock.extensions} time(s)"
    if clock.limit.season:
        zh, en = f"{zh}，限{clock.limit.season.word}", f"{en}, in season {clock.limit.season.word} only"
    return zh, en


def _absolute(until: Until, at: datetime) -> Limit:
    """A target as a limit of one continuous stage; below 0 when it had passed before the clock began."""
    text = until.instant.isoformat()
    stage = Stage(text=text, measure="continuous", amount=ticks(until.instant) - ticks(at))
    return Limit(text=text, profile=_PLAIN, stages=(stage,))


def _in_season(limit: Limit, calendar: Calendar, at: datetime) -> datetime:
    season = limit.season
    return at if season is None else instant_of(calendar.season_opening(ticks(at), season.windows))


def _later(clock: HandlingClock, at: datetime) -> datetime:
    """``at`` in UTC; raises :class:`Invalid` when it lies before the clock's last change."""
    at = utc(at)
    changes = [clock.started_at, *[run.end for run in clock.runs if run.end], *filter(None, [clock.stopped_at])]
    if at < max(changes):
        raise Invalid(f"{at.isoformat()} lies before the clock's last change", "give the changes in order of time")
    return at


def _end(clock: HandlingClock, at: datetime) -> datetime:
    return utc(at) if clock.stopped_at is None else min(utc(at), clock.stopped_at)


def _spans(clock: HandlingClock) -> list[Span]:
    """The running spans; a stopped clock is read as running on, as its stop does not move what was due."""
    spans = [(ticks(run.start), None if run.end is None else ticks(run.end)) for run in clock.runs]
    if clock.stopped_at is not None and spans and spans[-1][1] == max(ticks(clock.stopped_at), spans[-1][0]):
        spans[-1] = (spans[-1][0], None)
    return spans


def _walked(clock: HandlingClock, calendar: Calendar) -> Iterator[tuple[Stage, list[Span], int | None]]:
    """Each stage, the spans it counts over, and its due instant; a chained stage begins where the last was due."""
    spans, profile = _spans(clock), clock.limit.profile
    for stage in clock.limit.stages:
        end = counting.due(stage, clock.extensions, profile.cutoff_seconds, calendar, spans)
        yield stage, spans, end
        if _chained(clock):
            spans = counting.after(spans, end)


def _first(instants: Sequence[int]) -> datetime | None:
    return instant_of(min(instants)) if instants else None


def _chained(clock: HandlingClock) -> bool:
    return clock.limit.profile.stages == "chained"
