"""Tables: the case (one aggregate, one row), its append-only timeline, and what keeps numbers and repeats straight."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DDL, Float, Index, String, Text, UniqueConstraint, event, false, true
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.cases.values import LISTED
from cityloop.core.database import REPLACED, Table


class CaseRow(Table):
    """One case as it stands.

    ``due_at``, ``yellow_at`` and ``red_at`` stand beside the clock, so that lists can filter by light.
    """

    __tablename__ = "case_file"
    __table_args__ = (
        UniqueConstraint("external_number", "channel", name="uq_case_external"),
        Index("ix_case_open_opened", "open", "opened_at"),
        Index("ix_case_state_department", "state", "department"),
        Index("ix_case_matter_opened", "matter", "opened_at"),
        Index("ix_case_department_opened_open", "department", "opened_at", "open"),
        {"info": {REPLACED: ("ix_case_due", "ix_case_mine", "ix_case_department_opened")}},
    )
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[str] = mapped_column(String(60), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(40))
    stage: Mapped[int]
    open: Mapped[bool]
    matter: Mapped[str] = mapped_column(String(80))
    area: Mapped[str | None] = mapped_column(String(60), index=True)
    district: Mapped[str | None] = mapped_column(String(60))
    lon: Mapped[float] = mapped_column(Float)
    lat: Mapped[float] = mapped_column(Float)
    address: Mapped[str] = mapped_column(String(200))
    channel: Mapped[str] = mapped_column(String(20))
    external_number: Mapped[str | None] = mapped_column(String(60))
    reporter_name: Mapped[str | None] = mapped_column(String(40))
    reporter_phone: Mapped[str | None] = mapped_column(String(30), index=True)
    urgent: Mapped[bool]
    supervised: Mapped[bool]
    department: Mapped[str | None] = mapped_column(String(60))
    handler: Mapped[str | None] = mapped_column(String(60), index=True)
    returned_from: Mapped[str | None] = mapped_column(String(60))
    named_department: Mapped[str | None] = mapped_column(String(60))
    """The department that the source itself names: a warning's rule, a record of another system."""
    dispatch_row: Mapped[str | None] = mapped_column(String(80))
    dispatch_reason: Mapped[dict[str, Any] | None]
    request: Mapped[str | None] = mapped_column(String(20))
    """The open two-step request (``return``, ``extension``, ``suspension``, ``void``, ``rework``), its number, who
    asked, and what was asked for."""
    request_number: Mapped[int]
    request_by: Mapped[str | None] = mapped_column(String(60))
    request_detail: Mapped[dict[str, Any] | None]
    extensions: Mapped[int]
    remind_at: Mapped[datetime | None]
    """When the next reminder of the handling limit is due, and the last one that was sent."""
    reminded: Mapped[str] = mapped_column(String(10), server_default="")
    reply_reminded: Mapped[bool] = mapped_column(server_default=false())
    deferred: Mapped[bool] = mapped_column(server_default=false())
    """The centre's ruling that departments cannot act now; such a case leaves the denominators of indicators."""
    suspensions: Mapped[int] = mapped_column(server_default="0")
    suspended_from: Mapped[str | None] = mapped_column(String(40))
    suspended_until: Mapped[datetime | None]
    supervision: Mapped[dict[str, Any] | None]
    """The last demand of a supervisor: ``demand``, ``by``, ``at``, ``reply_due_at``, and its answer once it came."""
    reply_due_at: Mapped[datetime | None]
    appeal: Mapped[str | None] = mapped_column(String(12))
    """Of the lateness, by the department: ``filed``, ``passed`` (first review), ``granted`` or ``refused``."""
    appeal_reviewer: Mapped[str | None] = mapped_column(String(60))
    exempt: Mapped[bool] = mapped_column(server_default=false())
    """An appeal was granted: the lateness stays a fact and leaves the metrics."""
    force_by: Mapped[str | None] = mapped_column(String(60))
    """Who asks for closing by force; somebody else decides."""
    self_handled: Mapped[bool] = mapped_column(server_default=false())
    reporter: Mapped[str | None] = mapped_column(String(60))
    """The account that reported the case."""
    reopened: Mapped[int] = mapped_column(server_default="0")
    first_closed_at: Mapped[datetime | None]
    linked_from: Mapped[str | None] = mapped_column(String(40))
    """The closed case whose reporter was not satisfied."""
    petitioners: Mapped[int] = mapped_column(server_default="0")
    """Reports merged into this case."""
    photos: Mapped[dict[str, Any] | None]
    """Attachments by kind; ``fresh`` counts photos taken after since the last rework."""
    parts: Mapped[int] = mapped_column(server_default="0")
    """Parts of co-handlers that this case has ever had."""
    parts_open: Mapped[int] = mapped_column(server_default="0")
    """Required tasks of co-handlers that are neither done nor waived."""
    rework: Mapped[int]
    merged_into: Mapped[str | None] = mapped_column(String(40))
    warning: Mapped[str | None] = mapped_column(String(40), unique=True)
    entity: Mapped[str | None] = mapped_column(String(80), index=True)
    series: Mapped[str | None] = mapped_column(String(40))
    limit_text: Mapped[str | None] = mapped_column(String(200))
    target_at: Mapped[datetime | None]
    """An absolute limit that came with the record; it takes precedence over the catalogue's limit."""
    clocks: Mapped[dict[str, Any]]
    handling: Mapped[dict[str, Any] | None]
    clock_state: Mapped[str] = mapped_column(String(10))
    due_at: Mapped[datetime | None]
    yellow_at: Mapped[datetime | None]
    red_at: Mapped[datetime | None]
    provisional: Mapped[bool]
    handled_at: Mapped[datetime | None]
    used_seconds: Mapped[int | None]
    on_time: Mapped[bool | None]
    opened_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime] = mapped_column(index=True)
    updated_by: Mapped[str] = mapped_column(String(60))
    last_move: Mapped[str] = mapped_column(String(40))
    closed_at: Mapped[datetime | None] = mapped_column(index=True)
    rating: Mapped[int | None]
    """The reporter's rating after closing, 1 to 5."""
    risk: Mapped[float | None] = mapped_column(Float)
    """Estimated chance of missing the limit; written in batches by the models, never by a move."""
    risk_at: Mapped[datetime | None]
    late: Mapped[bool] = mapped_column(server_default=false())
    urgent_at: Mapped[datetime | None]
    """The place in the order of a desk, see :mod:`cityloop.cases.urgency`."""
    by_hand: Mapped[bool]
    """A person must make the next move; automation stays away."""
    workflow: Mapped[str] = mapped_column(String(80))
    filed: Mapped[bool]
    """From filing on the case keeps its workflow version; before that it follows the one in force."""
    entries: Mapped[int]
    head: Mapped[str] = mapped_column(String(64))
    """Number of timeline entries and the hash of the last one: a removed tail is found too."""
    version: Mapped[int]


