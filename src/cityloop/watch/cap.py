"""Warnings as CAP 1.2 messages, and such messages read. The chain of one warning is told by its history.

Written from the OASIS standard: elements in the schema's order, instants with a numeric offset and no fractions,
latitude first. What is read is refused with the element that is wrong; a document type is never read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal
from xml.etree.ElementTree import Element, ParseError, SubElement, register_namespace, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from shapely.geometry.base import BaseGeometry

from cityloop.core.errors import Fault, Invalid
from cityloop.core.values import Title
from cityloop.watch.schemas import Level, LevelChange, WarningDetail

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MEDIA_TYPE = "application/cap+xml"
SEVERITY: dict[Level, str] = {"blue": "Minor", "yellow": "Moderate", "orange": "Severe", "red": "Extreme"}
LEVEL_OF: dict[str, Level] = {severity: level for level, severity in SEVERITY.items()} | {"Unknown": "blue"}
VALID = timedelta(hours=24)
"""How long a message counts after it was sent: a longer warning sends another one, or a consumer asks again."""
_TOLD = ("raised", "unmuted", "level", "escalated", "cleared")
_KINDS = {"raised": "Alert", "unmuted": "Alert", "cleared": "Cancel"}
_TYPES = ("Alert", "Update", "Cancel", "Ack", "Error")
_STATUS = ("Actual", "Exercise", "System", "Test", "Draft")
_NAME = re.compile(r"[^\s,<&]+")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
_CORNERS = 100
register_namespace("", NAMESPACE)


@dataclass(frozen=True)
class Office:
    """Who speaks: the ``sender`` of messages, its name for people, the zone, and whether all is an exercise."""

    sender: str
    name: Title
    zone: tzinfo
    exercise: bool = False


@dataclass(frozen=True)
class Bulletin:
    """What a plan has to say. ``references`` are messages before it that it takes back."""

    identifier: str
    at: datetime
    event: Title
    headline: str
    text: str
    level: Level
    area: Title
    geocode: str | None = None
    references: tuple[str, ...] = ()
    category: str = "Safety"


@dataclass(frozen=True)
class CapMessage:
    """What was read of a message."""

    identifier: str
    sender: str
    sent: datetime
    status: str
    kind: Literal["Alert", "Update", "Cancel", "Ack", "Error"]
    references: tuple[str, ...]
    """Identifiers of the messages before it."""
    categories: tuple[str, ...]
    title: Title
    headline: Title
    level: Level
    expires: datetime | None
    area: Title
    lon: float | None
    lat: float | None


def steps(warning: WarningDetail) -> list[LevelChange]:
    """The steps of a warning that are told outside, from its raising on; while it is muted there are none."""
    told = [change for change in warning.history if change.what in _TOLD]
    first = next((n for n, change in enumerate(told) if change.what in ("raised", "unmuted")), len(told))
    return told[first:]


def message(warning: WarningDetail, number: int, office: Office, shape: BaseGeometry | None, category: str) -> bytes:
    """The ``number``-th message of a warning as XML; ``shape`` is the area that it speaks of."""
    told = steps(warning)
    change, before = told[number], told[:number]
    alert = Element(_tag("alert"))
    drill = office.exercise or warning.outcome == "drill"
    _add(alert, "identifier", _identifier(warning.id, number))
    _add(alert, "sender", office.sender)
    _add(alert, "sent", _instant(change.at, office.zone))
    _add(alert, "status", "Exercise" if drill else "Actual")
    _add(alert, "msgType", _KINDS.get(change.what, "Update") if number else "Alert")
    _add(alert, "scope", "Restricted")
    _add(alert, "restriction", "城市运行管理内部 / city operations only")
    if before:
        sent = [(_identifier(warning.id, n), _instant(step.at, office.zone)) for n, step in enumerate(before)]
        _add(alert, "references", " ".join(f"{office.sender},{id},{at}" for id, at in sent))
    level = next((step.level for step in reversed(told[: number + 1]) if step.level), warning.level)
    for language in ("zh", "en"):
        _info(alert, warning, change, level, office, shape, category, language)
    body: bytes = tostring(alert, encoding="utf-8", xml_declaration=True)
    return body


def _info(
    alert: Element,
    warning: WarningDetail,
    change: LevelChange,
    level: Level,
    office: Office,
    shape: BaseGeometry | None,
    category: str,
    language: str,
) -> None:
    info, over = SubElement(alert, _tag("info")), change.what == "cleared"
    _add(info, "language", "zh-CN" if language == "zh" else "en-US")
    _add(info, "category", category)
    _add(info, "event", getattr(warning.title, language))
    _add(info, "responseType", "AllClear" if over else "Monitor")
    _add(info, "urgency", "Past" if over else "Immediate" if level in ("orange", "red") else "Expected")
    _add(info, "severity", SEVERITY[level])
    _add(info, "certainty", "Observed")
    _add(info, "effective", _instant(change.at, office.zone))
    _add(info, "onset", _instant(warning.raised_at, office.zone))
    _add(info, "expires", _instant(change.at + VALID, office.zone))
    _add(info, "senderName", getattr(office.name, language))
    _add(info, "headline", getattr(warning.message, language)[:160])
    _add(info, "description", getattr(change.reason, language))
    for name, value in (("level", level), ("rule", warning.rule), ("ruleVersion", warning.rule_version)):
        _pair(info, "parameter", name, value)
    area = SubElement(info, _tag("area"))
    _add(area, "areaDesc", getattr(warning.entity_title, language))
    _place(area, warning, shape)
    if warning.district:
        _pair(area, "geocode", "GB/T 2260", warning.district)


def _place(area: Element, warning: WarningDetail, shape: BaseGeometry | None) -> None:
    """The point of the entity, else the outline of its area, with at most a hundred corners."""
    if warning.lon is not None and warning.lat is not None:
        _add(area, "circle", f"{warning.lat:.6f},{warning.lon:.6f} 0")
        return
    for part in getattr(shape, "geoms", [shape] if shape is not None else []):
        ring = part.exterior
        if len(ring.coords) > _CORNERS:
            ring = ring.simplify(ring.length / _CORNERS / 4, preserve_topology=True)
        _add(area, "polygon", " ".join(f"{lat:.6f},{lon:.6f}" for lon, lat, *_ in ring.coords))


def bulletin(told: Bulletin, office: Office) -> bytes:
    """A message that answers no warning of ours: a plan speaks to the outside, or takes back what it said."""
    alert = Element(_tag("alert"))
    _add(alert, "identifier", told.identifier)
    _add(alert, "sender", office.sender)
    _add(alert, "sent", _instant(told.at, office.zone))
    _add(alert, "status", "Exercise" if office.exercise else "Actual")
    _add(alert, "msgType", "Cancel" if told.references else "Alert")
    _add(alert, "scope", "Public")
    if told.references:
        _add(alert, "references", " ".join(told.references))
    for language in ("zh", "en"):
        info = SubElement(alert, _tag("info"))
        _add(info, "language", "zh-CN" if language == "zh" else "en-US")
        _add(info, "category", told.category)
        _add(info, "event", getattr(told.event, language))
        _add(info, "responseType", "AllClear" if told.references else "Monitor")
        _add(info, "urgency", "Past" if told.references else "Expected")
        _add(info, "severity", SEVERITY[told.level])
        _add(info, "certainty", "Likely")
        _add(info, "effective", _instant(told.at, office.zone))
        _add(info, "expires", _instant(told.at + VALID, office.zone))
        _add(info, "senderName", getattr(office.name, language))
        _add(info, "headline", told.headline[:160])
        _add(info, "description", told.text)
        area = SubElement(info, _tag("area"))
        _add(area, "areaDesc", getattr(told.area, language))
        if told.geocode:
            _pair(area, "geocode", "GB/T 2260", told.geocode)
    body: bytes = tostring(alert, encoding="utf-8", xml_declaration=True)
    return body


def read(body: bytes) -> CapMessage:
    """A message that was sent; raises :class:`Invalid` with every element that is wrong."""
    try:
        alert = fromstring(body, forbid_dtd=True)
    except DefusedXmlException as error:
        raise Invalid("a CAP message has no document type and no entities", "send plain XML") from error
    except ParseError as error:
        raise Invalid(f"this is no XML: {error}", "send a CAP 1.2 alert") from error
    if alert.tag != _tag("alert"):
        raise Invalid(f"the root is {alert.tag}", f"send an alert of {NAMESPACE}")
    faults = list(_faults(alert))
    if faults:
        raise Invalid("the CAP message is not valid", "correct the elements that are named", faults)
    infos = {("zh" if _text(i, "language").lower().startswith("zh") else "en"): i for i in alert.findall(_tag("info"))}
    if not infos and _text(alert, "msgType") in ("Alert", "Update"):
        raise Invalid("a message without info says nothing", "send at least one info")
    first = next(iter(infos.values()), Element("none"))

    def both(name: str, parent: str = "") -> Title:
        texts = {lang: _text(i if not parent else i.find(_tag(parent)), name) for lang, i in infos.items()}
        some = next(iter(texts.values()), "")
        return Title(zh=texts.get("zh", some), en=texts.get("en", some))

    lon, lat = _centre(first.find(_tag("area")))
    expires = _text(first, "expires")
    return CapMessage(
        identifier=_text(alert, "identifier"),
        sender=_text(alert, "sender"),
        sent=datetime.fromisoformat(_text(alert, "sent")).astimezone(UTC),
        status=_text(alert, "status"),
        kind=_text(alert, "msgType"),  # type: ignore[arg-type]
        references=tuple(part.split(",")[1] for part in _text(alert, "references").split()),
        categories=tuple(category.text or "" for category in first.findall(_tag("category"))),
        title=both("event"),
        headline=both("headline"),
        level=LEVEL_OF.get(_text(first, "severity"), "blue"),
        expires=datetime.fromisoformat(expires).astimezone(UTC) if expires else None,
        area=both("areaDesc", "area"),
        lon=lon,
        lat=lat,
    )


def _faults(alert: Element) -> list[Fault]:
    """What the schema and the standard ask of an alert and its infos."""
    found = []

    def ask(holds: bool, where: str, what: str) -> None:
        if not holds:
            found.append(Fault(where, what, "see CAP 1.2, section 3.2"))

    for name in ("identifier", "sender"):
        ask(bool(_NAME.fullmatch(_text(alert, name))), name, "must be there, without blanks, commas, < or &")
    ask(_an_instant(_text(alert, "sent")), "sent", "write 2026-03-09T08:00:00+08:00")
    ask(_text(alert, "status") in _STATUS, "status", f"one of {', '.join(_STATUS)}")
    ask(_text(alert, "msgType") in _TYPES, "msgType", f"one of {', '.join(_TYPES)}")
    ask(_text(alert, "scope") in ("Public", "Restricted", "Private"), "scope", "one of Public, Restricted, Private")
    references = _text(alert, "references")
    ask(all(part.count(",") == 2 for part in references.split()), "references", "sender,identifier,sent, with blanks")
    ask(bool(references) or _text(alert, "msgType") not in ("Update", "Cancel"), "references", "must be there")
    for number, info in enumerate(alert.findall(_tag("info"))):
        for name in ("category", "event", "urgency", "certainty"):
            ask(bool(_text(info, name)), f"info.{number}.{name}", "must be there")
        ask(_text(info, "severity") in LEVEL_OF, f"info.{number}.severity", f"one of {', '.join(LEVEL_OF)}")
        expires = _text(info, "expires")
        ask(not expires or _an_instant(expires), f"info.{number}.expires", "write 2026-03-09T08:00:00+08:00")
        for area in info.findall(_tag("area")):
            ask(bool(_text(area, "areaDesc")), f"info.{number}.area.areaDesc", "must be there")
    return found


def _an_instant(text: str) -> bool:
    if not _INSTANT.fullmatch(text):
        return False
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _centre(area: Element | None) -> tuple[float | None, float | None]:
    """Longitude and latitude of an area's first circle, or the middle of its first polygon."""
    texts: Sequence[str] = _text(area, "circle").split()[:1] or _text(area, "polygon").split()[:-1]
    try:
        points = [tuple(map(float, text.split(","))) for text in texts]
    except ValueError:
        return None, None
    if not points or any(len(point) != 2 for point in points):
        return None, None
    return sum(p[1] for p in points) / len(points), sum(p[0] for p in points) / len(points)


def _identifier(warning: str, number: int) -> str:
    return f"{warning}.{number}"


def _instant(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).replace(microsecond=0).isoformat()


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _add(parent: Element, name: str, text: str) -> None:
    SubElement(parent, _tag(name)).text = text


def _pair(parent: Element, name: str, key: str, value: str) -> None:
    pair = SubElement(parent, _tag(name))
    _add(pair, "valueName", key)
    _add(pair, "value", value)


def _text(parent: Element | None, name: str) -> str:
    found = parent.find(_tag(name)) if parent is not None else None
    return (found.text or "").strip() if found is not None else ""
