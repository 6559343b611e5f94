"""A town of one feed: what a whole city needs to start, and nothing that would act beside the measurement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
_CITY = """id: town
title: {zh: 测速, en: Bench}
timezone: Asia/Shanghai
packs: [urban, air, gauge]
map: {west: 113.73, south: 22.38, east: 114.64, north: 22.88}
areas:
  root: "4403"
  title: {zh: 测速, en: Bench}
  files: [areas/districts.geojson]
catalogue: {in_force: gb47678, local: [air]}
days: {file: calendar.csv, confirmed_years: [2026]}
calendars: {std: {title: {zh: 机关, en: Office}, timetables: [{slots: ["08:00-12:00", "14:00-18:00"]}]}}
deadlines: {profile: work_default/day=8h/stages=from_start/season=defer, calendar: std}
"""
_DEPARTMENTS = """departments:
  - {id: centre, title: {zh: 中心, en: Centre}, kind: centre}
  - {id: environment, title: {zh: 环境, en: Environment}}
  - {id: transport, title: {zh: 交通, en: Transport}}
  - {id: police, title: {zh: 交警, en: Police}}
  - {id: sanitation, title: {zh: 环卫, en: Sanitation}}
"""
_RESPONSIBILITY = """version: "1"
rows:
  - {id: air, title: {zh: 环境, en: Environment}, areas: ["4403"], department: environment}
"""


def write_entities(city: Path, table: str, stations: Iterable[str]) -> None:
    """Stations of one type in the city's folder, all at one place."""
    folder = city / "entities"
    folder.mkdir(parents=True)
    lines = ["id,title_zh,title_en,lon,lat", *(f"{name},{name},{name},114.05,22.55" for name in stations)]
    (folder / f"{table}.csv").write_text("\n".join(lines), encoding="utf-8")


def write_town(folder: Path, table: str, stations: Iterable[str]) -> Path:
    """The folder of a town that ``cityloop serve`` takes; areas, calendar and posts are those of the demo city."""
    city, demo = folder / "cities" / "town", ROOT / "cities" / "demo"
    write_entities(city, table, stations)
    packs = folder / "packs"
    packs.mkdir()
    for known in (*(ROOT / "packs").iterdir(), *(ROOT / "bench" / "packs").iterdir()):
        (packs / known.name).symlink_to(known)
    for name in ("areas", "calendar.csv", "policy.yaml"):
        (city / name).symlink_to(demo / name)
    written = {"city.yaml": _CITY, "departments.yaml": _DEPARTMENTS, "responsibility.yaml": _RESPONSIBILITY}
    for name, text in written.items():
        (city / name).write_text(text, encoding="utf-8")
    return city


def write_pack(folder: Path, pack: str, written: Mapping[str, str]) -> None:
    """Instead of a pack as it is: the same with some files of its own."""
    place = folder / "packs" / pack
    known = place.resolve()
    place.unlink()
    place.mkdir()
    for file in known.iterdir():
        if file.name not in written:
            (place / file.name).symlink_to(file)
    for name, text in written.items():
        (place / name).write_text(text, encoding="utf-8")
