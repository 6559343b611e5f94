"""stub"""

from __future__ import annotations

import builtins
from typing import Any

from fastapi import Response

from cityloop.access.actor import Actor
from cityloop.cases.schemas import CaseDetail, CaseFilter, CaseReport, CaseView, MoveRequest, StateView
from cityloop.core.values import Page
from cityloop.core.web import ExportFormat, Paging


class CaseDesk:
    def list(self, actor: Actor, wanted: CaseFilter, paged: Paging) -> Page[CaseView]:
        raise NotImplementedError

    def report(self, actor: Actor, report: CaseReport) -> tuple[CaseDetail, bool]:
        raise NotImplementedError

    def export(self, actor: Actor, wanted: CaseFilter, form: ExportFormat) -> Response:
        raise NotImplementedError

    def geojson(self, actor: Actor, wanted: CaseFilter) -> dict[str, Any]:
        raise NotImplementedError

    def states(self) -> builtins.list[StateView]:
        raise NotImplementedError

    def get(self, actor: Actor, case: str) -> CaseDetail:
        raise NotImplementedError

    def move(self, actor: Actor, case: str, request: MoveRequest) -> CaseDetail:
        raise NotImplementedError
