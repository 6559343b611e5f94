"""A case as people and events see it: titles, light and flags, computed from the value at one instant."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, cast

from cityloop.cases.definitions import Book
from cityloop.cases.schemas import CaseView, Light
from cityloop.cases.values import Case
from cityloop.city.schemas import Matter
from cityloop.city.service import City
from cityloop.core.errors import NotFound
from cityloop.core.values import Title

FORCED = "force_closed"
_TITLES = {
    "state_title": "state",
    "matter_title": "matter",
    "matter_class": "matter",
    "area_title": "area",
    "district_title": "district",
    "department_title": "department",
}
"""Titles of a view, and the value that each belongs to."""
_SAME = (
    "id", "number", "title", "state", "stage", "matter", "area", "district", "lon", "lat", "address", "channel",
    "external_number", "department", "handler", "reporter", "opened_at", "updated_at", "due_at", "closed_at",
    "on_time", "rework", "extensions", "deferred", "exempt", "self_handled", "suspended_until", "reply_due_at",
    "linked_from", "merged_into", "petitioners", "parts_open", "warning", "series", "version",
)  # fmt: skip
"""What a view shows of a case as it is."""
_same = itemgetter(*_SAME)
_INSTANTS = ("opened_at", "updated_at", "due_at", "closed_at", "suspended_until", "reply_due_at")


def light(case: Case, at: datetime) -> Light:
    """Green below 80 % of the limit, yellow from 80 to 100 %, red above; what a stopped clock showed stays."""
    if case.clock_state in ("none", "paused"):
        return cast(Light, case.clock_state)
    at = case.handled_at or at
    if case.red_at is None or case.yellow_at is None:
        return "none"
    if at > case.red_at:
        return "red"
    return "yellow" if at >= case.yellow_at else "green"


def flags(case: Case, shown: Light) -> list[str]:
    """What stands beside the state."""
    raised = {
        "urgent": case.urgent,
        "supervised": case.supervised,
        "returned": case.returned_from is not None,
        f"{case.request}_pending": case.request is not None,
        "extended": case.extensions > 0,
        "rework": case.rework > 0,
        "suspended_before": case.suspensions > 0 and case.suspended_from is None,
        "deferred": case.deferred,
        "force_pending": case.force_by is not None,
        "appeal_pending": case.appeal in ("filed", "passed"),
        "appeal_exempt": case.exempt,
        "appeal_refused": case.appeal == "refused",
        "self_handled": case.self_handled,
        "reopened": case.reopened > 0,
        "forced": case.state == FORCED,
        "overdue": shown == "red",
        "escalated": case.reminded == "escalated",
    }
    return [name for name, up in raised.items() if up]


class Views:
    """Builds views; titles are looked up once and remembered."""

    def __init__(self, city: City, book: Book) -> None:
        self._city = city
        self._book = book
        self._matters: dict[str, Matter] = {}
        self._areas: dict[str, Title] = {}
        self._plain: dict[tuple[str, str | None], dict[str, str]] = {}

    def view(self, case: Case, now: datetime) -> CaseView:
        """The case as a row of a list."""
        return CaseView.trusted(self.values(case, now))

    def document(self, case: Case, now: datetime) -> dict[str, Any]:
        """``view(case, now).model_dump(mode="json")``, ten times as quick: every event of a replay carries one."""
        values = self.values(case, now)
        for name, key in _TITLES.items():
            values[name] = self._plain_title(name, values[key], values[name])
        for name in _INSTANTS:
            values[name] = _spelled(values[name])
        return values

    def values(self, case: Case, now: datetime) -> dict[str, Any]:
        """The fields of :class:`CaseView`."""
        shown = light(case, now)
        matter = self.matter(case.matter)
        department = self._city.departments.get(case.department or "")
        own = case.__dict__
        return {
            **dict(zip(_SAME, _same(own), strict=True)),
            "state_title": self._book.of(case.workflow, case.filed).state_title(case.state),
            "flags": flags(case, shown),
            "matter_title": matter.title,
            "matter_class": matter.class_title,
            "area_title": self._area(case.area),
            "district_title": self._area(case.district),
            "department_title": department.title if department else None,
            "light": shown,
            "risk": case.risk if case.open else None,
            "forced": case.state == FORCED,
            "photos": {kind: count for kind, count in (case.photos or {}).items() if kind != "fresh"},
        }

    def _plain_title(self, name: str, key: str | None, title: Title | None) -> dict[str, str] | None:
        """A title as JSON, made once: a replay holds hundreds of thousands of them."""
        if title is None:
            return None
        found = self._plain.get((name, key))
        if found is None or found["en"] != title.en:
            found = self._plain[name, key] = {"zh": title.zh, "en": title.en}
        return found

    def matter(self, key: str) -> Matter:
        """The catalogue entry; a key that the catalogue has lost shows as itself."""
        found = self._matters.get(key)
        if found is None:
            found = self._matters[key] = self._look_up(key)
        return found

    def _look_up(self, key: str) -> Matter:
        try:
            return self._city.catalogue.get(key)
        except NotFound:
            bare = Title(zh=key, en=key)
            return Matter(key=key, standard="", kind="matter", code=key, class_code="", class_title=bare, title=bare)

    def _area(self, code: str | None) -> Title | None:
        if code is None:
            return None
        found = self._areas.get(code)
        if found is None:
            try:
                found = self._city.areas.title(code)
            except NotFound:
                found = Title(zh=code, en=code)
            self._areas[code] = found
        return found


@lru_cache(4096)
def _spelled(at: datetime | None) -> str | None:
    """An instant as Pydantic writes it; the moves of one case share most of theirs."""
    return at.isoformat().replace("+00:00", "Z") if at is not None else None
