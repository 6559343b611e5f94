"""Prints reports and contact lists in the wanted form, audited."""

from __future__ import annotations

from pathlib import Path

from fastapi import Response

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.city.service import City
from cityloop.core.database import Database
from cityloop.core.errors import NotFound
from cityloop.core.paper import Language, Paper, ReportForm
from cityloop.core.web import report_response
from cityloop.emergency.content import EmergencyBook
from cityloop.emergency.desk import Responses
from cityloop.emergency.phrases import PHRASES
from cityloop.emergency.report import after_action, contact_list


class Papers:
    """What is printed of emergencies. ``font`` as in the settings, for PDF."""

    def __init__(
        self, *, database: Database, audit: Audit, city: City, book: EmergencyBook, desk: Responses, font: Path | None
    ) -> None:
        self._database, self._audit, self._city = database, audit, city
        self._book, self._desk, self._font = book, desk, font

    def report(self, actor: Actor, response: str, form: ReportForm, language: Language) -> Response:
        """The after-action report; also while it goes on."""
        view = self._desk.get(actor, response)
        titles = {name: one.title for name, one in self._city.departments.items()}
        paper = after_action(self._city.title, view, titles, language, self._city.zone)
        return self._printed(actor, view.id, paper, form, f"response-{view.number}")

    def contacts(self, actor: Actor, kind: str, form: ReportForm, language: Language) -> Response:
        """The people of a kind of emergency with their phones."""
        if kind not in {one.id for one in self._desk.kinds(actor)}:
            known = ", ".join(self._book.kinds)
            raise PHRASES.problem(NotFound, "no-kind", (), kind=kind[:40], known=known)
        now = self._city.clock.now().astimezone(self._city.zone)
        paper = contact_list(self._city.title, self._book.kinds[kind], self._book.people, language, now)
        return self._printed(actor, kind, paper, form, f"contacts-{kind}")

    def _printed(self, actor: Actor, subject: str, paper: Paper, form: ReportForm, name: str) -> Response:
        from cityloop.core import render  # at need: PDF and Excel take longer to import than the city to start

        now = self._city.clock.now()
        blob = render.rendered(paper, form, self._font, now)
        with self._database.transaction() as tx:
            self._audit.record(tx, now, actor.id, "response.print", subject, {"form": form, "name": name})
        return report_response(blob, form, name)
