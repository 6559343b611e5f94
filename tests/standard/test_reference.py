"""The vectorised verdicts on unique values, jumps and stuck sensors are those of a plain reading record by record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from cityloop.standard.declarations import FeedDeclaration
from cityloop.standard.feeds import compile_feed
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.memory import Memory
from cityloop.standard.service import Standard
from tests.standard.test_memory import KIND, START

CHANGE, PER, WITHIN = 10.0, 600.0, 7200.0
Record = tuple[str, int, float | None, float | None]
Verdicts = list[tuple[int, list[str], str | None]]
"""Record number, broken rules that refuse it, quality of what is kept."""
FREE = [0.0]
RECORDS = st.lists(
    st.tuples(
        st.sampled_from(["a", "a", "b", "c"]),
        st.integers(0, 40),
        st.sampled_from([None, 0.0, 5.0, 5.0, 5.0, 16.0, 30.0, 200.0]),
        st.sampled_from([None, 1.0, 1.0, 2.0, 90.0]),
    ),
    max_size=30,
)


@given(
    batches=st.lists(RECORDS, min_size=1, max_size=3),
    severities=st.tuples(*[st.sampled_from(["flag", "refuse"])] * 5),
    late=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_verdicts_equal_a_plain_reading(batches: list[list[Record]], severities: tuple[str, ...], late: bool) -> None:
    rules = declared(severities)
    feed, plain = compiled(rules), Plain(rules)
    memory = Memory(feed)
    for nth, batch in enumerate(batches):
        records = [(name, at + (0 if late else nth * 30), level, flow) for name, at, level, flow in batch]
        assert verdicts(feed, memory, records) == plain.verdicts(records)


def declared(severities: tuple[str, ...]) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = [
        {"rule": "jump", "property": "level", "change": CHANGE, "per": PER, "within": WITHIN},
        {"rule": "stuck", "property": "level", "readings": 3, "but": FREE},
        {"rule": "stuck", "property": "flow", "lasting": 900},
        {"rule": "jump", "property": "flow", "change": 50, "per": 3600},
        {"rule": "unique", "properties": ["level", "flow"]},
    ]
    return [{**rule, "severity": severity} for rule, severity in zip(rules, severities, strict=True)]


def compiled(rules: list[dict[str, Any]]) -> FeedMapping:
    declaration = FeedDeclaration.model_validate(
        {"id": "gauges", "title": "Gauges", "entity_type": "Gauge", "department": "water", "entity": {"field": "id"},
         "time": {"field": "at"}, "properties": {"level": "v", "flow": "w"}, "checks": rules}
    )  # fmt: skip
    return compile_feed(declaration, Standard({"Gauge": KIND}))


def verdicts(feed: FeedMapping, memory: Memory, records: list[Record]) -> Verdicts:
    rows = [
        {"id": name, "at": (START + timedelta(minutes=at)).isoformat(), "v": level, "w": flow}
        for name, at, level, flow in records
    ]
    mapped = feed.apply(pl.DataFrame(rows, schema=feed.typed), START + timedelta(days=9), {"a", "b", "c"})
    found = memory.judge(mapped)
    kept: Verdicts = [(n, [], mark) for n, mark in zip(found.rows["record:index"], found.rows["quality"], strict=True)]
    gone = [(n, [refusal.rule for refusal in why], None) for n, why in found.refusals.items()]
    marked = {n for n, _, mark in kept if mark}
    assert set(found.flags) == marked, "what is marked is explained, and nothing else"
    return sorted([*kept, *gone])


class Plain:
    """The same checks, one record after another, as the documentation tells them."""

    def __init__(self, rules: list[dict[str, Any]]) -> None:
        self.unique, self.rules = rules[-1], rules[:-1]
        self.past: dict[tuple[str, str], tuple[int, float, int, int]] = {}

    def verdicts(self, records: list[Record]) -> Verdicts:
        twice = self.twice(records)
        kept: list[tuple[str, int, int, Record, list[str]]] = []
        result: Verdicts = []
        for n, record in enumerate(records):
            if record[2] is None and record[3] is None:
                result.append((n, ["empty"], None))
            elif n in twice and self.unique["severity"] == "refuse":
                result.append((n, ["unique"], None))
            else:
                kept.append((record[0], record[1], n, record, ["unique:level+flow"] if n in twice else []))
        for name, at, n, record, marks in sorted(kept, key=lambda item: item[:3]):
            broken = self.judged(name, at * 60, {"level": record[2], "flow": record[3]})
            refusing = [rule["rule"] for rule in broken if rule["severity"] == "refuse"]
            told = [*marks, *[f"{rule['rule']}:{rule['property']}" for rule in broken]]
            result.append((n, refusing, None if refusing else ",".join(told) or None))
        return sorted(result)

    def twice(self, records: list[Record]) -> set[int]:
        first: dict[tuple[float, float], tuple[str, int]] = {}
        found = set()
        for n, (name, at, level, flow) in enumerate(records):
            if level is None or flow is None:
                continue
            if first.setdefault((level, flow), (name, at)) != (name, at):
                found.add(n)
        return found

    def judged(self, name: str, at: int, values: dict[str, float | None]) -> list[dict[str, Any]]:
        broken, after = [], {}
        for item, value in values.items():
            before = self.past.get((name, item))
            if value is None or (before and at <= before[0]):
                continue
            after[item] = (at, value, *((before[2], before[3] + 1) if before and before[1] == value else (at, 1)))
        for rule in self.rules:
            item = rule["property"]
            if item in after and self.breaks(rule, self.past.get((name, item)), after[item]):
                broken.append(rule)
        if not any(rule["severity"] == "refuse" for rule in broken):
            jumped = {rule["property"] for rule in broken if rule["rule"] == "jump"}
            self.past |= {(name, item): reading for item, reading in after.items() if item not in jumped}
        return broken

    @staticmethod
    def breaks(
        rule: dict[str, Any], before: tuple[int, float, int, int] | None, now: tuple[int, float, int, int]
    ) -> bool:
        at, value, since, count = now
        if rule["rule"] == "jump":
            passed = at - before[0] if before else 0
            allowed: float = rule["change"] * max(1.0, passed / rule["per"])
            return before is not None and passed <= rule.get("within", 86_400) and abs(value - before[1]) > allowed
        if value in rule.get("but", ()):
            return False
        return bool(count >= rule["readings"] if "readings" in rule else at - since >= rule["lasting"])
