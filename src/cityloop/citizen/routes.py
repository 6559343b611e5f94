"""Routes of the citizen's door. The only ones beside sign-in and health that answer without an account."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from cityloop.access.routes import TheSettings
from cityloop.citizen.schemas import (
    MOST_PHOTOS,
    CitizenProgress,
    CitizenRating,
    CitizenReceipt,
    CitizenReport,
    PublicPlaces,
)
from cityloop.citizen.service import CitizenDoor, Photo
from cityloop.city.routes import point
from cityloop.city.schemas import AddressFound
from cityloop.core.errors import Fault, Invalid
from cityloop.core.web import caller, read_body, service
from cityloop.core.wording import faults_of

router = APIRouter(prefix="/api/v1/public", tags=["citizen"])
TheCitizenDoor = Annotated[CitizenDoor, Depends(service(CitizenDoor))]
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        **CitizenReport.model_json_schema()["properties"],
                        "photos": {"type": "array", "maxItems": MOST_PHOTOS, "items": {"type": "string"}},
                    },
                }
            }
        },
    }
}


@router.get("/places")
def places(the_door: TheCitizenDoor) -> PublicPlaces:
    """What can be reported, and the areas whose names say where."""
    return the_door.places()


@router.get("/addresses")
def addresses(
    the_door: TheCitizenDoor,
    request: Request,
    text: Annotated[str, Query(min_length=2, max_length=60)],
    lon: Annotated[float | None, Query(ge=-180, le=180)] = None,
    lat: Annotated[float | None, Query(ge=-90, le=90)] = None,
) -> list[AddressFound]:
    """Addresses of the register that a text may mean, likeliest first. 429 with ``Retry-After`` when it is too much."""
    return the_door.addresses(text, point(lon, lat), caller(request))


@router.get("/outline.geojson")
def outline(the_door: TheCitizenDoor) -> dict[str, Any]:
    """The districts as GeoJSON, longitude first; ``properties`` are ``code``, ``zh``, ``en``."""
    return the_door.outline()


@router.post("/cases", status_code=201, openapi_extra=_FORM)
async def report(request: Request, the_door: TheCitizenDoor, settings: TheSettings) -> CitizenReceipt:
    """Report without an account, as a form with up to 4 ``photos``. Number and secret code come back once.

    422 with ``classification`` when the words leave the matter open, 429 with ``Retry-After`` when it is too much.
    """
    form = await _form(request, settings.body_limit)
    try:
        photos = [
            Photo(file.filename or "", await file.read(settings.attachment_limit + 1))
            for file in form.getlist("photos")
            if isinstance(file, UploadFile) and file.size
        ]
        wish = _wish(form)
    finally:
        await form.close()
    return await run_in_threadpool(the_door.report, wish, photos, caller(request))


@router.get("/cases/{number}")
def follow(
    number: str, the_door: TheCitizenDoor, request: Request, code: Annotated[str, Query(max_length=40)] = ""
) -> CitizenProgress:
    """How a report stands, for whoever has its code."""
    return the_door.follow(number, code, caller(request))


@router.post("/cases/{number}/rating")
def rate(number: str, body: CitizenRating, the_door: TheCitizenDoor, request: Request) -> CitizenProgress:
    """Rate the result once, after closing."""
    return the_door.rate(number, body, caller(request))


async def _form(request: Request, limit: int) -> FormData:
    """The form, read only up to ``limit`` bytes."""
    body = await read_body(request, limit)

    async def again() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        return await Request(request.scope, again).form(max_files=MOST_PHOTOS, max_fields=20)
    except HTTPException as error:
        fault = Fault("body", str(error.detail), f"send multipart/form-data with at most {MOST_PHOTOS} photos")
        raise Invalid("the form cannot be read", fault.mend, [fault]) from error


def _wish(form: FormData) -> CitizenReport:
    """The fields of the form; one left empty counts as not sent."""
    given = {key: value for key, value in form.items() if isinstance(value, str) and value.strip() and key != "photos"}
    try:
        return CitizenReport.model_validate(given)
    except ValidationError as error:
        faults = faults_of(error.errors())
        raise Invalid("the report cannot be taken", "correct the fields that are named", faults) from error
