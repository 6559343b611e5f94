"""Absence: for how long a subject has said nothing, by the event time of its newest record. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo

import numpy as np

from cityloop.standard.batch import EntityCard
from cityloop.watch.cells import NEVER, Ints
from cityloop.watch.judging import Decision, Outcome, Stage, Tally, instant, micros
from cityloop.watch.rules import Rule
from cityloop.watch.runs import Readings
from cityloop.watch.state import State


def hear(state: State, readings: Readings) -> Ints:
    """Note who spoke; returns the subjects whose newest instant moved."""
    before = state.last.copy()
    np.maximum.at(state.last, readings.entity, readings.at)
    return np.flatnonzero(state.last > before)


def enlist(state: State, things: Mapping[str, EntityCard], now: datetime, zone: tzinfo) -> list[str]:
    """Count things of the directory that never sent anything from their registration; returns the new ones.

    A thing without the attribute ``registered`` counts from now.
    """
    numbers = state.numbers(list(things))
    unheard = numbers[state.last[numbers] == NEVER]
    names = [state.names[number] for number in unheard]
    state.last[unheard] = [micros(min(now, registered(things[name], zone) or now)) for name in names]
    return names


def registered(thing: EntityCard, zone: tzinfo) -> datetime | None:
    """When a thing was registered, by the attribute of its line in the directory: a day or an instant."""
    try:
        found = datetime.fromisoformat(thing.attributes.get("registered", ""))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def judge(rule: Rule, state: State, now: datetime, entity: Ints | None = None) -> tuple[State, list[Decision], Tally]:
    """Move the levels of these subjects (default: of all that ever spoke) by how long each has been silent."""
    tally = Tally()
    if entity is None:
        entity = np.flatnonzero(state.last[: len(state.names)] != NEVER)
    lasted = (micros(now) - state.last[entity]) / 1_000_000
    limits = np.array([value for _, value in rule.ladder])
    ranks = np.arange(1, len(limits) + 1)
    before = state.level[entity].astype(np.int64)
    up = np.where(lasted[:, None] >= limits, ranks, 0).max(axis=1, initial=0)
    kept = (lasted[:, None] >= limits - rule.clear.margin) & (ranks <= before[:, None])
    after = np.where(up > before, up, np.where(kept, ranks, 0).max(axis=1, initial=0))
    state.level[entity] = after
    state.stage[entity] = np.where(after > 0, Stage.OPEN, Stage.QUIET)
    state.outcome[entity] = np.where(after > 0, Outcome.OPEN, Outcome.QUIET)
    moved = np.flatnonzero(before != after)
    decisions = [_decision(rule, state, int(entity[m]), int(before[m]), int(after[m]), now) for m in moved]
    tally.turned.update(decision.entity for decision in decisions)
    return state, decisions, tally


def _decision(rule: Rule, state: State, number: int, before: int, after: int, now: datetime) -> Decision:
    spoke = instant(int(state.last[number]))
    outcome = Outcome.FIRE if before == 0 else Outcome.LEVEL if after else Outcome.CLEAR
    state.outcome[number] = outcome
    level, threshold = rule.ladder[max(after, 1) - 1]
    return Decision(
        rule=rule.id,
        entity=state.names[number],
        outcome=outcome,
        level=level if after else None,
        before=rule.ladder[before - 1][0] if before else None,
        value=max(0.0, (now - spoke).total_seconds()),
        threshold=threshold,
        at=now,
        window_from=min(spoke, now),
        window_to=now,
        since=spoke,
    )
