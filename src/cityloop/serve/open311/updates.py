"""Updates of requests, an extension of GeoReport v2 that FixMyStreet made: news by date, and words of other systems."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from cityloop.access.actor import Actor
from cityloop.cases.entries import RELAYED
from cityloop.cases.models import TimelineRow
from cityloop.cases.service import CaseDesk
from cityloop.citizen.plain import CLOSING_STAGE, STEP_WORDS, STEPS, WORDS
from cityloop.citizen.reading import COLUMNS, PublicCase, PublicCases
from cityloop.city.service import City
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import NotFound
from cityloop.core.values import Title
from cityloop.serve.open311.asked import MOST, SentUpdate, Wanted
from cityloop.serve.open311.wire import instant


class Updates:
    """What became of requests, step by step, and what others say of them."""

    def __init__(
        self,
        published: Callable[[], ColumnElement[bool]],
        *,
        database: Database,
        city: City,
        desk: CaseDesk,
        cases: PublicCases,
    ) -> None:
        self._published, self._database, self._city = published, database, city
        self._desk, self._cases = desk, cases

    def list(self, wanted: Wanted) -> list[dict[str, Any]]:
        """The public steps that published requests took from ``wanted.start`` to ``wanted.end``, the oldest first."""
        start, end = wanted.start, wanted.end
        assert start is not None and end is not None
        moved = select(TimelineRow.case).where(TimelineRow.at >= start, TimelineRow.at <= end)
        found = self._cases.list([self._published(), COLUMNS["id"].in_(moved)], MOST)
        entries = self._cases.entries([case.id for case in found])
        news = [(at, case, name, words) for case in found for name, words, at in _steps(case, entries[case.id])]
        within = sorted((one for one in news if start <= one[0] <= end), key=lambda one: (one[0], one[1].number))
        first = (wanted.page - 1) * wanted.size
        return [self._update(*one) for one in within[first : first + wanted.size]]

    def take(self, actor: Actor, sent: SentUpdate) -> dict[str, Any]:
        """Write what another system says onto the timeline of the case, once; the case itself is moved by people."""
        found = self._cases.one((COLUMNS["number"] == sent.number) & self._published())
        if found is None:
            raise NotFound(f"there is no service request '{sent.number[:60]}'", "ask with the number as text")
        now = self._city.clock.now()
        with self._database.transaction() as tx:
            if not _known(tx, found.id, actor.id, sent.update):
                facts = {
                    "system": actor.name.model_dump(),
                    "account": actor.id,
                    "update": sent.update,
                    "status": sent.status,
                    "notes": sent.description,
                    "said_at": instant(sent.at, self._city.zone),
                }
                self._desk.relay_in(tx, found.id, facts, now)
        return {"update_id": sent.update, "service_request_id": found.number}

    def _update(self, at: datetime, case: PublicCase, name: str, words: Title) -> dict[str, Any]:
        closing = name == "done"
        return {
            "update_id": f"{case.number}-{name}",
            "service_request_id": case.number,
            "status": "CLOSED" if closing else "OPEN",
            "updated_datetime": instant(at, self._city.zone),
            "description": words.zh if self._city.language == "zh" else words.en,
            "media_url": None,
        }


def _steps(case: PublicCase, entries: Sequence[tuple[int, datetime]]) -> Iterator[tuple[str, Title, datetime]]:
    """The steps that the public is told of: name, words, and when each began."""
    unhandled = not case.open and case.stage < CLOSING_STAGE
    for name, least in STEPS[:1] if unhandled else STEPS:
        at = next((at for stage, at in entries if stage >= least), None)
        if at is not None:
            yield name, STEP_WORDS[name], at
    if case.closed_at is not None and not case.open:
        yield "done", WORDS[case.standing], case.closed_at


def _known(tx: Transaction, case: str, account: str, update: str) -> bool:
    query = select(TimelineRow.facts).where(TimelineRow.case == case, TimelineRow.move == RELAYED)
    return any(facts.get("account") == account and facts.get("update") == update for facts in tx.session.scalars(query))
