"""Sources as a city declares them in ``sources.yaml``."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from cityloop.collect.sources.schedule import Schedule
from cityloop.collect.sources.secrets import SecretReference
from cityloop.collect.sources.template import Template, subject_template, topic_template
from cityloop.core.values import Frozen, Title
from cityloop.standard.tables import TableOptions

Wire = Literal["mqtt", "nats", "database", "pull", "files"]
StandingWire = Literal["push", "replay"]
AnyWire = Literal["push", "replay", "mqtt", "nats", "database", "pull", "files"]
STREAMS = frozenset({"mqtt", "nats"})
DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "oracle": "oracle+oracledb",
    "mssql": "mssql+pymssql",
    "sqlite": "sqlite",
}


def _without_password(url: str) -> str:
    if urlsplit(url).password is not None:
        raise ValueError("a password does not belong into an address; use 'user' and 'password: env:NAME'")
    return url


def _of_schemes(*schemes: str) -> AfterValidator:
    def check(url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in schemes or not parts.hostname:
            raise ValueError(f"'{url}' is no address; write {schemes[0]}://host:port")
        return _without_password(url)

    return AfterValidator(check)


class Broker(Frozen):
    """An MQTT broker and how it is entered."""

    url: Annotated[str, _of_schemes("mqtt", "mqtts")]
    version: Annotated[Literal["3.1.1", "5"], BeforeValidator(str)] = "3.1.1"
    client_id: str | None = Field(default=None, min_length=1, max_length=60)
    user: str | None = None
    password: SecretReference | None = None
    ca: str | None = None
    """File of the authority, from the city folder; by default those of the machine."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or (8883 if parts.scheme == "mqtts" else 1883)


class MqttConnection(Broker):
    """A subscription. ``topic`` may name levels: ``air/+station/json`` sets the field ``station`` of each record."""

    topic: str

    @field_validator("topic")
    @classmethod
    def _well_formed(cls, value: str) -> str:
        topic_template(value)
        return value

    @property
    def template(self) -> Template:
        """The topic as a filter with names."""
        return topic_template(self.topic)


class NatsConnection(Frozen):
    """A JetStream stream. ``subject`` filters it and may name levels: ``air.*station``."""

    url: Annotated[str, _of_schemes("nats", "tls")]
    stream: str = Field(pattern=r"^[^\s.*>/\\]+$")
    subject: str | None = None
    user: str | None = None
    password: SecretReference | None = None
    token: SecretReference | None = None
    ca: str | None = None

    @field_validator("subject")
    @classmethod
    def _well_formed(cls, value: str | None) -> str | None:
        if value is not None:
            subject_template(value)
        return value

    @property
    def template(self) -> Template | None:
        """The subject as a filter with names."""
        return subject_template(self.subject) if self.subject else None

    @property
    def secure(self) -> bool:
        """Whether the server is reached by TLS."""
        return self.url.startswith("tls")


class DatabaseConnection(Frozen):
    """A table or view. Rows are read in the order of ``watermark``, then ``key``; the watermark only ever grows."""

    url: str
    user: str | None = None
    password: SecretReference | None = None
    schema_name: str | None = Field(default=None, alias="schema")
    table: str
    watermark: str
    key: str
    chunk: int = Field(default=5000, ge=1, le=20_000)
    overlap_seconds: float = Field(default=0, ge=0)
    """How far behind the watermark each run looks again, for transactions that commit late."""

    @field_validator("url")
    @classmethod
    def _known_driver(cls, value: str) -> str:
        try:
            url = make_url(value)
        except ArgumentError as error:
            raise ValueError(f"'{value}' is no address of a database; write mysql://host:3306/name") from error
        if url.password is not None:
            raise ValueError("a password does not belong into an address; use 'user' and 'password: env:NAME'")
        name = url.drivername.split("+")[0]
        if name not in DRIVERS:
            raise ValueError(f"'{name}' is no database that can be read; known: {', '.join(DRIVERS)}")
        return value

    @property
    def driver(self) -> str:
        """The dialect with its driver."""
        name = make_url(self.url).drivername
        return name if "+" in name else DRIVERS[name]


