"""What a question is about: its metrics, what they are cut by, and the values that are asked for or left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cityloop.analyse.model import TIME, Model
from cityloop.ask.draft import Choice, Draft
from cityloop.ask.index import Term
from cityloop.ask.segment import Piece

_CUTTING = ("each", "which", "which_many", "other")
_COMING = ("来自", "由", "from", "via", "through")
MOST_CHOICES = 3


def find_metrics(draft: Draft) -> None:
    """Choose the metrics; a word that may mean several is settled by what else is named, or asked."""
    open_pieces: list[tuple[int, tuple[Term, ...]]] = []
    for place, piece in enumerate(draft.pieces):
        metrics = piece.of("metric")
        if not metrics or _comes_from(draft, place):
            continue
        if len(metrics) > 1:
            open_pieces.append((place, metrics))
            continue
        draft.metric_places[place] = metrics[0].id
        draft.metrics.append(metrics[0].id)
    for place, metrics in open_pieces:
        _settle(draft, place, metrics)
    draft.metrics = list(dict.fromkeys(draft.metrics))


def find_dimensions(draft: Draft) -> None:
    """What the figures are cut by."""
    for place, piece in enumerate(draft.pieces):
        terms = piece.of("dimension")
        if not terms or place in draft.metric_places or _absorbed(draft, place, terms):
            continue
        if piece.of("value") and _comes_from(draft, place):
            continue
        fitting = [term for term in terms if _fits(draft, term.id)]
        if fitting:
            draft.dimensions.append(fitting[0].id)
        elif not piece.of("metric"):
            draft.doubt("misfit", [piece.said], _other_cuts(draft, terms))
    draft.dimensions = list(dict.fromkeys(draft.dimensions))


def find_values(draft: Draft) -> None:
    """Values that are asked for, or left out after a word of negation."""
    leaving_out = False
    chain: list[tuple[str, str]] = []
    for place, piece in enumerate(draft.pieces):
        if piece.tag == "not":
            leaving_out = True
            continue
        if piece.tag == "not_post":
            _leave_out(draft, chain, place)
            continue
        found = _value(draft, place, piece)
        if found:
            dimension, code = found
            (draft.excluded if leaving_out else draft.included).setdefault(dimension, []).append(code)
            chain.append(found)
            if leaving_out:
                draft.used.update(at for at in draft.places("not") if at < place)
        elif piece.tag in ("time", "other", "each") or place in draft.metric_places:
            leaving_out, chain = False, []
    _settle_flags(draft)


def _value(draft: Draft, place: int, piece: Piece) -> tuple[str, str] | None:
    """Dimension and code that a piece names."""
    terms = piece.of("value")
    if not terms or place in draft.metric_places:
        return None
    if piece.of("dimension") and not _comes_from(draft, place):
        return None
    if draft.choice.piece == place:
        terms = (draft.choice.term,)
    fitting = [(name, term) for term in terms if (name := _filtered_by(draft, term)) is not None]
    if not fitting:
        draft.doubt("misfit", [piece.said])
        return None
    if len(fitting) > 1 and len({(name, term.id) for name, term in fitting}) > 1:
        choices = [Choice(draft.choice.metrics, place, term) for _, term in fitting[:MOST_CHOICES]]
        draft.doubt("value", [piece.said], choices)
        return None
    name, term = fitting[0]
    return (name, term.id) if term.id else None


def _filtered_by(draft: Draft, term: Term) -> str | None:
    """The dimension that a value filters: its own, or another of areas; empty for the whole city."""
    dimension = draft.model.dimensions[term.dimension]
    if _fits(draft, term.dimension):
        return term.dimension
    if dimension.kind == "area":
        others = [d.id for d in draft.model.dimensions.values() if d.kind == "area" and _fits(draft, d.id)]
        return others[0] if others else None
    return None


def _fits(draft: Draft, dimension: str) -> bool:
    return fits(draft.model, draft.metrics, dimension)


def fits(model: Model, metrics: Iterable[str], dimension: str) -> bool:
    """Whether all these metrics can be cut by a dimension."""
    return all(dimension in model.cuts(model.metrics[name]) for name in metrics)


def fitting_metrics(draft: Draft, names: Sequence[str]) -> list[str]:
    """Those of the metrics that can be cut by everything that the question names."""
    return [name for name in names if all(_may_cut(draft, name, piece) for piece in draft.pieces)]


def _may_cut(draft: Draft, metric: str, piece: Piece) -> bool:
    able = set(draft.model.cuts(draft.model.metrics[metric]))
    kinds = {draft.model.dimensions[name].kind for name in able - {TIME}}
    wanted = piece.of("dimension") or ([] if piece.of("metric") else piece.of("value"))
    names = [term.dimension or term.id for term in wanted]
    if not names or piece.of("metric"):
        return True
    return any(name in able or (draft.model.dimensions[name].kind == "area" and "area" in kinds) for name in names)


def _settle(draft: Draft, place: int, metrics: Sequence[Term]) -> None:
    names = [term.id for term in metrics]
    wished = [name for name in draft.choice.metrics if name in names]
    if wished:
        draft.metrics += wished
        draft.metric_places[place] = wished[0]
        return
    if set(names) & set(draft.metrics):
        return
    if draft.metrics and any(_related(draft.model, name, other) for name in names for other in draft.metrics):
        return
    able = fitting_metrics(draft, names)
    if len(able) == 1:
        draft.metrics.append(able[0])
        draft.metric_places[place] = able[0]
        return
    choices = [Choice(metrics=(name,)) for name in (able or names)[:MOST_CHOICES]]
    draft.doubt("metric", [draft.pieces[place].said], choices)


def _related(model: Model, name: str, other: str) -> bool:
    """Whether two figures count the same rows: then a loose word (案件) only repeats the other."""
    return model.metrics[name].table == model.metrics[other].table


def _comes_from(draft: Draft, place: int) -> bool:
    """Whether the piece is said to be where something comes from (来自预警的): then it is a value, no metric."""
    return bool(place) and draft.pieces[place - 1].said.lower() in _COMING and bool(draft.pieces[place].of("value"))


def _absorbed(draft: Draft, place: int, terms: Sequence[Term]) -> bool:
    """Whether the word only repeats what kind of value stands beside it (热线来源, 南山 区, area Nanshan)."""
    pieces = draft.pieces
    if place and pieces[place - 1].tag in _CUTTING:
        return False
    names = {term.id for term in terms}
    for beside in (place - 1, place + 1):
        if 0 <= beside < len(pieces) and any(term.dimension in names for term in pieces[beside].of("value")):
            return True
    return False


def _other_cuts(draft: Draft, terms: Sequence[Term]) -> list[Choice]:
    """What else the metric can be cut by, or which metric of the same rows can be cut so."""
    metrics = [draft.model.metrics[name] for name in draft.metrics]
    tables = {metric.table for metric in metrics}
    able = [m.id for m in draft.model.metrics.values() if m.table in tables and fits(draft.model, [m.id], terms[0].id)]
    if able:
        return [Choice(metrics=(name,)) for name in able[:MOST_CHOICES]]
    cuts = [name for name in (metrics[0].dimensions if metrics else ()) if name != TIME]
    return [Choice(change={"dimensions": [name]}) for name in cuts[:MOST_CHOICES]]


def _leave_out(draft: Draft, chain: Iterable[tuple[str, str]], place: int) -> None:
    for dimension, code in chain:
        if code in draft.included.get(dimension, ()):
            draft.included[dimension].remove(code)
            draft.excluded.setdefault(dimension, []).append(code)
        draft.used.add(place)
    draft.included = {name: codes for name, codes in draft.included.items() if codes}


def _settle_flags(draft: Draft) -> None:
    """What is not on time is late: a flag that is left out is the other flag."""
    for name in [name for name in draft.excluded if draft.model.dimensions[name].kind == "flag"]:
        codes = draft.excluded.pop(name)
        draft.included[name] = ["false" if code == "true" else "true" for code in codes]
