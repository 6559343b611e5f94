"""Reads ``workflow.yaml`` of a pack and a city's changes to it, checks them, and keeps every version ever in force."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cityloop.access.policy import Policy
from cityloop.cases.effects import EFFECTS
from cityloop.cases.guards import INPUT, STANDING
from cityloop.cases.models import WorkflowRow
from cityloop.cases.workflow import ANY_OPEN, BEFORE, HANDLING, SAME, SUBMIT, MoveDef, Workflow
from cityloop.core.content import Lines, checked, fault_at, raise_faults, read_yaml
from cityloop.core.database import Database
from cityloop.core.errors import ContentError, Fault

CITY_MAY_CHANGE = (
    *("version", "number", "rework_clock", "duplicate", "clocks", "automation", "limits", "photos", "self_handling"),
    *("inspection", "deferral_clock", "suspension_days", "callback", "reminders"),
)
"""What ``workflow.yaml`` of a city may lay over the pack's; states and moves belong to the pack."""


def load_workflow(packs: Sequence[Path], city: Path | None = None) -> Workflow:
    """The workflow of the first pack that has one, with the city's own changes; raises :class:`ContentError`."""
    path = next((pack / "workflow.yaml" for pack in packs if (pack / "workflow.yaml").exists()), None)
    if path is None:
        searched = ", ".join(str(pack) for pack in packs) or "no pack at all"
        raise ContentError(f"no pack has a workflow.yaml (searched: {searched})", "add the pack 'urban' to city.yaml")
    value, lines = read_yaml(path)
    base = checked(path, Workflow, value, lines)
    raise_faults(str(path), check(base, path, lines))
    own = city / "workflow.yaml" if city else None
    return _overlaid(base, value, own) if own and own.exists() else base


def check(workflow: Workflow, path: Path, lines: Lines) -> list[Fault]:
    """Everything that types cannot see: names that lead nowhere, moves that cannot happen, keys used twice."""
    found = _twice(workflow, path, lines)
    for number, move in enumerate(workflow.moves):
        found += [
            fault_at(path, lines, ("moves", number, *key), what, mend) for key, what, mend in _move(workflow, move)
        ]
    for number, rule in enumerate(workflow.automation):
        if workflow.move_by_id.get(rule.move) not in workflow.moves_from.get(rule.when.state, ()):
            what = f"'{rule.move}' does not leave '{rule.when.state}'"
            found.append(fault_at(path, lines, ("automation", number, "move"), what, "name a move that does"))
    named = [(move.to, *(() if move.origin == ANY_OPEN else move.origin)) for move in workflow.moves]
    reached = {state for states in named for state in states}
    for number, state in enumerate(workflow.states):
        if state.id not in reached:
            fault = fault_at(
                path, lines, ("states", number), f"no move reaches '{state.id}'", "add one, or drop the state"
            )
            found.append(fault)
    return found


def unheld(workflow: Workflow, policy: Policy) -> list[str]:
    """Permissions of moves that no post of the city holds: nobody could ever make these moves."""
    held = {may for post in policy.posts.values() for may in post.may}
    return sorted({move.needs for move in workflow.moves} - held)


class Book:
    """The workflow in force and all earlier versions; a filed case goes on under its own."""

    def __init__(self, database: Database, current: Workflow) -> None:
        self._database = database
        self.current = current
        self._known: dict[str, Workflow] = {}

    def open(self) -> None:
        """Enter the version in force; refuses changed content under an old version."""
        document = self.current.model_dump(mode="json", by_alias=True)
        mark = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
        with self._database.transaction() as tx:
            known = tx.session.get(WorkflowRow, self.current.key)
            if known is None:
                tx.session.add(WorkflowRow(key=self.current.key, document=document, digest=mark))
            elif known.digest != mark:
                raise ContentError(
                    f"workflow '{self.current.key}' has changed since cases were filed under it",
                    "raise `version` in workflow.yaml: open cases keep the version they were filed under",
                )
        with self._database.reading() as session:
            for row in session.scalars(select(WorkflowRow)):
                self._known[row.key] = Workflow.model_validate(row.document)
        self._known[self.current.key] = self.current

    def of(self, key: str, filed: bool) -> Workflow:
        """The version that a case runs under: its own once it is filed, the one in force before."""
        return self._known.get(key, self.current) if filed else self.current


