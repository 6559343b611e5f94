"""A city with very many cases: some are walked through the real moves, the others are copies at other places.

Open cases keep whole timelines with chains of their own; ended ones are rows without a timeline, which the store copies
by itself. Indexes are made when all rows are there. Automation is off, so that every case waits for a person.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Float,
    Insert,
    Integer,
    MetaData,
    String,
    Table,
    case,
    cast,
    func,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.schema import DropIndex

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.service import Accounts
from cityloop.cases import timeline
from cityloop.cases.definitions import load_workflow
from cityloop.cases.files import Folder
from cityloop.cases.models import CaseRow, TimelineRow
from cityloop.cases.schemas import CaseReport, MoveRequest
from cityloop.cases.service import CaseDesk
from cityloop.cases.values import Case, to_row
from cityloop.city.schemas import Position
from cityloop.city.service import City
from cityloop.core.clock import ManualClock, SystemClock
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import Conflict
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.serve.content import load_table

ROOT = Path(__file__).parents[1]
MATTERS = {
    "gb47678:matter:06010": "sanitation",
    "gb47678:matter:06013": "transport",
    "gb47678:matter:09009": "police",
    "gb47678:matter:06020": "environment",
    "gb47678:matter:06023": "water",
}
STEPS = ("accept", "file", "dispatch", "assign", "submit_result", "confirm", "accept_without_visit", "close")
WEIGHTS = {0: 5, 1: 5, 2: 10, 3: 30, 4: 30, 5: 10, 6: 5, 7: 5}
"""Open cases by the number of steps that they have come; all eight lead to the end."""
_CHUNK, _BULK = 5000, 50_000
_DAYS, _YEARS = 30, 3
_STRIDE = 1_000_003
"""Seconds from one ended case to the next, around the years: a prime, so that they spread."""
_ID, _NUMBER = "case_{:019d}", "B{:09d}"
_MOVED = ("opened_at", "due_at", "yellow_at", "red_at", "urgent_at", "handled_at", "closed_at", "updated_at")
_SPOTS = Table(
    "bench_spot",
    MetaData(),
    *(Column("place", Integer, primary_key=True), Column("lon", Float), Column("lat", Float)),
    *(Column("area", String(60)), Column("district", String(60))),
)


@dataclass(frozen=True)
class Person:
    """Somebody who signs in, and the token to do it with."""

    actor: Actor
    token: str


@dataclass(frozen=True)
class Walked:
    """A case that went through real moves, with its timeline."""

    case: Case
    entries: tuple[dict[str, Any], ...]


def copy_city(folder: Path) -> Path:
    """The demo city without automation and outside sources; returns its folder."""
    city, demo = folder / "cities" / "bench", ROOT / "cities" / "demo"
    city.mkdir(parents=True)
    (folder / "packs").symlink_to(ROOT / "packs")
    for path in demo.iterdir():
        if path.name not in ("sources.yaml", "inspections.yaml", "drill.yaml", "people.yaml"):
            (city / path.name).symlink_to(path)
    (city / "workflow.yaml").write_text('version: "bench"\nautomation: []\n', encoding="utf-8")
    return city


class Builder:
    """Fills one store; ``url`` must hold no case yet."""

    def __init__(self, city: Path, url: str, data: Path, seed: int = 7) -> None:
        self._draw = random.Random(seed)
        self.database = Database(url, synchronous="OFF")
        self.database.create()
        with self.database.reading() as session:
            if session.scalar(select(func.count()).select_from(CaseRow)):
                raise Conflict("the database holds cases already", "give an empty one")
        self._clock = ManualClock(SystemClock().now())
        self._city = City.load(city, self._clock)
        self._door = Door(self._city.policy)
        self.desk = CaseDesk(
            database=self.database,
            outbox=Outbox(self.database),
            door=self._door,
            audit=Audit(self.database),
            city=self._city,
            workflow=load_workflow(self._city.packs, city),
            responsibility=load_table(self._city),
            files=Folder(data / "attachments"),
        )
        self._places = self._spots()

    def people(self, operators: int, phones: int) -> tuple[list[Person], list[Person]]:
        """Operators at the posts of centre and departments, and handlers with phones; at least one of each."""
        bodies, posts = list(MATTERS.values()), ("acceptor", "shift_leader", "dispatcher", "department")
        desks = [
            _actor(f"desk{n:03d}", posts[n % 4], bodies[n // 4 % len(bodies)] if n % 4 == 3 else "centre")
            for n in range(max(operators, 4 * len(bodies)))
        ]
        hands = [_actor(f"hand{n:03d}", "handler", bodies[n % len(bodies)]) for n in range(max(phones, len(bodies)))]
        accounts = Accounts(self.database, Audit(self.database), 12)
        accounts.put_all([*desks, *hands])
        self._hands = hands
        return tuple([Person(a, accounts.open_session(a.id, "token")) for a in group] for group in (desks, hands))  # type: ignore[return-value]

    def fill(self, open_cases: int, ended: int) -> None:
        """Write that many cases."""
        now = self._clock.now()
        days = [now - timedelta(days=_DAYS * (n + 0.5) / 10) for n in range(max(1, min(10, open_cases // 1000)))]
        walked = {steps: [w for at in days for w in self._walk(steps, at)] for steps in (*WEIGHTS, len(STEPS))}
        kinds = self._draw.choices(list(WEIGHTS), list(WEIGHTS.values()), k=open_cases)
        self._bare()
        self._end([each.case.id for each in walked[len(STEPS)]], ended)
        self._write(self._open(self._draw.choice(walked[kind]), ended + n) for n, kind in enumerate(kinds))
        self.database.create()
        self._measure()

    def close(self) -> None:
        """Close the store."""
        self.database.close()

    def _spots(self) -> list[tuple[float, float, str, str | None]]:
        """Places inside the city with their cells."""
        view, draw = self._city.map, self._draw
        points = [(draw.uniform(view.west, view.east), draw.uniform(view.south, view.north)) for _ in range(4000)]
        found = self._city.areas.locate_many([lon for lon, _ in points], [lat for _, lat in points])
        return [(*point, place.area, place.district) for point, place in zip(points, found, strict=True) if place]

    def _walk(self, steps: int, at: datetime) -> list[Walked]:
        """One case of each matter that has come so far, begun at ``at``."""
        with self.database.transaction() as tx:
            cases = [self._walked(tx, matter, steps, at) for matter in MATTERS]
        with self.database.reading() as session:
            return [Walked(case, tuple(_entries(session, case.id))) for case in cases]

    def _walked(self, tx: Transaction, matter: str, steps: int, at: datetime) -> Case:
        lon, lat, *_ = self._draw.choice(self._places)
        body = MATTERS[matter]
        report = CaseReport(
            title="路边有问题请处理",
            description="市民反映此处的问题已有几天，请相关部门尽快处理。",
            matter=matter,
            position=Position(lon=lon, lat=lat),
            channel="hotline",
        )
        case, _ = self.desk.report_in(tx, SYSTEM, report, at)
        hand = next(person for person in self._hands if person.department == body)
        fields: Mapping[str, dict[str, Any]] = {
            "dispatch": {"department": body},
            "assign": {"handler": hand.id},
            "submit_result": {"result": "已处理"},
        }
        for number, step in enumerate(STEPS[:steps], 1):
            wish = MoveRequest(move=step, version=case.version, fields=fields.get(step, {}))
            case = self.desk.move_in(tx, SYSTEM, case.id, wish, at + timedelta(minutes=5 * number))
        return case

    def _open(self, like: Walked, number: int) -> tuple[Case, list[dict[str, Any]]]:
        """A copy at another place with a timeline of its own."""
        case = self._copy(like.case, number, timedelta(seconds=-self._draw.randrange(3600)))
        entries, head = [], timeline.START
        for entry in like.entries:
            row = {**entry, "case": case.id, "previous": head}
            head = row["hash"] = timeline.digest(row)
            entries.append(row)
        owner = self._draw.choice([p.id for p in self._hands if p.department == case.department] or [None])
        handler = owner if case.handler else None
        # What would have been reminded of by now has been.
        remind = case.remind_at if case.remind_at and case.remind_at > self._clock.now() else None
        return case.having(head=head, handler=handler, remind_at=remind, risk=round(self._draw.random(), 4)), entries

    def _copy(self, case: Case, number: int, shift: timedelta) -> Case:
        lon, lat, area, district = self._draw.choice(self._places)
        place = {"lon": lon, "lat": lat, "area": area, "district": district}
        opened = case.opened_at + shift
        return case.having(**place, id=_ID.format(number), number=_NUMBER.format(number), opened_at=opened)

    def _bare(self) -> None:
        """Without the indexes that :meth:`Database.create` makes again."""
        with self.database.engine.begin() as connection:
            for index in CaseRow.__table__.indexes:  # type: ignore[attr-defined]
                connection.execute(DropIndex(index))

    def _end(self, models: Sequence[str], count: int) -> None:
        """That many copies of closed cases within the last years, made by one statement of the store's own."""
        with self.database.engine.begin() as connection:
            _SPOTS.create(connection)
            spots = [dict(zip(_SPOTS.c.keys(), (n, *spot), strict=True)) for n, spot in enumerate(self._places)]
            connection.execute(insert(_SPOTS), spots)
        for start in range(0, count, _BULK):
            with self.database.engine.begin() as connection:
                end = min(count, start + _BULK)
                connection.execute(ended_copies(models, len(spots), start, end, self.database.dialect))
        with self.database.engine.begin() as connection:
            _SPOTS.drop(connection)

    def _measure(self) -> None:
        """Let a server with a planner know its tables, as it would by itself within minutes."""
        if self.database.dialect == "postgresql":
            with self.database.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))

    def _write(self, made: Iterator[tuple[Case, list[dict[str, Any]]]]) -> None:
        for chunk in _chunks(made):
            with self.database.transaction() as tx:
                tx.insert_now(CaseRow, [to_row(case) for case, _ in chunk])
                tx.insert_now(TimelineRow, [entry for _, entries in chunk for entry in entries])


