"""Instant approval over the demo city: its items and registers, a clock that stands still, a real store."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.bucket import Rule
from cityloop.access.door import Door
from cityloop.access.turnstile import Turnstile
from cityloop.approve.content import ItemBook, load_items
from cityloop.approve.desk import ApprovalDesk
from cityloop.approve.intake import Intake
from cityloop.approve.ledger import Ledger
from cityloop.approve.public import PublicApprovals
from cityloop.approve.rates import Supervision
from cityloop.approve.registers import Registers
from cityloop.approve.schemas import ApplicationMove, ApplicationReceipt, ApplicationView, ApplicationWish
from cityloop.approve.shown import Shown
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.database import Database
from cityloop.core.errors import NotFound
from cityloop.core.outbox import Event, Outbox
from cityloop.core.values import Title
from cityloop.decide.content import PackTable, load_decisions
from cityloop.decide.service import Decider
from cityloop.decide.shelf import Shelf
from cityloop.serve.approving import answer_again
from tests.cases.support import MONDAY, ROOT, demo_city, person

SERVICES = ROOT / "packs" / "services"
OFFICER = person("minzheng", "approver", department="civil")
SECOND = person("minzheng-fuhe", "approver", department="civil")
URBAN = person("chengguan-shenpi", "approver", department="urban")
LEADER = person("lingdao", "leader")
ANALYST = person("fenxi", "analyst")
NEIGHBOUR = "192.0.2.7"
GENEROUS = {"apply": Rule(10_000, 60), "look": Rule(10_000, 60)}
NUMBERS = {
    "样例甲": "99999919430215001X", "样例乙": "999999193306010028", "样例丙": "999999192409200030",
    "样例丁": "99999919580310004X", "样例戊": "999999194001050058", "样例己": "999999194107070065",
    "样例庚": "999999193904120075", "样例辛": "999999194603090081", "样例壬": "999999194603100091",
    "样例癸": "999999193508080104",
}  # fmt: skip
"""Identity numbers of the invented people of the sample register."""


@cache
def demo_items() -> ItemBook:
    return load_items(demo_city(ManualClock(MONDAY)))


@cache
def demo_tables() -> Mapping[str, PackTable]:
    return load_decisions([SERVICES])


def elderly(who: str = "样例甲", **changes: Any) -> dict[str, Any]:
    """The form of somebody who applies for the old-age allowance."""
    return {"name": who, "id_number": NUMBERS[who], "phone": "13800138000", "account": "6222 0000 0000", **changes}


def occupation(**changes: Any) -> dict[str, Any]:
    """A form for a narrow and short work on a branch road."""
    return {
        "applicant": "样例市政工程有限公司", "credit_code": "99999900MA0SAMPL01", "contact": "样例联系人",
        "phone": "13800138000", "road": "样例支路", "district": "440304", "purpose": "pipes", "from": "2026-03-12",
        "until": "2026-03-14", "width": 3, **changes,
    }  # fmt: skip


@dataclass
class ApprovalRoom:
    """The room over one database; ``wall`` is the machine's own clock."""

    database: Database
    outbox: Outbox
    audit: Audit
    door: Door
    city: City
    clock: ManualClock
    wall: ManualClock
    desk: ApprovalDesk
    public: PublicApprovals
    supervision: Supervision

    def apply(self, item: str, values: Mapping[str, Any], address: str = NEIGHBOUR) -> ApplicationReceipt:
        return self.public.apply(ApplicationWish(item=item, values=dict(values)), address)

    def seen(self, number: str, actor: Actor = OFFICER) -> ApplicationView:
        return self.desk.get(actor, number)

    def move(self, actor: Actor, number: str, move: Any, reason: str = "") -> ApplicationView:
        return self.desk.move(actor, number, ApplicationMove(move=move, reason=reason))

    def events(self, kind: str = "") -> list[Event]:
        return [
            event for event in self.outbox.after(0, 10_000) if event.type.startswith(kind or "cityloop.application")
        ]


def open_approval_room(
    folder: Path, book: ItemBook | None = None, limits: Mapping[str, Rule] = GENEROUS, decide: Any = None
) -> ApprovalRoom:
    database = Database(f"sqlite:///{folder / 'city.db'}", "OFF")
    database.create()
    clock, wall = ManualClock(MONDAY), ManualClock(MONDAY)
    city, book = demo_city(clock), book or demo_items()
    outbox, audit, door = Outbox(database), Audit(database), Door(copy.deepcopy(city.policy))
    registers = Registers(door=door, audit=audit, definitions=book.registers, tables=book.tables, state_of=_no_state)
    ledger, shown = Ledger(outbox, audit, city), Shown(city, book, registers, lambda name: Title(zh=name, en=name))
    decider = Decider(database=database, outbox=outbox, clock=clock, shelf=Shelf(database, demo_tables()))
    decider.open()
    asked = (lambda *told, **more: decide(decider, *told, **more)) if decide else decider.decide
    intake = Intake(city=city, book=book, registers=registers, decide=asked, ledger=ledger)
    kept: dict[str, Any] = {"database": database, "door": door, "city": city, "book": book}
    made: dict[str, Any] = {**kept, "intake": intake, "ledger": ledger, "shown": shown}
    desk = ApprovalDesk(**made, audit=audit)
    public = PublicApprovals(**made, turnstile=Turnstile(database, wall, limits))
    supervision = Supervision(**kept, registers=registers, again=answer_again(database))
    return ApprovalRoom(database, outbox, audit, door, city, clock, wall, desk, public, supervision)


def _no_state(actor: Actor, entity: str) -> Mapping[str, Any]:
    raise NotFound(f"no {entity} for {actor.id}")
