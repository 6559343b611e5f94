"""One player: looks at its desk, remembers what it has seen, and acts when the time of a case has come."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cityloop.access.actor import Actor
from cityloop.cases.schemas import CaseDetail, CaseView, MoveRequest
from cityloop.drill.api import Api, Refused
from cityloop.drill.choose import chance, pick, ready_at, wishes
from cityloop.drill.citizens import CitizenRecord
from cityloop.drill.plan import DrillPlan, TurnPlan

_NEW, _WHOLE = 25, 200
"""Cases a page when looking for what is new, and when looking through everything."""
_AGAIN = timedelta(minutes=10)
"""City time after which a refused move is tried again; doubled each time."""

Records = Callable[[CaseView], CitizenRecord | None]
Hands = Callable[[str | None], Sequence[str]]
"""The handlers of a department who are at work, drill players first."""


@dataclass(order=True)
class _Due:
    at: datetime
    case: str
    version: int = field(compare=False)
    tries: int = field(compare=False, default=0)


class Player:
    """A drill account at its post. Not safe for several threads: one thread plays all players in turn."""

    def __init__(self, actor: Actor, plan: DrillPlan, records: Records, hands: Hands) -> None:
        self.actor = actor
        self.playing = True
        self.moves_made = 0
        self.look_at = 0.0
        """Real time (monotonic seconds) of the next look at the desk."""
        self.problem = ""
        self._plan, self._records, self._hands = plan, records, hands
        self._agenda: list[_Due] = []
        self._known: dict[str, int] = {}
        self._mark: datetime | None = None
        self._rescan_at = 0.0

    def take(self, case: CaseView) -> None:
        """Somebody has just put this case on a desk: if it is this one, there is no need to look for it."""
        if self.playing and self._waits_for(case):
            self._note(case)

    def forget(self) -> None:
        """Start afresh at the next look; after a switch, and when the server came back."""
        self._agenda.clear()
        self._known.clear()
        self._mark, self.look_at, self._rescan_at = None, 0.0, 0.0

    def look(self, api: Api, real: float) -> None:
        """Read the desk from the latest change back to what is known already."""
        whole = self._mark is None or real >= self._rescan_at
        if whole:
            self._rescan_at = real + self._plan.pace.rescan_seconds
        self._read(api, _WHOLE if whole else _NEW, None if whole else self._mark)
        self.look_at = real + self._plan.pace.look_seconds

    def act(self, api: Api, now: datetime) -> CaseDetail | None:
        """Make at most one move that is due; return the case after it."""
        if not self._agenda or self._agenda[0].at > now:
            return None
        due = heapq.heappop(self._agenda)
        try:
            return self._move(api, due)
        except Refused as refusal:
            self.problem = str(refusal)
            self._later(due, now)
            return None

    def _read(self, api: Api, size: int, mark: datetime | None) -> None:
        page = 1
        while True:
            desk = api.desk(self.actor.id, page, size).items
            for case in desk:
                self._note(case)
            if page == 1 and desk:
                self._mark = desk[0].updated_at
            if len(desk) < size or (mark and desk[-1].updated_at < mark):
                return
            page += 1

    def _note(self, case: CaseView) -> None:
        """Put a case on the agenda, unless it has been there in this version."""
        if self._known.get(case.id, -1) >= case.version:
            return
        self._known[case.id] = case.version
        turn = self._turn(case)
        at = turn and ready_at(turn, case, self._records(case))
        if at:
            heapq.heappush(self._agenda, _Due(at, case.id, case.version))

    def _waits_for(self, case: CaseView) -> bool:
        """Whether a case in this state belongs on this player's desk."""
        posts = set(self.actor.posts)
        if {"department", "handler"} & posts and case.department != self.actor.department:
            return False
        if "handler" in posts and case.handler not in (None, self.actor.id):
            return False
        return self._turn(case) is not None

    def _turn(self, case: CaseView) -> TurnPlan | None:
        flags = frozenset(case.flags)
        turns = (self._plan.turn(post, case.state, flags) for post in self.actor.posts)
        return next((turn for turn in turns if turn), None)

    def _move(self, api: Api, due: _Due) -> CaseDetail | None:
        case = api.case(self.actor.id, due.case)
        turn = self._turn(case)
        if case.version != due.version or turn is None:
            # Somebody was quicker. If it is still on this desk, the next look finds it in its new version.
            self._known.pop(due.case, None)
            return None
        chosen = pick(case, wishes(turn, case), self._hands(case.department))
        if chosen is None:
            raise Refused(409, f"{case.number}: no planned move of '{turn.state}' is on offer")
        opinion = chosen.wish.opinion or (case.state_title.zh if chosen.offer.reason_needed else "")
        made = MoveRequest(move=chosen.offer.move, version=case.version, opinion=opinion, fields=chosen.fields)
        after = api.move(self.actor.id, case.id, made)
        self.moves_made += 1
        self.problem = ""
        self._known.pop(due.case, None)
        return after

    def _later(self, due: _Due, now: datetime) -> None:
        wait = _AGAIN * 2 ** min(due.tries, 8) * (0.75 + chance(due.case, due.tries) / 2)
        heapq.heappush(self._agenda, _Due(now + wait, due.case, due.version, due.tries + 1))
