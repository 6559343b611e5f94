"""``quality.yaml`` (of a pack, then of the city) and ``inspections.yaml`` of the city, held against the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from cityloop.city.content import slot_seconds
from cityloop.city.grammar import NeedsHuman
from cityloop.city.service import City
from cityloop.core.content import Key, Lines, checked, fault_at, raise_faults, read_yaml
from cityloop.core.errors import Fault
from cityloop.core.values import Frozen, Title
from cityloop.quality.scheme import CHECKS, Check, Scheme
from cityloop.quality.slots import Grid, Hours, Rhythm, origin
from cityloop.standard.mapping import FeedMapping

QUALITY, INSPECTIONS = "quality.yaml", "inspections.yaml"
_SPAN = re.compile(r"([1-9]\d{0,4})(m|h|d)")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
Schedule = Literal["once", "monthly", "quarterly", "yearly"]
Season = Literal["month", "quarter", "year"]
T = TypeVar("T")


def span(text: str) -> timedelta:
    """``24h`` as a duration; raises ``ValueError`` for anything else."""
    found = _SPAN.fullmatch(text)
    if not found:
        raise ValueError(f"'{text}' is not a duration; write it as 30m, 24h or 7d")
    return int(found[1]) * _UNITS[found[2]]


def _checking(read: Callable[[str], object]) -> AfterValidator:
    def check(text: str) -> str:
        read(text)
        return text

    return AfterValidator(check)


def _period(text: str) -> object:
    return text if text in ("month", "quarter", "year") else span(text)


Span = Annotated[str, _checking(span)]
Window = Annotated[str, _checking(slot_seconds)]
Period = Annotated[str, _checking(_period)]


class FeedTerms(Frozen):
    """What a city expects of one feed beyond what the feed declares itself."""

    hours: Window | None = None
    """Daily hours of operation in city time, ``06:00-24:00``; silence outside of them is no fault."""
    fresh_minutes: float | None = Field(default=None, gt=0)
    expected_every: Span | None = None
    completeness: float | None = Field(default=None, ge=0, le=1)


class Handling(Frozen):
    """How a recheck acts on a case: by the state it stands in, the move that goes on and the move that sends back.

    A case that stands in one of these states has been handed in by its department.
    """

    mended: dict[str, str] = Field(default_factory=dict)
    not_mended: dict[str, str] = Field(default_factory=dict)


class QualityFile(Scheme):
    """``quality.yaml``."""

    handling: Handling = Handling()
    matters: dict[Check, str] = Field(default_factory=dict)
    """Matter of the catalogue under which a finding of this check becomes a case."""
    feeds: dict[str, FeedTerms] = Field(default_factory=dict)


class Sample(Frozen):
    """How many rows of a feed are drawn, and the seed that makes the draw repeatable."""

    size: int = Field(default=200, ge=1, le=5000)
    seed: int = 1


class Plan(Frozen):
    """What an inspection looks at, when, and how long repairs may take."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)
    title: Title
    feeds: tuple[str, ...] = ()
    """None: every feed of the city."""
    checks: tuple[Check, ...] = CHECKS
    period: Period = "quarter"
    schedule: Schedule = "quarterly"
    sample: Sample = Sample()
    limit: str = Field(max_length=100)
    """Time for repairs, in the deadline language of the city."""
    recheck_after: Span = "24h"
    """So much new data a recheck waits for."""
    attempts: int = Field(default=2, ge=1, le=5)
    """Rechecks after which a finding counts as not mended."""
    owner: str
    """Post that runs it."""


class InspectionsFile(Frozen):
    """``inspections.yaml``."""

    inspections: tuple[Plan, ...] = ()


@dataclass(frozen=True)
class Terms:
    """What is expected of one feed, as values that decide."""

    feed: str
    title: Title
    department: str
    entity_type: str
    fresh: timedelta
    hours: Hours | None
    rhythm: Rhythm | None
    """``None`` when nobody has declared how often the feed comes."""
    completeness: float | None
    properties: tuple[str, ...]
    zone: ZoneInfo
    window: str | None = None
    """``hours`` as written."""


@dataclass(frozen=True)
class QualityContent:
    """Scheme, matters, terms of feeds, and planned inspections of one city."""

    scheme: Scheme = field(default_factory=Scheme)
    matters: Mapping[Check, str] = field(default_factory=dict)
    feeds: Mapping[str, FeedTerms] = field(default_factory=dict)
    plans: tuple[Plan, ...] = ()
    handling: Handling = field(default_factory=Handling)


