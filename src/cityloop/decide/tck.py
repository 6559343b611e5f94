"""The public compliance kit of DMN (TCK): runs its test cases from a folder and counts by level and model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal, DecimalException
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

from cityloop.core.errors import Invalid
from cityloop.decide.boxed import child, children
from cityloop.decide.graph import Graph
from cityloop.decide.reading import read
from cityloop.feel.temporal import read_date, read_duration, read_instant, read_time
from cityloop.feel.values import NUMBERS, equal

_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_CLOSE = Decimal("1e-8")
_READERS: dict[str, Any] = {
    "string": str, "boolean": lambda text: text == "true", "decimal": NUMBERS.create_decimal,
    "double": NUMBERS.create_decimal, "integer": NUMBERS.create_decimal, "date": read_date, "time": read_time,
    "dateTime": read_instant, "duration": read_duration,
}  # fmt: skip


@dataclass
class Tally:
    """Results of one model's cases."""

    level: str
    name: str
    passed: int = 0
    failed: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All cases."""
        return self.passed + len(self.failed)


def run(folder: Path) -> list[Tally]:
    """Run every test file under ``folder`` (the kit's ``TestCases``)."""
    return [_tallied(path) for path in sorted(folder.glob("*/*/*-test-*.xml"))]


def _tallied(path: Path) -> Tally:
    root: Element = fromstring(path.read_bytes())
    tally = Tally(path.parent.parent.name, path.parent.name)
    named = child(root, "modelName")
    graph = _graph(path.parent / str(named.text if named is not None else ""))
    for case in children(root, "testCase"):
        wrong = list(_wrong(graph, case)) if graph else ["the model cannot be read"]
        if wrong:
            tally.failed.append(f"{case.get('id')}: {wrong[0]}")
        else:
            tally.passed += 1
    return tally


def _graph(path: Path) -> Graph | None:
    try:
        return Graph(read(path.read_bytes(), path.name)[0])
    except (Invalid, OSError):
        return None


def _wrong(graph: Graph, case: Element) -> Iterator[str]:
    inputs = {entry.get("name", ""): _value(entry) for entry in children(case, "inputNode")}
    service = case.get("invocableName") if case.get("type") == "decisionService" else None
    for result in children(case, "resultNode"):
        name = result.get("name", "")
        expected = child(result, "expected")
        wanted = _value(expected) if expected is not None else None
        try:
            found = _asked(graph, name, service, inputs)
        except (LookupError, ValueError) as error:
            yield f"{name}: {error!r}"
            continue
        if not _same(found, wanted):
            yield f"{name}: {found!r} instead of {wanted!r}"


def _asked(graph: Graph, name: str, service: str | None, inputs: dict[str, Any]) -> Any:
    if service is not None:
        id = next(id for id, entry in graph.model.services.items() if entry.variable.name == service)
        answer = graph.serve(id, inputs).value
        single = len(graph.model.services[id].outputs) == 1
        return answer if single or not isinstance(answer, dict) or name == service else answer[name]
    return graph.decide(_decision(graph, name), inputs).value


def _decision(graph: Graph, name: str) -> str:
    found = (id for id, entry in graph.model.decisions.items() if name in {entry.variable.name, entry.title.zh, id})
    decision = next(found, None)
    if decision is None:
        raise LookupError(name)
    return decision


def _value(element: Element) -> Any:
    listed = child(element, "list")
    if listed is not None:
        return None if listed.get(_NIL) == "true" else [_value(item) for item in children(listed, "item")]
    parts = list(children(element, "component"))
    if parts:
        return {part.get("name", ""): _value(part) for part in parts}
    found = child(element, "value")
    if found is None or found.get(_NIL) == "true":
        return None
    read_text = _READERS.get((found.get(_TYPE) or "string").rpartition(":")[2], str)
    try:
        return read_text(found.text or "")
    except (ValueError, DecimalException):
        return found.text


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(found, Decimal) and isinstance(wanted, Decimal):
        return abs(found - wanted) <= _CLOSE * max(Decimal(1), abs(wanted))
    if isinstance(found, int) and not isinstance(found, bool) and isinstance(wanted, Decimal):
        return found == wanted
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(_same(a, b) for a, b in zip(found, wanted, strict=True))
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(_same(found[key], wanted[key]) for key in found)
    if isinstance(found, datetime | date | time | timedelta):
        return type(found) is type(wanted) and bool(found == wanted)
    return equal(found, wanted) is True


def summary(tallies: Sequence[Tally], *, failed: bool = False) -> dict[str, Any]:
    """Counts by level, and the models that do not pass whole; with ``failed`` also which of their cases."""
    levels: dict[str, dict[str, Any]] = {}
    for tally in tallies:
        level = levels.setdefault(tally.level, dict.fromkeys(("models", "whole", "cases", "passed"), 0) | {"short": {}})
        level["models"] += 1
        level["whole"] += not tally.failed
        level["cases"] += tally.total
        level["passed"] += tally.passed
        if tally.failed:
            level["short"][tally.name] = f"{tally.passed}/{tally.total}" if not failed else tally.failed
    return levels
