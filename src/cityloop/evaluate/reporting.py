"""Puts a report together: the board and the listed cases as the asker may see them, then the wanted form."""

from __future__ import annotations

from typing import Literal

from fastapi import Response

from cityloop.access.actor import Actor
from cityloop.core.web import Paging
from cityloop.evaluate.paper import Language, Paper, paper
from cityloop.evaluate.schemas import Board, ReportFormat, Wanted
from cityloop.evaluate.service import Evaluator

LISTED = 500
"""Most cases that a report lists; it says how many there are."""
_KINDS: dict[Literal["html", "xlsx", "pdf"], str] = {
    "html": "text/html; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


def report(
    evaluator: Evaluator, actor: Actor, scheme: str, wanted: Wanted, form: ReportFormat, language: Language
) -> Response:
    """The report as a response; a page is shown in the browser, files are saved."""
    blob, board = written(evaluator, actor, scheme, wanted, form, language)
    place = "inline" if form == "html" else "attachment"
    name = f"{board.scheme}-{board.object}-{board.period.first}.{form}"
    headers = {
        "Content-Disposition": f'{place}; filename="{name}"',
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
    }
    return Response(blob, media_type=_KINDS[form], headers=headers)


def written(
    evaluator: Evaluator, actor: Actor, scheme: str, wanted: Wanted, form: ReportFormat, language: Language
) -> tuple[bytes, Board]:
    """The report as bytes, and the board it tells of."""
    from cityloop.evaluate import render  # at need: PDF and Excel take longer to import than the city to start

    board = evaluator.board(actor, scheme, wanted)
    listed = evaluator.listed(actor, scheme, wanted, Paging(page=1, size=LISTED, sort=""))
    city = evaluator.city
    found: Paper = paper(city.title, board, listed, evaluator.indicators(actor), language, city.zone)
    evaluator.note_report(actor, board, form)
    if form == "html":
        return render.html(found), board
    if form == "xlsx":
        return render.xlsx(found), board
    return render.pdf(found, evaluator.font, board.as_of), board
