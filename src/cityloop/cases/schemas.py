"""What cases take and answer on the wire, and put into their events."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from cityloop.cases.workflow import FieldKind
from cityloop.city.schemas import Position
from cityloop.core.values import Frozen, Instant, Title

Light = Literal["green", "yellow", "red", "paused", "none"]
Channel = Literal[
    "collector",
    "hotline",
    "citizen",
    "open311",
    "leader",
    "media",
    "department",
    "warning",
    "device",
    "inspection",
    "drill",
]


AttachmentKind = Literal["before", "after", "evidence", "other"]


class AttachmentRef(Frozen):
    """A file that its reporter has sent before the report."""

    hash: str = Field(pattern="^[0-9a-f]{64}$")
    kind: AttachmentKind = "before"


class AttachmentView(Frozen):
    """A file of a case. ``taken_at``, ``lon``, ``lat``: what the file itself told of its capture."""

    id: str
    case: str | None
    hash: str
    name: str
    kind: AttachmentKind
    media_type: str
    bytes: int
    width: int | None
    height: int | None
    taken_at: Instant | None
    lon: float | None
    lat: float | None
    uploaded_by: str
    uploaded_at: Instant
    thumb: bool
    """Whether ``?size=thumb`` has a picture."""


class CaseReport(Frozen):
    """A report that becomes a case. ``external_number`` makes a repeated request harmless."""

    title: str = Field(min_length=2, max_length=120)
    description: str = Field(default="", max_length=4000)
    matter: str | None = None
    """Left out, the city's classifier takes it from the text, or answers 422 with the ``candidates`` to choose from."""
    position: Position
    address: str = Field(default="", max_length=200)
    channel: Channel = "hotline"
    external_number: str | None = Field(default=None, max_length=60)
    reporter_name: str | None = Field(default=None, max_length=40)
    reporter_phone: str | None = Field(default=None, max_length=30)
    urgent: bool = False
    attachments: tuple[AttachmentRef, ...] = Field(default=(), max_length=40)
    """Files sent before with ``POST /api/v1/attachments``."""
    self_handled: bool = False
    """The reporter has put it right; needs the city's leave for the matter, and photos from before and after."""
    entity: str | None = Field(default=None, max_length=80)
    """The thing that the report is about, such as a component; its owner may decide who is responsible."""
    series: str | None = Field(default=None, max_length=40)
    """The replayed series a drill report comes from; empty for a real report."""


class MoveRequest(Frozen):
    """A wished change of state. ``version`` is the one the actor saw; an older one is refused as a conflict."""

    move: str
    version: int
    opinion: str = Field(default="", max_length=2000)
    fields: dict[str, Any] = Field(default_factory=dict)
    """What the move asks for, for example ``{"department": "…"}`` for dispatch."""


class FieldAsked(Frozen):
    """A field that a move needs or takes."""

    name: str
    title: Title
    kind: FieldKind
    required: bool
    choices: list[tuple[str, Title]] = []


class MoveOffer(Frozen):
    """A move that leaves the present state, and whether this actor may make it now; ``reasons`` says why not."""

    move: str
    title: Title
    to: str
    allowed: bool
    reasons: list[Title]
    reason_needed: bool
    fields: list[FieldAsked]
    key: str | None = None
    """Single-key shortcut on the desk."""


class TimelineEntry(Frozen):
    """One entry of the append-only timeline."""

    seq: int
    at: Instant
    move: str
    title: Title
    from_state: str | None
    to_state: str
    actor: str
    actor_name: Title
    post: str | None
    department: str | None
    receiver: str | None
    opinion: str
    facts: dict[str, Any]
    used_seconds: int | None
    hash: str


class DeadlineView(Frozen):
    """The handling limit, how it was reached, and where its clock stands."""

    limit_text: str
    due_at: Instant | None
    provisional: bool
    light: Light
    used_seconds: int | None
    left_seconds: int | None
    calendar: str
    explanation: Title


class CaseView(Frozen):
    """A case as a row of a list."""

    id: str
    number: str
    title: str
    state: str
    state_title: Title
    stage: int
    flags: list[str]
    matter: str
    matter_title: Title
    matter_class: Title
    area: str | None
    area_title: Title | None
    district: str | None
    district_title: Title | None
    lon: float
    lat: float
    address: str
    channel: Channel
    external_number: str | None
    department: str | None
    department_title: Title | None
    handler: str | None
    reporter: str | None
    """The account that sent the report."""
    opened_at: Instant
    updated_at: Instant
    due_at: Instant | None
    light: Light
    closed_at: Instant | None
    on_time: bool | None
    rework: int
    risk: float | None
    """Chance of missing the limit (0 to 1) as last estimated; only of an open case with a limit, else empty."""
    extensions: int
    deferred: bool
    exempt: bool
    forced: bool
    self_handled: bool
    suspended_until: Instant | None
    reply_due_at: Instant | None
    linked_from: str | None
    merged_into: str | None
    petitioners: int
    photos: dict[str, int]
    parts_open: int
    warning: str | None
    series: str | None
    version: int


