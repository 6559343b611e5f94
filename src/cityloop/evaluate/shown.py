"""What a reader gets of a board: the rows in sight, sorted and paged, or as a table."""

from __future__ import annotations

from typing import Any

from cityloop.core.errors import Invalid
from cityloop.core.web import Paging
from cityloop.evaluate.schemas import Board, Row
from cityloop.evaluate.sight import Sight


def seen(board: Board, sight: Sight, paged: Paging) -> Board:
    """One page of the rows in sight. The whole is shown to those who see every row, or counted in their own rows."""
    rows = _sorted([row for row in board.rows if sight.lets(row.id)], paged.sort)
    shown = rows[paged.offset : paged.offset + paged.size]
    total = board.total if sight.everything or sight.partial else _covered(board.total)
    return board.model_copy(
        update={
            "rows": shown,
            "total": total,
            "count": len(rows),
            "page": paged.page,
            "size": min(paged.size, max(1, len(rows))),
            "scope": sight.scope.reason,
        }
    )


def _sorted(rows: list[Row], sort: str) -> list[Row]:
    name, down = sort.removeprefix("-"), sort.startswith("-")
    if name in ("", "rank"):
        return rows[::-1] if down else rows
    if name == "title":
        return sorted(rows, key=lambda row: row.title.zh, reverse=down)
    if name != "score" and rows and name not in {item.id for item in rows[0].items}:
        known = ", ".join(item.id for item in rows[0].items)
        raise Invalid(f"a board is not sorted by '{name}'", f"one of: rank, title, score, {known}")

    def figure(row: Row) -> float | None:
        return row.score if name == "score" else next(item.value for item in row.items if item.id == name)

    known_rows = [row for row in rows if figure(row) is not None]
    ordered = sorted(known_rows, key=lambda row: figure(row) or 0, reverse=down)
    return [*ordered, *(row for row in rows if figure(row) is None)]


def _covered(total: Row) -> Row:
    return total.model_copy(
        update={"score": None, "grade": None, "before": None, "score_change": None, "items": [], "why_unranked": None}
    )


def table(board: Board, zh: bool) -> tuple[list[tuple[str, str]], list[dict[str, Any]]]:
    """Headings and rows of an export; each item has its value, numerator, denominator and points."""
    headings = [("id", "代码" if zh else "Id"), ("title", "对象" if zh else "Object")]
    headings += [("rank", "名次" if zh else "Rank"), ("score", "得分" if zh else "Score")]
    headings.append(("grade", "等级" if zh else "Grade"))
    for column in board.columns:
        title = column.title.zh if zh else column.title.en
        parts = ("分子", "分母", "得分") if zh else ("numerator", "denominator", "points")
        headings.append((column.id, title))
        headings += [(f"{column.id}.{n}", f"{title} {part}") for n, part in enumerate(parts)]
    return headings, [_plain_row(row, zh) for row in [*board.rows, board.total]]


def _plain_row(row: Row, zh: bool) -> dict[str, Any]:
    grade = row.grade.title if row.grade else None
    found: dict[str, Any] = {
        "id": row.id,
        "title": row.title.zh if zh else row.title.en,
        "rank": row.rank,
        "score": row.score,
        "grade": (grade.zh if zh else grade.en) if grade else None,
    }
    for item in row.items:
        found |= {item.id: item.shown, f"{item.id}.0": item.numerator, f"{item.id}.1": item.denominator}
        found[f"{item.id}.2"] = item.score
    return found
