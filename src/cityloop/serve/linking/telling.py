"""The services that tell: ``notify`` people, ``cap`` the outside, ``webhook`` another system."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import httpx

from cityloop.access.actor import Actor
from cityloop.city.service import City
from cityloop.collect.sources.trouble import SourceTrouble
from cityloop.core.database import Transaction
from cityloop.core.errors import Conflict, Invalid, NotFound
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.linkage.phrases import PHRASES
from cityloop.linkage.ports import Answered, Later, Occasion
from cityloop.serve.webhooks import Webhook, authority
from cityloop.watch.cap import Bulletin, Office, bulletin
from cityloop.watch.schemas import Level

NOTICE, PUBLISHED = "cityloop.run.notice", "cityloop.cap.published"
_PERMANENT = range(400, 500)


class Notify:
    """Notices are events; who gets them by mail or text message is a matter of ``notices.yaml``."""

    def __init__(self, outbox: Outbox, city: City) -> None:
        self._outbox, self._city = outbox, city

    def do(self, tx: Transaction, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        """Tell a department or a post; raises :class:`Invalid` when it names neither."""
        department, post = inputs.get("department"), inputs.get("post")
        if department not in self._city.departments and post not in self._city.policy.posts:
            raise PHRASES.problem(Invalid, "nobody-to-tell")
        self._tell(tx, inputs, occasion, withdrawn=False)
        return Answered({"told": department or post}, occasion.effect)

    def undo(
        self, tx: Transaction, effect: Answered, inputs: Mapping[str, Any], actor: Actor, occasion: Occasion
    ) -> Title:
        """Tell the same people that it no longer holds."""
        self._tell(tx, inputs, occasion, withdrawn=True)
        return PHRASES.what("undo-notify")

    def _tell(self, tx: Transaction, inputs: Mapping[str, Any], occasion: Occasion, *, withdrawn: bool) -> None:
        notice = {
            "run": occasion.run,
            "effect": occasion.effect,
            "plan_title": occasion.plan_title.model_dump(),
            "department": inputs.get("department"),
            "post": inputs.get("post"),
            "area": occasion.area,
            "title": str(inputs.get("title", ""))[:200],
            "text": str(inputs.get("text", ""))[:2000],
            "withdrawn": withdrawn,
        }
        self._outbox.record(tx, NOTICE, occasion.run, occasion.now, {"notice": notice})


class Publish:
    """A message of a plan in CAP 1.2, kept in its event; webhooks carry it on."""

    def __init__(self, outbox: Outbox, city: City, office: Office) -> None:
        self._outbox, self._city, self._office = outbox, city, office

    def do(self, tx: Transaction, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        """Publish it; its identifier is made of run and step."""
        identifier = f"{occasion.run}.{occasion.effect[:8]}"
        self._send(tx, inputs, occasion, identifier, ())
        sent = occasion.now.astimezone(self._office.zone).replace(microsecond=0).isoformat()
        return Answered({"identifier": identifier, "sent": sent}, identifier)

    def undo(
        self, tx: Transaction, effect: Answered, inputs: Mapping[str, Any], actor: Actor, occasion: Occasion
    ) -> Title:
        """Publish its cancellation."""
        before = f"{self._office.sender},{effect.reference},{effect.result['sent']}"
        self._send(tx, inputs, occasion, f"{effect.reference}.cancel", (before,))
        return PHRASES.what("undo-cap")

    def _send(
        self,
        tx: Transaction,
        inputs: Mapping[str, Any],
        occasion: Occasion,
        identifier: str,
        references: Sequence[str],
    ) -> None:
        area = str(inputs.get("area") or occasion.area or "")
        try:
            place = self._city.areas.title(area) if area else self._city.title
        except NotFound as error:
            raise PHRASES.problem(Invalid, "no-area", area=area) from error
        if inputs.get("level") not in ("blue", "yellow", "orange", "red"):
            raise PHRASES.problem(Invalid, "no-level", level=inputs.get("level"))
        told = Bulletin(
            identifier=identifier,
            at=occasion.now,
            event=occasion.plan_title,
            headline=str(inputs.get("headline", "")),
            text=str(inputs.get("text", "")),
            level=cast(Level, inputs["level"]),
            area=place,
            geocode=area or None,
            references=tuple(references),
        )
        message = bulletin(told, self._office).decode()
        cap = {"identifier": identifier, "run": occasion.run, "cancels": bool(references), "message": message}
        self._outbox.record(tx, PUBLISHED, identifier, occasion.now, {"cap": cap})


class Call:
    """Another system, of those that ``webhooks.yaml`` registers. Asked again it gets the same idempotency key."""

    def __init__(self, hooks: Sequence[Webhook], source: str, transport: httpx.BaseTransport | None = None) -> None:
        self._hooks, self._source = {hook.id: hook for hook in hooks}, source
        self._http = httpx.Client(timeout=20, transport=transport, follow_redirects=False)

    def call(self, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        """Post what the plan gives; a system that does not answer is tried again, one that refuses fails the step."""
        return Answered({"status": self._post(inputs, occasion, "cityloop.run.call")}, occasion.effect)

    def recall(self, effect: Answered, inputs: Mapping[str, Any], actor: Actor, occasion: Occasion) -> Title:
        """Post that it no longer holds; raises :class:`Conflict` when the system does not take that."""
        try:
            self._post(inputs, occasion, "cityloop.run.recall")
        except Later as error:
            raise PHRASES.problem(Conflict, "not-taken", why=str(error)) from error
        return PHRASES.what("undo-webhook")

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _post(self, inputs: Mapping[str, Any], occasion: Occasion, kind: str) -> int:
        hook = self._hooks.get(str(inputs.get("webhook")))
        if hook is None:
            raise PHRASES.problem(Invalid, "no-webhook", name=inputs.get("webhook"))
        given = {key: value for key, value in inputs.items() if key != "webhook"}
        body = {
            "specversion": "1.0",
            "id": occasion.effect if kind.endswith("call") else f"{occasion.effect}.recall",
            "source": self._source,
            "type": kind,
            "subject": occasion.run,
            "time": occasion.now.isoformat(),
            "datacontenttype": "application/json",
            "data": given,
        }
        headers = {"Content-Type": "application/cloudevents+json; charset=utf-8", "Idempotency-Key": occasion.effect}
        try:
            content = json.dumps(body, ensure_ascii=False).encode()
            answer = self._http.post(hook.url, content=content, headers={**headers, **authority(hook)})
        except (httpx.HTTPError, SourceTrouble) as error:
            raise Later(f"{hook.id}: {error}") from error
        if answer.status_code in _PERMANENT and answer.status_code not in (408, 425, 429):
            raise PHRASES.problem(Conflict, "not-taken", why=f"{hook.id}: {answer.status_code}")
        if not answer.is_success:
            raise Later(f"{hook.id}: {answer.status_code}")
        return answer.status_code
