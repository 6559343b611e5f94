"""stub"""

from __future__ import annotations

import builtins

from fastapi import Response

from cityloop.access.actor import Actor
from cityloop.core.values import Page
from cityloop.core.web import ExportFormat, Paging
from cityloop.watch.schemas import RuleView, WarningDetail, WarningFilter, WarningView


class Watch:
    def list(self, actor: Actor, wanted: WarningFilter, paged: Paging) -> Page[WarningView]:
        raise NotImplementedError

    def export(self, actor: Actor, wanted: WarningFilter, form: ExportFormat) -> Response:
        raise NotImplementedError

    def get(self, actor: Actor, warning: str) -> WarningDetail:
        raise NotImplementedError

    def acknowledge(self, actor: Actor, warning: str) -> WarningDetail:
        raise NotImplementedError

    def rules(self, actor: Actor) -> builtins.list[RuleView]:
        raise NotImplementedError
