"""``drill.yaml`` as typed values: what is replayed, and how each post reacts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from cityloop.cases.schemas import Channel
from cityloop.core.content import Key, fault_at, load, raise_faults, read_yaml
from cityloop.core.values import Frozen, Instant


class ReplayPlan(Frozen):
    """A measured series that the collect room plays through one of its feeds."""

    series: str
    file: Path
    feed: str


class CitizenPlan(Frozen):
    """The series of citizen reports, and the account that registers them."""

    series: str
    file: Path
    account: str


class PacePlan(Frozen):
    """How hard the players may press on the API; real seconds."""

    look_seconds: float = Field(default=6.0, gt=0)
    """Between two looks of one player at its desk. What one player hands to another reaches it without a look."""
    rest: float = Field(default=2.0, ge=0, le=100)
    """Pause after each request, as a multiple of the time it took: with 2 the drill never takes more than a third."""
    rescan_seconds: float = Field(default=120.0, gt=0)
    """After this long a player looks through its whole desk again, not only at what is new."""


class SpreadPlan(Frozen):
    """A log-normal spread of durations: median seconds, and sigma of the logarithm."""

    median: float = Field(gt=0)
    sigma: float = Field(ge=0, le=3)


class WaitPlan(Frozen):
    """How long a post waits: between two bounds, or as long as the replayed record really took since its report.

    YAML may write ``[60, 240]`` for bounds in seconds of city time.
    """

    between: tuple[float, float] = (0.0, 0.0)
    record: bool = False
    otherwise: SpreadPlan | None = None
    """For cases without a record (opened by a warning or by a visitor); the bounds hold where this is missing."""

    @model_validator(mode="before")
    @classmethod
    def _from_bounds(cls, value: Any) -> Any:
        return {"between": value} if isinstance(value, (list, tuple)) else value

    @model_validator(mode="after")
    def _ordered(self) -> WaitPlan:
        if not 0 <= self.between[0] <= self.between[1]:
            raise ValueError("write the shorter wait first, both at least 0")
        return self


class MovePlan(Frozen):
    """One move that a post may choose. Without a ``share`` it takes what the others leave."""

    move: str
    share: float | None = Field(default=None, ge=0, le=1)
    most_rework: int | None = Field(default=None, ge=0)
    """Chosen only while the case was reworked at most this often, so that no case goes round for ever."""
    opinion: str = ""
    fields: dict[str, Any] = Field(default_factory=dict)


class TurnPlan(Frozen):
    """What a post does with a case in one state; with a ``flag`` only while the case carries it."""

    state: str
    post: str
    flag: str | None = None
    wait: WaitPlan
    moves: tuple[MovePlan, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _shares_fit(self) -> TurnPlan:
        shares = [move.share for move in self.moves]
        if shares.count(None) != 1 or sum(share or 0 for share in shares) > 1:
            raise ValueError("exactly one move has no share (it takes the rest), and the shares add up to at most 1")
        return self


class TaskTurn(Frozen):
    """How an account answers the task of one step of a linkage plan: its form, or an approval with a note."""

    account: str
    plan: str
    element: str
    wait: tuple[float, float] = (0.0, 0.0)
    """Seconds of city time between which it is answered."""
    values: dict[str, Any] = Field(default_factory=dict)
    answer: Literal["approve", "reject"] | None = None
    note: str = ""

    @model_validator(mode="after")
    def _sound(self) -> TaskTurn:
        if not 0 <= self.wait[0] <= self.wait[1]:
            raise ValueError("write the shorter wait first, both at least 0")
        if self.answer and self.values:
            raise ValueError("an approval has an answer, any other task has values")
        return self


class ColumnsPlan(Frozen):
    """Which column of the source holds what. Instants are wall-clock times of the city's zone."""

    number: str
    opened: str
    target: str
    closed: str
    on_time: str
    title: str
    kind: str
    department: str
    area: str
    lon: str
    lat: str
    channel: str


class RecordsPlan(Frozen):
    """How the records of a city are found, read and played."""

    series: str
    files: tuple[str, ...] = Field(min_length=1)
    """Patterns of parquet files, from the city folder; what is not there is passed over."""
    shared: tuple[str, ...] = ()
    """The same below the folder that ``CITYLOOP_SHARED`` names."""
    obtain: str
    """Where further months can be had; said when some are missing."""
    columns: ColumnsPlan
    on_time: dict[str, bool]
    """What the source's own flag means."""
    channels: dict[str, Channel]
    matters: dict[str, str] = Field(default_factory=dict)
    """Kind to matter key, for kinds that are not the English title of a matter."""
    departments: dict[str, str] = Field(default_factory=dict)
    areas: dict[str, str] = Field(default_factory=dict)
    open_moves: tuple[MovePlan, ...] = Field(min_length=1)
    """Played at the instant a record was opened; a move that does not leave the present state is left out."""
    close_moves: tuple[MovePlan, ...] = Field(min_length=1)
    """Played at the instant it was closed."""


class DrillPlan(Frozen):
    """The whole of ``drill.yaml``."""

    start: Instant | None = None
    """City time at which the demo begins; the first of all series must not lie before it."""
    loop: bool = False
    replays: tuple[ReplayPlan, ...] = ()
    citizen: CitizenPlan | None = None
    pace: PacePlan = PacePlan()
    turns: tuple[TurnPlan, ...] = ()
    tasks: tuple[TaskTurn, ...] = ()
    records: RecordsPlan | None = None
    """The city's own past, for ``cityloop replay``."""

    def turn(self, post: str, state: str, flags: frozenset[str]) -> TurnPlan | None:
        """The turn of ``post`` for a case in ``state``; a pending request is answered before anything else."""
        pending = {flag for flag in flags if flag.endswith("_pending")}
        for turn in self.turns:
            if turn.post == post and turn.state == state and (turn.flag in flags if turn.flag else not pending):
                return turn
        return None


def load_plan(city: Path) -> DrillPlan:
    """Read ``drill.yaml`` of a city folder, with file names made absolute.

    Raises :class:`cityloop.core.errors.ContentError`, also for a series file that is not there.
    """
    path = city / "drill.yaml"
    plan = load(path, DrillPlan)
    _, lines = read_yaml(path)
    named: list[tuple[Key, Path]] = [(("replays", i, "file"), replay.file) for i, replay in enumerate(plan.replays)]
    if plan.citizen:
        named.append((("citizen", "file"), plan.citizen.file))
    missing = [(key, city / file) for key, file in named if not (city / file).is_file()]
    raise_faults(
        str(path),
        [
            fault_at(path, lines, key, f"{file} is missing", "build it with tools/build_demo_series.py")
            for key, file in missing
        ],
    )
    citizen = plan.citizen and plan.citizen.model_copy(update={"file": city / plan.citizen.file})
    replays = tuple(replay.model_copy(update={"file": city / replay.file}) for replay in plan.replays)
    return plan.model_copy(update={"citizen": citizen, "replays": replays})
