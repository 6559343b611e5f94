"""Routes of a room asked in this process as one actor, without a sign-in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
