"""Sends notices: made in the transaction that passes their event, tried until they arrive, never sent twice by itself.

What was being sent when the connection or the program broke may have arrived: it is doubtful, and a person decides.
Several that are due for one address go as one message, and no address gets more than its messages an hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from prometheus_client import Counter as Metric
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from cityloop.access.actor import SYSTEM
from cityloop.access.audit import Audit
from cityloop.city.service import City
from cityloop.core.clock import Clock, SystemClock
from cityloop.core.database import Database, Transaction
from cityloop.core.ids import new_id
from cityloop.core.outbox import Event
from cityloop.serve.delivery import Doubtful, NotYet, Refused
from cityloop.serve.notices.channels import Bundle, Way
from cityloop.serve.notices.content import Channel, Notice
from cityloop.serve.notices.models import NoticeRow
from cityloop.serve.notices.wording import Wording, Words
from cityloop.serve.timers import Timers

CONSUMER = "notices"
STEP_SECONDS = 1.0
STUCK = ("refused", "doubtful", "expired")
"""States in which a notice waits for a person."""
MOST = 20
"""Notices in one message."""
KEEP = timedelta(hours=24)
"""After so long a notice is no news."""
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
_HOUR = timedelta(hours=1)
MESSAGES = Metric("cityloop_notices_total", "Messages to people, by channel and outcome", ["channel", "outcome"])


class Notices:
    """The machine's part; what people do with notices is :class:`SentNotices`'. Runs on the machine's own time."""

    def __init__(
        self,
        notices: Sequence[Notice],
        ways: Mapping[Channel, Way],
        *,
        database: Database,
        audit: Audit,
        city: City,
        wording: Wording,
        hourly: int,
        clock: Clock | None = None,
    ) -> None:
        self._notices, self._ways = tuple(notices), ways
        self._database, self._audit, self._city, self._wording = database, audit, city, wording
        self._hourly, self._clock = hourly, clock or SystemClock()
        self._timers = Timers({"notices": self.step}, STEP_SECONDS)

    @property
    def active(self) -> bool:
        """Whether anybody is told of anything."""
        return bool(self._notices)

    @property
    def troubles(self) -> Mapping[str, str]:
        """Ways that are closed or fail, and notices of the last day that wait for a person."""
        if not self.active:
            return {}
        wanted = {channel for notice in self._notices for channel, _ in notice.addresses}
        closed = {str(channel) for channel in wanted if channel not in self._ways}
        fresh = (NoticeRow.made_at > self._clock.now() - KEEP) & NoticeRow.error.is_not(None)
        with self._database.reading() as session:
            failing = Counter(session.scalars(select(NoticeRow.channel).where(fresh)))
        found = {channel: f"{count} notices have not arrived" for channel, count in failing.items()}
        return {**found, **dict.fromkeys(closed, "notices.yaml wants it, but the settings open no way")}

    def start(self) -> None:
        """Begin; what was being sent when the program ended may have arrived or not."""
        if not self.active:
            return
        lost = update(NoticeRow).where(NoticeRow.state == "sending")
        with self._database.transaction() as tx:
            tx.session.execute(lost.values(state="doubtful", error="the program ended while it was being sent"))
        self._timers.start()

    def stop(self) -> None:
        """End in good order."""
        self._timers.stop()
        for way in self._ways.values():
            way.close()

    def take(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Relay handler: every address that wants an event gets it once, however many notices name it.

        Old events, of a time in which nobody was told of anything, stay untold.
        """
        oldest = self._city.clock.now() - KEEP
        for event in events:
            for notice in self._notices:
                if event.time >= oldest and notice.wants(event):
                    self._note(tx, event, notice)

    def wanted(self, event: Event) -> bool:
        """Whether anybody wants this event."""
        return any(notice.wants(event) for notice in self._notices)

    def step(self) -> int:
        """Send what is due; returns how many messages were tried. A way that fails rests until the next step."""
        now, tried = self._clock.now(), 0
        for channel, way in self._ways.items():
            for address in self._due(channel, now):
                bundle = self._bundle(channel, address, now)
                if bundle is None:
                    continue
                tried += 1
                if not self._send(channel, way, bundle):
                    break
        return tried

    def _note(self, tx: Transaction, event: Event, notice: Notice) -> None:
        now, language = self._clock.now(), notice.language or self._city.language
        words = self._wording.of(event, language)
        for channel, address in notice.addresses:
            row = {
                "id": new_id("ntc"),
                "event": event.id,
                "kind": event.type,
                "subject": event.subject,
                "notice": notice.id,
                "channel": channel,
                "address": address,
                "language": language,
                "title": words.title,
                "body": words.body,
                "state": "waiting",
                "message": None,
                "attempts": 0,
                "made_at": now,
                "next_at": now,
                "tried_at": None,
                "error": None,
            }
            tx.insert_missing(NoticeRow, row)

    def _due(self, channel: Channel, now: datetime) -> list[str]:
        """Addresses for which something waits."""
        waits = (NoticeRow.state == "waiting") & (NoticeRow.next_at <= now) & (NoticeRow.channel == channel)
        with self._database.reading() as session:
            return list(session.scalars(select(NoticeRow.address).where(waits).distinct()))

    def _bundle(self, channel: Channel, address: str, now: datetime) -> Bundle | None:
        """Take what is due into one message; ``None`` when its hour is full, or all of it is old."""
        here = (NoticeRow.channel == channel) & (NoticeRow.address == address)
        due = here & (NoticeRow.state == "waiting") & (NoticeRow.next_at <= now)
        with self._database.transaction() as tx:
            old = update(NoticeRow).where(due, NoticeRow.made_at <= now - KEEP)
            tx.session.execute(old.values(state="expired", error=func.coalesce(NoticeRow.error, "it waited too long")))
            later = self._full(tx.session, here, now)
            if later is not None:
                tx.session.execute(update(NoticeRow).where(due).values(next_at=later))
                return None
            first = select(NoticeRow).where(due).order_by(NoticeRow.made_at, NoticeRow.id).limit(MOST)
            rows = tx.session.scalars(first.with_for_update()).all()
            # One message speaks one language: those of another wait for the next step.
            rows = [row for row in rows if row.language == rows[0].language]
            message = new_id("msg")
            for row in rows:
                row.state, row.message, row.tried_at, row.attempts = "sending", message, now, row.attempts + 1
        if not rows:
            return None
        return Bundle(
            message,
            now,
            address,
            "zh" if rows[0].language == "zh" else "en",
            [Words(row.title, row.body) for row in rows],
        )

    def _full(self, session: Session, here: ColumnElement[bool], now: datetime) -> datetime | None:
        """When an address may get its next message; ``None``: now."""
        spent = here & (NoticeRow.tried_at > now - _HOUR) & NoticeRow.state.in_(("sent", "doubtful", "sending"))
        tried = select(func.min(NoticeRow.tried_at)).where(spent).group_by(NoticeRow.message)
        times = sorted(filter(None, session.scalars(tried)))
        return times[-self._hourly] + _HOUR if len(times) >= self._hourly else None

    def _send(self, channel: Channel, way: Way, bundle: Bundle) -> bool:
        """Try one message; false when its way does not take any now."""
        try:
            way.send(bundle)
        except NotYet as error:
            self._settle(channel, bundle, "waiting", str(error))
            return False
        except (Refused, Doubtful) as error:
            self._settle(channel, bundle, "refused" if isinstance(error, Refused) else "doubtful", str(error))
        else:
            self._settle(channel, bundle, "sent", None)
        return True

    def _settle(self, channel: Channel, bundle: Bundle, state: str, error: str | None) -> None:
        """Note what became of a message; a try that ended one way or the other leaves an audit line."""
        MESSAGES.labels(channel, state).inc()
        mine, now = select(NoticeRow).where(NoticeRow.message == bundle.id), self._clock.now()
        with self._database.transaction() as tx:
            rows = tx.session.scalars(mine).all()
            for row in rows:
                row.state, row.error = state, error and error[:500]
                row.next_at = now + min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(row.attempts - 1, 12))
            if state != "waiting":
                told = {"channel": channel, "state": state, "notices": [row.id for row in rows]}
                result = "done" if state == "sent" else "refused"
                self._audit.record(tx, self._city.clock.now(), SYSTEM.id, "notice.send", bundle.id, told, result)
