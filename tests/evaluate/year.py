"""A year of a city of the size of 运城 on a small scale: every case is a story that is written down in advance.

Each story tells two readers at once: the desk, which is to make its moves, and the clerk, who notes for the sheet what
happened, when, by whom and whether it was late. What the clerk notes comes from the story and the wall calendar alone
(:mod:`tests.evaluate.year_hours`). Limits of posts are those of workflow.md: 15 minutes, 30 for visits.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cityloop.access.actor import SYSTEM, Actor
from cityloop.citizen.actor import PUBLIC
from tests.cases.support import person
from tests.evaluate.year_hours import ALWAYS, OFFICE, SHIFTS, ZONE, Hours, Span, reached, spent

CASES = 1200
DISTRICTS = {
    "440303": (114.13, 22.56),
    "440304": (114.055, 22.535),
    "440305": (113.93, 22.53),
    "440307": (114.25, 22.72),
}
"""Districts, and a point in each; cases lie around it."""


@dataclass(frozen=True)
class Body:
    """A department: what comes to it, its limit as the sheet of the city says it, and when it works."""

    id: str
    matter: str
    limit: str
    seconds: int
    hours: Hours

    @property
    def clock(self) -> Hours:
        """An urgent limit runs day and night, whoever works on it."""
        return ALWAYS if "紧急" in self.limit else self.hours


HOUR = 3600
BODIES = (
    Body("sanitation", "gb47678:matter:06010", "4小时", 4 * HOUR, SHIFTS),
    Body("transport", "gb47678:matter:06013", "2天", 16 * HOUR, OFFICE),
    Body("police", "gb47678:matter:09009", "2小时", 2 * HOUR, ALWAYS),
    Body("environment", "gb47678:matter:06020", "8工作时", 8 * HOUR, OFFICE),
    Body("water", "gb47678:matter:06023", "24紧急工作时", 24 * HOUR, OFFICE),
    Body("urban", "gb47678:matter:06001", "3工作日", 24 * HOUR, OFFICE),
)


def _people(post: str, count: int, department: str = "centre") -> list[Actor]:
    areas = list(DISTRICTS) if post == "collector" else []
    return [person(f"{department}-{post}-{n}", post, department=department, areas=areas) for n in range(1, count + 1)]


CENTRE = {
    post: _people(post, count)
    for post, count in (("acceptor", 3), ("shift_leader", 2), ("dispatcher", 2), ("collector", 3), ("leader", 2))
}
SUPERVISOR = person("supervisor-1", "supervisor")
HEADS = {body.id: _people("department", 1, body.id)[0] for body in BODIES}
HANDS = {body.id: _people("handler", 2, body.id) for body in BODIES}


@dataclass
class Noted:
    """What the clerk knows of a whole case; flags hold for every line of it."""

    number: int
    district: str
    filed: bool = False
    deferred: bool = False
    voided: bool = False
    exempt: bool = False


@dataclass
class Line:
    """One line of the clerk's book: one piece of work, from when it came to when it was done."""

    case: Noted
    step: str
    began: datetime
    ended: datetime | None = None
    outcome: str | None = None
    who: str | None = None
    post: str | None = None
    department: str | None = None
    late: bool | None = None
    due: datetime | None = None
    used: int | None = None
    rework: int = 0
    returned: int = 0
    extended: int = 0
    suspended: int = 0
    rating: int = 0

    def done(self, at: datetime, outcome: str, by: Actor | None) -> None:
        """Close the line; whoever is named already stays."""
        self.ended, self.outcome = at, outcome
        if self.who is None and by is not None:
            self.who, self.post = by.id, by.posts[0]


@dataclass(frozen=True)
class Act:
    """One thing that somebody does. ``do``: ``report``, ``move``, ``part``, ``proof``, ``rate`` or ``tick``."""

    at: datetime
    case: int
    do: str
    by: Actor
    move: str = ""
    opinion: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


