"""Content files: YAML that knows its lines, checked by a typed model, with every fault at its place."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from cityloop.core.errors import ContentError, Fault
from cityloop.core.wording import fault_of

M = TypeVar("M", bound=BaseModel)
Key = tuple[str | int, ...]
_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The compiled loader, ten times as quick, where PyYAML was built with it."""


class Lines(dict[Key, int]):
    """The line of every key and list item of one file, by its path from the root."""

    def nearest(self, key: Key) -> int:
        """The line of ``key``, or of its nearest ancestor that the file has."""
        while key and key not in self:
            key = key[:-1]
        return self.get(key, 1)


def read_yaml(path: Path) -> tuple[Any, Lines]:
    """Read one YAML file; return its value and the line of every key.

    Raises :class:`ContentError` for a missing file, broken YAML, or a key written twice.
    """
    try:
        return parse_yaml(path, path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ContentError(f"{path} is missing", "create the file or correct the name that refers to it") from error
    except UnicodeDecodeError as error:
        raise ContentError(f"{path} is not UTF-8", "save the file as UTF-8") from error


def parse_yaml(path: Path, text: str) -> tuple[Any, Lines]:
    """The same for a text that was sent under the name ``path``; JSON is YAML too."""
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        fault = Fault(f"{path}:{line}", str(error.problem), "correct the YAML at this line")
        raise ContentError(f"{path} is not valid YAML", faults=[fault]) from error
    lines = Lines({(): 1})
    if node is None:
        return {}, lines
    _collect(path, node, (), lines)
    return yaml.load(text, Loader=_LOADER), lines  # noqa: S506 - both loaders are safe ones


def load(path: Path, model: type[M]) -> M:
    """Read ``path`` and check it against ``model``; every fault names file, line and key."""
    value, lines = read_yaml(path)
    return checked(path, model, value, lines)


def checked(path: Path, model: type[M], value: Any, lines: Lines, root: Key = ()) -> M:
    """Check a value that stands at ``root`` inside ``path`` against ``model``."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = [fault_of(item, _place(path, lines, (*root, *item["loc"]))) for item in error.errors()]
        raise ContentError(f"{path} has {len(faults)} error(s)", faults=faults) from error


def fault_at(path: Path, lines: Lines, key: Key, what: str, mend: str = "") -> Fault:
    """A fault at ``key`` of ``path``, with its line."""
    return Fault(_place(path, lines, key), what, mend)


def _place(path: Path, lines: Lines, key: Key) -> str:
    dotted = ".".join(str(part) for part in key) or "(whole file)"
    return f"{path}:{lines.nearest(key)} {dotted}"


def raise_faults(what: str, faults: Iterable[Fault]) -> None:
    """Raise one :class:`ContentError` with all ``faults``, if there are any."""
    found = list(faults)
    if found:
        raise ContentError(f"{what} has {len(found)} error(s)", faults=found)


def _collect(path: Path, node: yaml.Node, key: Key, lines: Lines) -> None:
    lines.setdefault(key, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name_node, value_node in node.value:
            name = str(name_node.value)
            here = (*key, name)
            lines[here] = name_node.start_mark.line + 1
            if name in seen:
                fault = Fault(f"{path}:{lines[here]} {name}", "key written twice", "keep one of the two")
                raise ContentError(f"{path} has 1 error(s)", faults=[fault])
            seen.add(name)
            _collect(path, value_node, here, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _collect(path, item, (*key, index), lines)
