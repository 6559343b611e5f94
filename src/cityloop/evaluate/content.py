"""Reads ``evaluation.yaml`` of the packs and of the city; each fault names file, line, key, and what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from cityloop.core import canonical
from cityloop.core.content import Key, Lines, checked, fault_at, raise_faults, read_yaml
from cityloop.core.errors import Fault
from cityloop.evaluate import expression
from cityloop.evaluate.declarations import (
    COUNTERS,
    FLAGS,
    CountDef,
    Evaluation,
    ExemptionDef,
    IndicatorDef,
    ItemDef,
    MarkDef,
    ObjectKind,
    SchemeDef,
    SchemeDocument,
    StepDef,
)

FILE = "evaluation.yaml"
FACT_NAMES = frozenset(
    [
        *(
            "step",
            "number",
            "actor",
            "post",
            "department",
            "area",
            "district",
            "matter",
            "channel",
            "series",
            "outcome",
        ),
        *("began_at", "ended_at", "due_at", "limit_seconds", "used_seconds", "elapsed_seconds", "late", "rating"),
        *COUNTERS,
        *FLAGS,
        *("period_start", "period_end"),
    ]
)
"""What a condition may name: the columns of a step, and the period's bounds (its end, or now if that is earlier)."""
ITEM_NAMES = ("value", "n", "d")
"""What an item's formula may name besides attributes: the indicator's value, numerator and denominator."""


@dataclass(frozen=True)
class Book:
    """Everything that packs and city declare about evaluation."""

    steps: Mapping[str, StepDef] = field(default_factory=dict)
    marks: tuple[MarkDef, ...] = ()
    exemptions: Mapping[str, ExemptionDef] = field(default_factory=dict)
    counts: Mapping[str, CountDef] = field(default_factory=dict)
    indicators: Mapping[str, IndicatorDef] = field(default_factory=dict)
    """In force, by id."""
    versions: Mapping[str, IndicatorDef] = field(default_factory=dict)
    """All of them, by ``id@version``."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """``pack:<id>`` or ``city``, by ``id@version``."""
    schemes: Mapping[str, SchemeDef] = field(default_factory=dict)
    attributes: Mapping[ObjectKind, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)

    def indicator(self, name: str) -> IndicatorDef | None:
        """An indicator by id (the one in force) or by ``id@version``."""
        return self.versions.get(name) if "@" in name else self.indicators.get(name)

    def attribute_names(self) -> set[str]:
        """Every attribute that some object has."""
        return {name for by_id in self.attributes.values() for values in by_id.values() for name in values}

    def digest(self) -> str:
        """What the steps are made by; another digest means that they are made anew."""
        steps = [step.model_dump(mode="json") for step in self.steps.values()]
        return canonical.digest({"steps": steps, "marks": [mark.model_dump(mode="json") for mark in self.marks]})


@dataclass
class _Building:
    steps: dict[str, StepDef] = field(default_factory=dict)
    marks: list[MarkDef] = field(default_factory=list)
    exemptions: dict[str, ExemptionDef] = field(default_factory=dict)
    counts: dict[str, CountDef] = field(default_factory=dict)
    indicators: dict[str, IndicatorDef] = field(default_factory=dict)
    versions: dict[str, IndicatorDef] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    schemes: dict[str, SchemeDef] = field(default_factory=dict)
    attributes: dict[ObjectKind, dict[str, dict[str, float]]] = field(default_factory=dict)

    def book(self) -> Book:
        """What was read, as a value."""
        return Book(
            steps=self.steps,
            marks=tuple(self.marks),
            exemptions=self.exemptions,
            counts=self.counts,
            indicators=self.indicators,
            versions=self.versions,
            origins=self.origins,
            schemes=self.schemes,
            attributes=self.attributes,
        )


def load_evaluation(packs: Sequence[Path], city: Path | None = None) -> Book:
    """The book of a city: packs in order, then the city's own file; raises :class:`ContentError` with every fault."""
    building, faults = _Building(), []
    files: list[tuple[Path, Lines, Evaluation]] = []
    origins = [(pack / FILE, f"pack:{pack.name}") for pack in packs] + ([(city / FILE, "city")] if city else [])
    for path, origin in origins:
        if path.exists():
            value, lines = read_yaml(path)
            read = checked(path, Evaluation, value, lines)
            files.append((path, lines, read))
            faults += [fault_at(path, lines, *found) for found in _enter(building, read, origin)]
    book = building.book()
    for path, lines, read in files:
        faults += [fault_at(path, lines, *found) for found in _check(book, read)]
    raise_faults("the evaluation of the city", faults)
    return book


Found = tuple[Key, str, str]
D = TypeVar("D", StepDef, ExemptionDef, CountDef)


def document(book: Book, scheme: SchemeDef) -> SchemeDocument:
    """A scheme with all that its figures depend on."""
    indicators = {item.indicator: found for item in scheme.items if (found := book.indicator(item.indicator))}
    wanted = [*scheme.tie, *scheme.listed]
    for indicator in indicators.values():
        wanted += counted(indicator)
    counts = {name: book.counts[name] for name in dict.fromkeys(wanted)}
    used = dict.fromkeys(name for count in counts.values() for name in count.exemptions)
    return SchemeDocument(
        scheme=scheme, indicators=indicators, counts=counts, exemptions={name: book.exemptions[name] for name in used}
    )


def counted(indicator: IndicatorDef) -> list[str]:
    """The counts that an indicator is made of."""
    texts = [indicator.numerator, indicator.denominator]
    return list(dict.fromkeys(name for text in texts if text for name in expression.names(expression.parse(text))))


