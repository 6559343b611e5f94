"""What a client asks, read from its parameters. Pure; everything wrong is one :class:`Invalid` with its reason.

An empty argument equals an absent one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import parse_qsl

from cityloop.city.datum import Datum
from cityloop.core.errors import Fault, Invalid, TooLarge

SPAN = timedelta(days=90)
MOST = 1000
"""Longest span and most rows of one list, by the specification."""
MOST_FIELDS = 200
Status = Literal["open", "closed"]
_LISTS = ("service_request_id", "service_code", "status")
_DATUMS: dict[str, Datum] = {"wgs84": "wgs84", "gcj02": "gcj02", "bd09": "bd09"}


@dataclass(frozen=True)
class Wanted:
    """Which requests are wanted. With ``ids`` nothing else counts."""

    ids: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    status: Status | None = None
    page: int = 1
    size: int = MOST
    extensions: bool = False


@dataclass(frozen=True)
class Sent:
    """A report as it was sent; ``attributes`` by code."""

    service_code: str
    attributes: Mapping[str, tuple[str, ...]]
    lon: float | None = None
    lat: float | None = None
    datum: Datum = "wgs84"
    address: str = ""
    description: str = ""
    media_url: str = ""
    name: str = ""
    phone: str = ""


@dataclass(frozen=True)
class SentUpdate:
    """What another system says of a request, as it was sent."""

    number: str
    update: str
    status: str
    description: str
    at: datetime | None


Pairs = Sequence[tuple[str, str]]


def read_form(content_type: str, body: bytes) -> Pairs:
    """The fields of a POST."""
    if content_type != "application/x-www-form-urlencoded":
        raise wrong("body", f"the body is '{content_type}'", "send application/x-www-form-urlencoded")
    try:
        return parse_qsl(body.decode("utf-8"), keep_blank_values=False, max_num_fields=MOST_FIELDS, errors="strict")
    except UnicodeDecodeError as error:
        raise wrong("body", "the body is not UTF-8", "encode every field as UTF-8") from error
    except ValueError as error:
        raise TooLarge(f"the body has more than {MOST_FIELDS} fields", "send fewer") from error


def plain(pairs: Pairs) -> dict[str, str]:
    """The last value of every parameter that is not empty; those that are lists may also be sent several times."""
    found: dict[str, str] = {}
    for key, value in pairs:
        if value.strip():
            joined = f"{found[key]}," if key in _LISTS and key in found else ""
            found[key] = joined + value.strip()
    return found


def read_wanted(given: Mapping[str, str], now: datetime) -> Wanted:
    """The filter of ``GET requests``; by default the 90 days up to ``now``."""
    page = _count(given, "page", 1, 1_000_000, 1)
    size = _count(given, "page_size", 1, MOST, MOST)
    extensions = given.get("extensions", "").lower() == "true"
    if ids := _listed(given.get("service_request_id", "")):
        if len(ids) > MOST:
            raise wrong("service_request_id", f"there are {len(ids)} ids", f"ask for at most {MOST} at once")
        return Wanted(ids=ids, page=page, size=size, extensions=extensions)
    start, end = _span(given, now)
    statuses = set(_listed(given.get("status", "").lower()))
    if other := statuses - {"open", "closed"}:
        raise wrong("status", f"there is no status '{sorted(other)[0]}'", "only open and closed exist")
    status: Status | None = None if len(statuses) != 1 else "open" if "open" in statuses else "closed"
    return Wanted((), _listed(given.get("service_code", "")), start, end, status, page, size, extensions)


def read_sent(pairs: Pairs) -> Sent:
    """A report; raises :class:`Invalid` for a half point, no place at all, or words beyond 4,000 signs."""
    given = plain(pairs)
    code = given.get("service_code")
    if code is None:
        raise wrong("service_code", "service_code is missing", "take one from GET services")
    lat, lon = _degrees(given, "lat", 90), _degrees(given, "long", 180)
    if (lat is None) != (lon is None):
        raise wrong("lat", "lat and long go together", "send both, or an address_string")
    if lat is None and "address_string" not in given:
        only = "this city has no register of addresses, so address_id says nothing; "
        what = (only if "address_id" in given else "") + "the report says not where"
        raise wrong("lat", what, "send lat and long, or an address_string that names an area of the city")
    if (datum := given.get("datum", "wgs84").lower()) not in _DATUMS:
        raise wrong("datum", f"'{datum}' is no datum", "one of wgs84, gcj02, bd09")
    if len(given.get("description", "")) > 4000:
        raise wrong("description", "the description is longer than 4000 characters", "shorten it")
    return Sent(
        service_code=code,
        attributes=_attributes(pairs),
        lon=lon,
        lat=lat,
        datum=_DATUMS[datum],
        address=_short(given, "address_string", 200),
        description=_printable(given.get("description", "")),
        media_url=_media(given),
        name=_name(given.get("first_name", ""), given.get("last_name", "")),
        phone=_short(given, "phone", 30),
    )


def read_updates(given: Mapping[str, str], now: datetime) -> Wanted:
    """The span of ``GET servicerequestupdates``: both ends or none; by default the day up to ``now``."""
    if ("start_date" in given) != ("end_date" in given):
        raise wrong("start_date", "start_date and end_date go together", "send both, or none for the last day")
    start, end = _span(given, now) if "start_date" in given else (now - timedelta(days=1), now)
    page = _count(given, "page", 1, 1_000_000, 1)
    return Wanted(start=start, end=end, page=page, size=_count(given, "page_size", 1, MOST, MOST))


def read_update(pairs: Pairs) -> SentUpdate:
    """An update as it was sent; raises :class:`Invalid` where it names no request, has no id or says nothing."""
    given = plain(pairs)
    for name, mend in _NEEDED:
        if name not in given:
            raise wrong(name, f"{name} is missing", mend)
    if len(given["description"]) > 4000:
        raise wrong("description", "the description is longer than 4000 characters", "shorten it")
    return SentUpdate(
        number=given["service_request_id"],
        update=_short(given, "update_id", 60),
        status=_short(given, "status", 40).lower(),
        description=_printable(given["description"]),
        at=_moment(given, "updated_datetime"),
    )


_NEEDED = (
    ("service_request_id", "take it from the answer to the report"),
    ("update_id", "your own id of the update, so that it is taken once"),
    ("description", "say what happened"),
)


def wrong(where: str, what: str, mend: str) -> Invalid:
    """One fault as the refusal of the whole request."""
    return Invalid(what, mend, [Fault(where, what, mend)])


def _span(given: Mapping[str, str], now: datetime) -> tuple[datetime, datetime]:
    start, end = _moment(given, "start_date"), _moment(given, "end_date")
    if start is None and end is None:
        return now - SPAN, now
    start = start if start is not None else (end or now) - SPAN
    end = end if end is not None else start + SPAN
    if start > end:
        raise wrong("start_date", "start_date is later than end_date", "exchange them")
    if end - start > SPAN:
        raise wrong("start_date", "the span is longer than 90 days", "ask for 90 days at a time")
    return start, end


def _moment(given: Mapping[str, str], name: str) -> datetime | None:
    if name not in given:
        return None
    # An unescaped + of an offset arrives as a blank.
    text = given[name].replace(" ", "+")
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise wrong(name, f"'{text[:40]}' is no date-time", "write it as 2026-03-09T08:00:00+08:00") from error
    if found.tzinfo is None:
        raise wrong(name, f"'{text[:40]}' has no time zone", "add Z or an offset such as +08:00")
    return found


def _count(given: Mapping[str, str], name: str, least: int, most: int, default: int) -> int:
    text = given.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not least <= int(text[:9]) <= most:
        raise wrong(name, f"'{text[:20]}' is no {name}", f"a whole number from {least} to {most}")
    return int(text)


def _degrees(given: Mapping[str, str], name: str, most: int) -> float | None:
    if name not in given:
        return None
    try:
        value = float(given[name])
    except ValueError as error:
        raise wrong(name, f"'{given[name][:40]}' is no number", f"{name} in WGS 84 degrees") from error
    if not -most <= value <= most:
        raise wrong(name, f"{name} is not between -{most} and {most}", f"{name} in WGS 84 degrees")
    return value


def _attributes(pairs: Pairs) -> dict[str, tuple[str, ...]]:
    """``attribute[code]=v`` and ``attribute[code][]=v``, several values in the order in which they came."""
    found: dict[str, tuple[str, ...]] = {}
    for key, value in pairs:
        if key.startswith("attribute[") and key.endswith("]") and value.strip():
            code = key.removeprefix("attribute[").removesuffix("[]").removesuffix("]")
            found[code] = (*found.get(code, ()), _printable(value.strip()))
    return found


def _media(given: Mapping[str, str]) -> str:
    url = given.get("media_url", "")
    if url and (not url.startswith(("http://", "https://")) or len(url) > 500 or " " in url):
        raise wrong("media_url", "media_url is no address of the web", "http:// or https://, at most 500 signs")
    return url


def _name(first: str, last: str) -> str:
    """Chinese names are written without a blank, the family name first."""
    if any(sign > "\u2e7f" for sign in first + last):
        return _printable(last + first)[:40]
    return _printable(f"{first} {last}").strip()[:40]


def _short(given: Mapping[str, str], name: str, most: int) -> str:
    text = _printable(given.get(name, ""))
    if len(text) > most:
        raise wrong(name, f"{name} is longer than {most} characters", "shorten it")
    return text


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _printable(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable() or sign in "\n\t")