def terms_of(mapping: FeedMapping, own: FeedTerms | None, zone: ZoneInfo) -> Terms:
    """The feed's own declaration with the city's terms laid over it."""
    feed, own = mapping.declaration, own or FeedTerms()
    fresh = timedelta(minutes=own.fresh_minutes or feed.fresh_minutes)
    hours = Hours(*slot_seconds(own.hours), zone) if own.hours else None
    seconds = span(own.expected_every).total_seconds() if own.expected_every else feed.expected_seconds
    every = timedelta(seconds=seconds) if seconds else None
    return Terms(
        feed=feed.id,
        title=feed.title,
        department=feed.department,
        entity_type=feed.entity_type,
        fresh=fresh,
        hours=hours,
        rhythm=Rhythm(Grid(origin(zone), every), fresh, hours) if every else None,
        completeness=own.completeness if own.completeness is not None else feed.completeness_per_hour,
        properties=tuple(feed.properties),
        zone=zone,
        window=own.hours,
    )


def load_quality(city: City, feeds: Sequence[FeedMapping]) -> QualityContent:
    """Read both files; raise :class:`ContentError` with every fault. Without files: the default scheme, no plans."""
    found = [path for path in [*(pack / QUALITY for pack in city.packs), city.folder / QUALITY] if path.is_file()]
    value: dict[str, Any] = {}
    places: dict[str, tuple[Path, Lines]] = {}
    for path in found:
        own, lines = read_yaml(path)
        checked(path, QualityFile, own, lines)
        value |= own
        places |= dict.fromkeys(own, (path, lines))
    file = QualityFile.model_validate(value)
    faults = [fault_at(*places[str(key[0])], key, what, mend) for key, what, mend in _quality_faults(file, city, feeds)]
    raise_faults("the quality scheme", faults)
    scheme = Scheme.model_validate({name: getattr(file, name) for name in Scheme.model_fields})
    return QualityContent(scheme, file.matters, file.feeds, _plans(city, feeds, file.matters), file.handling)


def _quality_faults(file: QualityFile, city: City, feeds: Sequence[FeedMapping]) -> Iterator[tuple[Key, str, str]]:
    for check, matter in file.matters.items():
        if not city.catalogue.has(matter):
            near = ", ".join(entry.key for entry in city.catalogue.near(matter, 3))
            mend = f"enter its catalogue under catalogue.local of city.yaml, or name another; near: {near or 'none'}"
            yield ("matters", check), f"unknown matter '{matter}'", mend
    known = [mapping.id for mapping in feeds]
    for feed in file.feeds:
        if feed not in known:
            yield ("feeds", feed), f"no feed '{feed}'", f"known: {', '.join(sorted(known)) or 'none'}"


def _plans(city: City, feeds: Sequence[FeedMapping], matters: Mapping[Check, str]) -> tuple[Plan, ...]:
    path = city.folder / INSPECTIONS
    if not path.is_file():
        return ()
    value, lines = read_yaml(path)
    plans = checked(path, InspectionsFile, value, lines).inspections
    faults: list[Fault] = []
    for number, plan in enumerate(plans):
        root: Key = ("inspections", number)
        if plan.id in [other.id for other in plans[:number]]:
            faults.append(fault_at(path, lines, (*root, "id"), f"plan '{plan.id}' twice", "give each its own id"))
        for key, what, mend in plan_faults(plan, city, [mapping.id for mapping in feeds], matters):
            faults.append(fault_at(path, lines, (*root, *key), what, mend))
    raise_faults(str(path), faults)
    return plans


def plan_faults(
    plan: Plan, city: City, feeds: Sequence[str], matters: Mapping[Check, str]
) -> Iterator[tuple[Key, str, str]]:
    """What types cannot see: unknown feeds, posts, a limit that gives no instant, a check without a matter."""
    for index, feed in enumerate(plan.feeds):
        if feed not in feeds:
            yield ("feeds", index), f"no feed '{feed}'", f"known: {', '.join(sorted(feeds)) or 'none'}"
    for index, check in enumerate(plan.checks):
        if check not in matters:
            yield ("checks", index), f"'{check}' has no matter for its cases", f"name one under matters of {QUALITY}"
    if plan.owner not in city.policy.posts:
        yield ("owner",), f"no post '{plan.owner}'", f"posts: {', '.join(city.policy.posts)}"
    read = city.deadlines.parse(plan.limit)
    if isinstance(read, NeedsHuman):
        yield ("limit",), f"'{plan.limit}': {read.reason.en}", "write a figure and a unit, for example 5工作日"
