"""From the pieces of a question to one typed query, or to what stands in its way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cityloop.analyse.check import check
from cityloop.analyse.model import Model
from cityloop.analyse.schemas import QueryRequest
from cityloop.ask.dialogue import carry_over, follows
from cityloop.ask.draft import Choice, Doubt, Draft
from cityloop.ask.figures import find_grain, find_order, find_thresholds, find_worked_out, measures
from cityloop.ask.naming import MOST_CHOICES, find_dimensions, find_metrics, find_values, fitting_metrics
from cityloop.ask.periods import find_period
from cityloop.ask.refusals import Refusal, nothing, refusal
from cityloop.ask.segment import Piece
from cityloop.ask.spans import unit_of
from cityloop.core.errors import Invalid
from cityloop.core.values import Title

_MEANT = frozenset(
    [
        "gt",
        "gte",
        "lt",
        "lte",
        "gte_post",
        "lte_post",
        "between",
        "between_post",
        "not",
        "not_post",
        "number",
        "than",
        "most",
        "least",
        "best",
        "worst",
        "fastest",
        "slowest",
        "top",
        "bottom",
        "share",
        "grow_rate",
        "calendar",
        "above_mean",
        "below_mean",
        "cumulative",
        "moving",
        "year",
        "previous",
        "time",
        "split",
    ]
)
"""Pieces that change what is asked: one of them that no step has used was not understood."""
_OPTIONAL = frozenset({"number", "than", "split"})
_MENDED = frozenset({"no_key", "no_share", "compare_period", "why_period", "misfit"})
"""Doubts that a change of the finished query does away with."""


@dataclass(frozen=True)
class Guess:
    """A word that was read as something else."""

    said: str
    title: Title


@dataclass(frozen=True)
class Understood:
    """What a question means: a query, or a refusal, or doubts with the queries that it may have meant."""

    query: QueryRequest | None = None
    why: bool = False
    unknown: tuple[str, ...] = ()
    guesses: tuple[Guess, ...] = ()
    refusal: Refusal | None = None
    doubts: tuple[Doubt, ...] = ()
    options: tuple[QueryRequest, ...] = ()

    @property
    def clear(self) -> bool:
        """Whether the question has exactly one meaning."""
        return self.query is not None and not self.doubts and not self.unknown and self.refusal is None


def understand(pieces: Sequence[Piece], model: Model, now: datetime, before: QueryRequest | None = None) -> Understood:
    """The meaning of a cut question; ``now`` is in the city's zone, ``before`` the query that it may follow."""
    draft = _draft(pieces, model, now, before, Choice())
    guesses = tuple(Guess(piece.said, piece.terms[0].title) for piece in pieces if piece.guessed)
    refused = refusal(draft)
    if refused:
        return Understood(refusal=refused, guesses=guesses)
    unknown = tuple(_unknown(pieces))
    if not draft.metrics:
        if not draft.doubts or not any(piece.terms or piece.time for piece in pieces):
            return Understood(refusal=nothing(), unknown=unknown, guesses=guesses)
        return _asked_back(draft, pieces, model, now, before, unknown, guesses)
    _look_over(draft)
    if draft.doubts or unknown:
        return _asked_back(draft, pieces, model, now, before, unknown, guesses)
    return Understood(query=draft.query(), why=draft.why, guesses=guesses)


def _draft(pieces: Sequence[Piece], model: Model, now: datetime, before: QueryRequest | None, choice: Choice) -> Draft:
    """The pieces after all steps."""
    draft = Draft(pieces=pieces, model=model, now=now, choice=choice)
    draft.why = bool(draft.has("why"))
    find_period(draft)
    find_metrics(draft)
    if before is not None and follows(draft):
        carry_over(draft, before)
    elif not draft.metrics and not draft.doubts:
        _ask_metric(draft)
    if draft.metrics:
        find_dimensions(draft)
        find_values(draft)
        find_grain(draft)
        find_thresholds(draft)
        find_order(draft)
        find_worked_out(draft)
        _change(draft, choice.change)
    return draft


def _ask_metric(draft: Draft) -> None:
    """No metric is named: those that can be cut by what is named may be meant."""
    if choice := draft.choice.metrics:
        draft.metrics = list(choice)
        return
    if any(piece.terms for piece in draft.pieces):
        names = [name for name in fitting_metrics(draft, list(draft.model.metrics)) if measures(draft, name)]
        if len(names) == 1 and any(piece.amount and piece.amount.unit for piece in draft.pieces):
            draft.metrics = names
            return
        draft.doubt("no_metric", (), [Choice(metrics=(name,)) for name in names[:MOST_CHOICES]])


def _change(draft: Draft, change: Mapping[str, Any]) -> None:
    for name, value in change.items():
        if name == "span":
            draft.span = unit_of(draft.now, value)
        else:
            setattr(draft, name, value)
    if change:
        draft.doubts = [doubt for doubt in draft.doubts if doubt.reason not in _MENDED]


def _look_over(draft: Draft) -> None:
    """Doubts that show only at the end: words left over, a stock with a grain, a query that the model refuses."""
    if draft.why and draft.span is None:
        draft.doubt("why_period", (), [Choice(change={"span": unit}) for unit in ("week", "month", "quarter")])
    stocks = [name for name in draft.metrics if draft.metric(name).as_of]
    if stocks and draft.grain:
        draft.doubt(
            "stock", [draft.metric(stocks[0]).title.zh], [Choice(change={"grain": None, "derive": [], "order": []})]
        )
        return
    left = [
        piece.said
        for place, piece in enumerate(draft.pieces)
        if piece.tag in _MEANT - _OPTIONAL and place not in draft.used
    ]
    left += [p.said for at, p in enumerate(draft.pieces) if p.tag == "number" and at not in draft.used]
    if left:
        draft.doubt("unused", left)
    if draft.doubts or draft.why:
        return
    try:
        check(draft.query(), draft.model)
    except Invalid as problem:
        draft.doubt("misfit", [fault.what for fault in problem.faults])


def _asked_back(
    draft: Draft,
    pieces: Sequence[Piece],
    model: Model,
    now: datetime,
    before: QueryRequest | None,
    unknown: tuple[str, ...],
    guesses: tuple[Guess, ...],
) -> Understood:
    """The doubts with at most three queries that may have been meant."""
    choices: Iterable[Choice] = draft.doubts[0].choices if draft.doubts else [Choice()]
    options: list[QueryRequest] = []
    for choice in choices:
        tried = _draft(pieces, model, now, before, choice)
        if tried.metrics:
            _look_over(tried)
        if tried.metrics and not tried.doubts and (query := tried.query()) not in options:
            options.append(query)
    doubts = tuple(draft.doubts) or (Doubt("unknown", unknown),)
    return Understood(
        unknown=unknown, guesses=guesses, doubts=doubts, options=tuple(options[:MOST_CHOICES]), why=draft.why
    )


def _unknown(pieces: Sequence[Piece]) -> list[str]:
    """The words that were not understood, neighbours joined."""
    found: list[Piece] = []
    for piece in pieces:
        if piece.tag != "unknown":
            continue
        if found and found[-1].end == piece.start:
            found[-1] = replace(found[-1], end=piece.end, said=found[-1].said + piece.said)
        else:
            found.append(piece)
    return [piece.said for piece in found]
