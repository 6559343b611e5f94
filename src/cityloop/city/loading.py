"""Reading a city folder: every file, every reference between them, every fault at its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from cityloop.access.policy import Policy
from cityloop.city.addresses import Addresses
from cityloop.city.almanac import Almanac
from cityloop.city.areas import Areas
from cityloop.city.calendar import Calendars
from cityloop.city.catalogue import Catalogue, with_anomalies
from cityloop.city.content import (
    CatalogueMeta,
    CataloguesFile,
    CityFile,
    DepartmentPart,
    DepartmentsFile,
    LimitsFile,
    PackMeta,
)
from cityloop.city.days import DayTable, read_days
from cityloop.city.deadlines import Deadlines, Limits
from cityloop.city.faults import Faults, File
from cityloop.city.limit_change import limit_findings
from cityloop.city.profile import Profile, parse_profile
from cityloop.city.schemas import Department, Matter
from cityloop.city.shapes import read_areas
from cityloop.core.errors import Invalid
from cityloop.core.values import Title

_CATALOGUE_COLUMNS = ("kind", "class_code", "class_zh", "class_en", "code", "zh", "en")


@dataclass(frozen=True)
class Loaded:
    """Everything a city folder says."""

    file: CityFile
    packs: tuple[Path, ...]
    areas: Areas
    departments: dict[str, Department]
    catalogue: Catalogue
    almanac: Almanac
    calendars: Calendars
    deadlines: Deadlines
    limits: Limits
    policy: Policy
    addresses: Addresses


def read_city(folder: Path, faults: Faults) -> Loaded | None:
    """Read a whole city folder. ``None`` when a file could not be read at all; ``faults`` hold the reasons."""
    city = faults.read(folder / "city.yaml", CityFile)
    departments = faults.read(folder / "departments.yaml", DepartmentsFile)
    policy = faults.read(folder / "policy.yaml", Policy)
    if city is None:
        return None
    packs = _packs(folder, city, faults)
    areas = read_areas(folder, city.value.areas, faults)
    catalogue = _catalogue(folder, packs, city, faults)
    table = read_days(folder / city.value.days.file, city.value.days.confirmed_years, faults)
    if departments is None or policy is None:
        return None
    almanac = _almanac(city, departments, table, faults)
    calendars = almanac.calendars()
    deadlines = _deadlines(city, calendars, faults)
    return Loaded(
        file=city.value,
        packs=packs,
        areas=areas,
        departments=_departments(departments, faults),
        catalogue=catalogue,
        almanac=almanac,
        calendars=calendars,
        deadlines=deadlines,
        limits=_limits(folder, city, catalogue, deadlines, faults),
        policy=policy.value,
        addresses=Addresses.read(folder / city.value.addresses if city.value.addresses else None, faults),
    )


def _packs(folder: Path, city: File[CityFile], faults: Faults) -> tuple[Path, ...]:
    """The folders of the packs in use: ``packs/<id>`` beside ``cities/``, or a path from the city folder."""
    found = []
    for index, name in enumerate(city.value.packs):
        places = [folder.resolve().parents[1] / "packs" / name, (folder / name).resolve()]
        place = next((path for path in places if (path / "pack.yaml").is_file()), None)
        if place is None:
            city.fault(faults, ("packs", index), f"unknown pack '{name}'", f"there is no {places[0]}/pack.yaml")
            continue
        meta = faults.read(place / "pack.yaml", PackMeta)
        if meta and meta.value.id != place.name:
            meta.fault(faults, ("id",), f"'{meta.value.id}' is not the name of its folder", f"write {place.name}")
        found.append(place)
    return tuple(found)


def _catalogue(folder: Path, packs: Sequence[Path], city: File[CityFile], faults: Faults) -> Catalogue:
    """The catalogue in force and the kept ones, from the city's own folder or a pack."""
    part = city.value.catalogue
    known: dict[str, tuple[Path, CatalogueMeta]] = {}
    for place in (folder, *packs):
        path = place / "catalogue" / "catalogues.yaml"
        file = faults.read(path, CataloguesFile) if path.is_file() else None
        for id, meta in file.value.catalogues.items() if file else ():
            known.setdefault(id, (path.with_name(f"{id}.csv"), meta))
    entries: list[Matter] = []
    wanted = [("in_force", part.in_force), *[("kept", id) for id in part.kept], *[("local", id) for id in part.local]]
    for key, id in wanted:
        if id not in known:
            have = ", ".join(known) or "none"
            city.fault(
                faults, ("catalogue", key), f"unknown catalogue '{id}'", f"catalogues of the city and its packs: {have}"
            )
            continue
        path, meta = known[id]
        read = _entries(id, path, faults)
        entries += with_anomalies(read) if meta.anomalies else read
    return Catalogue(part.in_force, entries, part.local)


