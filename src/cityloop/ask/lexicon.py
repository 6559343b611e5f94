"""The words of one city: titles and synonyms of metrics and dimensions, names of values, by their spoken forms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cityloop.analyse.model import Dimension, Model
from cityloop.analyse.schemas import Words
from cityloop.ask.forms import initials_within, spoken, with_plurals
from cityloop.ask.index import Index, Slips, Sounds, Term
from cityloop.ask.text import plain
from cityloop.core.values import Title


@dataclass(frozen=True)
class Offered:
    """A value that a dimension may have: its code, its title, other names, and the row that rights are tested on."""

    code: str
    title: Title
    others: tuple[str, ...] = ()
    row: Mapping[str, str] = field(default_factory=dict)


class Lexicon:
    """All terms of a city. Whoever asks passes what the asker may know of (``Sees``); nothing is shown before that."""

    def __init__(self, model: Model, values: Mapping[str, Sequence[Offered]]) -> None:
        self.model = model
        self.rows = {(name, item.code): item.row for name, items in values.items() for item in items}
        self.titles = {(name, item.code): item.title for name, items in values.items() for item in items}
        forms: dict[str, list[Term]] = defaultdict(list)
        for form, term in [*_named(model), *_valued(model, values)]:
            if term not in forms[form]:
                forms[form].append(term)
        self.exact = Index(forms)
        self.sounds = Sounds(forms)
        self.slips = Slips(forms)
        self._long = [(plain(term.title.zh), term) for term in _abbreviable(model, values)]

    def abbreviated(self, said: str) -> list[Term]:
        """Departments whose Chinese name the signs of ``said`` pick in order; none when many do."""
        found = [term for name, term in self._long if len(name) > len(said) + 1 and initials_within(said, name)]
        return found if len(found) <= 3 else []


def _named(model: Model) -> Iterator[tuple[str, Term]]:
    for metric in model.metrics.values():
        term = Term("metric", metric.id, metric.title)
        for form in _all_forms(metric.title, metric.synonyms):
            yield form, term
    for dimension in model.dimensions.values():
        if dimension.kind == "time":
            continue
        term = Term("dimension", dimension.id, dimension.title)
        for form in _all_forms(dimension.title, dimension.synonyms):
            yield form, term


def _all_forms(title: Title, synonyms: Words) -> Iterator[str]:
    names = [title.zh, title.en, *synonyms.zh, *synonyms.en]
    forms = dict.fromkeys(plain(name) for name in names)
    yield from with_plurals(form for form in forms if form)


def _valued(model: Model, values: Mapping[str, Sequence[Offered]]) -> Iterator[tuple[str, Term]]:
    for name, items in values.items():
        dimension = model.dimensions[name]
        for item in items:
            term = Term("value", item.code, item.title, name)
            for form in _value_forms(item, dimension):
                yield form, term


def _value_forms(item: Offered, dimension: Dimension) -> Iterable[str]:
    if dimension.kind == "weekday":
        # 星期一 alone is a date; only every Monday is a day of the week.
        zh, en = plain(item.title.zh), plain(item.title.en)
        return [f"{every}{zh.replace('星期', week)}" for every in ("每个", "每", "逢") for week in ("星期", "周")] + [
            f"{en}s"
        ]
    forms = dict.fromkeys(with_plurals(spoken(item.title, dimension.title)))
    forms |= dict.fromkeys(plain(other) for other in item.others)
    code = plain(item.code)
    if any(sign.isdigit() for sign in code) and any(sign.isalpha() for sign in code) and ":" not in code:
        forms.setdefault(code)
    return forms


def _abbreviable(model: Model, values: Mapping[str, Sequence[Offered]]) -> Iterator[Term]:
    for name, items in values.items():
        if model.dimensions[name].labels == "departments":
            for item in items:
                yield Term("value", item.code, item.title, name)
