"""A sheet of cells → named columns: title rows, headings of several rows, merged cells, notes below the table.

Departments' sheets carry a title above the heading, class cells merged over many rows, and headings such as
``PM2.5`` over ``hourly`` and ``daily``. Everything here is pure: cells and merged ranges in, rows and names out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cityloop.core.values import Title
from cityloop.standard.phrases import PHRASES

Cells = list[list[str | None]]
Range = tuple[int, int, int, int]
"""A merged range: first row, first column, last row, last column, 0-based and inclusive."""
HEADING_JOINT = "/"
_LOOKED_AT = 30


@dataclass(frozen=True)
class Grid:
    """Cells of one sheet or file; ``labels`` name each row's place; empty cells are ``None``."""

    cells: Cells
    labels: Sequence[str]
    merges: Sequence[Range] = ()


@dataclass(frozen=True)
class Heading:
    """Where the heading stands: first row (0-based) and how many rows; ``None`` lets the sheet decide."""

    first: int | None = None
    rows: int | None = None


@dataclass(frozen=True)
class Table:
    """Column names, rows of as many cells, the label of each row, and what was decided on the way."""

    names: list[str]
    rows: Cells
    labels: list[str]
    notes: list[Title] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    """Where each column stands in the sheet, 0-based."""


def tabulated(grid: Grid, heading: Heading, carry_down: Sequence[str] = ()) -> Table:
    """Find the heading, join its rows, carry merged cells down, leave out empty rows and notes below the table."""
    cells = _squared(grid.cells)
    if not any(cell for row in cells for cell in row):
        return Table([], [], [])
    notes: list[Title] = []
    first = heading.first if heading.first is not None else _first(cells, grid.merges)
    last = first + (heading.rows or _heading_rows(first, grid.merges, len(cells))) - 1
    names = _names(cells, grid.merges, first, last)
    if first > 0 or last > first:
        code = "heading-to" if last > first else "heading-in"
        notes.append(PHRASES.say(code, first=grid.labels[first], last=grid.labels[last]).title)
    _fill_down(cells, grid.merges, last)
    wide = {row for row, left, _, right in grid.merges if right - left + 1 >= max(2, len(names))}
    rows, labels = [], []
    for number in range(last + 1, len(cells)):
        if number in wide:
            notes.append(PHRASES.say("left-out", row=grid.labels[number]).title)
        elif any(cells[number]):
            rows.append(cells[number])
            labels.append(grid.labels[number])
    kept = [at for at, name in enumerate(names) if name or any(row[at] for row in rows)]
    found = Table(_unique([names[at] or f"column {at + 1}" for at in kept]), [[r[a] for a in kept] for r in rows],
                  labels, notes, kept)  # fmt: skip
    _carry(found, carry_down)
    return found


def _squared(cells: Cells) -> Cells:
    width = max((len(row) for row in cells), default=0)
    return [[_trimmed(cell) for cell in row] + [None] * (width - len(row)) for row in cells]


def _trimmed(cell: str | None) -> str | None:
    return (cell.strip().strip("\u3000\ufeff").strip() or None) if cell else None


def _first(cells: Cells, merges: Sequence[Range]) -> int:
    """The first row that is wider than a title: at least two different texts, over most of the table's width."""
    sample = cells[:_LOOKED_AT]
    counts = [sum(cell is not None for cell in row) for row in sample]
    wanted = max(2, round(0.5 * max(counts))) if max(counts) > 1 else 1
    for number, row in enumerate(sample):
        covered = _covered(row, number, merges)
        if len({cell for cell in row if cell}) >= min(2, wanted) and covered >= wanted:
            return number
    return next(number for number, count in enumerate(counts) if count)


def _covered(row: Sequence[str | None], number: int, merges: Sequence[Range]) -> int:
    spans = {left: right for top, left, bottom, right in merges if top <= number <= bottom}
    return sum(spans.get(at, at) - at + 1 for at, cell in enumerate(row) if cell)


def _heading_rows(first: int, merges: Sequence[Range], height: int) -> int:
    """Heading rows follow from its merged cells: a cell over several columns has sub-headings below it."""
    last, number = first, first
    while number <= last:
        for top, left, bottom, right in merges:
            if top == number:
                last = max(last, bottom + 1 if right > left else bottom)
        number += 1
    return min(last, height - 1) - first + 1


def _names(cells: Cells, merges: Sequence[Range], first: int, last: int) -> list[str]:
    upper = [list(row) for row in cells[first : last + 1]]
    for top, left, bottom, right in merges:
        for row in range(max(top, first), min(bottom, last) + 1):
            for at in range(left, right + 1):
                upper[row - first][at] = cells[top][left]
    if not merges:
        for line in upper[:-1]:
            _fill_right(line, upper[-1])
    names = []
    for at in range(len(cells[0])):
        parts = list(dict.fromkeys(_heading(text) for row in upper if (text := row[at])))
        names.append(HEADING_JOINT.join(parts))
    return names


def _fill_right(row: list[str | None], below: Sequence[str | None]) -> None:
    held: str | None = None
    for at, cell in enumerate(row):
        held = cell or held
        row[at] = held if below[at] else cell


def _heading(text: str) -> str:
    """A heading on one line: line breaks vanish between Chinese characters, else they become a blank."""
    parts = [part.strip() for part in text.splitlines() if part.strip()]
    joined = parts[0]
    for part in parts[1:]:
        joined += part if joined[-1] > "\u2e80" or part[0] > "\u2e80" or part[0] in "((" else f" {part}"
    return joined


def _fill_down(cells: Cells, merges: Sequence[Range], last: int) -> None:
    for top, left, bottom, _right in merges:
        for row in range(max(top, last) + 1, bottom + 1):
            if row < len(cells):
                cells[row][left] = cells[top][left]


def _carry(table: Table, names: Sequence[str]) -> None:
    """Fill blanks of the named columns from the row above."""
    for name in names:
        if name in table.names:
            at, held = table.names.index(name), None
            for row in table.rows:
                held = row[at] = row[at] or held


def _unique(names: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return found


def zero_filled(rows: Cells, names: Sequence[str], widths: Mapping[str, int]) -> None:
    """Give codes that a sheet kept as numbers their leading zeros back."""
    for name, width in widths.items():
        if name in names:
            at = names.index(name)
            for row in rows:
                row[at] = text.zfill(width) if (text := row[at]) and text.isdigit() else row[at]