class Petitioner(Frozen):
    """A report that was merged into the case."""

    case: str
    number: str
    channel: Channel
    opened_at: Instant
    reporter_name: str | None
    reporter_phone: str | None


class Supervision(Frozen):
    """A supervisor's demand and, once it came, its answer."""

    demand: str
    by: str
    at: Instant
    reply_due_at: Instant
    reply: str | None = None
    answered_by: str | None = None
    answered_at: Instant | None = None
    in_time: bool | None = None


class CasePartView(Frozen):
    """The part of a case that a co-handler does. ``seen`` false: another department's, only how it stands."""

    id: str
    case: str
    number: str
    title: str
    department: str
    department_title: Title | None
    required: bool
    after: tuple[str, ...]
    state: str
    state_title: Title
    open: bool
    light: Light
    due_at: Instant | None
    opened_at: Instant
    closed_at: Instant | None
    on_time: bool | None
    version: int
    seen: bool
    demand: str | None
    handler: str | None
    result: str | None
    limit_text: str | None


class TaskEntry(Frozen):
    """One line of a part's history."""

    at: Instant
    move: str
    title: Title
    state: str
    actor: str
    actor_name: Title
    opinion: str
    fields: dict[str, Any]


class CaseBrief(Frozen):
    """What a co-handler needs to know of the case; nothing personal."""

    number: str
    title: str
    description: str
    state: str
    matter: str
    area: str | None
    address: str
    lon: float
    lat: float
    opened_at: Instant
    urgent: bool


class CasePartDetail(CasePartView):
    """A part with its history and the moves on offer."""

    brief: CaseBrief
    moves: list[MoveOffer]
    entries: list[TaskEntry]


class CaseDetail(CaseView):
    """A case with all that its page shows."""

    description: str
    entity: str | None
    """The thing that the case is about: a component, a station."""
    entity_title: Title | None
    reporter_name: str | None
    reporter_phone: str | None
    rating: int | None
    """What the reporter thinks of the result, 1 to 5, given once after closing; the words stand on the timeline."""
    deadline: DeadlineView | None
    dispatch_reason: Title | None
    supervision: Supervision | None
    petitioners_list: list[Petitioner]
    attachments: list[AttachmentView]
    tasks: list[CasePartView]
    timeline: list[TimelineEntry]
    moves: list[MoveOffer]
    nearby: list[CaseView]
    """Open cases of the same matter within 50 m and 24 h: the duplicate guard."""


class SimilarWish(Frozen):
    """What is known of a report before it is sent; without ``matter`` only place, time and words count."""

    title: str = Field(max_length=120)
    description: str = Field(default="", max_length=4000)
    matter: str | None = Field(default=None, max_length=80)
    position: Position


class SimilarCase(Frozen):
    """An open case that may be the same problem; ``text`` and ``score`` from 0 to 1."""

    case: CaseView
    metres: float
    hours: float
    matter: Literal["same", "class", "other", "unknown"]
    text: float
    score: float
    why: Title


class StateView(Frozen):
    """A state of the workflow, for filters and the process picture."""

    id: str
    title: Title
    stage: int
    final: bool


class CaseFilter(Frozen):
    """Which cases are wanted."""

    state: tuple[str, ...] = ()
    open: bool | None = None
    mine: bool = False
    department: str | None = None
    area: str | None = None
    matter: tuple[str, ...] = ()
    channel: Channel | None = None
    light: Light | None = None
    on_time: bool | None = None
    series: str | None = None
    warning: str | None = None
    entity: str | None = None
    """The thing that the case is about, such as a component."""
    text: str | None = None
    opened_from: Instant | None = None
    opened_to: Instant | None = None
    closed_from: Instant | None = None
    closed_to: Instant | None = None


class MovedCase(Frozen):
    """An open case whose due instant, or whose certainty, the change moves."""

    id: str
    number: str
    title: str
    state_title: Title
    department: str | None
    before: Instant | None
    after: Instant | None
    provisional_before: bool
    provisional_after: bool