def _overlaid(base: Workflow, value: dict[str, Any], path: Path) -> Workflow:
    own, lines = read_yaml(path)
    if not isinstance(own, dict):
        raise ContentError(f"{path} is not a mapping", f"it may hold: {', '.join(CITY_MAY_CHANGE)}")
    strange = [name for name in own if name not in CITY_MAY_CHANGE]
    mend = f"a city may change: {', '.join(CITY_MAY_CHANGE)}"
    raise_faults(str(path), [fault_at(path, lines, (name,), "not for a city to change", mend) for name in strange])
    if "version" not in own:
        raise ContentError(f"{path} has no version", "give the city's changes a version of their own")
    version = f"{base.version}+{own['version']}"
    merged = checked(path, Workflow, {**value, **own, "version": version}, lines)
    raise_faults(str(path), [f for f in check(merged, path, lines) if "automation" in f.where or "clocks" in f.what])
    return merged


def _move(workflow: Workflow, move: MoveDef) -> Iterable[tuple[tuple[str | int, ...], str, str]]:
    states = workflow.state_by_id
    for index, name in enumerate(() if move.origin == ANY_OPEN else move.origin):
        if name not in states:
            yield ("from", index), f"there is no state '{name}'", f"one of: {', '.join(states)}"
        elif states[name].final and move.to != SAME and "reopen" not in {effect.name for effect in move.effects}:
            yield ("from", index), f"'{name}' is final", "a case leaves a final state only with the effect 'reopen'"
    if not move.origin:
        yield ("from",), "the move leaves no state", f"list states, or write {ANY_OPEN}"
    if move.to not in (SAME, BEFORE) and move.to not in states:
        yield ("to",), f"there is no state '{move.to}'", f"one of: {', '.join(states)}, {SAME} or {BEFORE}"
    for index, guard in enumerate(move.guards):
        if guard.name not in STANDING and guard.name not in INPUT:
            yield ("guards", index), f"there is no guard '{guard.name}'", f"one of: {', '.join([*STANDING, *INPUT])}"
    for index, effect in enumerate(move.effects):
        if effect.name not in EFFECTS:
            yield ("effects", index), f"there is no effect '{effect.name}'", f"one of: {', '.join(EFFECTS)}"
    for name in sorted(move.clocks.names() - set(workflow.clocks) - {HANDLING}):
        yield ("clocks",), f"there is no clock '{name}'", f"one of: {', '.join([*workflow.clocks, HANDLING])}"


def _twice(workflow: Workflow, path: Path, lines: Lines) -> list[Fault]:
    found = []
    lists = {
        "states": [state.id for state in workflow.states],
        "moves": [move.id for move in workflow.moves],
        "automation": [rule.id for rule in workflow.automation],
    }
    for name, ids in lists.items():
        again = [number for number, id in enumerate(ids) if id in ids[:number]]
        found += [fault_at(path, lines, (name, n, "id"), f"id '{ids[n]}' twice", "give each its own") for n in again]
    if SUBMIT not in workflow.move_by_id:
        found.append(fault_at(path, lines, ("moves",), f"there is no move '{SUBMIT}'", "a case begins with it"))
    return [*found, *_key_clashes(workflow, path, lines)]


def _key_clashes(workflow: Workflow, path: Path, lines: Lines) -> list[Fault]:
    found = []
    for state, moves in workflow.moves_from.items():
        taken: dict[tuple[str, str | None], str] = {}
        for move in moves:
            if move.key and taken.setdefault((move.key, move.decides), move.id) != move.id:
                number = workflow.moves.index(move)
                what = f"key '{move.key}' is also '{taken[move.key, move.decides]}' in the state '{state}'"
                found.append(fault_at(path, lines, ("moves", number, "key"), what, "choose another key"))
    return found