class Story:
    """One case as it goes: each method lets time pass, tells the desk what to do and the clerk what to note."""

    def __init__(self, number: int, opened: datetime, draw: random.Random) -> None:
        self.draw, self.at, self.number = draw, opened, number
        self.body = BODIES[number % len(BODIES)]
        self.district = draw.choice(list(DISTRICTS))
        self.acts: list[Act] = []
        self.lines: list[Line] = []
        self.case = Noted(number, self.district)
        self.people = {post: draw.choice(found) for post, found in CENTRE.items()}
        self.hand = draw.choice(HANDS[self.body.id])
        self.verdict: bool | None = None
        self.spans: list[Span] = []
        self._report()

    def _report(self) -> None:
        by = self.draw.choice([PUBLIC, self.people["acceptor"]])
        lon, lat = DISTRICTS[self.district]
        off = [round(self.draw.uniform(-0.004, 0.004), 5) for _ in range(2)]
        place = {"lon": lon + off[0], "lat": lat + off[1]}
        told = {"title": "路边有问题", "matter": self.body.matter, "position": place,
                "channel": "citizen" if by is PUBLIC else "hotline"}  # fmt: skip
        self.acts.append(Act(self.at, self.number, "report", by, fields=told))
        self.note("report").done(self.at, "submit", by)
        self.whole = self.note("case")

    # what all stories are made of

    def note(self, step: str, department: str | None = None, **known: Any) -> Line:
        """Begin a line of the clerk's book now."""
        self.lines.append(Line(self.case, step, self.at, department=department, **known))
        return self.lines[-1]

    def wait(self, minutes: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=round(minutes * 60))

    def act(self, by: Actor, move: str, opinion: str = "", do: str = "move", **fields: Any) -> None:
        """Somebody does something now."""
        self.acts.append(Act(self.at, self.number, do, by, move, opinion, fields))

    def minutes(self, limit: int) -> float:
        """How long a post takes: one in ten is late, and some are done in the very last minute."""
        if self.draw.random() < 0.1:
            return limit + self.draw.randint(1, 45)
        return limit if self.draw.random() < 0.05 else self.draw.randint(1, limit - 1)

    def accept(self, before: float = 0) -> None:
        """``before``: minutes that acceptance has used already."""
        took = self.minutes(15)
        line = self.note("accept") if not before else next(line for line in self.lines if line.step == "accept")
        self.wait(took)
        self.act(self.people["acceptor"], "accept")
        line.late = before + took > 15
        line.done(self.at, "accept", self.people["acceptor"])

    def verify(self) -> None:
        """Acceptance sends somebody to look; meanwhile its own clock stands."""
        self.note("accept")
        first, visit = self.minutes(15), self.minutes(30)
        self.wait(first)
        self.act(self.people["acceptor"], "verify_send")
        line = self.note("verify", late=visit > 30)
        self.wait(visit)
        self.act(self.people["collector"], "verify_answer", answer="true")
        line.done(self.at, "verify_answer", self.people["collector"])
        self.accept(before=first)

    def file(self) -> None:
        took, by = self.minutes(15), self.people["shift_leader"]
        line = self.note("file", late=took > 15)
        self.wait(took)
        self.act(by, "file", limit=self.body.limit)
        line.done(self.at, "file", by)
        self.case.filed = True

    def dispatch(self, body: Body | None = None, **parts: Any) -> None:
        """To the department of the case, or from here on to another one."""
        self.body = body or self.body
        self.hand = self.draw.choice(HANDS[self.body.id])
        took, by = self.minutes(15), self.people["dispatcher"]
        self.sent = self.note("dispatch", self.body.id, late=took > 15)
        self.wait(took)
        self.act(by, "dispatch", "按职责派遣", department=self.body.id, **parts)
        self.sent.done(self.at, "dispatch", by)

    def to_department(self) -> None:
        """Everything up to the department's door."""
        self.accept()
        self.file()
        self.dispatch()
        self.begin()

    def begin(self) -> None:
        """The handling clock starts."""
        self.whole.department = self.body.id
        self.spans = [(self.at, None)]
        self.handling = self.note("handle", self.body.id)
        self._due()

    def _due(self, limits: int = 1) -> None:
        self.limits = limits
        due = reached(self.body.seconds * limits, self.body.clock, self.spans)
        self.handling.due = self.whole.due = due

    def until(self, share: float) -> None:
        """Let time pass until that share of the (first) limit is used."""
        self.at = reached(int(self.body.seconds * share), self.body.clock, self.spans)

    def work(self, share: float) -> None:
        """Sign for it, do it, confirm it when that share of the limit is used; 1 is just in time."""
        used = spent(self.body.clock, self.spans, self.at) / self.body.seconds
        head = HEADS[self.body.id]
        self.until(used + (share - used) * 0.2)
        self.act(head, "assign")
        self.until(used + (share - used) * 0.8)
        self.act(self.hand, "submit_result", result="已处理")
        self.handling.who, self.handling.post = self.hand.id, "handler"
        self.until(share)
        self.act(head, "confirm")
        assert self.handling.due is not None
        self.handling.late = self.at > self.handling.due
        self.handling.used = spent(self.body.clock, self.spans, self.at)
        self.handling.done(self.at, "confirm", None)
        self.verdict = bool(self.verdict) or self.handling.late

    def inspect(self, answer: str = "inspect_done") -> None:
        """Somebody goes and looks."""
        self.wait(self.draw.randint(2, 12))
        self.act(self.people["acceptor"], "inspect_send")
        visit = self.minutes(30)
        line = self.note("inspect", self.body.id, late=visit > 30)
        self.wait(visit)
        self.act(self.people["collector"], answer, "" if answer == "inspect_done" else "仍有遗留")
        line.done(self.at, answer, self.people["collector"])

    def check(self) -> None:
        """By the photos, or on the spot."""
        if self.draw.random() < 0.3:
            self.inspect()
            return
        self.wait(self.draw.randint(2, 12))
        self.act(self.people["acceptor"], "accept_without_visit")

    def close(self) -> None:
        by = self.people["shift_leader"]
        self.wait(self.draw.randint(2, 20))
        self.act(by, "close")
        self.end("closed", by)

    def end(self, outcome: str, by: Actor) -> None:
        """The case is over."""
        self.whole.late = self.verdict
        self.whole.done(self.at, outcome, by)

    def finish(self, share: float) -> None:
        """From the department's door to the end; two in five say what they think of it."""
        self.work(share)
        self.check()
        self.close()
        if self.draw.random() < 0.4:
            self.rate()

    def rate(self) -> None:
        self.wait(self.draw.randint(60, 3 * 24 * 60))
        stars = self.draw.choice([5, 5, 4, 4, 4, 3, 2, 1])
        self.act(PUBLIC, "", do="rate", stars=stars)
        line = self.note("rate", self.body.id, rating=stars)
        line.ended, line.outcome, line.who = self.at, "rated", PUBLIC.id

    # the stories

    def on_time(self) -> None:
        self.to_department()
        self.finish(self.draw.choice([0.3, 0.5, 0.8, 0.95, 1.0]))

    def late(self) -> None:
        self.to_department()
        self.finish(self.draw.choice([1.01, 1.5, 3.0]))

    def weeks_late(self) -> None:
        self.to_department()
        self.finish(self.draw.choice([30.0, 60.0]) * 4 * HOUR / self.body.seconds)

    def never(self) -> None:
        self.to_department()
        self.until(0.5)
        self.act(HEADS[self.body.id], "assign")

    def verified(self) -> None:
        self.verify()
        self.file()
        self.dispatch()
        self.begin()
        self.finish(0.6)

    def reworked(self) -> None:
        self.to_department()
        self.work(self.draw.choice([0.5, 1.2]))
        if self.draw.random() < 0.4:
            self.inspect("inspect_fail")
            self.wait(5)
            self.act(self.people["acceptor"], "inspect_not_done", "确认未完成")
        else:
            self.wait(9)
            self.act(self.people["acceptor"], "rework_inspect", "没有处理干净")
        self.handling.rework += 1
        self.begin()
        self.finish(self.draw.choice([0.5, 0.9, 1.3]))

    def _ask(self, kind: str, decide: str, share: float = 0.4, **fields: Any) -> None:
        self.until(share)
        self.act(HEADS[self.body.id], f"{kind}_ask", "需要更多时间", **fields)
        self.wait(3)
        self.act(self.people["dispatcher"], f"{kind}_{decide}", "已研究")

    def extended(self) -> None:
        self.to_department()
        self._ask("extend", "grant")
        self.handling.extended += 1
        self._due(2)
        self.finish(self.draw.choice([1.5, 2.0, 2.4]))

    def not_extended(self) -> None:
        self.to_department()
        self._ask("extend", "refuse")
        self.finish(self.draw.choice([0.9, 1.4]))

    def suspended(self) -> None:
        """Rests until a day's beginning; resumed by itself then, or by hand the day before."""
        self.to_department()
        self.until(0.4)
        day = self.at.astimezone(ZONE).date() + timedelta(days=self.draw.randint(10, 60))
        until = datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(UTC)
        self._ask("suspend", "grant", until=until.isoformat())
        self.handling.suspended += 1
        start, paused = self.spans[0][0], self.at
        if self.draw.random() < 0.5:
            self.at = until
            self.act(SYSTEM, "", do="tick")
        else:
            self.at = until - timedelta(days=1)
            self.act(self.people["dispatcher"], "resume", "条件已具备")
        self.spans = [(start, paused), (self.at, None)]
        self._due()
        self.finish(self.draw.choice([0.9, 1.0, 1.2]))

    def voided(self) -> None:
        self.accept()
        self.file()
        took = self.minutes(15)
        line = self.note("dispatch", late=took > 15)
        self.wait(took)
        self.act(self.people["dispatcher"], "void_ask", "重复立案")
        self.wait(40)
        by = self.people["shift_leader"]
        self.act(by, "void_approve", "同意作废")
        line.done(self.at, "void_approve", by)
        self.case.voided = True
        self.end("void", by)

    def declined(self) -> None:
        took, by = self.minutes(15), self.people["acceptor"]
        line = self.note("accept", late=took > 15)
        self.wait(took)
        self.act(by, "decline_accept", "不属于职责", reason="not_ours")
        line.done(self.at, "decline_accept", by)
        self.end("declined", by)

    def not_filed(self) -> None:
        self.accept()
        took, by = self.minutes(15), self.people["shift_leader"]
        line = self.note("file", late=took > 15)
        self.wait(took)
        self.act(by, "decline_file", "现场已消除", reason="already_gone")
        line.done(self.at, "decline_file", by)
        self.end("declined", by)

    def _hand_back(self) -> None:
        """The department says it is not its duty, and the dispatcher takes the case back."""
        self.until(0.2)
        self.act(HEADS[self.body.id], "return_ask", "不属于本部门职责")
        self.wait(4)
        self.act(self.people["dispatcher"], "return_approve", "同意回退")
        for line in (self.sent, self.handling):
            line.returned += 1

    def returned(self) -> None:
        self.to_department()
        self._hand_back()
        self.handling.due = None
        self.handling.done(self.at, "dispatch", self.people["dispatcher"])
        other = self.draw.choice([body for body in BODIES if body is not self.body])
        self.dispatch(replace(self.body, id=other.id, hours=other.hours))
        self.begin()
        self.finish(self.draw.choice([0.5, 1.1]))

    def returned_to_the_same(self) -> None:
        self.to_department()
        self._hand_back()
        start, paused = self.spans[0][0], self.at
        self.dispatch()
        self.spans = [(start, paused), (self.at, None)]
        self._due()
        self.finish(self.draw.choice([0.9, 1.1]))

    def joint(self) -> None:
        """Another department does a part first."""
        self.accept()
        self.file()
        other = next(body for body in BODIES if body is not self.body)
        self.dispatch(parts=[{"department": other.id, "demand": "配合处置"}])
        self.begin()
        self.until(0.1)
        for move, fields in (("part_sign", {}), ("part_submit", {"result": "已配合"}), ("part_confirm", {})):
            self.act(HEADS[other.id], move, do="part", **fields)
        self.finish(0.7)

    def appealed(self) -> None:
        self.to_department()
        self.work(1.3)
        self.check()
        self.close()
        head = HEADS[self.body.id]
        self.wait(600)
        self.act(head, "", do="proof")
        self.act(head, "appeal", "道路封闭无法进入")
        self.wait(60)
        self.act(self.people["dispatcher"], "appeal_pass", "情况属实")
        self.wait(60)
        if self.draw.random() < 0.6:
            self.act(self.people["acceptor"], "appeal_grant", "同意豁免")
            self.case.exempt = True
        else:
            self.act(self.people["acceptor"], "appeal_refuse", "证据不足")

    def deferred(self) -> None:
        """The centre rules, when the work has been done, that it was none of the department's."""
        self.to_department()
        self.work(self.draw.choice([0.7, 1.5]))
        self.wait(5)
        self.act(self.people["shift_leader"], "defer", "等待管线迁改")
        self.case.deferred = True
        self.check()
        self.close()

    def forced(self) -> None:
        self.to_department()
        self.until(6.0)
        first, second = CENTRE["leader"]
        self.act(first, "force_ask", "长期无法处置")
        self.wait(30)
        self.act(second, "force_close", "同意强制结案")
        self.handling.used, self.handling.late = spent(self.body.clock, self.spans, self.at), True
        self.handling.done(self.at, "force_close", second)
        self.verdict = True
        self.end("force_closed", second)

    def supervised(self) -> None:
        self.to_department()
        self.until(0.3)
        day = self.at.astimezone(ZONE).date() + timedelta(days=3)
        self.act(SUPERVISOR, "supervise", "请尽快办理", reply_by=day.isoformat())
        self.wait(10)
        self.act(HEADS[self.body.id], "answer_supervision", reply="正在办理")
        self.finish(0.9)


STORIES: dict[Callable[[Story], None], int] = {
    Story.on_time: 44, Story.late: 9, Story.weeks_late: 3, Story.never: 1, Story.verified: 6, Story.reworked: 8,
    Story.extended: 5, Story.not_extended: 2, Story.suspended: 3, Story.voided: 3, Story.declined: 4,
    Story.not_filed: 2, Story.returned: 3, Story.returned_to_the_same: 1, Story.joint: 2, Story.appealed: 2,
    Story.deferred: 1, Story.forced: 1, Story.supervised: 1,
}  # fmt: skip
"""Of a hundred cases so many go so."""
FIRST, LAST = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 12, 18, tzinfo=UTC)


def write_year(cases: int = CASES) -> list[Story]:
    """The stories of a year, always the same."""
    draw = random.Random(20260101)
    step = (LAST - FIRST) / cases
    kinds = draw.choices(list(STORIES), list(STORIES.values()), k=cases)
    found = []
    for number, kind in enumerate(kinds):
        opened = (FIRST + number * step + timedelta(seconds=draw.randrange(4 * HOUR))).replace(microsecond=0)
        found.append(Story(number, opened, draw))
        kind(found[-1])
    return found