def _entries(standard: str, path: Path, faults: Faults) -> list[Matter]:
    entries: dict[str, Matter] = {}
    for line, row in faults.rows(path, _CATALOGUE_COLUMNS):
        kind = row["kind"]
        key = f"{standard}:{kind}:{row['code']}"
        if kind not in ("component", "matter") or not row["code"]:
            faults.add(
                f"{path}:{line} kind",
                f"'{kind}' '{row['code']}' is no entry",
                "kind is component or matter, code is text",
            )
            continue
        if key in entries:
            faults.add(f"{path}:{line} code", f"{key} is written twice", "keep one of the two rows")
        facts = {"key": key, "standard": standard, "kind": kind, "code": row["code"], "class_code": row["class_code"]}
        titles = {
            "class_title": Title(zh=row["class_zh"], en=row["class_en"]),
            "title": Title(zh=row["zh"], en=row["en"]),
        }
        entries[key] = Matter.model_validate({**facts, **titles})
    return list(entries.values())


def _almanac(city: File[CityFile], departments: File[DepartmentsFile], table: DayTable, faults: Faults) -> Almanac:
    """What the calendars are made of; a calendar that is not there is a fault and falls away."""
    parts, default = city.value.calendars, city.value.deadlines.calendar
    if default not in parts:
        city.fault(faults, ("deadlines", "calendar"), f"unknown calendar '{default}'", f"calendars: {', '.join(parts)}")
        default = next(iter(parts))
    known = []
    for index, item in enumerate(departments.value.departments):
        base = item.calendar or default
        if base in parts:
            known.append(item)
            continue
        key = ("departments", index, "calendar")
        departments.fault(faults, key, f"unknown calendar '{base}'", f"calendars: {', '.join(parts)}")
    return Almanac(ZoneInfo(city.value.timezone), table, parts, default, known)


def _deadlines(city: File[CityFile], calendars: Calendars, faults: Faults) -> Deadlines:
    part = city.value.deadlines
    try:
        profile = parse_profile(part.profile)
    except Invalid as error:
        city.fault(faults, ("deadlines", "profile"), error.detail, error.mend)
        profile = Profile()
    seasons = {word: season.windows for season in city.value.seasons for word in season.words}
    return Deadlines(calendars, profile, seasons)


def _limits(folder: Path, city: File[CityFile], catalogue: Catalogue, deadlines: Deadlines, faults: Faults) -> Limits:
    """The city's limits; every text must give a due instant, every key must be in a catalogue."""
    name = city.value.deadlines.limits
    file = faults.read(folder / name, LimitsFile) if name else None
    if file is None:
        return Limits(None)
    for key, what, mend in limit_findings(file.value, catalogue, deadlines.parse):
        file.fault(faults, key, what, mend)
    return Limits(file.value)


def _departments(file: File[DepartmentsFile], faults: Faults) -> dict[str, Department]:
    found: dict[str, Department] = {}
    for index, part in enumerate(file.value.departments):
        key = ("departments", index)
        if part.id in found:
            file.fault(faults, (*key, "id"), f"department '{part.id}' is written twice", "keep one of the two")
        if part.code and not credit_code_fits(part.code):
            file.fault(
                faults, (*key, "code"), f"'{part.code}' is no unified social credit code", "check its 18 characters"
            )
        found[part.id] = _plain(part)
    return found


def _plain(part: DepartmentPart) -> Department:
    return Department(id=part.id, title=part.title, short=part.short, code=part.code, kind=part.kind)


def credit_code_fits(code: str) -> bool:
    """Whether a unified social credit code has its 18 characters and its check character (GB 32100-2015)."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    weights = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
    if len(code) != 18 or any(character not in alphabet for character in code):
        return False
    total = sum(alphabet.index(character) * weight for character, weight in zip(code, weights, strict=False))
    return alphabet[(31 - total % 31) % 31] == code[-1]
