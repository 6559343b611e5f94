"""The workflow as data: states, moves, guards, clocks and automation of ``workflow.yaml``, as typed values."""

from __future__ import annotations

from functools import cached_property
from string import Formatter
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from cityloop.core.values import Frozen, Title

ANY_OPEN = "any_open"
SAME = "same"
BEFORE = "before"
"""As a target: the state in which the case was suspended."""
ALL = "all"
HANDLING = "handling"
"""The one clock that runs on the city's limit language; all others are post limits in continuous minutes."""
SUBMIT = "submit"
"""The move that makes a case; it leaves no state."""
SUBMIT_SELF = "submit_self"
"""The move that makes a case whose problem its reporter has put right already."""
REPORT = "case.report"


class Named(Frozen):
    """A guard or effect by name, with an optional value: ``reason`` or ``{extensions_below: 2}`` in YAML."""

    name: str
    value: Any = None

    @model_validator(mode="before")
    @classmethod
    def _from_short(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"name": value}
        if isinstance(value, dict) and len(value) == 1 and "name" not in value:
            [(name, setting)] = value.items()
            return {"name": name, "value": setting}
        return value


class StateDef(Frozen):
    """A state, the stage it is shown under, and whether the case ends there."""

    id: str
    title: Title
    stage: int = Field(ge=1, le=7)
    final: bool = False
    handles: bool = False
    """The handling clock runs here; a deferral that ends lets it go on only here."""


class ClockDef(Frozen):
    """A post's clock: its limit in continuous minutes, for lights and evaluation.

    Without ``minutes`` the limit is an instant of the case itself (the reply that a supervision demands).
    """

    title: Title
    minutes: int | None = Field(default=None, gt=0)


class ClockEffects(Frozen):
    """What a move does to the clocks. ``stop: all`` stops whatever still runs."""

    start: tuple[str, ...] = ()
    pause: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    stop: tuple[str, ...] | Literal["all"] = ()
    start_or_resume: bool = False
    """Handling: goes on where it paused when the same department gets the case again, else starts afresh."""
    rework: bool = False
    """Handling: by the workflow's ``rework_clock``."""

    def names(self) -> set[str]:
        """Every clock that is mentioned."""
        stopped = () if self.stop == ALL else self.stop
        return {*self.start, *self.pause, *self.resume, *stopped}


class ChoiceDef(Frozen):
    """One answer of a choice field."""

    id: str
    title: Title


FieldKind = Literal["text", "department", "person", "matter", "line", "choice", "date", "parts"]
"""``date`` is an instant, or a day that means its beginning in city time; ``parts`` are tasks of co-handlers."""


class FieldDef(Frozen):
    """A field that a move takes."""

    name: str
    title: Title
    kind: FieldKind
    required: bool = False
    choices: tuple[ChoiceDef, ...] = ()


class MoveDef(Frozen):
    """A guarded change of state."""

    id: str
    title: Title
    origin: tuple[str, ...] | Literal["any_open"] = Field(default=(), alias="from")
    to: str
    permission: str = ""
    guards: tuple[Named, ...] = ()
    effects: tuple[Named, ...] = ()
    reason_needed: bool = False
    fields: tuple[FieldDef, ...] = ()
    clocks: ClockEffects = ClockEffects()
    asks: str | None = None
    """Opens a two-step request of this kind."""
    decides: str | None = None
    """Is only there while a request of this kind is open, and settles it."""
    unless_pending: bool = False
    """Is refused while any request is open."""
    aside: bool = False
    """Does not carry the case forward (notes, supervision), so it puts the case into nobody's queue."""
    person_next: bool = False
    """Afterwards a person decides: automation keeps its hands off until somebody has moved the case on."""
    key: str | None = Field(default=None, min_length=1, max_length=1)

    @property
    def needs(self) -> str:
        """The permission that this move needs."""
        return self.permission or f"case.{self.id}"

    def leaves(self, state: str, final: bool) -> bool:
        """Whether the move is there in ``state``."""
        return not final if self.origin == ANY_OPEN else state in self.origin


class AutomationWhen(Frozen):
    """On which cases an automatic move acts; an empty list sets no condition."""

    state: str
    channels: tuple[str, ...] = ()
    matters: tuple[str, ...] = ()
    """Keys or prefixes of keys."""
    unless_nearby: bool = False
    """Leaves a case alone that the duplicate guard has something to say about."""
    after_seconds: int = Field(default=0, ge=0)
    """Waits this long after the last move."""


