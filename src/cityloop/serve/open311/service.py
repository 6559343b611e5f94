"""The verbs of GeoReport v2. Reports come in from accounts with a key; what goes out is what the public sees."""

from __future__ import annotations

import builtins
from typing import Any

from sqlalchemy import ColumnElement

from cityloop.access.actor import Actor
from cityloop.access.door import Door
from cityloop.access.service import Accounts
from cityloop.cases.intake import Brought
from cityloop.cases.schemas import CaseReport
from cityloop.cases.service import CaseDesk
from cityloop.cases.workflow import REPORT
from cityloop.citizen.places import by_words, other_datum
from cityloop.citizen.plain import WORDS
from cityloop.citizen.reading import COLUMNS, PublicCase, PublicCases
from cityloop.city.datum import convert
from cityloop.city.schemas import Matter, Position
from cityloop.city.service import City
from cityloop.core.database import Database
from cityloop.core.errors import AccessDenied, NotFound
from cityloop.core.ids import new_id
from cityloop.serve.open311.asked import Sent, Wanted, wrong
from cityloop.serve.open311.catalog import Services
from cityloop.serve.open311.content import Open311File
from cityloop.serve.open311.models import TokenRow
from cityloop.serve.open311.updates import Updates
from cityloop.serve.open311.wire import instant

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
ROOT = "/open311/v2"