SHOWN = tuple(CaseRow.__table__.c[name] for name in LISTED)
"""What a row of a list is made of."""
OPEN = CaseRow.open == true()
"""A condition says it in these very words, or SQLite does not take the indexes of open cases for it."""
ENDED = CaseRow.open == false()
_ASKED = (
    *(CaseRow.state, CaseRow.request, CaseRow.handler, CaseRow.parts_open, CaseRow.request_by, CaseRow.deferred),
    *(CaseRow.reply_due_at, CaseRow.force_by, CaseRow.appeal, CaseRow.appeal_reviewer),
)
"""All that :func:`cityloop.cases.queries.mine` asks of a case besides its department."""
_DUE = (CaseRow.due_at.is_(None), CaseRow.due_at, CaseRow.id.desc())
_URGENCY = (CaseRow.late.desc(), CaseRow.urgent_at.is_(None), CaseRow.urgent_at, CaseRow.id.desc())
_SPARSE = (CaseRow.request, CaseRow.force_by, CaseRow.remind_at, CaseRow.suspended_until, CaseRow.reply_due_at)


def _of_open(name: str, *columns: Any) -> Index:
    """An index of the open cases alone: a million ended ones neither swell it nor are touched by it.

    A column that many of them leave empty leads an index of those that do not.
    """
    where = OPEN & columns[0].is_not(None) if any(columns[0] is sparse for sparse in _SPARSE) else OPEN
    return Index(name, CaseRow.open, *columns, sqlite_where=where, postgresql_where=where)


