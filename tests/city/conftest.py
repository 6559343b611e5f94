"""The demo city, loaded once, and a very small city that tests may spoil."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cityloop.city.service import City
from cityloop.core.clock import ManualClock

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 9, 2, 0, tzinfo=UTC)

CITY = """\
id: small
title: {zh: 小城, en: Small town}
timezone: Asia/Shanghai
language: zh
packs: [works]
map: {west: 114.0, south: 22.0, east: 114.2, north: 22.1}
areas:
  root: "99"
  title: {zh: 小城, en: Small town}
  files: [areas.geojson]
catalogue:
  in_force: own
days:
  file: days.csv
  confirmed_years: [2026]
calendars:
  std:
    title: {zh: 机关, en: Office}
    timetables:
      - slots: ["08:00-12:00", "14:00-18:00"]
seasons:
  - words: [汛期]
    windows: [04-15..10-15]
deadlines:
  profile: work_default/day=8h
  calendar: std
  limits: limits.yaml
series: []
"""
DEPARTMENTS = """\
departments:
  - id: works
    title: {zh: 工务局, en: Works}
  - id: water
    title: {zh: 水务局, en: Water}
    exceptions:
      - {date: 2026-03-10, slots: [], name: move of the office}
"""
POLICY = """\
posts:
  acceptor:
    title: {zh: 受理员, en: Acceptor}
    may: [case.accept]
    sees:
      case: {rows: [all]}
"""
LIMITS = """\
origin: {zh: 本市, en: own}
matters:
  "own:matter:01": 4工作时
classes:
  "own:matter:A": 2天
"""
CATALOGUE = """\
kind,class_code,class_zh,class_en,code,zh,en
matter,A,道路,Roads,01,坑洞,Pothole
matter,A,道路,Roads,02,积水,Water on the road
"""
AREAS = """\
{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"code":"9901","parent":"99","level":"district","zh":"西区","en":"West","local":true},\
"geometry":{"type":"Polygon","coordinates":[[[114.0,22.0],[114.1,22.0],[114.1,22.1],[114.0,22.1],[114.0,22.0]]]}},
{"type":"Feature","properties":{"code":"9902","parent":"99","level":"district","zh":"东区","en":"East","local":true},\
"geometry":{"type":"Polygon","coordinates":[[[114.1,22.0],[114.2,22.0],[114.2,22.1],[114.1,22.1],[114.1,22.0]]]}}
]}
"""
PACK = "id: works\ntitle: {zh: 工务, en: Works}\nversion: '1'\ndescription: {zh: 工务, en: Works}\n"
FILES = {
    "cities/small/city.yaml": CITY,
    "cities/small/departments.yaml": DEPARTMENTS,
    "cities/small/policy.yaml": POLICY,
    "cities/small/limits.yaml": LIMITS,
    "cities/small/days.csv": "date,weekday,kind,name\n2026-05-01,Fri,holiday,劳动节\n",
    "cities/small/areas.geojson": AREAS,
    "cities/small/catalogue/catalogues.yaml": "catalogues:\n  own: {title: {zh: 本市目录, en: Own catalogue}}\n",
    "cities/small/catalogue/own.csv": CATALOGUE,
    "packs/works/pack.yaml": PACK,
}


@pytest.fixture(scope="session")
def demo() -> City:
    return City.load(ROOT / "cities" / "demo", ManualClock(NOW))


@pytest.fixture(scope="session")
def boston() -> City:
    return City.load(ROOT / "cities" / "boston", ManualClock(NOW))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The folder of a sound small city."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "cities" / "small"
