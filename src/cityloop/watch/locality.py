"""What rules may ask of the city they watch: zone, working days, shapes of areas, its things, its models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

import numpy as np
from shapely import Polygon, prepare, union_all
from shapely.geometry.base import BaseGeometry

from cityloop.city.service import City
from cityloop.standard.batch import EntityCard
from cityloop.watch.cells import Bools, Ints
from cityloop.watch.outlook import NoOutlook, Outlook
from cityloop.watch.rules import WEEKDAYS, Fence, Hours

NONE = NoOutlook()
_MINUTE = 60_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Locality:
    """The city as rules see it. Without one: UTC, Monday to Friday, no shapes, no things, no models."""

    zone: tzinfo = UTC
    works: Callable[[date], bool] = lambda day: day.weekday() < 5
    """Whether a local date is a working day."""
    shape: Callable[[str], BaseGeometry | None] = lambda code: None
    """The outline of an area."""
    district: Callable[[str], str | None] = lambda code: code
    """The code of the district that holds an area."""
    things: Callable[[str], Mapping[str, EntityCard]] = lambda kind: {}
    """All entities of a type that the city knows, by id."""
    outlook: Outlook = NONE
    """What its models foretell, and what they hold for usual."""

    def ground(self, fence: Fence) -> BaseGeometry:
        """All that a fence encloses, as one shape; an area without an outline encloses nothing."""
        areas = [shape for code in fence.areas if (shape := self.shape(code)) is not None]
        whole = union_all([*(Polygon(ring) for ring in fence.polygons), *areas])
        prepare(whole)
        return whole

    def open_at(self, slots: Sequence[Hours], at: datetime) -> bool:
        """Whether an instant lies in one of the slots; without slots every one does."""
        local = at.astimezone(self.zone)
        return not slots or any(self._holds(slot, local) for slot in slots)

    def open(self, slots: Sequence[Hours], at: Ints) -> Bools:
        """The same for many instants (µs since 1970), to the minute."""
        minutes, place = np.unique(at // _MINUTE, return_inverse=True)
        known = [self.open_at(slots, _EPOCH + timedelta(minutes=int(minute))) for minute in minutes]
        return np.asarray(np.array(known, np.bool_)[place])

    def _holds(self, slot: Hours, local: datetime) -> bool:
        day, clock = local.date(), local.time()
        if slot.start < slot.end:
            return self._meant(slot, day) and slot.start <= clock < slot.end
        begun = self._meant(slot, day) and clock >= slot.start
        return begun or (self._meant(slot, day - timedelta(days=1)) and clock < slot.end)

    def _meant(self, slot: Hours, day: date) -> bool:
        kind = "workday" if self.works(day) else "restday"
        return kind in slot.days or WEEKDAYS[day.weekday()] in slot.days


def locality_of(city: City, things: Callable[[str], Mapping[str, EntityCard]], outlook: Outlook = NONE) -> Locality:
    """The city's zone, the working days of its own calendar as it is now, its areas, things and models."""
    return Locality(
        zone=city.zone,
        works=lambda day: city.calendars.of(None).works(day),
        shape=city.areas.shape,
        district=city.areas.district_of,
        things=things,
        outlook=outlook,
    )
