"""The city as one value: its content, loaded and checked once, and its clock."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from cityloop.city.addresses import Addresses
from cityloop.city.areas import Areas
from cityloop.city.catalogue import Catalogue
from cityloop.city.content import LimitsFile
from cityloop.city.deadlines import Limits
from cityloop.city.faults import Faults
from cityloop.city.loading import Loaded, read_city
from cityloop.city.schemas import AddressFound, CityView, ClockView, Position, PostView
from cityloop.core.clock import Clock, PacedClock
from cityloop.core.content import raise_faults
from cityloop.core.errors import Conflict, ContentError

__all__ = ["Areas", "Catalogue", "City"]


class City:
    """A city folder in memory. While the program runs calendars, limits, addresses and a paced clock's speed change."""

    def __init__(self, folder: Path, loaded: Loaded, clock: Clock) -> None:
        self.folder = folder
        self.clock = clock
        file = loaded.file
        self.id, self.title, self.language = file.id, file.title, file.language
        self.zone = ZoneInfo(file.timezone)
        self.map, self.series, self.editions = file.map, file.series, file.editions
        self.peaks = file.peaks
        self.packs = loaded.packs
        self.areas = loaded.areas
        self.departments = loaded.departments
        self.catalogue = loaded.catalogue
        self.almanac = loaded.almanac
        self.calendars = loaded.calendars
        self.deadlines = loaded.deadlines
        self.limits = loaded.limits
        self.policy = loaded.policy
        self.addresses = loaded.addresses

    @classmethod
    def load(cls, folder: Path, clock: Clock) -> City:
        """Read and check a city folder; raises :class:`ContentError` with every fault of all its files."""
        faults = Faults()
        loaded = read_city(folder, faults)
        raise_faults(f"the city folder {folder}", faults.found)
        if loaded is None:
            raise ContentError(f"{folder} cannot be read as a city folder", "see docs/city-folder.md")
        return cls(folder, loaded, clock)

    def limit_for(self, matter: str) -> str | None:
        """The handling limit of a matter as text; ``None`` where the city has none; raises :class:`NotFound`."""
        return self.limits.text_for(self.catalogue.get(matter))

    def adopt_limits(self, file: LimitsFile) -> None:
        """From now on these limits hold; they have been checked."""
        self.limits = Limits(file)

    def adopt_addresses(self, addresses: Addresses) -> None:
        """From now on these addresses are found; they have been checked."""
        self.addresses = addresses

    def find_addresses(self, text: str, near: Position | None, most: int) -> list[AddressFound]:
        """Addresses that a text may mean, each with the smallest area that holds it."""
        found = self.addresses.find(text, near, most)
        places = self.areas.locate_many([one.lon for one in found], [one.lat for one in found]) if found else []
        return [
            AddressFound(
                address=one.address,
                lon=one.lon,
                lat=one.lat,
                area=place.area if place else None,
                area_title=self.areas.title(place.area) if place else None,
                metres=round(one.metres, 1) if one.metres is not None else None,
            )
            for one, place in zip(found, places, strict=True)
        ]

    def view(self) -> CityView:
        """What a client needs to know of the city before anything else."""
        return CityView(
            id=self.id,
            title=self.title,
            timezone=self.zone.key,
            language=self.language,
            demo=isinstance(self.clock, PacedClock),
            map=self.map,
            departments=list(self.departments.values()),
            posts=[PostView(id=id, title=post.title) for id, post in self.policy.posts.items()],
            series=list(self.series),
            clock=self.clock_view(),
        )

    def clock_view(self) -> ClockView:
        """City time as ISO 8601 in the city's zone, and how fast it runs."""
        now = self.clock.now().astimezone(self.zone)
        paced = isinstance(self.clock, PacedClock)
        speed = self.clock.speed if isinstance(self.clock, PacedClock) else 1.0
        return ClockView(now=now.isoformat(timespec="milliseconds"), speed=speed, paced=paced)

    def set_speed(self, speed: float) -> ClockView:
        """Change the speed of a paced clock; raises :class:`Conflict` for any other."""
        if not isinstance(self.clock, PacedClock):
            raise Conflict("this city runs on the machine's time", "only a demo or a drill has a speed")
        self.clock.set_speed(speed)
        return self.clock_view()
