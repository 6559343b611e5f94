"""What the values of a column look like: kind, range, examples, and the times or points they spell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cityloop.standard.declarations import TimeField
from cityloop.standard.prepare import narrowed
from cityloop.standard.times import parsed

SAMPLE = 2000
"""Most rows that are looked at."""
FLAG_WORDS = frozenset(("true", "false", "是", "否", "开", "关", "yes", "no", "0", "1"))
WORDLESS = ["", "-", "--", "—", "NA", "N/A", "null", "NULL", "None", "NaN", "无"]
_PATTERNS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y%m%d%H%M%S",
             "%Y%m%d%H%M", "%Y%m%d%H", "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y.%m.%d %H:%M")  # fmt: skip
_POINT = re.compile(r"\s*-?\d+(?:\.\d+)?\s*([,，; ])\s*-?\d+(?:\.\d+)?\s*")
_WIDE = re.compile(r"[\uff01-\uff5e]")
_CLOCK = re.compile(r"\d{1,2}(?:[:：时点]\d{0,2}(?:[:：分]\d{0,2}秒?)?)?")


@dataclass(frozen=True)
class Profile:
    """One column. Shares are of the filled cells, 0 to 1."""

    name: str
    filled: float
    examples: tuple[str, ...]
    texts: tuple[str, ...]
    """Different texts of the sample, at most a few hundred."""
    numeric: float
    whole: float
    low: float | None
    high: float | None
    distinct: float
    time_format: str | None
    dated: bool
    """Every time is a day without an hour."""
    clock: bool
    """The values are hours of a day."""
    pair: str | None
    """The separator, where every value spells a pair of numbers."""
    missing: tuple[str, ...]
    """Texts of the column that mean "no value"."""
    wide: bool
    """Some value has full-width signs."""

    @property
    def kind(self) -> str:
        """What a person would call it."""
        if self.time_format:
            return "time"
        if self.numeric > 0.9:
            return "integer" if self.whole > 0.99 else "number"
        return "flag" if self.texts and set(self.texts) <= FLAG_WORDS else "text"


def profile(column: pl.Series, zone: str) -> Profile:
    """Look at a column of texts; ``zone`` is where its local times are read."""
    sent = column.head(SAMPLE).str.strip_chars()
    filled = sent
    filled = filled.filter(filled.is_not_null() & ~filled.is_in(WORDLESS))
    frame = pl.DataFrame({"text": filled}).select("text", narrowed(pl.col("text")).alias("plain"))
    plain = frame["plain"]
    numbers = plain.cast(pl.Float64, strict=False)
    numbers = numbers.filter(numbers.is_finite())
    distinct = filled.unique(maintain_order=True)
    form = _time_format(plain, zone, numbers)
    sample = plain.head(50).to_list()
    return Profile(
        name=column.name,
        filled=len(filled) / max(1, min(len(column), SAMPLE)),
        examples=tuple(distinct.head(3).to_list()),
        texts=tuple(distinct.head(300).to_list()),
        numeric=len(numbers) / max(1, len(filled)),
        whole=float((numbers == numbers.round()).sum()) / max(1, len(numbers)),
        low=_number(numbers.min()),
        high=_number(numbers.max()),
        distinct=len(distinct) / max(1, len(filled)),
        time_format=form,
        dated=form is not None and all(len(text) <= 11 and not re.search(r"[T:时点]", text) for text in sample),
        clock=bool(sample) and all(_CLOCK.fullmatch(text) for text in sample) and (_number(numbers.max()) or 0) <= 24,
        pair=_pair(sample),
        missing=tuple(sorted(set(sent.drop_nulls().to_list()) & set(WORDLESS) - {""})),
        wide=any(_WIDE.search(text) for text in distinct.head(300).to_list()),
    )


def _time_format(texts: pl.Series, zone: str, numbers: pl.Series) -> str | None:
    """The first format that reads nearly every value as a time of this century."""
    if not len(texts):
        return None
    sample = texts.head(200)
    for form in _candidates(len(numbers) == len(texts), numbers):
        read = parsed(sample, TimeField(field="t", format=form, zone=zone)).drop_nulls()
        if len(read) >= 0.9 * len(sample) and read.dt.year().is_between(2000, 2060).all():
            return form
    return None


def _candidates(numeric: bool, numbers: pl.Series) -> Sequence[str]:
    if not numeric:
        return ("iso", "chinese", *_PATTERNS)
    low, high = _number(numbers.min()) or 0.0, _number(numbers.max()) or 0.0
    if low >= 946_684_800 and high < 3_000_000_000:
        return ("epoch_s", "%Y%m%d%H")
    if low >= 946_684_800_000 and high < 3_000_000_000_000:
        return ("epoch_ms", "%Y%m%d%H%M")
    if low >= 36_526 and high < 60_000 and not (numbers == numbers.round()).all():
        return ("excel",)
    return tuple(form for form in _PATTERNS if not re.search(r"[-/. ]", form)) if low > 19_000_000 else ()


def _pair(sample: Sequence[str]) -> str | None:
    signs = {match[1] if (match := _POINT.fullmatch(text)) else None for text in sample}
    return signs.pop() if len(signs) == 1 else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
