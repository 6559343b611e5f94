"""stub"""

from __future__ import annotations

from cityloop.access.actor import Actor
from cityloop.analyse.schemas import ModelView, QueryRequest, QueryResult


class Analyst:
    def model(self) -> ModelView:
        raise NotImplementedError

    def query(self, actor: Actor, request: QueryRequest) -> QueryResult:
        raise NotImplementedError
