"""A report as paragraphs and tables, before it becomes a page, a workbook or a PDF file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]
ReportForm = Literal["html", "xlsx", "pdf"]
Cell = str | int | float | None
Say = Callable[[str, str], str]
"""Of a Chinese and an English text the one that is wanted."""


@dataclass(frozen=True)
class Table:
    """A table with its heading; ``colours`` are the row's grade colours, empty where there is none."""

    title: str
    heading: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    colours: Sequence[str] = ()


@dataclass(frozen=True)
class Paper:
    """A whole report."""

    language: Language
    title: str
    lines: Sequence[str]
    tables: Sequence[Table]


def speaker(language: Language) -> Say:
    """What chooses the text in a language."""
    return lambda zh, en: zh if language == "zh" else en
