"""The verbs of the citizen's door: report, follow, rate. Everything as the one declared actor ``public``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from cityloop.access.actor import PUBLIC
from cityloop.access.codes import hash_code, new_code, opens
from cityloop.access.door import Door
from cityloop.access.turnstile import Turnstile, network
from cityloop.cases.intake import Brought
from cityloop.cases.models import CaseRow
from cityloop.cases.rating import RATE
from cityloop.cases.schemas import CaseReport
from cityloop.cases.service import CaseDesk
from cityloop.cases.workflow import REPORT
from cityloop.citizen.models import CitizenReportRow
from cityloop.citizen.places import Placed, by_words, placed
from cityloop.citizen.plain import CLOSING_STAGE, STEP_WORDS, STEPS, WORDS
from cityloop.citizen.reading import COLUMNS, PublicCase, PublicCases
from cityloop.citizen.schemas import (
    CitizenProgress,
    CitizenRating,
    CitizenReceipt,
    CitizenReport,
    CitizenStep,
    PublicArea,
    PublicPlaces,
)
from cityloop.city.schemas import AddressFound, Position
from cityloop.city.service import City
from cityloop.core.database import Database
from cityloop.core.errors import Conflict, Fault, Invalid, NotFound
from cityloop.core.values import Title

_REFUSED = "the report cannot be taken"
MOST_ADDRESSES = 6
"""Most addresses of one answer: enough to choose from, too few to copy the register by."""


@dataclass(frozen=True)
class Photo:
    """A file that came with a report."""

    name: str
    content: bytes


class CitizenDoor:
    """What anybody may do."""

    def __init__(
        self, *, database: Database, door: Door, city: City, desk: CaseDesk, cases: PublicCases, turnstile: Turnstile
    ) -> None:
        self._database, self._door, self._city, self._desk = database, door, city, desk
        self._cases, self._turnstile = cases, turnstile

    def places(self) -> PublicPlaces:
        """What can be reported, and the areas above the grid cell."""
        self._door.permit(PUBLIC, REPORT)
        areas = [area for area in self._city.areas.list() if area.level not in ("city", "cell")]
        return PublicPlaces(matters=self._city.catalogue.list(), areas=[self._area(area.code) for area in areas])

    def outline(self) -> dict[str, Any]:
        """The districts as GeoJSON: the ground that a place is picked on."""
        self._door.permit(PUBLIC, REPORT)
        return self._city.areas.geojson("district")

    def addresses(self, text: str, near: Position | None, address: str) -> list[AddressFound]:
        """Addresses of the register that a text may mean; areas are told above the grid cell only."""
        self._door.permit(PUBLIC, REPORT)
        self._turnstile.enter("search", network(address))
        return [self._above_cell(found) for found in self._city.find_addresses(text, near, MOST_ADDRESSES)]

    def _above_cell(self, found: AddressFound) -> AddressFound:
        areas = self._city.areas
        area = areas.get(found.area) if found.area else None
        if area is None or area.level != "cell" or area.parent is None:
            return found
        return found.model_copy(update={"area": area.parent, "area_title": areas.title(area.parent)})

    def report(self, wish: CitizenReport, photos: Sequence[Photo], address: str) -> CitizenReceipt:
        """Take a report; raises :class:`TooMany`, and :class:`Invalid` with the matters to choose from."""
        self._door.permit(PUBLIC, REPORT)
        self._turnstile.enter("report", network(address))
        position, stands_for = self._position(wish)
        report = self._case(wish, position)
        facts = stands_for.facts if stands_for else {}
        files = self._desk.attachments
        reads = [(photo.name, files.read(photo.name, photo.content)) for photo in photos]
        code = new_code()
        now = self._city.clock.now()
        with self._database.transaction() as tx:
            if wish.phone:
                self._turnstile.enter_in(tx, "phone", _digits(wish.phone))
            refs = tuple(files.stage_in(tx, PUBLIC, name, "before", read) for name, read in reads)
            told = report.model_copy(update={"attachments": refs})
            case, _ = self._desk.report_in(tx, PUBLIC, told, now, Brought(facts=facts))
            tx.insert(CitizenReportRow, {"case": case.id, "code_hash": hash_code(code), "reported_at": now})
        return CitizenReceipt(
            number=case.number,
            code=code,
            matter_title=self._city.catalogue.get(case.matter).title,
            placed_in=stands_for.title if stands_for and stands_for.area else None,
        )

    def follow(self, number: str, code: str, address: str) -> CitizenProgress:
        """How a report stands. A wrong code and an unknown number get the same answer: :class:`NotFound`."""
        self._turnstile.enter("look", network(address))
        with self._database.reading() as session:
            case = self._held(session, number, code)
        return self._progress(self._seen(case))

    def rate(self, number: str, wish: CitizenRating, address: str) -> CitizenProgress:
        """Rate once after closing; raises :class:`Conflict` before that and the second time."""
        self._door.permit(PUBLIC, RATE)
        self._turnstile.enter("look", network(address))
        with self._database.reading() as session:
            held = self._held(session, number, wish.code)
        if not self._progress(self._seen(held)).can_rate:
            raise Conflict("this report cannot be rated now", "a report is rated once, after it was handled and closed")
        with self._database.transaction() as tx:
            self._desk.rate_in(tx, PUBLIC, held, wish.rating, wish.words, self._city.clock.now())
        return self._progress(self._seen(held))

    def _held(self, session: Session, number: str, code: str) -> str:
        """The id of the case that number and code open together."""
        row = (
            session.query(CaseRow.id, CitizenReportRow.code_hash)
            .join(CitizenReportRow, CitizenReportRow.case == CaseRow.id)
            .filter(CaseRow.number == number.strip())
            .first()
        )
        if not opens(code, row[1] if row else None) or row is None:
            raise NotFound("number and code do not fit together", "copy both from the answer to your report")
        return str(row[0])

    def _seen(self, case: str) -> PublicCase:
        found = self._cases.one(COLUMNS["id"] == case)
        if found is None:
            raise NotFound("this report is not shown to the public", "ask the hotline with its number")
        return found

    def _progress(self, own: PublicCase) -> CitizenProgress:
        """A merged report shows how the one goes on that it was joined with."""
        main = self._cases.one(COLUMNS["id"] == own.merged_into) if own.merged_into else None
        shown = main or own
        department = self._city.departments.get(shown.department or "")
        handled = not own.open and own.stage >= CLOSING_STAGE
        return CitizenProgress(
            number=own.number,
            matter_title=self._city.catalogue.get(own.matter).title,
            description=own.description,
            address=own.address,
            area_title=self._city.areas.title(own.area) if own.area else None,
            department_title=department.title if department else None,
            standing=shown.standing,
            standing_title=WORDS[shown.standing],
            note=WORDS["joined"] if main else own.note,
            reported_at=own.opened_at,
            expected_at=shown.expected_at if shown.open else None,
            closed_at=shown.closed_at,
            steps=self._steps(shown, own.opened_at),
            photos=own.photos,
            rating=own.rating,
            can_rate=handled and own.rating is None,
        )

    def _steps(self, case: PublicCase, since: datetime) -> list[CitizenStep]:
        """The steps of a case as somebody saw them who came ``since``: nothing was done before they reported."""
        entries = [(stage, max(at, since)) for stage, at in self._cases.entries([case.id])[case.id]]
        unhandled = not case.open and case.stage < CLOSING_STAGE
        steps = [
            CitizenStep(id=name, title=STEP_WORDS[name], at=next((at for stage, at in entries if stage >= first), None))
            for name, first in (STEPS[:1] if unhandled else STEPS)
        ]
        end = WORDS[case.standing] if unhandled else STEP_WORDS["done"]
        return [*steps, CitizenStep(id="done", title=end, at=case.closed_at)]

    def _position(self, wish: CitizenReport) -> tuple[Position, Placed | None]:
        """The point that was given, or the one that the words or the chosen area stand for."""
        if wish.lon is not None and wish.lat is not None:
            return Position(lon=wish.lon, lat=wish.lat), None
        areas = self._city.areas
        found = placed(areas, areas.get(wish.area)) if wish.area else by_words(self._city, wish.address)
        if found is None:
            mend = "pick the place on the map, choose an area, or name the district in the address"
            raise Invalid(_REFUSED, mend, [Fault("lon", "the report says nowhere in the city", mend)])
        return found.position, found

    def _case(self, wish: CitizenReport, position: Position) -> CaseReport:
        if wish.matter is None and len(wish.description) < 2:
            mend = "choose what it is about, or describe it"
            raise Invalid(_REFUSED, mend, [Fault("description", "the report says nothing", mend)])
        return CaseReport(
            title=self._title(wish),
            description=wish.description,
            matter=wish.matter,
            position=position,
            address=wish.address,
            channel="citizen",
            reporter_phone=wish.phone or None,
        )

    def _title(self, wish: CitizenReport) -> str:
        if wish.matter is not None and self._city.catalogue.has(wish.matter):
            return self._words(self._city.catalogue.get(wish.matter).title)[:120]
        return (wish.description.splitlines() or [""])[0][:60].strip() or wish.description[:60] or "--"

    def _words(self, title: Title) -> str:
        return title.zh if self._city.language == "zh" else title.en

    def _area(self, code: str) -> PublicArea:
        area = self._city.areas.get(code)
        found = placed(self._city.areas, area)
        middle = found.position if found else None
        return PublicArea(code=area.code, title=area.title, level=area.level, parent=area.parent, middle=middle)


def _digits(phone: str) -> str:
    return "".join(sign for sign in phone if sign.isdigit())
