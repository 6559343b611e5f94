"""What a column's heading says: a name, perhaps a unit; and how near it comes to a name of the standard."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from cityloop.standard.types import EntityType, Property
from cityloop.standard.units import Unit, unit

_BRACKETS = re.compile(r"[(\[【{]([^()\[\]【】{}]*)[)\]】}]")
_SIGNS = re.compile(r"[\s_\-.·、,:/()\[\]【】{}]+")
_TAIL = re.compile(r"(.*?)[\s_/,，:：]+([^\s_,，:：]+)")
_FILLING = re.compile(
    r"(小时均值|小时值|小时平均|均值|浓度|数值|监测值|实时|值|当前|hourly|value|avg|mean|concentration)$"
)

ENTITY_WORDS = (
    "站点编号", "站点编码", "测站编码", "站号", "监测点编码", "点位编码", "点位编号", "设备编号", "设备编码", "设备id",
    "编号", "编码", "代码", "标识",
    "id", "code", "station id", "device id", "station code", "device", "sn", "site", "site id",
)  # fmt: skip
TITLE_WORDS = (
    "名称", "站点名称", "站名", "测站名称", "监测点位", "监测点", "点位", "点位名称", "设备名称", "站点", "测站",
    "name", "title", "station name", "station",
)  # fmt: skip
TIME_WORDS = (
    "时间", "监测时间", "采集时间", "观测时间", "数据时间", "上报时间", "更新时间", "发布时间", "时刻", "日期时间",
    "time", "timestamp", "datetime", "observed at", "update time", "collect time", "ts",
)  # fmt: skip
DATE_WORDS = ("日期", "监测日期", "采集日期", "观测日期", "date", "day")
LON_WORDS = ("经度", "lon", "lng", "longitude", "x", "东经", "坐标经度")
LAT_WORDS = ("纬度", "lat", "latitude", "y", "北纬", "坐标纬度")
EAST_WORDS = ("东坐标", "横坐标", "x坐标", "x", "east", "easting")
NORTH_WORDS = ("北坐标", "纵坐标", "y坐标", "y", "north", "northing")
POINT_WORDS = ("坐标", "位置", "经纬度", "location", "position", "lnglat", "coordinate")


@dataclass(frozen=True)
class Heading:
    """A column's heading, taken apart: the whole, its parts above and below each other, and the unit it names."""

    text: str
    names: tuple[str, ...]
    unit: Unit | None


def heading(text: str) -> Heading:
    """Take a heading apart: ``PM2.5(μg/m³)`` is the name ``pm25`` in µg/m³; ``PM2.5/小时均值`` has two parts."""
    plain = unicodedata.normalize("NFKC", text).strip()
    found = unit(plain.rpartition("/")[2]) if "/" in plain else None
    for inner in [*_BRACKETS.findall(plain), *(m[2] for m in [_TAIL.fullmatch(plain)] if m)]:
        found = unit(inner.strip()) or found
    outer = _BRACKETS.sub(" ", plain)
    parts = [outer, *outer.split("/"), *(inner for inner in _BRACKETS.findall(plain) if unit(inner.strip()) is None)]
    tail = _TAIL.fullmatch(outer.strip())
    if tail and unit(tail[2]) is not None:
        parts.append(tail[1])
    return Heading(text, tuple(dict.fromkeys(name for part in parts if (name := key(part)))), found)


def key(text: str) -> str:
    """A name without blanks, signs, width and case."""
    return _SIGNS.sub("", unicodedata.normalize("NFKC", text).casefold())


def names_of(item: Property) -> list[str]:
    """All names of a property, and the words of its titles."""
    titles = [item.title.zh, item.title.en]
    words = [word for title in titles for word in title.split() if len(word) > 1]
    return [item.id, *titles, *item.synonyms, *(words if len(words) > 1 else [])]


def entity_words(entity_type: EntityType) -> list[str]:
    """Headings under which the id of such an entity may stand."""
    own = [entity_type.id, entity_type.title.zh, entity_type.title.en, *entity_type.synonyms]
    return [*[f"{name}{tail}" for name in own for tail in ("编号", "编码", "代码", "id", "code")], *ENTITY_WORDS]


def likeness(found: Heading, names: Iterable[str]) -> tuple[float, str]:
    """How near the heading comes to the nearest of ``names``, 0 to 1, and which that is."""
    best, which = 0.0, ""
    for name in names:
        wanted = key(name)
        for number, part in enumerate(found.names):
            # The first part is the whole heading; a part of it alone says a little less.
            score = _alike(part, wanted) * (1.0 if number == 0 else 0.93)
            if score > best:
                best, which = score, name
    return best, which


def _alike(a: str, b: str) -> float:
    if a == b:
        return 1.0
    shorter, longer = sorted((_FILLING.sub("", a), _FILLING.sub("", b)), key=len)
    if not shorter:
        return 0.0
    if shorter == longer:
        return 0.96
    chinese = any(sign > "\u2e80" for sign in shorter)
    if shorter in longer and len(shorter) >= (2 if chinese else 3):
        return 0.55 + 0.35 * len(shorter) / len(longer)
    ratio = SequenceMatcher(None, shorter, longer).ratio()
    return 0.7 * ratio if ratio >= 0.75 and len(shorter) >= 4 else 0.0
