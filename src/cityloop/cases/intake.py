"""Intake: a report becomes a case once, at a place in the city, under a matter of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cityloop.access.actor import Actor
from cityloop.access.door import Door
from cityloop.cases.attachments import Attachments
from cityloop.cases.definitions import Book
from cityloop.cases.learned import Classifier, MatterSuggestion
from cityloop.cases.mover import Mover, Wish
from cityloop.cases.schemas import CaseReport
from cityloop.cases.store import CaseStore, numbered
from cityloop.cases.values import Case
from cityloop.cases.workflow import REPORT, SUBMIT, SUBMIT_SELF
from cityloop.city.schemas import Place, Position
from cityloop.city.service import City
from cityloop.core.database import Transaction
from cityloop.core.errors import Fault, Invalid, NotFound
from cityloop.core.ids import new_id
from cityloop.core.values import Title

_REFUSED = "the report cannot be taken"
TitleOf = Callable[[Actor, str], Title | None]
"""What an entity is called; ``None`` when it is unknown, or when the actor may not see it."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What a record, a warning or another system brings beyond a report.

    ``area`` is taken as given, without asking where the point lies; ``target_at`` is an absolute limit;
    ``department`` is the one that the source itself names.
    """

    area: str | None = None
    target_at: datetime | None = None
    department: str | None = None
    warning: str | None = None
    entity: str | None = None
    limit: str | None = None
    """A limit text of the report's own, in the city's deadline language; it takes the place of the matter's."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the timeline keeps of the report beside: how its place was found, answers to a service's questions."""


NOTHING = Brought()


class Intake:
    """Checks reports and opens cases."""

    def __init__(
        self,
        *,
        door: Door,
        city: City,
        book: Book,
        mover: Mover,
        attachments: Attachments,
        classifier: Classifier,
        title_of: TitleOf,
    ) -> None:
        self._title_of = title_of
        self._door = door
        self._city = city
        self._book = book
        self._mover = mover
        self._classifier = classifier
        self._attachments = attachments

    def report(
        self, tx: Transaction, actor: Actor, report: CaseReport, now: datetime, brought: Brought = NOTHING
    ) -> tuple[Case, bool]:
        """Open a case, or find the one that this channel's own number opened before.

        Returns the case and whether it is new. Raises :class:`Invalid` with the nearest area, the nearest matters or
        the unknown series, and :class:`AccessDenied` without the permission to report.
        """
        self._door.permit(actor, REPORT)
        store = CaseStore.of(tx)
        if report.external_number:
            known = store.by_external(report.channel, report.external_number)
            if known:
                return known, False
        matter, classified = self._matter(report)
        self._check(report, matter, brought)
        self._check_entity(actor, report)
        place = self._place(report.position, brought.area)
        draft = self._draft(store, actor, report, matter, brought, place, now)
        if report.attachments:
            draft = draft.having(photos=self._attachments.claim(tx, actor, draft.id, report.attachments))
        workflow = self._book.current
        move = workflow.move_by_id[SUBMIT_SELF if report.self_handled else SUBMIT]
        warning = {"warning": brought.warning} if brought.warning else {}
        more = {"channel": report.channel, **warning, **classified, **brought.facts}
        case = self._mover.move(tx, actor, draft, Wish(move.id, more=more), now)
        return self._mover.automate(tx, case, now), True

    def _matter(self, report: CaseReport) -> tuple[str, dict[str, Any]]:
        """The written matter, or the one that the text means, with what the timeline keeps of the classification."""
        if report.matter is not None:
            return report.matter, {}
        told = self._classifier.suggest(report.title, report.description)
        if not told.automatic:
            raise _undecided(told)
        best = told.candidates[0]
        return best.matter, {"classified": {"model": told.model, "matter": best.matter, "confidence": best.confidence}}

    def _check(self, report: CaseReport, matter: str, brought: Brought) -> None:
        faults = []
        catalogue = self._city.catalogue
        if not catalogue.has(matter):
            near = ", ".join(f"{m.key} {m.title.zh}" for m in catalogue.near(matter)) or "see GET /api/v1/city/matters"
            faults.append(Fault("matter", f"there is no matter '{matter}' in the catalogue", f"near: {near}"))
        elif catalogue.get(matter).kind != "matter":
            faults.append(Fault("matter", f"'{matter}' is a component", "choose what is wrong with it: a matter"))
        if report.series is not None and report.series not in {label.id for label in self._city.series}:
            known = ", ".join(label.id for label in self._city.series) or "none"
            faults.append(
                Fault("series", f"'{report.series}' is not a replayed series", f"series of this city: {known}")
            )
        if brought.department is not None and brought.department not in self._city.departments:
            known = ", ".join(self._city.departments)
            faults.append(Fault("department", f"there is no department '{brought.department}'", f"one of: {known}"))
        if report.self_handled and SUBMIT_SELF not in self._book.current.move_by_id:
            mend = "report it without 'self_handled'"
            faults.append(Fault("self_handled", "the workflow in force knows no self-handling", mend))
        if not report.title.strip():
            faults.append(Fault("title", "the title is blank", "say in a few words what is wrong"))
        if faults:
            raise Invalid(_REFUSED, "correct the fields that are named", faults)

    def _check_entity(self, actor: Actor, report: CaseReport) -> None:
        if report.entity is not None and self._title_of(actor, report.entity) is None:
            mend = "take one of GET /api/v1/entities/near, or leave it out"
            fault = Fault("entity", f"there is no thing '{report.entity}' within your sight", mend)
            raise Invalid(_REFUSED, "correct the fields that are named", [fault])

    def _place(self, position: Position, given: str | None) -> Place:
        areas = self._city.areas
        if given is not None:
            try:
                areas.get(given)
            except NotFound as error:
                raise Invalid(_REFUSED, error.mend, [Fault("area", error.detail, error.mend)]) from error
            return Place(area=given, district=areas.district_of(given) or given)
        place = areas.locate(position.lon, position.lat)
        if place is None:
            area, metres = areas.nearest(position.lon, position.lat)
            what = (
                f"the point lies outside the city: {metres:,.0f} m from {area.title.zh} / {area.title.en} ({area.code})"
            )
            fault = Fault("position", what, "check the coordinates: WGS 84 degrees, longitude first")
            raise Invalid(_REFUSED, "correct the position", [fault], {"nearest": area.code, "metres": round(metres)})
        return place

    def _draft(
        self,
        store: CaseStore,
        actor: Actor,
        report: CaseReport,
        matter: str,
        brought: Brought,
        place: Place,
        now: datetime,
    ) -> Case:
        workflow = self._book.current
        local = now.astimezone(self._city.zone)
        return Case(
            id=new_id("case"),
            number=numbered(workflow.number, local, place.district, store),
            title=report.title.strip(),
            description=report.description,
            state=workflow.move_by_id[SUBMIT].origin[0],
            stage=1,
            matter=matter,
            area=place.area,
            district=place.district,
            lon=report.position.lon,
            lat=report.position.lat,
            address=report.address,
            channel=report.channel,
            external_number=report.external_number or None,
            reporter_name=report.reporter_name or None,
            reporter_phone=report.reporter_phone or None,
            urgent=report.urgent,
            series=report.series,
            named_department=brought.department,
            limit_text=brought.limit,
            target_at=brought.target_at,
            warning=brought.warning,
            entity=brought.entity or report.entity,
            opened_at=now,
            updated_at=now,
            updated_by=actor.id,
            reporter=actor.id,
            last_move=SUBMIT,
            workflow=workflow.key,
        )


def _undecided(told: MatterSuggestion) -> Invalid:
    likely = ", ".join(f"{c.matter} {c.title.zh} {c.confidence:.0%}" for c in told.candidates) or "no candidate"
    mend = f"choose the matter and send it along; likeliest: {likely}"
    fault = Fault("matter", f"no matter was given, and {told.reason.en}", mend)
    return Invalid(_REFUSED, mend, [fault], {"classification": told.model_dump(mode="json")})
