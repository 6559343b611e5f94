"""The sample plans of the packs, and how departments answer their tasks in a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cityloop.access.actor import Actor
from cityloop.core.database import Transaction
from cityloop.core.values import Title
from cityloop.linkage.ports import Answered, Occasion
from cityloop.linkage.schemas import RunDetail, RunFilter, TaskApproval
from tests.linkage.support import FIRST, LEAD, LEADER, PEOPLE, POLICE, WATER, Room, person, warning

PACKS = Path(__file__).parents[2] / "packs"
FILES = {path.stem: path for path in sorted(PACKS.glob("*/plans/*.bpmn"))}
ENVIRONMENT = person("wenjing", "department", department="environment")
TRANSPORT = person("qian", "department", department="transport")
SANITATION = person("zhou", "department", department="sanitation")
URBAN = person("zhao", "department", department="urban")
EMERGENCY = person("xu", "department", department="emergency")
SECOND = person("deputy", "leader")
PEOPLE.update({actor.id: actor for actor in (ENVIRONMENT, TRANSPORT, SANITATION, URBAN, EMERGENCY, SECOND)})


@dataclass(frozen=True)
class Answer:
    """What somebody does with the task at an element: fill in its form, or approve or reject."""

    who: Actor
    element: str
    values: Mapping[str, Any] = field(default_factory=dict)
    approve: bool | None = None


@dataclass(frozen=True)
class Scene:
    """One plan played to its end: the warning that starts it, what is found, the answers, and what was done then."""

    plan: str
    starts: Mapping[str, Any]
    found: Mapping[str, Sequence[Mapping[str, Any]]]
    """By entity type, what the service ``find`` answers."""
    before: tuple[Answer, ...]
    """Answers until the plan waits for the warning to clear."""
    after: tuple[Answer, ...] = ()
    orders: tuple[tuple[str, str], ...] = ()
    """Commands in order: the entity and the command."""
    waits: bool = True


def thing(entity: str, **state: Any) -> dict[str, Any]:
    return {"entity": entity, "title": entity, "lon": 114.0, "lat": 22.6, "state": state, "attributes": {}}


def yes(who: Actor, element: str, **values: Any) -> Answer:
    return Answer(who, element, values)


def approve(who: Actor, element: str, *, given: bool = True) -> Answer:
    return Answer(who, element, approve=given)


SOURCE = {"EmissionSource": [thing("E1", output=92)]}
SIGN = {"MessageSign": [thing("V1")]}
SCENES = (
    Scene(
        "air-traffic",
        {"rule": "air.pm2_5_episode", "level": "orange", "entity": "1001A", "entity_type": "AirQualityStation"},
        {**SOURCE, **SIGN},
        (
            yes(ENVIRONMENT, "judge", confirmed=True),
            yes(TRANSPORT, "reinforce", lines="M1", vehicles=12),
            approve(POLICE, "allow"),
            yes(SANITATION, "flush", kilometres=18.5),
        ),
        (yes(TRANSPORT, "normal", trips=96), yes(ENVIRONMENT, "review", finding="没有可见差别")),
        (("E1", "curtail"), ("V1", "show"), ("E1", "restore"), ("V1", "show")),
    ),
    Scene(
        "source-shutoff",
        {"rule": "air.pm2_5_hourly", "level": "red", "entity": "1001A", "entity_type": "AirQualityStation"},
        SOURCE,
        (
            yes(ENVIRONMENT, "judge", wanted=True, grounds="排口超标"),
            approve(LEADER, "allow"),
            approve(SECOND, "allow"),
        ),
        (approve(LEADER, "reopen"),),
        (("E1", "shut_off"), ("E1", "restore")),
    ),
    Scene(
        "waterlogging",
        {"rule": "water.waterlogging", "level": "orange", "entity": "W1", "entity_type": "WaterLevelSensor"},
        {**SIGN, "Pump": [thing("P1")], "RoadBarrier": [thing("B1")]},
        (
            yes(WATER, "look", depth=0.45, closure=True, trapped=True),
            approve(POLICE, "allow"),
            yes(EMERGENCY, "rescue", people=3),
        ),
        (yes(WATER, "review", finding="两小时退水"),),
        (("P1", "start"), ("V1", "show"), ("B1", "close"), ("P1", "stop"), ("V1", "show"), ("B1", "open")),
    ),
    Scene(
        "metro-crowding",
        {"rule": "metro.crowding_ahead", "level": "orange", "entity": "s00", "entity_type": "MetroStation"},
        {"MetroGate": [thing("G00A")]},
        (yes(TRANSPORT, "feeder", vehicles=6, stop="A 口"), yes(POLICE, "order")),
        (),
        (("G00A", "set_mode"), ("G00A", "set_mode")),
    ),
    Scene(
        "hazmat-deviation",
        {"rule": "hazmat.off_route", "level": "red", "entity": "H3", "entity_type": "HazmatVehicle"},
        {},
        (
            yes(TRANSPORT, "call", reached=True, explained=False),
            yes(POLICE, "stop", stopped=True),
            yes(EMERGENCY, "ready", forces="一个中队"),
        ),
        (yes(POLICE, "report", outcome="安全停放"),),
    ),
    Scene(
        "joint-enforcement",
        {"rule": "complaints.same_place", "level": "orange", "entity": "x@114,22.5", "entity_type": "CaseEvent"},
        {},
        (
            yes(URBAN, "brief", place="东门", grounds="占道", at="2026-03-10T08:00:00+08:00", police=True),
            approve(LEADER, "allow"),
            yes(URBAN, "evidence", facts="占道经营", persons=4),
            yes(POLICE, "support", verified=True),
            yes(URBAN, "finding", outcome="责令改正"),
        ),
        waits=False,
    ),
)


@dataclass
class Looking:
    """The service ``find`` over a handful of things."""

    found: Mapping[str, Any]

    def do(self, tx: Transaction, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        return Answered(self.found.get(str(inputs.get("entity_type")), []))

    def undo(
        self, tx: Transaction, effect: Answered, inputs: Mapping[str, Any], actor: Actor, occasion: Occasion
    ) -> Title:
        return Title(zh="无", en="nothing")


BY_PLAN = {scene.plan: scene for scene in SCENES}


def prepare(room: Room, scene: Scene) -> None:
    """Let the room's services answer as this scene needs it."""
    found = {kind: list(items) for kind, items in scene.found.items()}
    room.linkage.performer.offer({"find": Looking(found), "route": Looking({})})
    room.services["wait_warning_clear"].waits = True
    room.services["command"].result = {"state": "done"}
    room.services["decide"].result = {"response": "III", "outcome": "matched"}


