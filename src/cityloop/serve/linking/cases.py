"""The service ``case.open``: a step of a plan opens a case, or joins an open one about the same thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cityloop.access.actor import SYSTEM, Actor
from cityloop.cases.intake import Brought
from cityloop.cases.models import OPEN, CaseRow
from cityloop.cases.schemas import CaseReport, MoveRequest
from cityloop.cases.service import CaseDesk
from cityloop.cases.store import CaseStore
from cityloop.cases.values import Case
from cityloop.city.schemas import Position
from cityloop.city.service import City
from cityloop.core.database import Transaction
from cityloop.core.errors import Conflict, Invalid
from cityloop.core.values import Title
from cityloop.linkage.phrases import PHRASES
from cityloop.linkage.ports import Answered, Occasion


class Cases:
    """Opens cases in the name of a run; the effect's id is the case's outside number, so none is opened twice."""

    def __init__(self, desk: CaseDesk, city: City) -> None:
        self._desk, self._city = desk, city

    def do(self, tx: Transaction, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        """Open or join; with ``wait`` the step ends when the case does."""
        joined = self._running(tx, inputs)
        case = self._join(tx, joined, occasion) if joined else self._open(tx, inputs, occasion)
        told = {"case": case.id, "number": case.number, "joined": joined is not None}
        return Answered(told, case.id, waits=str(inputs.get("wait")).lower() == "true")

    def undo(
        self, tx: Transaction, effect: Answered, inputs: Mapping[str, Any], actor: Actor, occasion: Occasion
    ) -> Title:
        """Tell the case; it goes on by its own moves. Raises :class:`Conflict` when it is closed."""
        case = CaseStore.of(tx).find(str(effect.reference))
        if case is None or not case.open:
            raise PHRASES.problem(Conflict, "case-closed", case=case.number if case else str(effect.reference))
        said = PHRASES.what("case-withdrawn", plan=occasion.plan_title, why=occasion.reason)
        self._note(tx, case, self._text(said), occasion)
        return PHRASES.what("undo-case-open")

    def _running(self, tx: Transaction, inputs: Mapping[str, Any]) -> Case | None:
        """The oldest open case of the same matter about the same thing."""
        entity = inputs.get("entity")
        if not entity:
            return None
        same = (CaseRow.matter == str(inputs["matter"])) & (CaseRow.entity == str(entity)) & OPEN
        found = CaseStore.of(tx).select(same, limit=1, order=CaseRow.opened_at)
        return found[0] if found else None

    def _open(self, tx: Transaction, inputs: Mapping[str, Any], occasion: Occasion) -> Case:
        description = str(inputs.get("description") or self._text(occasion.plan_title))
        department = inputs.get("department")
        if department and department not in self._city.departments:
            raise PHRASES.problem(Invalid, "no-department", name=department)
        report = CaseReport(
            title=f"{self._text(occasion.plan_title)}：{description}"[:120],
            description=description[:4000],
            matter=str(inputs["matter"]),
            position=self._position(inputs, occasion),
            channel="department",
            external_number=occasion.effect[:60],
        )
        brought = Brought(
            area=str(inputs["area"]) if inputs.get("area") else None,
            department=str(department) if department else None,
            entity=str(inputs["entity"]) if inputs.get("entity") else None,
            facts={"run": occasion.run},
        )
        return self._desk.report_in(tx, SYSTEM, report, occasion.now, brought)[0]

    def _join(self, tx: Transaction, case: Case, occasion: Occasion) -> Case:
        said = PHRASES.what("case-joined", plan=occasion.plan_title, why=occasion.reason)
        return self._note(tx, case, self._text(said), occasion)

    def _note(self, tx: Transaction, case: Case, text: str, occasion: Occasion) -> Case:
        move = MoveRequest(move="note", version=case.version, opinion=text[:1000])
        return self._desk.move_in(tx, SYSTEM, case.id, move, occasion.now)

    def _position(self, inputs: Mapping[str, Any], occasion: Occasion) -> Position:
        """As given, else where the warning is, else the middle of the area."""
        warning = occasion.facts.get("warning") or {}
        for lon, lat in ((inputs.get("lon"), inputs.get("lat")), (warning.get("lon"), warning.get("lat"))):
            if lon is not None and lat is not None:
                return Position(lon=float(lon), lat=float(lat))
        area = inputs.get("area") or occasion.area
        centre = self._city.areas.get(str(area)).centre if area else None
        if centre is None:
            raise PHRASES.problem(Invalid, "no-place")
        return centre

    def _text(self, title: Title) -> str:
        return title.zh if self._city.language == "zh" else title.en
