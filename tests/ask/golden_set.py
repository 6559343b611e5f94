"""Reads the golden set and judges answers against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import yaml

from cityloop.analyse.schemas import Derive, Filter, Having, Order, QueryRequest
from cityloop.ask.grammar import Understood

FOLDER = Path(__file__).parent / "golden"
ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 18, 10, 30, tzinfo=ZONE)
"""Wednesday, 10:30 in the demo city."""
Verdict = Literal["right", "asked back", "refused", "wrong"]


@dataclass(frozen=True)
class Golden:
    """A question and what is wanted of it."""

    question: str
    wants: Literal["query", "why", "ask", "refuse"]
    query: QueryRequest | None
    after: QueryRequest | None
    where: str


def golden(part: Literal["seen", "unseen"]) -> list[Golden]:
    """One part of the set."""
    return [item for path in sorted(FOLDER.glob(f"{part}_*.yaml")) for item in _read(path)]


def judge(item: Golden, found: Understood) -> Verdict:
    """How an answer compares with what is wanted."""
    kind = "refuse" if found.refusal else "ask" if not found.clear else "why" if found.why else "query"
    if item.wants in ("ask", "refuse"):
        return "right" if kind == item.wants else "wrong" if kind in ("query", "why") else _other(kind)
    if kind in ("ask", "refuse"):
        return _other(kind)
    assert found.query is not None and item.query is not None
    if kind == item.wants == "why":
        same = (
            found.query.metrics == item.query.metrics
            and (found.query.start, found.query.end) == (item.query.start, item.query.end)
            and normal(found.query).filters == normal(item.query).filters
        )
        return "right" if same else "wrong"
    return "right" if kind == item.wants and normal(found.query) == normal(item.query) else "wrong"


def normal(query: QueryRequest) -> QueryRequest:
    """A query with everything whose order means nothing in a fixed order."""
    filters = sorted(
        (item.model_copy(update={"values": sorted(item.values)}) for item in query.filters),
        key=lambda item: (item.dimension, item.op),
    )
    return query.model_copy(
        update={
            "metrics": sorted(query.metrics),
            "dimensions": sorted(query.dimensions),
            "filters": filters,
            "calendar": sorted(query.calendar),
        }
    )


def _other(kind: str) -> Verdict:
    return "asked back" if kind == "ask" else "refused"


def _read(path: Path) -> Iterator[Golden]:
    for number, line in enumerate(yaml.safe_load(path.read_text(encoding="utf-8")), 1):
        wants: Any = next((kind for kind in ("why", "ask", "refuse") if kind in line), "query")
        parts = line["why"] if wants == "why" else line
        query = _query(parts) if "m" in parts else None
        after = _query(line["after"]) if "after" in line else None
        yield Golden(str(line["q"]), wants, query, after, f"{path.name}:{number}")


def _query(line: dict[str, Any]) -> QueryRequest:
    start, _, end = str(line.get("t", "")).partition("..")
    values: dict[str, Any] = {"limit": line["n"]} if "n" in line else {}
    compare = line.get("c", "none")
    return QueryRequest(
        metrics=line["m"].split(),
        dimensions=str(line.get("by", "")).split(),
        filters=[_filter(text) for text in str(line.get("f", "")).split()],
        grain=line.get("g"),
        start=_instant(start),
        end=_instant(end),
        compare=compare,
        calendar=str(line.get("cal", "")).split(),
        derive=[_derive(text, compare) for text in _listed(line.get("derive"))],
        having=[_having(text) for text in _listed(line.get("having"))],
        order=[_order(text) for text in _listed(line.get("o"))],
        **values,
    )


def _filter(text: str) -> Filter:
    name, _, values = text.partition("=")
    codes = [_matter(value) if name.rstrip("!") == "matter" else value for value in values.split("|")]
    return Filter(dimension=name.rstrip("!"), op="not_in" if name.endswith("!") else "in", values=codes)


def _matter(code: str) -> str:
    return f"gb47678:matter:{code}"


def _derive(text: str, compare: str) -> Derive:
    metric, how, *rest = text.split()
    over = rest[0] if rest and not (rest[0] == "time" and how.startswith("change") and compare != "none") else None
    return Derive(metric=metric, how=how, over=over, window=int(rest[1]) if len(rest) > 1 else None)


def _having(text: str) -> Having:
    metric, op, *values = text.split()
    return Having(metric=metric.replace(":", "__"), op=op, values=[float(value) for value in values])


def _order(text: str) -> Order:
    return Order(by=text[1:].replace(":", "__"), descending=text[0] == "-")


def _listed(value: Any) -> list[str]:
    return [] if value is None else value if isinstance(value, list) else [str(value)]


def _instant(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE) if text else None
