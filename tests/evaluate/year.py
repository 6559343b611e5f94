"""A year of a city of the size of 运城 on a small scale: every case is a story that is written down in advance.

Each story tells two readers at once: the desk, which is to make its moves, and the clerk, who notes for the sheet what
happened, when, by whom and whether it was late. What the clerk notes comes from the story and the wall calendar alone
(:mod:`tests.evaluate.year_hours`). Limits of posts are those of workflow.md: 15 minutes, 30 for visits.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cityloop.access.actor import SYSTEM
from tests.evaluate.year_hours import ZONE, spent
from tests.evaluate.year_people import BODIES, CENTRE, HEADS, HOUR, SUPERVISOR
from tests.evaluate.year_telling import Telling

CASES = 1200


class Story(Telling):
    """The stories."""

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

    def _ask(self, kind: str, decide: str, share: float = 0.4, **fields: str) -> None:
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

    def merged(self) -> None:
        """The same matter is told a second time before the first is accepted: one of the two goes on."""
        first, known = self.note("accept"), (self.number, self.case, self.whole)
        self.wait(1)
        self.second()
        self.report()
        by, took = self.people["acceptor"], self.minutes(15)
        line = self.note("accept", late=took > 15)
        self.wait(took)
        self.act(by, "merge", "同一处同一事", target=known[0])
        line.done(self.at, "merge", by)
        self.end("merged", by)
        self.number, self.case, self.whole = known
        self.accept(before=(self.at - first.began).total_seconds() / 60)
        self.file()
        self.dispatch()
        self.begin()
        self.finish(self.draw.choice([0.6, 1.1]))

    def called_back(self) -> None:
        """Asked after the closing the reporter is not satisfied: a new case takes the matter up."""
        self.to_department()
        self.work(self.draw.choice([0.4, 0.9]))
        self.check()
        self.close()
        self.wait(self.draw.randint(60, 10 * 24 * 60))
        self.act(self.people["shift_leader"], "callback_new", "市民回访不满意")
        self.second()
        self.opened("submit", SYSTEM)
        self.to_department()
        self.finish(self.draw.choice([0.5, 1.2]))


class PutRight(Telling):
    """A collector has put the matter right himself; the centre looks at the photos."""

    def report(self) -> None:
        """With a photo from before and one from after."""
        self.tell("put_right", "submit_self", self.people["collector"])

    def settled(self) -> None:
        by, took = self.people["acceptor"], self.minutes(15)
        line = self.note("accept", late=took > 15)
        self.wait(took)
        move, state = ("accept_self", "self_closed") if self.draw.random() < 0.7 else ("reject_self", "self_invalid")
        self.act(by, move, "照片清楚" if state == "self_closed" else "照片看不出结果")
        line.done(self.at, move, by)
        self.end(state, by)


STORIES: dict[Callable[..., None], int] = {
    Story.on_time: 44, Story.late: 9, Story.weeks_late: 3, Story.never: 1, Story.verified: 6, Story.reworked: 8,
    Story.extended: 5, Story.not_extended: 2, Story.suspended: 3, Story.voided: 3, Story.declined: 4,
    Story.not_filed: 2, Story.returned: 3, Story.returned_to_the_same: 1, Story.joint: 2, Story.appealed: 2,
    Story.deferred: 1, Story.forced: 1, Story.supervised: 1, Story.called_back: 2, Story.merged: 2, PutRight.settled: 3,
}  # fmt: skip
"""Of a hundred cases so many go so."""
FIRST, LAST = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 12, 18, tzinfo=UTC)


def write_year(cases: int = CASES) -> list[Telling]:
    """The stories of a year, always the same."""
    draw = random.Random(20260101)
    step = (LAST - FIRST) / cases
    kinds = draw.choices(list(STORIES), list(STORIES.values()), k=cases)
    found: list[Telling] = []
    for number, kind in enumerate(kinds):
        opened = (FIRST + number * step + timedelta(seconds=draw.randrange(4 * HOUR))).replace(microsecond=0)
        teller = PutRight if kind is PutRight.settled else Story
        found.append(teller(number + 1, opened, draw))
        kind(found[-1])
    return found
