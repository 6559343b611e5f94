"""Routes of the standard: browse it, suggest and try mappings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from cityloop.access.routes import Asker, TheSettings
from cityloop.city.service import City
from cityloop.core.errors import Invalid, TooLarge
from cityloop.core.web import ExportFormat, service
from cityloop.core.wording import faults_of
from cityloop.standard.desk import StandardDesk, table_of
from cityloop.standard.lists import as_file
from cityloop.standard.suggest import Suggestion
from cityloop.standard.tables import RawTable, TableOptions, read_table
from cityloop.standard.trial import Trial
from cityloop.standard.views import FeedText, ListDetail, ListRow, StandardView, TypeDetail, TypeRow, UnitRow

router = APIRouter(prefix="/api/v1/standard", tags=["standard"])
TheDesk = Annotated[StandardDesk, Depends(service(StandardDesk))]
TheCity = Annotated[City, Depends(service(City))]
Text = Annotated[str, Query(max_length=60, description="in any shown field")]
_FORM = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}


def _body(form: Mapping[str, Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    """How the interface describes a body that is either a form with a file or JSON with rows."""
    with_file = {**_FORM, "properties": {**_FORM["properties"], **form}}  # type: ignore[dict-item]
    rows = {"rows": {"type": "array", "items": {"type": "object", "additionalProperties": True}}}
    options = {"options": {"type": "object", "additionalProperties": True}}
    as_json = {"type": "object", "required": ["rows", *plain], "properties": {**rows, **options, **plain}}
    content = {"multipart/form-data": {"schema": with_file}, "application/json": {"schema": as_json}}
    return {"requestBody": {"required": True, "content": content}}


_TEXT = {"type": "string"}
_FEED = {"oneOf": [{"type": "object", "additionalProperties": True}, _TEXT]}


@router.get("")
def overview(desk: TheDesk, actor: Asker) -> StandardView:
    """The standard in figures; its version changes with its content."""
    return desk.overview(actor)


@router.get("/types")
def types(desk: TheDesk, actor: Asker) -> list[TypeRow]:
    """All entity types."""
    return desk.types(actor)


@router.get("/types/export", response_class=Response)
def export_types(desk: TheDesk, city: TheCity, actor: Asker, text: Text = "", format: ExportFormat = "csv") -> Response:
    """The entity types as a file."""
    return as_file("types", format, desk.types(actor), text, chinese=city.language == "zh")


@router.get("/types/{identity}")
def type_(identity: str, desk: TheDesk, actor: Asker) -> TypeDetail:
    """One entity type with properties, relations, checks and the feeds that fill it."""
    return desk.type(actor, identity)


@router.get("/code-lists")
def code_lists(desk: TheDesk, actor: Asker) -> list[ListRow]:
    """All code lists."""
    return desk.code_lists(actor)


@router.get("/code-lists/export", response_class=Response)
def export_code_lists(
    desk: TheDesk, city: TheCity, actor: Asker, text: Text = "", format: ExportFormat = "csv"
) -> Response:
    """The code lists as a file."""
    return as_file("code-lists", format, desk.code_lists(actor), text, chinese=city.language == "zh")


@router.get("/code-lists/{identity}")
def code_list(identity: str, desk: TheDesk, actor: Asker, at: date | None = None) -> ListDetail:
    """One code list, parents before children; ``valid`` as of ``at``, by default today in city time."""
    return desk.code_list(actor, identity, at)


@router.get("/code-lists/{identity}/export", response_class=Response)
def export_codes(
    identity: str,
    desk: TheDesk,
    city: TheCity,
    actor: Asker,
    at: date | None = None,
    text: Text = "",
    format: ExportFormat = "csv",
) -> Response:
    """The codes of a list as a file."""
    rows = desk.code_list(actor, identity, at).codes
    return as_file("codes", format, rows, text, chinese=city.language == "zh")


@router.get("/units")
def units(desk: TheDesk, actor: Asker) -> list[UnitRow]:
    """All units of measurement, by their UCUM names."""
    return desk.units(actor)


@router.get("/units/export", response_class=Response)
def export_units(desk: TheDesk, city: TheCity, actor: Asker, text: Text = "", format: ExportFormat = "csv") -> Response:
    """The units as a file."""
    return as_file("units", format, desk.units(actor), text, chinese=city.language == "zh")


@router.get("/feeds/{identity}")
def feed(identity: str, desk: TheDesk, actor: Asker) -> FeedText:
    """One feed's declaration, as JSON and as YAML."""
    return desk.feed(actor, identity)