for _sparse in _SPARSE[2:]:
    _of_open(f"ix_case_open_{_sparse.key}", _sparse)
_of_open("ix_case_open_mine", CaseRow.state, CaseRow.department, *_ASKED[1:])
_of_open("ix_case_open_request", CaseRow.request, CaseRow.state, CaseRow.department, *_ASKED[2:])
_of_open("ix_case_open_force", CaseRow.force_by, CaseRow.state, CaseRow.department, *_ASKED[1:-3], *_ASKED[-2:])
_of_open("ix_case_open_urgency", *_URGENCY, CaseRow.department, *_ASKED)
_of_open("ix_case_open_department_urgency", CaseRow.department, *_URGENCY, *_ASKED)
_of_open("ix_case_open_due", *_DUE, CaseRow.department, *_ASKED)
_of_open("ix_case_open_department_due", CaseRow.department, *_DUE, *_ASKED)
_of_open(
    "ix_case_open_risk",
    *(CaseRow.risk.is_(None), CaseRow.risk.desc(), CaseRow.id.desc(), CaseRow.department, *_ASKED),
)
"""A queue of thousands is counted, and its page found, from one of these without looking at its rows."""


for _name, *_order in (
    ("due", CaseRow.due_at.is_(None), CaseRow.due_at),
    ("due_last", CaseRow.due_at.is_(None), CaseRow.due_at.desc()),
    ("closed", CaseRow.closed_at.is_(None), CaseRow.closed_at.desc()),
):
    _columns = (CaseRow.open, *_order, CaseRow.id.desc(), CaseRow.department)
    Index(f"ix_case_ended_{_name}", *_columns, sqlite_where=ENDED, postgresql_where=ENDED)


class TimelineRow(Table):
    """One entry of a case's timeline. Rows are never changed; a correction is a new entry."""

    __tablename__ = "case_timeline"
    case: Mapped[str] = mapped_column(String(40), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    move: Mapped[str] = mapped_column(String(40))
    from_state: Mapped[str | None] = mapped_column(String(40))
    to_state: Mapped[str] = mapped_column(String(40))
    stage: Mapped[int]
    actor: Mapped[str] = mapped_column(String(60))
    actor_zh: Mapped[str] = mapped_column(String(80))
    actor_en: Mapped[str] = mapped_column(String(80))
    actor_kind: Mapped[str] = mapped_column(String(12))
    post: Mapped[str | None] = mapped_column(String(60))
    department: Mapped[str | None] = mapped_column(String(60))
    receiver: Mapped[str | None] = mapped_column(String(60))
    opinion: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any]]
    used_seconds: Mapped[int | None]
    """Seconds used at the post whose clock this entry stopped."""
    on_time: Mapped[bool | None]
    request: Mapped[int | None]
    workflow: Mapped[str] = mapped_column(String(80))
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class CounterRow(Table):
    """The last case number given out under one prefix (for example one day)."""

    __tablename__ = "case_counter"
    prefix: Mapped[str] = mapped_column(String(60), primary_key=True)
    last: Mapped[int]


class CaseWarningRow(Table):
    """Which case a warning opened or joined, and the last event of it that the timeline has."""

    __tablename__ = "case_warning"
    warning: Mapped[str] = mapped_column(String(40), primary_key=True)
    case: Mapped[str] = mapped_column(String(40), index=True)
    seq: Mapped[int]


class AttachmentRow(Table):
    """A file of a case, stored by the hash of its clean copy; without a case while its report is being written."""

    __tablename__ = "case_attachment"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    case: Mapped[str | None] = mapped_column(String(40), index=True)
    hash: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(12))
    media_type: Mapped[str] = mapped_column(String(40))
    bytes: Mapped[int]
    width: Mapped[int | None]
    height: Mapped[int | None]
    taken_at: Mapped[datetime | None]
    lon: Mapped[float | None] = mapped_column(Float)
    lat: Mapped[float | None] = mapped_column(Float)
    """Time and place of capture as the file itself told them; the stored copy no longer does."""
    uploaded_by: Mapped[str] = mapped_column(String(60), index=True)
    uploaded_at: Mapped[datetime]


