"""The drill service: plays all drill accounts of a city in one background thread, and can switch each of them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cityloop.access.policy import Policy
from cityloop.access.service import Accounts
from cityloop.cases.schemas import CaseView
from cityloop.core.clock import Clock
from cityloop.core.database import Database
from cityloop.core.errors import NotFound
from cityloop.drill.api import Api, Refused, Tokens, Unreachable
from cityloop.drill.citizens import CitizenRecord, CitizenSeries, read_citizens
from cityloop.drill.models import DrillCursorRow, DrillPlayerRow
from cityloop.drill.people import People, ensure_accounts, load_people
from cityloop.drill.plan import DrillPlan, load_plan
from cityloop.drill.player import Player
from cityloop.drill.schemas import DrillActorView
from cityloop.drill.tasks import TaskPlayer

log = logging.getLogger(__name__)

_TICK = 0.25
"""Longest real pause between two looks at the clock, in seconds."""
_SAVE = 2.0
"""Real seconds between two writes of the players' counters."""
_MOST_BACK_OFF = 30.0
_POSTS_A_ROUND, _MOVES_A_ROUND, _LOOKS_A_ROUND = 5, 3, 4
"""Most reports, moves of one player, and looks at desks before the others have their turn."""


class Drill:
    """All players of a city. Built without a plan it is the drill of a city that has none: no players, nothing runs."""

    def __init__(
        self, database: Database, clock: Clock, plan: DrillPlan, people: People, tokens: Tokens, english: bool = False
    ) -> None:
        self._database, self._clock, self._plan, self._people, self._tokens = database, clock, plan, people, tokens
        self._citizens = CitizenSeries(())
        if plan.citizen:
            self._citizens = read_citizens(plan.citizen.file, plan.citizen.series, english)
        self._players = {actor.id: Player(actor, plan, self._record, self._hands) for actor in people.players}
        self._tasks = TaskPlayer(plan.tasks, plan.pace.look_seconds)
        self._stop = threading.Event()
        self._switched = threading.Lock()
        self._thread: threading.Thread | None = None
        self._posted = 0
        self._saved: dict[str, tuple[bool, int]] = {}
        self._save_at = 0.0
        self.problem = ""
        """Why the drill stands still just now; empty when it plays."""

    @classmethod
    def open(
        cls,
        city: Path,
        database: Database,
        clock: Clock,
        accounts: Accounts,
        policy: Policy | None = None,
        english: bool = False,
    ) -> Drill:
        """The drill of a city folder: its plan, its people, and accounts for all of them."""
        people = load_people(city, policy)
        ensure_accounts(people, accounts)
        return cls(database, clock, load_plan(city), people, accounts.open_session, english)

    @classmethod
    def absent(cls, database: Database, clock: Clock) -> Drill:
        """A drill without players, for cities that run on real people."""
        return cls(database, clock, DrillPlan(), People(accounts=()), lambda account: "")

    def actors(self) -> list[DrillActorView]:
        """All players."""
        return [self._view(player) for player in self._players.values()]

    def switch(self, account: str, playing: bool) -> DrillActorView:
        """Switch one player; it stays so over a restart. Raises :class:`NotFound` naming the players there are."""
        player = self._players.get(account)
        if player is None:
            raise NotFound(f"there is no drill player '{account}'", f"players: {', '.join(self._players) or 'none'}")
        with self._switched:
            if player.playing != playing:
                player.playing = playing
                player.look_at = 0.0
            self._save()
        return self._view(player)

    def start(self, base_url: str) -> None:
        """Restore the state and begin to play against the API at ``base_url``."""
        self.restore()
        if not self._players and not self._plan.citizen:
            return
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, args=(base_url,), name="drill", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the request in hand, write the counters, and end."""
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=30)
            self._thread = None
        with self._switched:
            self._save()

    def restore(self) -> None:
        """Read who plays and how far the citizens have come."""
        with self._database.reading() as session:
            for account, player in self._players.items():
                row = session.get(DrillPlayerRow, account)
                if row:
                    player.playing, player.moves_made = row.playing, row.moves_made
                    self._saved[account] = (row.playing, row.moves_made)
            cursor = session.get(DrillCursorRow, self._plan.citizen.series) if self._plan.citizen else None
            self._posted = cursor.posted if cursor else 0

    def round(self, api: Api) -> bool:
        """One round: reports that are due, moves that are due, and then a few looks at desks.

        Returns ``False`` when there was nothing to report and nothing to move.
        """
        now = self._clock.now()
        busy = self._report(api, now)
        at_work = [player for player in self._players.values() if self._works(player)]
        for player in at_work:
            busy = self._play(api, player, now) or busy
        busy = self._answer_task(api, at_work, now) or busy
        real = time.monotonic()
        for player in sorted(at_work, key=lambda player: player.look_at)[:_LOOKS_A_ROUND]:
            if player.look_at <= real and not self._stop.is_set():
                player.look(api, time.monotonic())
        if real >= self._save_at:
            self._save_at = real + _SAVE
            with self._switched:
                self._save()
        return busy

    def _works(self, player: Player) -> bool:
        """Whether a player takes part; one who does not starts afresh when it is switched on."""
        registers = self._plan.citizen is not None and player.actor.id == self._plan.citizen.account
        if not player.playing or registers:
            player.forget()
            return False
        return True

    def _run(self, base_url: str) -> None:
        api = Api(base_url, self._tokens, self._plan.pace.rest, self._stop)
        back_off = 1.0
        try:
            while not self._stop.is_set():
                try:
                    if not self.round(api):
                        self._stop.wait(_TICK)
                    back_off, self.problem = 1.0, ""
                except Exception as error:
                    # One bad answer must not end the exercise: say it, wait, look at every desk afresh.
                    log.log(
                        logging.INFO if isinstance(error, Unreachable) else logging.ERROR, "the drill waits: %s", error
                    )
                    self.problem = str(error)
                    for player in self._players.values():
                        player.forget()
                    self._stop.wait(back_off)
                    back_off = min(back_off * 2, _MOST_BACK_OFF)
        finally:
            api.close()

    def _report(self, api: Api, now: datetime) -> bool:
        citizen = self._plan.citizen
        waiting = self._citizens.records[self._posted : self._citizens.due(now)][:_POSTS_A_ROUND]
        if not citizen or not waiting or not self._may_report(citizen.account):
            return False
        for record in waiting:
            self._post(api, citizen.account, record)
            self._posted += 1
        with self._database.transaction() as tx:
            tx.session.merge(DrillCursorRow(series=citizen.series, posted=self._posted))
        return True

    def _post(self, api: Api, account: str, record: CitizenRecord) -> None:
        try:
            self._hand_on(api.report(account, record.report))
        except Refused as refusal:
            log.warning("report %s was refused: %s", record.number, refusal)
            return
        if account in self._players:
            self._players[account].moves_made += 1

    def _may_report(self, account: str) -> bool:
        player = self._players.get(account)
        return player is None or player.playing

    def _play(self, api: Api, player: Player, now: datetime) -> bool:
        """Let one player make the moves that are due; what it hands on reaches the next desk at once."""
        for count in range(_MOVES_A_ROUND):
            after = None if self._stop.is_set() else player.act(api, now)
            if after is None:
                return count > 0
            self._hand_on(after)
        return True

    def _answer_task(self, api: Api, at_work: Sequence[Player], now: datetime) -> bool:
        """One task of a linkage plan that is due, and one look at somebody's list of tasks."""
        accounts = [player.actor.id for player in at_work]
        self._tasks.look(api, accounts, time.monotonic())
        done = self._tasks.act(api, accounts, now)
        if done is not None:
            self._players[done].moves_made += 1
        return done is not None

    def _hand_on(self, case: CaseView) -> None:
        for player in self._players.values():
            player.take(case)

    def _record(self, case: CaseView) -> CitizenRecord | None:
        citizen = self._plan.citizen
        if citizen is None or case.series != citizen.series or case.external_number is None:
            return None
        return self._citizens.by_number.get(case.external_number)

    def _hands(self, department: str | None) -> Sequence[str]:
        hands = self._people.of(department, "handler")
        at_work = [hand for hand in hands if hand.id not in self._players or self._players[hand.id].playing]
        return [hand.id for hand in sorted(at_work, key=lambda hand: hand.kind != "drill")]

    def _save(self) -> None:
        now = {account: (player.playing, player.moves_made) for account, player in self._players.items()}
        changed = {account: state for account, state in now.items() if self._saved.get(account) != state}
        if not changed:
            return
        with self._database.transaction() as tx:
            for account, (playing, moves) in changed.items():
                tx.session.merge(DrillPlayerRow(account=account, playing=playing, moves_made=moves))
        self._saved |= changed

    def _view(self, player: Player) -> DrillActorView:
        actor = player.actor
        return DrillActorView(
            account=actor.id,
            name=actor.name,
            posts=list(actor.posts),
            department=actor.department,
            playing=player.playing,
            moves_made=player.moves_made,
        )
