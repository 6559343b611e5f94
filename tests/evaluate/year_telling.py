"""How a story is told: what all stories of the year are made of."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from cityloop.access.actor import PUBLIC, Actor
from tests.evaluate.year_book import Act, Line, Noted
from tests.evaluate.year_hours import Span, reached, spent
from tests.evaluate.year_people import BODIES, CENTRE, DISTRICTS, HANDS, HEADS, Body, cell_of


class Telling:
    """One case as it goes: each method lets time pass, tells the desk what to do and the clerk what to note."""

    def __init__(self, number: int, opened: datetime, draw: random.Random) -> None:
        self.draw, self.at, self.number = draw, opened, number
        self.body = BODIES[number % len(BODIES)]
        self.district = draw.choice(list(DISTRICTS))
        self.acts: list[Act] = []
        self.lines: list[Line] = []
        self.people = {post: draw.choice(found) for post, found in CENTRE.items()}
        self.hand = draw.choice(HANDS[self.body.id])
        lon, lat = DISTRICTS[self.district]
        off = [round(draw.uniform(-0.004, 0.004), 5) for _ in range(2)]
        self.place = {"lon": lon + off[0], "lat": lat + off[1]}
        self.report()

    def report(self) -> None:
        """Somebody tells of the matter."""
        self.tell("report", "submit", self.draw.choice([PUBLIC, self.people["acceptor"]]))

    def tell(self, do: str, move: str, by: Actor) -> None:
        """A report comes in by a citizen, a person of the centre, or a collector who has put it right."""
        channel = {PUBLIC.id: "citizen", self.people["collector"].id: "collector"}.get(by.id, "hotline")
        told = {"title": "路边有问题", "matter": self.body.matter, "position": self.place, "channel": channel}
        self.acts.append(Act(self.at, self.number, do, by, fields=told))
        self.opened(move, by)

    def opened(self, move: str, by: Actor) -> None:
        """A case begins in the clerk's book."""
        self.case = Noted(self.number, self.district, cell_of(**self.place))
        self.verdict: bool | None = None
        self.spans: list[Span] = []
        self.note("report").done(self.at, move, by)
        self.whole = self.note("case")

    def second(self) -> None:
        """From here on the story goes on with a second case."""
        self.number = -self.number

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
        line = self.note("accept") if not before else next(one for one in self.lines if one.step == "accept")
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
