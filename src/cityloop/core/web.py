"""What the routes of all rooms share: finding a service, paging, exporting a list."""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Depends, Query, Request, Response, UploadFile
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.types import Message

from cityloop.core.errors import TooLarge
from cityloop.core.paper import ReportForm
from cityloop.core.values import Frozen, Title

S = TypeVar("S")

ExportFormat = Literal["csv", "xlsx"]
EXPORT_LIMIT = 100_000
"""Most rows of one export; a longer list is cut and the last row says so."""


def service(kind: type[S]) -> Callable[[Request], Awaitable[S]]:
    """A FastAPI dependency that finds the one instance of ``kind`` the application was assembled with.

    Like all that only looks at the request it is ``async``: otherwise each takes a thread of its own and waits for it.
    """

    async def find(request: Request) -> S:
        found: S = request.app.state.services[kind]
        return found

    return find


class Paging(Frozen):
    """Which page of a list is wanted, and in which order (``-`` before the field means descending)."""

    page: int
    size: int
    sort: str

    @property
    def offset(self) -> int:
        """Rows to step over."""
        return (self.page - 1) * self.size


async def paging(
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    size: Annotated[int, Query(ge=1, le=500)] = 50,
    sort: Annotated[str, Query(max_length=60)] = "",
) -> Paging:
    """The paging parameters of a request."""
    return Paging(page=page, size=size, sort=sort)


Paged = Annotated[Paging, Depends(paging)]
"""A route's parameter that takes them."""


def caller(request: Request) -> str:
    """The network address that a request comes from; behind a proxy on this machine, the one the proxy names."""
    return request.client.host if request.client else "unknown"


async def read_body(request: Request, limit: int) -> bytes:
    """The body of a request; raises :class:`TooLarge` as soon as it is longer than ``limit`` bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge(f"the body is larger than {limit} bytes", "send it in smaller parts")
    return bytes(body)


def bounded(limit: int) -> type[APIRoute]:
    """A class of routes whose bodies are refused above ``limit`` bytes, before anything reads them."""

    class Bounded(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            plain = super().get_route_handler()

            async def handler(request: Request) -> Response:
                body = await read_body(request, limit)

                async def again() -> Message:
                    return {"type": "http.request", "body": body, "more_body": False}

                return await plain(Request(request.scope, again))

            return handler

    return Bounded


def answer(value: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as JSON, by itself: for routes that are asked all the time.

    Left to the framework, a value is checked once more in a thread of its own and written by the thread that all
    requests share. The route still names its ``response_model``.
    """
    return Response(value.model_dump_json(), status, headers, "application/json")


async def read_file(file: UploadFile, limit: int) -> bytes:
    """A file of a form; raises :class:`TooLarge` above ``limit`` bytes."""
    body = await file.read(limit + 1)
    if len(body) > limit:
        raise TooLarge(f"the file is larger than {limit} bytes", "send it in parts")
    return body


def content_type(request: Request) -> str:
    """The media type of a request's body without its parameters; JSON when it says nothing."""
    return request.headers.get("content-type", "application/json").split(";")[0].strip().lower()


def export(
    name: str, form: ExportFormat, columns: Sequence[tuple[str, str]], rows: Iterable[Mapping[str, Any]]
) -> Response:
    """A list as a file. ``columns`` are (key, heading). CSV is UTF-8 with BOM, so that Excel reads Chinese."""
    table = [[cell(row.get(key)) for key, _ in columns] for row in rows]
    heading = [title for _, title in columns]
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    if form == "csv":
        out = io.StringIO()
        csv.writer(out).writerows([heading, *table])
        return Response(out.getvalue().encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)
    from openpyxl import Workbook  # at need: no city should wait for it at its start

    book = Workbook(write_only=True)
    sheet = book.create_sheet(name)
    for line in [heading, *table]:
        sheet.append(line)
    blob = io.BytesIO()
    book.save(blob)
    return Response(blob.getvalue(), media_type=_REPORTS["xlsx"], headers=headers)


_REPORTS: Mapping[ReportForm, str] = {
    "html": "text/html; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


def report_response(blob: bytes, form: ReportForm, name: str) -> Response:
    """A report as a response; a page is shown in the browser, files are saved."""
    place = "inline" if form == "html" else "attachment"
    headers = {
        "Content-Disposition": f'{place}; filename="{name}.{form}"',
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
    }
    return Response(blob, media_type=_REPORTS[form], headers=headers)


Headings = Mapping[str, tuple[str, str]]
"""What an export shows of each row, with its heading in Chinese and English."""


def export_rows(
    name: str, form: ExportFormat, heads: Headings, rows: Iterable[Frozen], *, chinese: bool, zone: tzinfo
) -> Response:
    """Values as a file: headings and titles in one language, instants in ``zone``, lists joined by a comma."""
    columns = [(key, zh if chinese else en) for key, (zh, en) in heads.items()]
    return export(
        name, form, columns, ({key: _said(getattr(row, key), chinese, zone) for key in heads} for row in rows)
    )


def _said(value: Any, chinese: bool, zone: tzinfo) -> Any:
    if isinstance(value, Title):
        return value.zh if chinese else value.en
    if isinstance(value, datetime):
        return value.astimezone(zone)
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def cell(value: Any) -> Any:
    """A value as a spreadsheet cell; a leading ``= + - @`` is disarmed so that no text runs as a formula."""
    if value is None or isinstance(value, (int, float)):
        return value
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return "'" + text if text[:1] in "=+-@\t\r" else text