def ended_copies(models: Sequence[str], spots: int, start: int, end: int, dialect: str) -> Insert:
    """Copies ``start`` to ``end`` of closed cases, each at another place and so many seconds earlier."""
    first = select(cast(literal(start), BigInteger).label("n")).cte("numbers", recursive=True)
    numbers = first.union_all(select(first.c.n + 1).where(first.c.n < end - 1))
    model, spot, n = CaseRow.__table__.alias("model"), _SPOTS, numbers.c.n
    which = case(dict(enumerate(models)), value=n % len(models))
    ago = n * _STRIDE % (_YEARS * 365 * 86_400)
    made: dict[str, ColumnElement[Any]] = {column.name: column for column in model.c}
    made |= {name: _earlier(model.c[name], ago, dialect) for name in _MOVED}
    made |= {name: spot.c[name] for name in ("lon", "lat", "area", "district")}
    made |= {"id": _padded("case_", n, 19, dialect), "number": _padded("B", n, 9, dialect)}
    made |= {"entries": literal(0), "head": literal(timeline.START)}
    rows = select(*made.values()).select_from(
        numbers.join(model, model.c.id == which).join(spot, spot.c.place == n * 7919 % spots)
    )
    return insert(CaseRow).from_select(list(made), rows)


def _earlier(column: ColumnElement[Any], seconds: ColumnElement[int], dialect: str) -> ColumnElement[Any]:
    if dialect == "sqlite":
        return func.strftime("%Y-%m-%d %H:%M:%f000", column, cast(-seconds, String) + " seconds")
    return column - func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def _padded(prefix: str, number: ColumnElement[int], width: int, dialect: str) -> ColumnElement[str]:
    if dialect == "sqlite":
        return literal(prefix) + func.printf(f"%0{width}d", number)
    return literal(prefix) + func.lpad(cast(number, String), width, "0")


def _chunks(made: Iterator[Any]) -> Iterator[Sequence[Any]]:
    chunk: list[Any] = []
    for item in made:
        chunk.append(item)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _entries(session: Any, case: str) -> list[dict[str, Any]]:
    query = select(TimelineRow.__table__).where(TimelineRow.case == case).order_by(TimelineRow.seq)
    return [dict(row) for row in session.execute(query).mappings()]


def _actor(account: str, post: str, department: str) -> Actor:
    return Actor(id=account, name=Title(zh=account, en=account), posts=(post,), department=department)