@router.post("/suggest-mapping", openapi_extra=_body({"entity_type": _TEXT, "options": _TEXT}, {"entity_type": _TEXT}))
async def suggest_mapping(request: Request, desk: TheDesk, actor: Asker, settings: TheSettings) -> Suggestion:
    """Propose a mapping for a file or rows, with a confidence and reasons for each field, for a person to accept."""
    sent = await _sent(request, settings.body_limit)
    name, table, options = await run_in_threadpool(_table, sent)
    return await run_in_threadpool(desk.suggest, actor, _text(sent, "entity_type"), name, table, options)


@router.post("/try-mapping", openapi_extra=_body({"feed": _TEXT, "options": _TEXT}, {"feed": _FEED}))
async def try_mapping(request: Request, desk: TheDesk, actor: Asker, settings: TheSettings) -> Trial:
    """Map the first hundred records of a file or of rows by a feed's declaration; nothing is written."""
    sent = await _sent(request, settings.body_limit)
    declaration = sent.get("feed")
    if not isinstance(declaration, str | dict):
        raise Invalid("'feed' is missing", "send the declaration as an object, or as JSON or YAML text")
    options = declaration.get("table") if isinstance(declaration, dict) else None
    if options and not sent.get("options"):
        sent = {**sent, "options": options}
    _, table, _ = await run_in_threadpool(_table, sent)
    return await run_in_threadpool(desk.try_mapping, actor, declaration, table)


async def _sent(request: Request, limit: int) -> dict[str, Any]:
    """The fields of the form or of the JSON object; a file becomes its name and bytes."""
    if int(request.headers.get("content-length") or 0) > limit:
        raise TooLarge(f"the body is larger than {limit} bytes", "send the first rows only")
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        found: dict[str, Any] = {}
        async with request.form() as form:
            for key, value in form.items():
                upload = isinstance(value, UploadFile)
                found[key] = (value.filename or "file", await value.read()) if upload else value  # type: ignore[union-attr]
        return found
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge(f"the body is larger than {limit} bytes", "send the first rows only")
    try:
        value = json.loads(bytes(body))
    except ValueError as error:
        raise Invalid("the body is neither a form nor JSON", "send multipart/form-data or a JSON object") from error
    if not isinstance(value, dict):
        raise Invalid("the body is not a JSON object", "send {…, rows: [{…}]}")
    return value


def _table(sent: Mapping[str, Any]) -> tuple[str, RawTable, TableOptions | None]:
    options = _options(sent.get("options"))
    file, rows = sent.get("file"), sent.get("rows")
    if isinstance(file, tuple):
        name, body = file
        return name, read_table(name, body, options or TableOptions()), options
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise Invalid("neither a file nor rows were sent", "send a file, or rows as a list of objects")
    return "rows.json", table_of(rows), options


def _options(sent: Any) -> TableOptions | None:
    if not sent:
        return None
    try:
        return TableOptions.model_validate(json.loads(sent) if isinstance(sent, str) else sent)
    except ValidationError as error:
        faults = faults_of(error.errors(), "options")
        raise Invalid("the options are not valid", "see docs/standard.md, table", faults) from error
    except ValueError as error:
        raise Invalid("'options' is not JSON", "send an object") from error


def _text(sent: Mapping[str, Any], key: str) -> str:
    value = sent.get(key)
    if not isinstance(value, str) or not value:
        raise Invalid(f"'{key}' is missing", "name an entity type of the standard")
    return value
