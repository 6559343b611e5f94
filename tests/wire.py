"""Routes of a room asked in this process as one actor, without a sign-in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI

from cityloop.access.actor import Actor
from cityloop.access.routes import actor_of
from cityloop.serve.app import create_app


def app_as(actor: Actor, services: Mapping[type[Any], Any], *routers: APIRouter) -> FastAPI:
    """An application of these routers in which every request comes from ``actor``."""
    app = create_app(services, ())
    for router in routers:
        app.include_router(router)
    app.dependency_overrides[actor_of] = lambda: actor
    return app


class Asks:
    """One actor's requests to some routers, answered in this process."""

    def __init__(self, actor: Actor, services: Mapping[type[Any], Any], *routers: APIRouter) -> None:
        self._app = app_as(actor, services, *routers)

    def get(self, path: str, **request: Any) -> httpx.Response:
        """Read."""
        return asyncio.run(self._ask("GET", path, **request))

    def post(self, path: str, **request: Any) -> httpx.Response:
        """Act."""
        return asyncio.run(self._ask("POST", path, **request))

    async def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://city") as client:
            return await client.request(method, path, **request)
