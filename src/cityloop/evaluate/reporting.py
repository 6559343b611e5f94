"""Puts a report together: the board and the listed cases as the asker may see them, then the wanted form."""

from __future__ import annotations

from fastapi import Response

from cityloop.access.actor import Actor
from cityloop.core.paper import Language, Paper, ReportForm
from cityloop.core.web import Paging, report_response
from cityloop.evaluate.paper import paper
from cityloop.evaluate.schemas import Board, Wanted
from cityloop.evaluate.service import Evaluator

LISTED = 500
"""Most cases that a report lists; it says how many there are."""


def report(
    evaluator: Evaluator, actor: Actor, scheme: str, wanted: Wanted, form: ReportForm, language: Language
) -> Response:
    """The report as a response; a page is shown in the browser, files are saved."""
    blob, board = written(evaluator, actor, scheme, wanted, form, language)
    return report_response(blob, form, f"{board.scheme}-{board.object}-{board.period.first}")


def written(
    evaluator: Evaluator, actor: Actor, scheme: str, wanted: Wanted, form: ReportForm, language: Language
) -> tuple[bytes, Board]:
    """The report as bytes, and the board it tells of."""
    from cityloop.core import render  # at need: PDF and Excel take longer to import than the city to start

    board = evaluator.board(actor, scheme, wanted)
    listed = evaluator.listed(actor, scheme, wanted, Paging(page=1, size=LISTED, sort=""))
    city = evaluator.city
    found: Paper = paper(city.title, board, listed, evaluator.indicators(actor), language, city.zone)
    evaluator.note_report(actor, board, form)
    return render.rendered(found, form, evaluator.font, board.as_of), board
