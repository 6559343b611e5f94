"""Routes of quarantine: look, count, correct, discard, try again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from cityloop.access.routes import Asker
from cityloop.collect.quarantine_schemas import (
    CorrectionOrder,
    DiscardOrder,
    QuarantineDetail,
    QuarantineState,
    QuarantineSummary,
    QuarantineView,
    ReplayOrder,
    ReplayView,
    Selection,
)
from cityloop.collect.service import Collector
from cityloop.core.values import Instant, Page
from cityloop.core.web import ExportFormat, Paged, export, service

router = APIRouter(prefix="/api/v1/quarantine", tags=["quarantine"])
TheCollector = Annotated[Collector, Depends(service(Collector))]
_COLUMNS = (
    ("id", "编号 Id"),
    ("feed", "数据接入 Feed"),
    ("department", "部门 Department"),
    ("received_at", "接收时间 Received at"),
    ("state", "状态 State"),
    ("rules", "规则 Rules"),
    ("reasons", "原因 Reasons"),
    ("raw", "原始记录 Raw record"),
    ("correction", "更正 Correction"),
    ("why", "更正说明 Why"),
    ("record", "入湖记录 Record"),
)


async def selection(
    feed: str | None = None,
    rule: str | None = None,
    department: str | None = None,
    state: Annotated[list[QuarantineState] | None, Query()] = None,
    start: Annotated[Instant | None, Query(description="arrived at or after")] = None,
    end: Annotated[Instant | None, Query(description="arrived before")] = None,
    text: Annotated[str | None, Query(max_length=60, description="in the raw record")] = None,
) -> Selection:
    """The filter parameters of a request."""
    return Selection(
        feed=feed, rule=rule, department=department, state=tuple(state or ()), start=start, end=end, text=text
    )


Wanted = Annotated[Selection, Depends(selection)]


@router.get("")
def quarantine(collector: TheCollector, actor: Asker, paged: Paged, wanted: Wanted) -> Page[QuarantineView]:
    """Records that broke the standard, newest first."""
    return collector.quarantine_page(actor, paged, wanted)


@router.get("/export")
def quarantine_export(
    collector: TheCollector,
    actor: Asker,
    wanted: Wanted,
    format: ExportFormat = "csv",
    sort: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    """The same records as a file, at most 100,000."""
    return export("quarantine", format, _COLUMNS, collector.quarantine_rows(actor, sort, wanted))


@router.get("/summary")
def quarantine_summary(collector: TheCollector, actor: Asker, wanted: Wanted) -> QuarantineSummary:
    """Counts by feed and rule."""
    return collector.quarantine_summary(actor, wanted)


@router.post("/replay", status_code=202)
def replay_begin(order: ReplayOrder, collector: TheCollector, actor: Asker) -> ReplayView:
    """Try records again through the present mapping; follow the replay by its id."""
    return collector.repairs.replay(actor, order)


@router.get("/replays")
def replays(collector: TheCollector, actor: Asker) -> list[ReplayView]:
    """The newest replays."""
    return collector.repairs.replays(actor)


@router.get("/replays/{replay}")
def replay(replay: str, collector: TheCollector, actor: Asker) -> ReplayView:
    """One replay and how far it has come."""
    return collector.repairs.replay_of(actor, replay)


@router.post("/replays/{replay}/stop")
def replay_stop(replay: str, collector: TheCollector, actor: Asker) -> ReplayView:
    """Stop a replay; what was tried stays as it is."""
    return collector.repairs.stop_replay(actor, replay)


@router.get("/{record}")
def quarantine_one(record: str, collector: TheCollector, actor: Asker) -> QuarantineDetail:
    """One record with its history."""
    return collector.quarantine_detail(actor, record)


@router.post("/{record}/correct")
def correct(record: str, order: CorrectionOrder, collector: TheCollector, actor: Asker) -> QuarantineDetail:
    """Keep corrected fields beside the record; with ``replay`` try it at once."""
    return collector.repairs.correct(actor, record, order)


@router.post("/{record}/discard")
def discard(record: str, order: DiscardOrder, collector: TheCollector, actor: Asker) -> QuarantineDetail:
    """Give a record up, with the reason; it is kept."""
    return collector.repairs.discard(actor, record, order.why)
