"""What the table of responsibility tells the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cityloop.cases.dispatch_table import ResponsibilityFile
from cityloop.core.values import Frozen, Instant, Title


class ResponsibilityVersion(Frozen):
    """When which table came into force, and why."""

    version: int
    origin: Literal["content", "changed"]
    """From the city's file, or changed while the program ran."""
    at: Instant
    by: str
    reason: str


class ResponsibilityView(Frozen):
    """The table in force and every version of it, the newest first."""

    version: int
    table: ResponsibilityFile
    versions: list[ResponsibilityVersion]


class ResponsibilityWish(Frozen):
    """One of three: a whole table, a proposal by its id, or the version to go back to."""

    table: ResponsibilityFile | None = None
    proposal: str | None = Field(default=None, max_length=40)
    revert_to: int | None = Field(default=None, ge=1)
    days: int = Field(default=90, ge=1, le=3660)
    """How far back the explanation looks."""


class NewResponsibility(ResponsibilityWish):
    """A change that was explained and is now wanted."""

    plan: str = Field(max_length=64)
    base: int
    reason: str = Field(min_length=2, max_length=400)


class RowChange(Frozen):
    """A row that differs, or that would decide more or fewer of the past cases."""

    row: str
    change: Literal["added", "removed", "changed", "same"]
    before: int
    after: int


class DepartmentChange(Frozen):
    """Past cases for which the tables name a department; of equals each counts."""

    department: str
    title: Title
    before: int
    after: int


class ElsewhereCase(Frozen):
    """A past case that would have gone elsewhere. ``actual`` is where it is or ended."""

    id: str
    number: str
    title: str
    row_before: str | None
    row_after: str | None
    before: list[str]
    after: list[str]
    actual: str | None


class ResponsibilityPlan(Frozen):
    """What a changed table would have done; nothing is written. ``plan`` ties the application to this explanation."""

    plan: str
    base: int
    table: ResponsibilityFile
    """The table that would come into force."""
    cases: int
    """Dispatched cases of the last ``days`` that both tables were asked about, the newest 20,000 at most."""
    elsewhere: int
    unmatched_before: int
    unmatched_after: int
    agreed_before: int
    """Cases that are, or ended, with a department that the table in force names; ``agreed_after``: the other one."""
    agreed_after: int
    rows: list[RowChange]
    departments: list[DepartmentChange]
    shown: list[ElsewhereCase]
    """The newest 100 within the asker's sight."""


class Aside(Frozen):
    """Who put a proposal aside, and why."""

    at: Instant
    by: str
    reason: str


class AsideWish(Frozen):
    """Why a proposal is not followed."""

    reason: str = Field(min_length=2, max_length=400)


class DispatchProposal(Frozen):
    """Equal overrides that ask for a changed table; it changes only by plan and application."""

    id: str
    matter: str
    matter_title: Title
    district: str | None
    district_title: Title | None
    row: str | None
    """The row that was passed over; none: the table had no fitting row."""
    department: str
    department_title: Title
    count: int
    cases: list[str]
    """Numbers of the cases within the asker's sight."""
    why: Title
    aside: Aside | None
    """Put aside under the table in force."""


class DepartmentLoad(Frozen):
    """What a department has in hand. ``median_seconds`` of handling a ``matter``, where one was asked about."""

    department: str
    title: Title
    open_cases: int
    handlers: int
    open_each: float
    handled: int
    """Cases of the matter that the median rests on: the newest 101 of 90 days."""
    median_seconds: float | None
