"""Webhooks: warnings and changes of rules go to other systems as CloudEvents 1.0, in order, at least once.

Every hook has a cursor in the outbox that moves once the receiver has said yes. What it does not take waits and is sent
again, ever more slowly; nothing is dropped. A receiver that answers 410 is never asked again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
from pydantic import AfterValidator, Field
from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.collect.sources.secrets import SecretReference, resolved
from cityloop.collect.sources.trouble import SourceTrouble
from cityloop.core.clock import Clock, SystemClock
from cityloop.core.content import load
from cityloop.core.database import Database, Table
from cityloop.core.outbox import Event, Outbox
from cityloop.core.values import Frozen
from cityloop.serve.timers import Timers

FILE = "webhooks.yaml"
TYPES = ("cityloop.warning.", "cityloop.rule.", "cityloop.cap.")
"""What may leave the house: events without personal data."""
STEP_SECONDS = 1.0
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)
_BATCH = 200


def _web(url: str) -> str:
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise ValueError("a webhook is an http or https address")
    return url


def _leaving(kind: str) -> str:
    if not kind.startswith(TYPES):
        raise ValueError(f"only events of {' and '.join(f'{one}*' for one in TYPES)} leave the house")
    return kind


class Webhook(Frozen):
    """A receiver: which events it wants, of which departments (none: all)."""

    id: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    url: Annotated[str, AfterValidator(_web)]
    types: tuple[Annotated[str, AfterValidator(_leaving)], ...] = Field(min_length=1)
    departments: tuple[str, ...] = ()
    secret: SecretReference | None = None
    """Where the bearer token stands."""

    def wants(self, event: Event) -> bool:
        """Whether an event is for this receiver."""
        department = event.data.get("warning", {}).get("department")
        return event.type in self.types and (not self.departments or department in self.departments)


class WebhooksFile(Frozen):
    """``webhooks.yaml`` of a city."""

    webhooks: tuple[Webhook, ...]


class WebhookRow(Table):
    """How far a receiver has come, and how it went."""

    __tablename__ = "webhook"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    greeted: Mapped[bool]
    """Whether the receiver has allowed deliveries."""
    attempts: Mapped[int]
    next_at: Mapped[datetime]
    error: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None]


def load_webhooks(city: Path) -> tuple[Webhook, ...]:
    """The webhooks of a city folder; none without a file. Raises :class:`ContentError`."""
    path = city / FILE
    return load(path, WebhooksFile).webhooks if path.exists() else ()


class Webhooks:
    """Delivers to every receiver in its own order; one that fails holds up no other."""

    def __init__(
        self,
        hooks: Sequence[Webhook],
        *,
        database: Database,
        outbox: Outbox,
        source: str,
        clock: Clock | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._hooks = {hook.id: hook for hook in hooks}
        self._database, self._outbox, self._source = database, outbox, source
        self._clock = clock or SystemClock()
        self._http = httpx.Client(timeout=20, transport=transport, follow_redirects=False)
        self._timers = Timers({"webhooks": self.step}, STEP_SECONDS)

    @property
    def troubles(self) -> Mapping[str, str]:
        """Receivers that do not take what is theirs, for the health of the house."""
        if not self._hooks:
            return {}
        with self._database.reading() as session:
            rows = [row for id in self._hooks if (row := session.get(WebhookRow, id)) and row.error]
        return {row.id: row.error or "" for row in rows}

    def start(self) -> None:
        """Begin; a new receiver hears what happens from now on."""
        if not self._hooks:
            return
        self.enrol()
        self._timers.start()

    def stop(self) -> None:
        """End in good order."""
        self._timers.stop()
        self._http.close()

    def enrol(self) -> None:
        """Give every new receiver its place in the outbox."""
        now, last = self._clock.now(), self._outbox.last()
        with self._database.transaction() as tx:
            for id in self._hooks:
                if tx.session.get(WebhookRow, id) is None:
                    tx.session.add(WebhookRow(id=id, seq=last, greeted=False, attempts=0, next_at=now))

    def step(self) -> int:
        """Deliver what is due; returns how many events were taken."""
        return sum(self._deliver(hook) for hook in self._hooks.values())

    def _deliver(self, hook: Webhook) -> int:
        with self._database.reading() as session:
            row = session.get(WebhookRow, hook.id)
        if row is None or row.ended_at is not None or row.next_at > self._clock.now():
            return 0
        sent, seq = 0, row.seq
        try:
            for event in self._outbox.after(row.seq, _BATCH):
                if hook.wants(event):
                    if not row.greeted:
                        self._greet(hook)
                        row.greeted = True
                    self._post(hook, event)
                    sent += 1
                seq = event.seq
        except _Gone:
            self._note(hook, seq, row.greeted, ended_at=self._clock.now(), error="it answered 410: gone")
        except (_Refused, httpx.HTTPError, SourceTrouble) as error:
            wait = min(_FIRST_WAIT * 2 ** min(row.attempts, 20), _LONGEST_WAIT)
            later = self._clock.now() + wait
            self._note(hook, seq, row.greeted, attempts=row.attempts + 1, next_at=later, error=f"{hook.url}: {error}")
        else:
            if seq != row.seq:
                self._note(hook, seq, row.greeted, attempts=0, error=None)
        return sent

    def _greet(self, hook: Webhook) -> None:
        """Ask whether the receiver wants to hear from us, as CloudEvents web hooks do."""
        asked = {"WebHook-Request-Origin": self._source, **authority(hook)}
        answer = self._http.request("OPTIONS", hook.url, headers=asked)
        _judged(answer)
        if answer.headers.get("WebHook-Allowed-Origin") not in ("*", self._source):
            raise _Refused("it does not allow deliveries: WebHook-Allowed-Origin is missing or names another")

    def _post(self, hook: Webhook, event: Event) -> None:
        headers = {"Content-Type": "application/cloudevents+json; charset=utf-8", **authority(hook)}
        body = json.dumps(envelope(event, self._source), ensure_ascii=False).encode()
        _judged(self._http.post(hook.url, content=body, headers=headers))

    def _note(self, hook: Webhook, seq: int, greeted: bool, **changes: Any) -> None:
        with self._database.transaction() as tx:
            row = tx.session.get_one(WebhookRow, hook.id)
            row.seq, row.greeted = seq, greeted
            for name, value in changes.items():
                setattr(row, name, value)


class _Refused(Exception):
    """Not taken: again later."""


class _Gone(Exception):
    """Never again."""


def envelope(event: Event, source: str) -> dict[str, Any]:
    """An event in the structured mode of CloudEvents 1.0; redelivery repeats the ``id``."""
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": source,
        "type": event.type,
        "subject": event.subject,
        "time": event.time.isoformat(),
        "datacontenttype": "application/json",
        "data": dict(event.data),
    }


def authority(hook: Webhook) -> dict[str, str]:
    """The header that shows a receiver who speaks."""
    token = resolved(hook.secret)
    return {"Authorization": f"Bearer {token}"} if token else {}


def _judged(answer: httpx.Response) -> None:
    if answer.status_code == 410:
        raise _Gone
    if not answer.is_success:
        raise _Refused(f"it answered {answer.status_code}")
