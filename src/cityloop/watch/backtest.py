"""What a rule would have said, in figures: how often, how long, beside which others, how soon, at what cost. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from statistics import median, quantiles

from cityloop.core.values import Title
from cityloop.watch.rehearsal import Episode, Past
from cityloop.watch.rule_schemas import (
    DayCount,
    EntityCount,
    EventScore,
    Overlap,
    RuleReport,
    TriedThreshold,
    VersionChange,
)
from cityloop.watch.rules import LEVELS, Rule

EARLY = timedelta(hours=2)
"""How long before an event a warning may come and still be a warning of it."""
BEFORE = " (in force)"
"""Behind the id of the version in force, where it runs beside a changed one."""
_TOP = 10
FLATTERED = Title(
    zh="回看过去的是现在的模型：它若学过这段历史，结果会偏好",
    en="the model of today looked at the past: where it has learned from it, the figures flatter",
)


@dataclass(frozen=True)
class Happened:
    """Something that is known to have happened, or not to have happened, at an entity."""

    entity: str
    start: datetime
    end: datetime
    real: bool = True


def report(
    rule: Rule,
    rules: Mapping[str, Rule],
    past: Past,
    period: tuple[datetime, datetime],
    happened: Sequence[Happened],
    zone: tzinfo,
    spent: float,
) -> RuleReport:
    """The figures of one rule; ``rules`` are those that ran beside it, ``spent`` the seconds of the run."""
    episodes, (start, end) = past.of(rule.id), period
    lasted = [(episode.ended - episode.raised).total_seconds() for episode in episodes if episode.ended]
    before = past.of(rule.id + BEFORE)
    return RuleReport(
        rule=rule.id,
        version=rule.version,
        start=start,
        end=end,
        records=past.records,
        seconds=round(spent, 3),
        times_real=round((end - start).total_seconds() / spent, 1) if spent > 0 else None,
        warnings=len(episodes),
        a_week=a_week(len(episodes), start, end),
        open_at_end=sum(episode.ended is None for episode in episodes),
        levels={level: n for level in LEVELS if (n := sum(e.peak == level for e in episodes))},
        days=_days(episodes, zone),
        median_seconds=median(lasted) if lasted else None,
        p90_seconds=quantiles(lasted, n=10)[-1] if len(lasted) > 1 else None,
        entities=_entities(episodes),
        cases={rule.department: len(episodes)} if rule.respond == "case" and episodes else {},
        overlaps=_overlaps(rule, rules, past, episodes),
        events=_score(episodes, happened) if happened else None,
        before=_compared(before, episodes, start, end) if rule.id + BEFORE in rules else None,
        late=past.late[rule.id],
        errors={what: n for what, n in past.errors.items() if what.startswith(f"{rule.id}: ")},
        cautions=_cautions(rule, past),
    )


def a_week(count: int, start: datetime, end: datetime) -> float:
    """A count of a period as a rate."""
    return round(count * 7 * 86400 / (end - start).total_seconds(), 2)


def _cautions(rule: Rule, past: Past) -> list[Title]:
    """A model that is trained today may know the past that it is tried on."""
    if not rule.modelled:
        return []
    return [past.wanting.get(rule.id, FLATTERED)]


def _days(episodes: Iterable[Episode], zone: tzinfo) -> list[DayCount]:
    counts = Counter((episode.raised.astimezone(zone).date(), episode.peak) for episode in episodes)
    days = sorted({day for day, _ in counts})
    return [DayCount(day=day, levels={lv: n for lv in LEVELS if (n := counts[day, lv])}) for day in days]


def _entities(episodes: Iterable[Episode]) -> list[EntityCount]:
    return [EntityCount(entity=name, warnings=n) for name, n in Counter(e.entity for e in episodes).most_common(_TOP)]


def _overlaps(rule: Rule, rules: Mapping[str, Rule], past: Past, episodes: Sequence[Episode]) -> list[Overlap]:
    """Other rules whose warnings were open at the same entity at the same time."""
    found = []
    for other in rules.values():
        if other.id in (rule.id, rule.id + BEFORE) or other.respond == "part":
            continue
        theirs = past.of(other.id)
        both = meeting(episodes, theirs)
        found.append(Overlap(rule=other.id, title=other.title, warnings=len(theirs), both=both))
    return sorted(found, key=lambda overlap: -overlap.both)


def meeting(ours: Sequence[Episode], theirs: Sequence[Episode]) -> int:
    """How many of ours were open together with one of theirs."""
    at: dict[str, list[Episode]] = {}
    for episode in theirs:
        at.setdefault(episode.entity, []).append(episode)
    last = max((e.raised for e in [*ours, *theirs]), default=None)
    return sum(any(other.meets(e.raised, e.ended or last or e.raised) for other in at.get(e.entity, ())) for e in ours)


def _score(episodes: Sequence[Episode], happened: Sequence[Happened]) -> EventScore:
    """Which events were warned of, how early, and which false alarms would come again."""
    leads, again = [], 0
    for event in happened:
        warned = [e for e in episodes if e.entity == event.entity and e.meets(event.start - EARLY, event.end)]
        if warned and event.real:
            leads.append((event.start - min(e.raised for e in warned)).total_seconds())
        again += bool(warned) and not event.real
    real = sum(event.real for event in happened)
    return EventScore(
        events=real,
        caught=len(leads),
        recall=round(len(leads) / real, 4) if real else None,
        median_lead_seconds=median(leads) if leads else None,
        false_known=len(happened) - real,
        false_again=again,
    )


def _compared(before: Sequence[Episode], after: Sequence[Episode], start: datetime, end: datetime) -> VersionChange:
    both = meeting(after, before)
    return VersionChange(
        warnings=len(before),
        a_week=a_week(len(before), start, end),
        levels={level: n for level in LEVELS if (n := sum(e.peak == level for e in before))},
        only_before=len(before) - meeting(before, after),
        only_after=len(after) - both,
        both=both,
    )


def shifted(rule: Rule, lowest: float) -> Rule:
    """The rule with its lowest threshold there, the others as far from it as they are."""
    first = rule.ladder[0][1]
    levels = {level: value + lowest - first for level, value in rule.levels.items()}
    return rule.model_copy(update={"levels": levels})


def propose(rule: Rule, wish: float, ask: Callable[[float], float], tries: int = 14) -> list[TriedThreshold]:
    """Thresholds that were tried for ``wish`` warnings a week, the best one first.

    ``ask`` gives the warnings a week for a lowest threshold. The more serious it is, the fewer there are: so first the
    wish is enclosed in ever longer steps, then the middle is taken again and again.
    """
    known: dict[float, float] = {}

    def rate(threshold: float) -> float:
        if threshold not in known:
            known[threshold] = ask(threshold)
        return known[threshold]

    def further(threshold: float) -> float:
        """The next one outwards; what was above 0 stays there."""
        found = threshold + direction * stricter * step
        return threshold / 2 if first > 0 >= found else found

    first, direction = rule.ladder[0][1], rule.sign
    stricter = 1 if rate(first) > wish else -1
    step = max(abs(first), 1.0) / 4
    near, far = first, further(first)
    while len(known) < tries // 2 and (rate(far) > wish) == (stricter > 0):
        step *= 2
        near, far = far, further(far)
    while len(known) < tries and abs(far - near) > 1e-3 * max(abs(first), 1.0):
        middle = (near + far) / 2
        if (rate(middle) > wish) == (stricter > 0):
            near = middle
        else:
            far = middle
    ranked = sorted(known.items(), key=lambda item: (item[1] > wish, abs(item[1] - wish), abs(item[0] - first)))
    return [TriedThreshold(threshold=threshold, a_week=found) for threshold, found in ranked]