class PartRow(Table):
    """The part of a case that a co-handler does."""

    __tablename__ = "case_part"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    case: Mapped[str] = mapped_column(String(40), index=True)
    department: Mapped[str] = mapped_column(String(60), index=True)
    required: Mapped[bool]
    demand: Mapped[str] = mapped_column(Text)
    after: Mapped[list[str]]
    state: Mapped[str] = mapped_column(String(12))
    limit_text: Mapped[str | None] = mapped_column(String(200))
    opened_at: Mapped[datetime]
    handler: Mapped[str | None] = mapped_column(String(60))
    result: Mapped[str | None] = mapped_column(Text)
    handling: Mapped[dict[str, Any] | None]
    clock_state: Mapped[str] = mapped_column(String(10))
    due_at: Mapped[datetime | None]
    yellow_at: Mapped[datetime | None]
    red_at: Mapped[datetime | None]
    handled_at: Mapped[datetime | None]
    on_time: Mapped[bool | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int]


class PartEntryRow(Table):
    """One line of a part's history; the case's timeline holds its digest and not its words."""

    __tablename__ = "case_part_entry"
    part: Mapped[str] = mapped_column(String(40), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    move: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12))
    actor: Mapped[str] = mapped_column(String(60))
    actor_zh: Mapped[str] = mapped_column(String(80))
    actor_en: Mapped[str] = mapped_column(String(80))
    opinion: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any]]


class WorkflowRow(Table):
    """Every workflow version that was ever in force here: a case keeps the one it was filed under."""

    __tablename__ = "case_workflow"
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    document: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64))


class CalendarRow(Table):
    """Every version of the calendars that was in force: what it lays over the city's files, and what it moved."""

    __tablename__ = "case_calendar"
    version: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64))
    origin: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(Text)
    cases: Mapped[int]


class OverrideRow(Table):
    """The department that a person chose for a case instead of the table's; the last choice of each case."""

    __tablename__ = "case_override"
    case: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(60))
    matter: Mapped[str] = mapped_column(String(80))
    district: Mapped[str | None] = mapped_column(String(60))
    row: Mapped[str | None] = mapped_column(String(80))
    table: Mapped[int] = mapped_column(index=True)
    """The version of the table that was overridden."""
    department: Mapped[str | None] = mapped_column(String(60))
    chosen: Mapped[str] = mapped_column(String(60))
    opinion: Mapped[str] = mapped_column(Text)


class _VersionColumns:
    """A set of settings as it came into force: whole, with the city file that it stands on."""

    version: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(String(64))
    file_digest: Mapped[str] = mapped_column(String(64))
    origin: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(Text)


class ResponsibilityVersionRow(_VersionColumns, Table):
    """Every version of the table of responsibility that was in force."""

    __tablename__ = "case_responsibility"


class LessonAsideRow(Table):
    """A proposal that a person has put aside, under the version of the table that it spoke of."""

    __tablename__ = "case_lesson_aside"
    table: Mapped[int] = mapped_column(primary_key=True)
    lesson: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(Text)


class LimitsVersionRow(_VersionColumns, Table):
    """Every version of the limits that was in force, and how many cases it moved."""

    __tablename__ = "case_limits"
    cases: Mapped[int]


_TIMELINE = TimelineRow.__table__
for _act in ("UPDATE", "DELETE"):
    event.listen(
        _TIMELINE,
        "after_create",
        DDL(  # type: ignore[no-untyped-call]
            f"CREATE TRIGGER case_timeline_no_{_act.lower()} BEFORE {_act} ON case_timeline "
            "BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END"
        ).execute_if(dialect="sqlite"),
    )
event.listen(
    _TIMELINE,
    "after_create",
    DDL(  # type: ignore[no-untyped-call]
        "CREATE OR REPLACE FUNCTION case_timeline_guard() RETURNS trigger AS $$ "
        "BEGIN RAISE EXCEPTION 'the timeline is append-only'; END $$ LANGUAGE plpgsql; "
        "CREATE TRIGGER case_timeline_append_only BEFORE UPDATE OR DELETE ON case_timeline "
        "FOR EACH ROW EXECUTE FUNCTION case_timeline_guard()"
    ).execute_if(dialect="postgresql"),
)
