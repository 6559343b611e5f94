"""stub"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cityloop.access.actor import Actor
from cityloop.collect.schemas import EntityTypeView, EntityView, FeedView, HistoryView, QuarantineView, Receipt
from cityloop.core.values import Page
from cityloop.core.web import Paging


class Collector:
    def push(self, actor: Actor, feed: str, body: bytes, content_type: str) -> Receipt:
        raise NotImplementedError

    def feeds(self, actor: Actor) -> list[FeedView]:
        raise NotImplementedError

    def entity_types(self, actor: Actor) -> list[EntityTypeView]:
        raise NotImplementedError

    def entities(
        self,
        actor: Actor,
        paged: Paging,
        *,
        entity_type: str | None = None,
        area: str | None = None,
        text: str | None = None,
    ) -> Page[EntityView]:
        raise NotImplementedError

    def geojson(self, actor: Actor, entity_type: str | None) -> dict[str, Any]:
        raise NotImplementedError

    def entity(self, actor: Actor, entity: str) -> EntityView:
        raise NotImplementedError

    def history(
        self, actor: Actor, entity: str, property_id: str, start: datetime | None, end: datetime | None
    ) -> HistoryView:
        raise NotImplementedError

    def record(self, actor: Actor, record: str) -> dict[str, Any]:
        raise NotImplementedError

    def quarantine(self, actor: Actor, paged: Paging, feed: str | None) -> Page[QuarantineView]:
        raise NotImplementedError
