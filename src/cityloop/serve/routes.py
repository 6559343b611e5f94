"""Routes of the house itself: live stream, health, metrics, and the web client's files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from cityloop.access.routes import Asker
from cityloop.core.errors import NotFound
from cityloop.core.web import service
from cityloop.serve.health import Health
from cityloop.serve.stream import Stream

STATIC = Path(__file__).parent / "static"
POLICY = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
"""The client's content security policy: nothing from outside, no inline script or style."""
router = APIRouter()
TheStream = Annotated[Stream, Depends(service(Stream))]
TheHealth = Annotated[Health, Depends(service(Health))]


@router.get("/api/v1/stream", tags=["serve"])
async def stream(
    the_stream: TheStream,
    actor: Asker,
    last_event_id: Annotated[str | None, Header()] = None,
    last_seen: Annotated[int | None, Query(ge=0)] = None,
) -> StreamingResponse:
    """Server-sent events ``warning``, ``case``, ``clock``, ``feeds`` and ``reset``; ``id`` is the outbox sequence."""
    seen = int(last_event_id) if last_event_id and last_event_id.isdigit() else last_seen
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingResponse(the_stream.subscribe(actor, seen), media_type="text/event-stream", headers=headers)


@router.get("/healthz", tags=["serve"])
def healthz(health: TheHealth) -> JSONResponse:
    """200 while everything works, 503 with the reasons when a part is stuck."""
    report = health.report()
    return JSONResponse(report, 200 if report["status"] == "ok" else 503)


@router.get("/metrics", tags=["serve"])
def metrics() -> Response:
    """Prometheus metrics; they hold counts, never personal data."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get("/{path:path}", include_in_schema=False)
def client(path: str) -> Response:
    """The web client: its files, and its start page for every address of its own."""
    if path.startswith("api/"):
        raise NotFound(f"there is no /{path}", "see /api/openapi.json")
    wanted = (STATIC / path).resolve()
    if wanted.is_relative_to(STATIC.resolve()) and wanted.is_file():
        kept = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
        return FileResponse(wanted, headers={"Cache-Control": kept})
    start = STATIC / "index.html"
    if start.is_file():
        return FileResponse(start, headers={"Cache-Control": "no-cache", "Content-Security-Policy": POLICY})
    return HTMLResponse("<p>The web client is not built. Run: make web</p>", status_code=503)