def told(scene: Scene) -> dict[str, Any]:
    """The warning that starts a scene."""
    return warning(entity_title={"zh": "某处", "en": "a place"}, lon=114.0, lat=22.6, **scene.starts)


def begin(room: Room, scene: Scene) -> RunDetail:
    """The warning is raised and the plan starts by itself."""
    said = told(scene)
    room.open_warnings.add(said["id"])
    room.event("cityloop.warning.raised", said["id"], {"warning": said, "evidence": {}})
    (run,) = room.linkage.runs.list(LEAD, RunFilter(plan=scene.plan), FIRST).items
    return room.run(run.id)


def clear(room: Room) -> None:
    """What started the plan is over."""
    room.open_warnings.clear()
    room.event("cityloop.warning.cleared", "wrn_1", {"warning": warning(), "evidence": {}})


def answer(room: Room, given: Answer) -> None:
    """Do one task."""
    if given.approve is None:
        room.complete(given.who, given.element, **given.values)
        return
    task = next(task for task in room.tasks(given.who) if task.element == given.element)
    wish = TaskApproval(answer="approve" if given.approve else "reject")
    room.linkage.tasks.approve(given.who, task.id, wish)
    room.tick()


def ordered(room: Room) -> list[tuple[str, str]]:
    """Commands that were ordered, with their entities."""
    return [(inputs["entity"], inputs["command"]) for name, _, inputs in room.ledger if name == "command"]