def scheme_faults(book: Book, scheme: SchemeDef) -> Iterator[Found]:
    """What is wrong with a scheme beyond its shape."""
    for number, item in enumerate(scheme.items):
        yield from ((("items", number, *key), what, mend) for key, what, mend in _item(book, item))
    ids = [item.id for item in scheme.items]
    yield from ((("items", n, "id"), f"'{i}' twice", "give each item its own id") for n, i in _twice(ids))
    points = sum(item.points for item in scheme.items if not item.bonus)
    if abs(points - scheme.total) > 1e-9:
        what = f"the points of the items add up to {points:g}, the total is {scheme.total:g}"
        yield ("total",), what, "correct points or total; mark what comes on top with bonus: true"
    for key, names in (("tie", scheme.tie), ("listed", scheme.listed)):
        for number, name in enumerate(names):
            if name not in book.counts:
                yield (key, number), f"there is no count '{name}'", f"one of: {_some(book.counts)}"
    least = [grade.least for grade in scheme.grades]
    if sorted(set(least), reverse=True) != least:
        yield ("grades",), "grades do not descend", "list them from the best to the worst, each with its own bound"


def _enter(building: _Building, read: Evaluation, origin: str) -> Iterator[Found]:
    """Lay one file over what was read before; the city may replace indicators and schemes by a new version."""
    yield from _add("steps", read.steps, building.steps)
    yield from _add("exemptions", read.exemptions, building.exemptions)
    yield from _add("counts", read.counts, building.counts)
    building.marks += read.marks
    for number, indicator in enumerate(read.indicators):
        if indicator.key in building.versions:
            mend = "give the variant a version of its own"
            yield ("indicators", number, "id"), f"'{indicator.key}' is declared twice", mend
        building.versions[indicator.key] = building.indicators[indicator.id] = indicator
        building.origins[indicator.key] = origin
    for number, scheme in enumerate(read.schemes):
        before = building.schemes.get(scheme.id)
        if before is not None and before.version == scheme.version:
            mend = "give the variant a version of its own"
            yield ("schemes", number, "version"), f"'{scheme.id}' version {scheme.version} is declared twice", mend
        building.schemes[scheme.id] = scheme
    building.attributes |= read.attributes


def _add(name: str, items: Sequence[D], known: dict[str, D]) -> Iterator[Found]:
    for number, item in enumerate(items):
        if item.id in known:
            yield (name, number, "id"), f"'{item.id}' is declared twice", "give it another id"
        known[item.id] = item


def _check(book: Book, read: Evaluation) -> Iterator[Found]:
    for number, mark in enumerate(read.marks):
        for index, name in enumerate(mark.steps):
            if name not in book.steps:
                yield ("marks", number, "steps", index), f"there is no step '{name}'", f"one of: {_some(book.steps)}"
    for number, exemption in enumerate(read.exemptions):
        yield from _expression(("exemptions", number, "where"), exemption.where, FACT_NAMES, True)
    for number, count in enumerate(read.counts):
        yield from ((("counts", number, *key), what, mend) for key, what, mend in _count(book, count))
    for number, indicator in enumerate(read.indicators):
        yield from _expression(("indicators", number, "numerator"), indicator.numerator, book.counts)
        if indicator.denominator is not None:
            yield from _expression(("indicators", number, "denominator"), indicator.denominator, book.counts)
    for number, scheme in enumerate(read.schemes):
        yield from ((("schemes", number, *key), what, mend) for key, what, mend in scheme_faults(book, scheme))


def _count(book: Book, count: CountDef) -> Iterator[Found]:
    if count.step not in book.steps:
        yield ("step",), f"there is no step '{count.step}'", f"one of: {_some(book.steps)}"
    yield from _expression(("where",), count.where, FACT_NAMES, True)
    if count.sum is not None:
        yield from _expression(("sum",), count.sum, FACT_NAMES, True)
    for name in count.weights:
        if name not in ("channel", "matter", "district", "series"):
            yield ("weights", name), f"no weights by '{name}'", "one of: channel, matter, district, series"
    for index, name in enumerate(count.exemptions):
        if name not in book.exemptions:
            mend = f"one of: {_some(book.exemptions)}"
            yield ("exemptions", index), f"there is no exemption '{name}'", mend


def _item(book: Book, item: ItemDef) -> Iterator[Found]:
    found = book.indicator(item.indicator)
    if found is None:
        yield ("indicator",), f"there is no indicator '{item.indicator}'", f"one of: {_some(book.indicators)}"
    elif found.unit != "%" and item.score is None and not _way(item):
        mend = "give it a formula, bands, a threshold or a deduction"
        yield ("indicator",), f"'{item.indicator}' is no share: its points are not said", mend
    if item.formula is not None:
        yield from _expression(("formula",), item.formula, [*ITEM_NAMES, *book.attribute_names()])


def _way(item: ItemDef) -> bool:
    return bool(item.formula or item.threshold or item.bands or item.deduct)


def _expression(key: Key, text: str, known: Collection[str], in_store: bool = False) -> Iterable[Found]:
    return [(key, what, "see docs/evaluate.md") for what in expression.faults(text, known, in_store)]


def _twice(ids: Sequence[str]) -> Iterator[tuple[int, str]]:
    return ((number, id) for number, id in enumerate(ids) if id in ids[:number])


def _some(known: Mapping[str, Any]) -> str:
    return ", ".join(list(known)[:20]) or "none is declared"


def all_faults(where: str, found: Iterable[Found]) -> list[Fault]:
    """Faults of something that came over the wire: the key stands for the place."""
    return [Fault(".".join([where, *map(str, key)]), what, mend) for key, what, mend in found]
