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


class Client:
    """Requests to such an application; paths are below ``/api/v1/``."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def get(self, path: str, **values: Any) -> httpx.Response:
        return asyncio.run(self._send("GET", path, values))

    def post(self, path: str, **values: Any) -> httpx.Response:
        return asyncio.run(self._send("POST", path, values))

    async def _send(self, method: str, path: str, values: dict[str, Any]) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://city/api/v1/") as asker:
            return await asker.request(method, path, **values)