class Open311:
    """One city as a GeoReport v2 server; without ``open311.yaml`` everything answers 404."""

    def __init__(
        self,
        file: Open311File | None,
        *,
        database: Database,
        door: Door,
        accounts: Accounts,
        city: City,
        desk: CaseDesk,
        cases: PublicCases,
    ) -> None:
        self._file, self._database, self._door, self._accounts = file, database, door, accounts
        self._city, self._desk, self._cases = city, desk, cases
        self._services = Services(city, file) if file else None
        self.updates = Updates(lambda: self._published, database=database, city=city, desk=desk, cases=cases)

    @property
    def services(self) -> Services:
        """The services; raises :class:`NotFound` where the city has not opened this door."""
        if self._services is None:
            raise NotFound("this city has not opened Open311", "it needs an open311.yaml")
        return self._services

    @property
    def file(self) -> Open311File:
        """What the city declares; raises :class:`NotFound` where it declares nothing."""
        if self._file is None:
            raise NotFound("this city has not opened Open311", "it needs an open311.yaml")
        return self._file

    def jurisdiction(self, given: str | None) -> None:
        """Let pass whoever names no jurisdiction or ours; raises :class:`NotFound` for another."""
        if given is not None and given != self.file.jurisdiction_id:
            raise NotFound(f"there is no jurisdiction '{given[:120]}' here", "leave jurisdiction_id out")

    def discovery(self, base: str) -> dict[str, Any]:
        """The discovery document; ``base`` is the address that the client used."""
        changed = instant(self.file.changeset, self._city.zone)
        endpoint = {
            "specification": SPECIFICATION,
            "url": f"{self.file.url or base}{ROOT}",
            "changeset": changed,
            "type": self.file.type,
            "formats": ["text/xml", "application/json"],
        }
        return {
            "changeset": changed,
            "contact": self.file.contact,
            "key_service": self.file.key_service,
            "endpoints": [endpoint],
        }

    def keyholder(self, key: str | None) -> Actor:
        """The account behind an api_key that may report; raises :class:`AccessDenied`."""
        if not key:
            raise AccessDenied("api_key is missing", self.file.key_service)
        actor = self._accounts.actor(key)
        if actor is None:
            raise AccessDenied("this api_key is not known here", self.file.key_service)
        self._door.permit(actor, REPORT)
        return actor

    def post(self, actor: Actor, sent: Sent) -> dict[str, Any]:
        """Take a report; the answer has its number, or a token where the service works in batches, never both."""
        matter = self.services.get(sent.service_code)
        answers = self.services.answers(matter, sent.attributes)
        position, facts = self._position(sent)
        if answers:
            facts["attributes"] = answers
        if sent.media_url:
            facts["media_url"] = sent.media_url
        report = self._report(sent, matter, position, answers)
        with self._database.transaction() as tx:
            now = self._city.clock.now()
            case, _ = self._desk.report_in(tx, actor, report, now, Brought(facts=facts))
            if not self.file.by_token(matter.key):
                return {"service_request_id": case.number, "service_notice": None, "account_id": None}
            token = new_id("req")
            tx.insert(TokenRow, {"token": token, "case": case.id})
        return {"token": token, "service_notice": None, "account_id": None}

    def token(self, token: str) -> dict[str, Any]:
        """The number behind a token, left out until the centre has accepted the report or ended it."""
        with self._database.reading() as session:
            row = session.get(TokenRow, token)
        case = self._cases.one(COLUMNS["id"] == row.case) if row else None
        if case is None:
            raise NotFound(f"there is no token '{token[:60]}'", "take it from the answer to your report")
        known = case.stage > 1 or not case.open
        return {**({"service_request_id": case.number} if known else {}), "token": token}

    def get(self, number: str, extensions: bool) -> dict[str, Any]:
        """One request; raises :class:`NotFound`."""
        found = self._cases.one((COLUMNS["number"] == number) & self._published)
        if found is None:
            raise NotFound(f"there is no service request '{number[:60]}'", "ask with the number as text")
        return self._request(found, extensions)

    def list(self, wanted: Wanted) -> builtins.list[dict[str, Any]]:
        """Requests, the newest first; raises :class:`NotFound` for an unknown code, or when no id is known."""
        where = [self._published]
        if wanted.ids:
            where.append(COLUMNS["number"].in_(wanted.ids))
        else:
            where += [COLUMNS["opened_at"] >= wanted.start, COLUMNS["opened_at"] <= wanted.end]
        if wanted.codes:
            where.append(COLUMNS["matter"].in_([self.services.get(code).key for code in wanted.codes]))
        if wanted.status:
            where.append(COLUMNS["open"].is_(wanted.status == "open"))
        found = self._cases.list(where, wanted.size, (wanted.page - 1) * wanted.size)
        if wanted.ids and not found and wanted.page == 1:
            raise NotFound("none of these service requests is known", "ask with the numbers as text")
        return [self._request(case, wanted.extensions) for case in found]

    @property
    def _published(self) -> ColumnElement[bool]:
        return COLUMNS["channel"].in_(self.file.channels)

    def _position(self, sent: Sent) -> tuple[Position, dict[str, Any]]:
        areas = self._city.areas
        if sent.lon is None or sent.lat is None:
            found = by_words(self._city, sent.address)
            if found is None:
                what = "the address names no one area of the city and no one address of its register"
                raise wrong("address_string", what, "send lat and long, or name the district in the address")
            return found.position, found.facts
        lon, lat = convert(sent.lon, sent.lat, sent.datum, "wgs84")
        if areas.locate(lon, lat) is None:
            raise self._outside(lon, lat, sent)
        return Position(lon=lon, lat=lat), {"datum": sent.datum} if sent.datum != "wgs84" else {}

    def _outside(self, lon: float, lat: float, sent: Sent) -> Exception:
        area, metres = self._city.areas.nearest(lon, lat)
        what = f"the point lies outside the city, {metres:,.0f} m from {area.title.zh} / {area.title.en}"
        datum = other_datum(self._city.areas, lon, lat) if sent.datum == "wgs84" else None
        mend = "lat and long are WGS 84 degrees"
        if datum:
            mend = f"read as {datum} it lies inside: convert it to WGS 84, or send datum={datum}"
        return wrong("lat", what, mend)

    def _report(self, sent: Sent, matter: Matter, position: Position, answers: builtins.list[str]) -> CaseReport:
        whole = "\n".join(line for line in (sent.description, *answers) if line)
        return CaseReport(
            title=self.services.words(matter.title)[:120],
            description=whole if len(whole) <= 4000 else sent.description,
            matter=matter.key,
            position=position,
            address=sent.address,
            channel="open311",
            reporter_name=sent.name or None,
            reporter_phone=sent.phone or None,
        )

    def _request(self, case: PublicCase, extensions: bool) -> dict[str, Any]:
        matter = self._city.catalogue.get(case.matter)
        department = self._city.departments.get(case.department or "")
        words, zone = self.services.words, self._city.zone
        note = [words(WORDS[case.standing]), *([words(case.note)] if case.note else [])]
        updated = case.updated_at if case.open else case.closed_at
        found: dict[str, Any] = {
            "service_request_id": case.number,
            "status": "open" if case.open else "closed",
            "status_notes": ": ".join(note) if self._city.language == "en" else "：".join(note),
            "service_name": words(matter.title),
            "service_code": self.services.code_of(matter),
            "description": case.description,
            "agency_responsible": words(department.title) if department else None,
            "service_notice": None,
            "requested_datetime": instant(case.opened_at, zone),
            "updated_datetime": instant(updated, zone),
            "expected_datetime": instant(case.expected_at, zone),
            "address": case.address or None,
            "address_id": None,
            "zipcode": None,
            "lat": case.lat,
            "long": case.lon,
            "media_url": None,
        }
        if extensions:
            found["extended_attributes"] = {"state": case.state, "stage": case.stage, "standing": case.standing}
        return {name: value for name, value in found.items() if name != "expected_datetime" or value is not None}
