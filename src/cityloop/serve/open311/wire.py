"""The two spellings of every answer. Pure: plain values in, bytes out.

A list stands at the root of JSON and inside a named root in XML; XML has no namespaces, starts with its declaration and
is UTF-8. Codes and ids are text in both, so that ``06010`` keeps its zero.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from xml.etree.ElementTree import Element, SubElement, tostring
from zoneinfo import ZoneInfo

Form = Literal["xml", "json"]
TYPES: Mapping[Form, str] = {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}
ITEMS = {
    "services": "service",
    "attributes": "attribute",
    "values": "value",
    "service_requests": "request",
    "service_request_updates": "request_update",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
}
"""What an item of each list is called in XML."""
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def spell(form: Form, root: str, value: Any) -> bytes:
    """``value`` as the body of an answer; ``root`` names the document in XML."""
    if form == "json":
        return json.dumps(value, ensure_ascii=False).encode()
    element = Element(root)
    _fill(element, root, value)
    body: bytes = tostring(element, encoding="utf-8", xml_declaration=True)
    return body


def instant(at: datetime | None, zone: ZoneInfo) -> str | None:
    """An instant as ``YYYY-MM-DDThh:mm:ss+hh:mm`` in the city's zone."""
    return at.astimezone(zone).isoformat(timespec="seconds") if at is not None else None


def _fill(element: Element, name: str, value: Any) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _fill(SubElement(element, key), key, item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            _fill(SubElement(element, ITEMS[name]), ITEMS[name], item)
    elif value is not None:
        element.text = _text(value)


def _text(value: Any) -> str:
    """Text of an element; signs that no XML document may hold are replaced."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _NOT_XML.sub("\ufffd", str(value))
