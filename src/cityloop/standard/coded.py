"""Columns of codes: what a source sends is found in a code list, as it was in force at the record's own time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import polars as pl

from cityloop.core.phrases import Saying
from cityloop.standard.code_lists import Code, CodeList, Match, folded
from cityloop.standard.phrases import PHRASES


def coded(raw: pl.Series, days: pl.Series, codes: CodeList, matches: tuple[Match, ...], under: str | None) -> pl.Series:
    """The code for each text, null where the list has none for it on that day. ``days`` may be null: any time."""
    names = {text: folded(text) for text in raw.unique().to_list() if text is not None}
    allowed = codes.under(under) if under else None
    work = pl.DataFrame({"raw": raw, "day": days})
    layers = [_layer(names, layer, allowed) for layer in codes.names(matches)]
    hits = [expression for expression in layers if expression is not None]
    if not hits:
        return pl.Series([None] * len(raw), dtype=pl.String)
    return work.select_seq(pl.coalesce(hits).alias("code")).to_series()


def reason_for(column: str, at: str, codes: CodeList, under: str | None) -> Callable[[Mapping[str, Any]], Saying]:
    """The sentence for one refused row: unknown, not in force then, or not below the code that is asked for."""

    def reason(row: Mapping[str, Any]) -> Saying:
        text, instant = str(row[column]), row.get(at)
        found = [code for layer in codes.names() if (code := layer.get(folded(text)))]
        if not found:
            some = ", ".join(code.code for code in codes.codes[:8])
            return PHRASES.say("not-listed", text=text, list=codes.id, some=some)
        if instant is not None and not any(code.valid(instant.date()) for code in found):
            span, day = _span(found[-1]), instant.date()
            return PHRASES.say("not-then", text=text, list=codes.id, span=span, day=day)
        return PHRASES.say("not-under", text=text, list=codes.id, under=under)

    return reason


def _layer(names: Mapping[str, str], layer: Mapping[str, Code], allowed: frozenset[str] | None) -> pl.Expr | None:
    hits = {
        text: code
        for text, name in names.items()
        if (code := layer.get(name)) and (allowed is None or code.code in allowed)
    }
    if not hits:
        return None
    texts, raw, day = list(hits), pl.col("raw"), pl.col("day")
    found = raw.replace_strict(texts, [c.code for c in hits.values()], default=None, return_dtype=pl.String)
    if not any(c.valid_from or c.valid_to for c in hits.values()):
        return found
    first = raw.replace_strict(texts, [c.valid_from or date.min for c in hits.values()], default=None,
                               return_dtype=pl.Date)  # fmt: skip
    last = raw.replace_strict(texts, [c.valid_to or date.max for c in hits.values()], default=None,
                              return_dtype=pl.Date)  # fmt: skip
    return pl.when(day.is_null() | ((first <= day) & (day < last))).then(found)


def _span(code: Code) -> Saying:
    """When a code that is not always in force is."""
    if code.valid_from and code.valid_to:
        return PHRASES.say("from-until", start=code.valid_from, end=code.valid_to)
    return PHRASES.say("from", start=code.valid_from) if code.valid_from else PHRASES.say("until", end=code.valid_to)
