"""The words of the demo city, as the tests of questions need them."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

from cityloop.analyse.content import load_model
from cityloop.analyse.model import Model
from cityloop.analyse.schemas import QueryRequest
from cityloop.ask.grammar import Understood, understand
from cityloop.ask.holidays import Holidays
from cityloop.ask.index import Term
from cityloop.ask.lexicon import Lexicon
from cityloop.ask.offers import offered
from cityloop.ask.segment import Piece, Sees, segment
from cityloop.ask.text import read
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.values import Title
from cityloop.standard.batch import EntityCard
from tests.ask.golden_set import NOW

ROOT = Path(__file__).parents[2]
CITY = ROOT / "cities" / "demo"
PACKS = [ROOT / "packs" / name for name in ("urban", "air", "metro", "traffic", "sanitation", "hazmat", "lamp")]


@lru_cache(maxsize=1)
def city() -> City:
    return City.load(CITY, ManualClock(NOW))


@lru_cache(maxsize=1)
def model() -> Model:
    return load_model(PACKS)


def known(entity_type: str) -> dict[str, EntityCard]:
    """The directory of observed things in the city folder."""
    path = CITY / "entities" / f"{entity_type}.csv"
    if not path.exists():
        return {}
    with path.open(encoding="utf-8") as lines:
        return {
            row["id"]: EntityCard(row["id"], entity_type, Title(zh=row["title_zh"], en=row["title_en"]))
            for row in csv.DictReader(lines)
        }


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    return Lexicon(model(), offered(model(), city(), known, RULES))


RULES = {
    "air.pm2_5_hourly": Title(zh="PM2.5 小时浓度超标", en="PM2.5 above an hourly breakpoint"),
    "traffic.congestion": Title(zh="路段拥堵", en="Congestion"),
}


@lru_cache(maxsize=1)
def holidays() -> Holidays:
    table = city().almanac.table
    return Holidays({day: name for day, name in table.names.items() if table.days[day] == "holiday"})


def pieces(question: str, sees: Sees = lambda _term: True) -> list[Piece]:
    return segment(read(question), lexicon(), holidays(), NOW, sees)


def ask(question: str, before: QueryRequest | None = None) -> Understood:
    return understand(pieces(question), model(), NOW, before)


__all__ = ["Term", "ask", "city", "holidays", "known", "lexicon", "model", "pieces"]
