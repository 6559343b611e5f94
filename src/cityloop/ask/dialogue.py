"""How a question follows the one before it: 那南山区呢? 换成上个月, 按部门拆开."""

from __future__ import annotations

from cityloop.analyse.schemas import QueryRequest
from cityloop.ask.draft import Draft
from cityloop.ask.spans import Span

_REORDERED = ("most", "least", "top", "bottom", "best", "worst", "rank", "rank_up", "gt", "lt", "gte", "lte")
_CARRIED = ("follow", "split", "other")


def follows(draft: Draft) -> bool:
    """Whether the question leans on the one before: it names no metric, or it says that something is to be changed."""
    if not draft.metrics and not draft.doubts:
        return any(piece.terms or piece.time or piece.tag != "filler" for piece in draft.pieces)
    first = next((piece.tag for piece in draft.pieces if piece.tag not in ("filler", "and")), "")
    return first == "follow"


def carry_over(draft: Draft, before: QueryRequest) -> None:
    """Take from the query before whatever this question does not say anew."""
    fresh = bool(draft.metrics)
    if not fresh:
        draft.metrics = list(before.metrics)
    if draft.span is None and before.start and before.end:
        start, end = (at.astimezone(draft.now.tzinfo) for at in (before.start, before.end))
        draft.span = Span(start, end)
    if draft.compare == "none" and not fresh:
        draft.compare = before.compare
    if not draft.calendar:
        draft.calendar = list(before.calendar)
    draft.grain = draft.grain or before.grain
    draft.dimensions = list(before.dimensions)
    _carry_filters(draft, before)
    if not fresh and not draft.places("share", "grow", "fall", "cumulative", "moving"):
        draft.derive = list(before.derive)
    if not fresh:
        draft.having = list(before.having)
        draft.order = list(before.order)
        draft.limit = before.limit if before.limit != QueryRequest.model_fields["limit"].default else None
    _drop_what_is_said_anew(draft)
    draft.used.update(draft.places(*_CARRIED))


def _carry_filters(draft: Draft, before: QueryRequest) -> None:
    said = {term.dimension for piece in draft.pieces for term in piece.of("value")}
    areas = {name for name, dimension in draft.model.dimensions.items() if dimension.kind == "area"}
    said |= areas if said & areas else set()
    for item in before.filters:
        if item.dimension not in said and item.op in ("in", "not_in"):
            kept = draft.included if item.op == "in" else draft.excluded
            kept[item.dimension] = list(item.values)


def _drop_what_is_said_anew(draft: Draft) -> None:
    """A new cut takes the place of the old one unless it splits it; order and conditions go with a new cut or order."""
    cut = any(piece.of("dimension") for piece in draft.pieces)
    if cut and not draft.places("split"):
        draft.dimensions = []
    if cut or draft.places(*_REORDERED):
        draft.order, draft.limit, draft.having, draft.derive = [], None, [], []