class Auth(Frozen):
    """A header with a secret, or user and password."""

    header: str = "Authorization"
    prefix: str = ""
    value: SecretReference | None = None
    user: str | None = None
    password: SecretReference | None = None

    @model_validator(mode="after")
    def _one(self) -> Auth:
        if (self.value is None) == (self.password is None):
            raise ValueError("give 'value', or 'user' with 'password'")
        return self


class Paging(Frozen):
    """``page``: numbers; ``cursor``: a field of the answer is the next request's parameter; ``link``: Link header."""

    kind: Literal["page", "cursor", "link"]
    parameter: str = ""
    first: int = 1
    size_parameter: str | None = None
    size: int | None = Field(default=None, ge=1)
    field: str | None = None
    """Dotted path of the cursor in the answer."""

    @model_validator(mode="after")
    def _complete(self) -> Paging:
        if self.kind != "link" and not self.parameter:
            raise ValueError(f"paging by {self.kind} needs 'parameter'")
        if (self.kind == "cursor") != (self.field is not None):
            raise ValueError("'field' belongs to paging by cursor")
        return self


class Since(Frozen):
    """Ask only for what is new: the largest ``field`` seen so far is sent as ``parameter``."""

    parameter: str
    field: str
    start: str | float | None = None


class PullConnection(Frozen):
    """An interface that answers JSON. ``records`` is the dotted path of the array; nothing means the answer itself."""

    url: Annotated[str, _of_schemes("https", "http")]
    headers: dict[str, str] = Field(default_factory=dict)
    query: dict[str, str | int | float] = Field(default_factory=dict)
    auth: Auth | None = None
    records: str = ""
    paging: Paging | None = None
    since: Since | None = None
    ca: str | None = None
    timeout_seconds: float = Field(default=30, gt=0, le=600)

    @field_validator("headers")
    @classmethod
    def _no_secrets(cls, value: dict[str, str]) -> dict[str, str]:
        secret = [name for name in value if re.search(r"authorization|cookie|key|token|secret", name, re.IGNORECASE)]
        if secret:
            raise ValueError(f"'{secret[0]}' looks like a secret; use 'auth' with env:NAME or file:PATH")
        return value


class FilesConnection(Frozen):
    """A folder that files are dropped into. Each is read once and moved to ``done/`` or ``failed/`` with a report."""

    folder: str
    pattern: str = "*"
    settle_seconds: float = Field(default=2, ge=0)
    """A file is taken when it has not changed for so long."""
    table: TableOptions | None = None
    """How files are read; by default as the feed says."""


Connection = MqttConnection | NatsConnection | DatabaseConnection | PullConnection | FilesConnection
CONNECTIONS: dict[str, type[Connection]] = {
    "mqtt": MqttConnection,
    "nats": NatsConnection,
    "database": DatabaseConnection,
    "pull": PullConnection,
    "files": FilesConnection,
}


class SourceDeclaration(Frozen):
    """One source. ``connection`` is checked by its wire."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)
    title: Title
    feed: str
    wire: Wire
    schedule: Schedule | None = None
    connection: dict[str, Any]

    @model_validator(mode="after")
    def _scheduled(self) -> SourceDeclaration:
        if self.wire in STREAMS and self.schedule is not None:
            raise ValueError(f"{self.wire} listens all the time; it has no schedule")
        if self.wire not in STREAMS and self.schedule is None:
            raise ValueError(f"a source by {self.wire} needs a schedule, such as {{every: 5m}}")
        return self


class StandingDeclaration(Frozen):
    """A source that a city has without declaring it; records come to it by themselves."""

    id: str
    title: Title
    feed: str
    wire: StandingWire
    schedule: None = None


class SourcesFile(Frozen):
    """The file ``sources.yaml`` of a city."""

    sources: tuple[SourceDeclaration, ...] = ()
