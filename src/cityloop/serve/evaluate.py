"""``cityloop evaluate``: a scoreboard or a report out of a data folder that no server has open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import ValidationError

from cityloop.access.actor import SYSTEM
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Protected
from cityloop.cases.listings import ENTITY as CASE
from cityloop.city.service import City
from cityloop.core.clock import SystemClock
from cityloop.core.database import Database
from cityloop.core.errors import Fault, Invalid
from cityloop.core.outbox import Outbox, Relay
from cityloop.core.paper import ReportForm
from cityloop.core.settings import Settings
from cityloop.core.wording import faults_of
from cityloop.evaluate import keeper
from cityloop.evaluate.content import load_evaluation
from cityloop.evaluate.reporting import written
from cityloop.evaluate.schemas import Board, Wanted
from cityloop.evaluate.service import Evaluator
from cityloop.serve.stores import occupy


def run_evaluation(
    settings: Settings, scheme: str, wanted: Mapping[str, Any], form: str, language: str, rebuild: bool
) -> dict[str, Any] | bytes:
    """The board as plain JSON, or a report as bytes; ``rebuild`` counts every case anew first.

    Events that the counting has not seen yet are taken in. Raises :class:`Invalid` for a form, period, object or
    language that there is not.
    """
    asked = _wanted(wanted, form, language)
    lock = occupy(settings.data)
    database = Database(settings.database_url())
    try:
        database.create()
        evaluator = _open(settings, database)
        _count(evaluator, database, rebuild)
        if form == "json":
            board: Board = evaluator.board(SYSTEM, scheme, asked)
            return board.model_dump(mode="json")
        blob, _ = written(evaluator, SYSTEM, scheme, asked, form, "en" if language == "en" else "zh")  # type: ignore[arg-type]
        return blob
    finally:
        database.close()
        lock.close()


def _open(settings: Settings, database: Database) -> Evaluator:
    city = City.load(settings.city, SystemClock())
    door = Door(city.policy)
    door.register(Protected(CASE, department="department", area="area", owners=("handler",)))
    return Evaluator(
        database=database,
        outbox=Outbox(database),
        door=door,
        audit=Audit(database),
        city=city,
        book=load_evaluation(city.packs, city.folder),
        font=settings.report_font,
    )


def _count(evaluator: Evaluator, database: Database, rebuild: bool) -> None:
    if rebuild:
        evaluator.rebuild()
    else:
        evaluator.catch_up()
    relay = Relay(database, Outbox(database))
    relay.consume(keeper.CONSUMER, evaluator.take, keeper.MOVED)
    relay.drain()


def _wanted(wanted: Mapping[str, Any], form: str, language: str) -> Wanted:
    choices = (("format", form, ("json", *get_args(ReportForm))), ("language", language, ("zh", "en")))
    for name, given, known in choices:
        if given not in known:
            fault = Fault(name, f"there is no {name} '{given}'", f"one of: {', '.join(known)}")
            raise Invalid(f"there is no {name} '{given}'", f"one of: {', '.join(known)}", [fault])
    try:
        return Wanted.model_validate(wanted)
    except ValidationError as error:
        faults = faults_of(error.errors())
        raise Invalid("there is no such board", "see: cityloop evaluate --help", faults) from error