class AutomationDef(Frozen):
    """A move that the system makes by itself, with the reason it writes on the timeline."""

    id: str
    move: str
    when: AutomationWhen
    reason: Title
    fields: dict[str, Any] = Field(default_factory=dict)


class DuplicateDef(Frozen):
    """The duplicate guard: how near and how recent. Default 50 m and 24 h (practice of one city system)."""

    metres: float = Field(default=50, gt=0, le=5000)
    hours: float = Field(default=24, gt=0, le=24 * 90)


class PhotosDef(Frozen):
    """Where photos are needed. Matters are keys or beginnings of keys."""

    report_channels: tuple[str, ...] = ()
    """A report over one of these channels needs a photo."""
    result_matters: tuple[str, ...] = ()
    """A result of one of these matters needs a photo taken after."""


class SelfHandlingDef(Frozen):
    """What a collector may put right without a case for a department: keys of matters or beginnings of keys."""

    matters: tuple[str, ...] = ()


class InspectionDef(Frozen):
    """Matters (keys or beginnings of keys) that somebody must visit before they are closed."""

    visit_matters: tuple[str, ...] = ()


class RemindersDef(Frozen):
    """To which posts a case is brought to mind: at 80 %, at 100 %, and so long after that."""

    near: tuple[str, ...] = ("department", "handler")
    due: tuple[str, ...] = ("department", "dispatcher")
    escalated: tuple[str, ...] = ("supervisor",)
    reply: tuple[str, ...] = ("supervisor",)
    """When the reply that a supervisor demands is overdue."""
    escalate_minutes: int = Field(default=120, ge=1, le=525_600)


class CallbackDef(Frozen):
    """What an unsatisfied reporter brings about, and for how many days after closing."""

    days: int = Field(default=15, ge=1, le=365)
    then: Literal["new_case", "reopen"] = "new_case"


class Workflow(Frozen):
    """One version of a workflow."""

    id: str
    version: str
    title: Title
    number: str = "{date:%Y%m%d}{sequence:05d}"
    rework_clock: Literal["rest", "fresh"] = "fresh"
    limits: Literal["required", "optional"] = "required"
    """``optional``: a case without any limit may be filed; it is then neither on time nor late."""
    duplicate: DuplicateDef = DuplicateDef()
    photos: PhotosDef = PhotosDef()
    self_handling: SelfHandlingDef = SelfHandlingDef()
    inspection: InspectionDef = InspectionDef()
    deferral_clock: Literal["pause", "run"] = "pause"
    """What the handling clock does while a case is deferred."""
    suspension_days: int = Field(default=365, ge=1, le=3660)
    """How far ahead the end of a suspension may lie."""
    callback: CallbackDef = CallbackDef()
    reminders: RemindersDef = RemindersDef()
    clocks: dict[str, ClockDef]
    states: tuple[StateDef, ...]
    moves: tuple[MoveDef, ...]
    automation: tuple[AutomationDef, ...] = ()

    @field_validator("number")
    @classmethod
    def _plain_template(cls, value: str) -> str:
        names = [name for _, name, _, _ in Formatter().parse(value) if name is not None]
        unknown = set(names) - {"date", "sequence", "district"}
        if unknown or "sequence" not in names:
            raise ValueError("a number template takes {date}, {district} and must hold {sequence}")
        return value

    @property
    def key(self) -> str:
        """How a case names this version."""
        return f"{self.id}@{self.version}"

    @cached_property
    def state_by_id(self) -> dict[str, StateDef]:
        """States by id."""
        return {state.id: state for state in self.states}

    @cached_property
    def move_by_id(self) -> dict[str, MoveDef]:
        """Moves by id."""
        return {move.id: move for move in self.moves}

    @cached_property
    def moves_from(self) -> dict[str, tuple[MoveDef, ...]]:
        """The moves that are there in each state."""
        return {s.id: tuple(m for m in self.moves if m.leaves(s.id, s.final)) for s in self.states}

    @cached_property
    def automation_from(self) -> dict[str, tuple[AutomationDef, ...]]:
        """The automatic moves of each state, in order."""
        found: dict[str, tuple[AutomationDef, ...]] = {}
        for rule in self.automation:
            found[rule.when.state] = (*found.get(rule.when.state, ()), rule)
        return found

    def state_title(self, state: str) -> Title:
        """Title of a state, or its id where an older version knew it."""
        known = self.state_by_id.get(state)
        return known.title if known else Title(zh=state, en=state)
