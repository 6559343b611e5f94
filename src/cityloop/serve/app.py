"""Assembles the routers of all rooms into one application. The only place where rooms are wired together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

import cityloop
from cityloop.access.routes import router as access_router
from cityloop.analyse.routes import router as analyse_router
from cityloop.approve.routes import router as approve_router
from cityloop.ask.routes import router as ask_router
from cityloop.cases.calendar_routes import router as calendar_router
from cityloop.cases.desk_routes import router as desk_router
from cityloop.cases.dispatch_routes import router as dispatch_router
from cityloop.cases.limits_routes import router as limits_router
from cityloop.cases.routes import router as cases_router
from cityloop.citizen.routes import router as citizen_router
from cityloop.city.routes import router as city_router
from cityloop.collect.quarantine_routes import router as quarantine_router
from cityloop.collect.routes import router as collect_router
from cityloop.collect.sources.routes import router as sources_router
from cityloop.command.routes import router as command_router
from cityloop.core.errors import Invalid, Problem
from cityloop.core.wording import faults_of
from cityloop.decide.routes import router as decide_router
from cityloop.drill.routes import router as drill_router
from cityloop.emergency.routes import router as emergency_router
from cityloop.evaluate.effect_routes import router as effects_router
from cityloop.evaluate.routes import router as evaluate_router
from cityloop.learn.forecast_routes import router as forecast_router
from cityloop.learn.routes import router as learn_router
from cityloop.linkage.plan_routes import router as plan_router
from cityloop.linkage.routes import router as run_router
from cityloop.quality.routes import router as quality_router
from cityloop.serve.importing.routes import router as sheets_router
from cityloop.serve.limits_routes import router as limits_import_router
from cityloop.serve.notices.routes import router as notices_router
from cityloop.serve.open311.routes import router as open311_router
from cityloop.serve.routes import router as serve_router
from cityloop.standard.routes import router as standard_router
from cityloop.steward.change_routes import router as change_router
from cityloop.steward.routes import router as steward_router
from cityloop.watch.routes import router as watch_router
from cityloop.watch.rule_routes import router as rules_router

ROUTERS = (
    access_router,
    city_router,
    collect_router,
    quarantine_router,
    sources_router,
    watch_router,
    rules_router,
    plan_router,
    run_router,
    cases_router,
    desk_router,
    learn_router,
    forecast_router,
    calendar_router,
    citizen_router,
    command_router,
    dispatch_router,
    limits_router,
    limits_import_router,
    sheets_router,
    analyse_router,
    ask_router,
    evaluate_router,
    effects_router,
    decide_router,
    quality_router,
    drill_router,
    standard_router,
    steward_router,
    change_router,
    open311_router,
    notices_router,
    approve_router,
    emergency_router,
    serve_router,
)


def create_app(services: Mapping[type[Any], Any], routers: Sequence[APIRouter] = ROUTERS) -> FastAPI:
    """The web application over a set of services, keyed by their class."""
    app = FastAPI(
        title="cityloop",
        version=cityloop.__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    for router in routers:
        # The routes as they are: include_router builds each of them anew when the first request comes.
        app.router.routes.extend(router.routes)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    return app


def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return JSONResponse(error.document(), error.status, error.headers(), media_type="application/problem+json")


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = faults_of(list(error.errors()))
    return _problem(request, Invalid("the request does not fit the interface", "see /api/openapi.json", faults))
