"""``wires.yaml`` of a city: by which broker and which service its devices are reached."""

from __future__ import annotations

from pathlib import Path
from string import Formatter
from typing import Annotated

from pydantic import AfterValidator, Field

from cityloop.collect.sources.declarations import Broker
from cityloop.collect.sources.secrets import SecretReference
from cityloop.core.content import load
from cityloop.core.values import Frozen

FILE = "wires.yaml"
PLACES = {"entity_type", "entity"}


def _address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("write an address that begins with http:// or https://")
    unknown = {name for _, name, _, _ in Formatter().parse(text) if name} - PLACES
    if unknown:
        raise ValueError(f"there is no place {{{sorted(unknown)[0]}}}; use {{entity_type}} and {{entity}}")
    return text


class HttpOrdersConnection(Frozen):
    """A service that takes orders by POST. ``url`` may hold ``{entity_type}`` and ``{entity}``."""

    url: Annotated[str, AfterValidator(_address)]
    token: SecretReference | None = None
    """Sent as a bearer token."""
    seconds: float = Field(default=10.0, gt=0, le=60)
    """Patience with one request."""


class WiresFile(Frozen):
    """``wires.yaml``."""

    mqtt: Broker | None = None
    http: HttpOrdersConnection | None = None


def load_wires(city: Path) -> WiresFile:
    """The wires of a city; none without the file. Raises :class:`ContentError`."""
    path = city / FILE
    return load(path, WiresFile) if path.is_file() else WiresFile()
