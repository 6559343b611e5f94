"""Routes of the sheets that a city is set up from: empty ones, what a filled one would change, the same applied."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Path, Response, UploadFile
from fastapi.concurrency import run_in_threadpool

from cityloop.access.routes import Asker, TheSettings
from cityloop.core.errors import NotFound
from cityloop.core.web import read_file, service
from cityloop.serve.importing.desk import SheetDesk
from cityloop.serve.importing.kinds import KINDS
from cityloop.serve.importing.phrases import PHRASES
from cityloop.serve.importing.schemas import SheetApplied, SheetKindView, SheetReading
from cityloop.serve.importing.sent import Sent, datum_named
from cityloop.serve.importing.template import template

router = APIRouter(prefix="/api/v1/sheets", tags=["sheets"])
TheSheets = Annotated[SheetDesk, Depends(service(SheetDesk))]
Kind = Annotated[str, Path(max_length=40)]
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def sent_sheet(
    file: UploadFile,
    settings: TheSettings,
    sheet: Annotated[str | None, Form(max_length=60)] = None,
    datum: Annotated[str, Form(max_length=20)] = "wgs84",
) -> Sent:
    """The file of a form, which sheet of its workbook, and the datum of its coordinates."""
    known = datum_named(datum)
    return Sent(file.filename or "sheet", await read_file(file, settings.body_limit), sheet or None, known)


TheSheet = Annotated[Sent, Depends(sent_sheet)]


@router.get("")
def kinds(sheets: TheSheets, actor: Asker) -> list[SheetKindView]:
    """Every kind of sheet with its columns, and whether the asker may send one."""
    return sheets.kinds(actor)


@router.get("/{kind}/template", response_class=Response)
def empty_sheet(kind: Kind, _actor: Asker) -> Response:
    """An empty sheet (.xlsx) with an example row and what each column means."""
    found = KINDS.get(kind)
    if found is None:
        raise PHRASES.problem(NotFound, "no-sheet", kind=kind, known=", ".join(KINDS))
    name = f"attachment; filename=\"{kind}.xlsx\"; filename*=UTF-8''{quote(found.title.zh)}.xlsx"
    return Response(template(found), media_type=_XLSX, headers={"Content-Disposition": name})


@router.post("/{kind}/plan")
async def plan_sheet(kind: Kind, sheets: TheSheets, actor: Asker, sent: TheSheet) -> SheetReading:
    """Read a sheet: what is new, changed or the same, and each cell that cannot be read. Nothing is written."""
    return await run_in_threadpool(sheets.plan, actor, kind, sent)


@router.post("/{kind}/apply")
async def apply_sheet(
    kind: Kind, sheets: TheSheets, actor: Asker, sent: TheSheet, mark: Annotated[str, Form(max_length=64)]
) -> SheetApplied:
    """Carry out a sheet that was explained; ``mark`` is that of its reading."""
    return await run_in_threadpool(sheets.apply, actor, kind, sent, mark)
