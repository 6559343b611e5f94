"""How long a question takes to be understood, with very many values that it may name."""

from __future__ import annotations

import random
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bench.conditions import conditions, percentiles
from cityloop.analyse.content import load_model
from cityloop.ask.grammar import understand
from cityloop.ask.holidays import Holidays
from cityloop.ask.lexicon import Lexicon
from cityloop.ask.offers import offered
from cityloop.ask.segment import segment
from cityloop.ask.text import read
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.values import Title
from cityloop.standard.batch import EntityCard

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 3, 18, 10, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
_SIGNS = (
    "东南西北中山水河湖海江田园林桥路街坊村庄和平安康福泰新明光华景秀文武德信义仁智勇大长宽高清白石"
    "金银玉宝龙凤鹤鹿松竹梅兰"
)
_QUESTIONS = (
    "昨天{}的进站量",
    "上周{}和{}每天的进站量",
    "除了{}以外，上个月进站量最多的10个地铁站",
    "为什么上周{}进站量下降了",
    "{}早高峰进站量超过600的天有哪些",
    "metro entries at {} last week compared with the week before",
    "上周各区上报数、结案数和按期率",
)


def run(values: int, questions: int) -> dict[str, Any]:
    """Milliseconds of the processor from the question to the typed query; the figures themselves are not asked."""
    dice = random.Random(7)
    names = _names(values, dice)
    city = City.load(ROOT / "cities" / "demo", ManualClock(NOW))
    model = load_model(city.packs)
    began = time.process_time()
    cards = {f"x{n}": EntityCard(f"x{n}", "MetroStation", Title(zh=zh, en=en)) for n, (zh, en) in enumerate(names)}
    lexicon = Lexicon(model, offered(model, city, lambda kind: cards if kind == "MetroStation" else {}, {}))
    built = time.process_time() - began
    holidays = Holidays(city.almanac.table.names)
    asked = [_question(names, dice) for _ in range(questions)]
    found: dict[str, list[float]] = {"exact": [], "slip": [], "unknown": []}
    for kind, text in asked:
        began = time.process_time()
        understand(segment(read(text), lexicon, holidays, NOW, lambda _term: True), model, NOW)
        found[kind].append((time.process_time() - began) * 1000)
    everything = [span for spans in found.values() for span in spans]
    return {
        "conditions": conditions(),
        "values": len(lexicon.titles),
        "forms": len(lexicon.exact.forms),
        "build_seconds": round(built, 2),
        "questions": questions,
        "milliseconds": percentiles(everything),
        **{f"milliseconds_{kind}": percentiles(spans) for kind, spans in found.items() if spans},
    }


def _names(count: int, dice: random.Random) -> list[tuple[str, str]]:
    made: dict[str, str] = {}
    while len(made) < count:
        zh = "".join(dice.choice(_SIGNS) for _ in range(dice.randint(2, 5)))
        en = "".join(dice.choice("bcdfghklmnprst") + dice.choice("aeiou") for _ in range(dice.randint(2, 4)))
        made.setdefault(f"{zh}站", f"{en.capitalize()} station")
    return list(made.items())


def _question(names: list[tuple[str, str]], dice: random.Random) -> tuple[str, str]:
    template = dice.choice(_QUESTIONS)
    kind = dice.choice(("exact", "exact", "slip", "unknown"))
    said = []
    for _ in range(template.count("{}")):
        name = dice.choice(names)[1 if template.isascii() else 0]
        place = dice.randrange(len(name))
        if kind == "slip":
            name = name[:place] + dice.choice("qwxyz山水") + name[place + 1 :]
        elif kind == "unknown":
            name = "火星上的" + name[::-1]
        said.append(name)
    return kind, template.format(*said)
