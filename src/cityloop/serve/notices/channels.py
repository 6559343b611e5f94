"""The ways out: an SMTP server for e-mail, an HTTP gateway for text messages. Each sends a message or says why not."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from typing import Protocol

import httpx

from cityloop.core.settings import Settings
from cityloop.serve.delivery import Doubtful, NotYet, Refused, post_once, secret
from cityloop.serve.notices.content import Channel
from cityloop.serve.notices.wording import Language, Wording, Words

_TIMEOUT = 20.0


@dataclass(frozen=True)
class Bundle:
    """One message to one address, of one notice or of several that were due together."""

    id: str
    at: datetime
    address: str
    language: Language
    told: Sequence[Words]


class Way(Protocol):
    """Sends; raises :class:`NotYet`, :class:`Refused` or :class:`Doubtful`."""

    def send(self, bundle: Bundle) -> None:
        """Send one message."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


def ways(settings: Settings, wording: Wording) -> dict[Channel, Way]:
    """The ways that the settings open."""
    found: dict[Channel, Way] = {}
    if settings.mail_host and settings.mail_from:
        found["mail"] = Mail(settings, wording)
    if settings.sms_url:
        found["sms"] = Sms(settings, wording)
    return found


class Mail:
    """E-mail by SMTP, one connection a message."""

    def __init__(self, settings: Settings, wording: Wording) -> None:
        self._settings, self._wording = settings, wording

    def send(self, bundle: Bundle) -> None:
        """Hand the message to the server."""
        address, password = secret(bundle.address) or "", secret(self._settings.mail_password)
        content = self._content(bundle, address)
        try:
            client = self._connect(password)
        except (OSError, smtplib.SMTPException) as error:
            raise NotYet(f"{self._settings.mail_host} cannot be used: {error}") from error
        try:
            self._envelope(client, address)
            self._data(client, content)
        finally:
            with suppress(OSError, smtplib.SMTPException):
                client.quit()

    def close(self) -> None:
        """Nothing is kept open."""

    def _connect(self, password: str | None) -> smtplib.SMTP:
        one, safe = self._settings, ssl.create_default_context()
        if one.mail_security == "tls":
            client: smtplib.SMTP = smtplib.SMTP_SSL(one.mail_host, one.mail_port, timeout=_TIMEOUT, context=safe)
        else:
            client = smtplib.SMTP(one.mail_host, one.mail_port, timeout=_TIMEOUT)
        try:
            if one.mail_security == "starttls":
                client.starttls(context=safe)
            if one.mail_user:
                client.login(one.mail_user, password or "")
            client.ehlo_or_helo_if_needed()
        except BaseException:
            client.close()
            raise
        return client

    def _envelope(self, client: smtplib.SMTP, address: str) -> None:
        """Sender and recipient: until the data begin nothing was taken."""
        try:
            for answer in (client.mail(self._settings.mail_from), client.rcpt(address)):
                _judged(*answer)
        except (OSError, smtplib.SMTPException) as error:
            raise NotYet(f"{self._settings.mail_host} broke off: {error}") from error

    def _data(self, client: smtplib.SMTP, content: bytes) -> None:
        try:
            _judged(*client.data(content))
        except smtplib.SMTPDataError as error:
            _judged(error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPException) as error:
            raise Doubtful(f"{self._settings.mail_host} broke off during the message: {error}") from error

    def _content(self, bundle: Bundle, address: str) -> bytes:
        words, message = self._wording.together(bundle.told, bundle.language), EmailMessage(policy=WIRE)
        message["From"], message["To"] = self._settings.mail_from, address
        message["Subject"] = words.title
        message["Date"] = format_datetime(bundle.at)
        message["Message-ID"] = f"<{bundle.id}@{self._settings.mail_from.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(words.body, cte="base64")
        return message.as_bytes()


class Sms:
    """Text messages by a gateway that takes ``{"id", "to", "text"}`` as JSON and answers 2xx once it has them."""

    def __init__(self, settings: Settings, wording: Wording, transport: httpx.BaseTransport | None = None) -> None:
        self._settings, self._wording = settings, wording
        self._http = httpx.Client(timeout=_TIMEOUT, transport=transport, follow_redirects=False)

    def send(self, bundle: Bundle) -> None:
        """Hand the message to the gateway."""
        token = secret(self._settings.sms_token)
        headers = {"Idempotency-Key": bundle.id, **({"Authorization": f"Bearer {token}"} if token else {})}
        text = self._wording.short(bundle.told, bundle.language)
        body = {"id": bundle.id, "to": secret(bundle.address), "text": text}
        post_once(self._http, "the SMS gateway", self._settings.sms_url, json=body, headers=headers)

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()


def _judged(code: int, answer: bytes | str) -> None:
    """2xx goes on; 4xx may go well later, 5xx never."""
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    if code >= 500:
        raise Refused(f"SMTP {code}: {text[:300]}")
    if code >= 400:
        raise NotYet(f"SMTP {code}: {text[:300]}")
