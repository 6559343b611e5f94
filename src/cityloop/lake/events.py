"""Events of cases and warnings in the lake, so that work is measured with the same metrics as observations.

The writer is a durable consumer of the outbox. Its commits carry the last sequence number, so that an event is in the
lake once, however often the relay hands it over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from cityloop.core.database import Transaction
from cityloop.core.outbox import Event
from cityloop.lake.service import Lake
from cityloop.standard.batch import BASE_COLUMNS, ObservationBatch

_APP = "outbox"
_TIME = pa.timestamp("us", tz="UTC")
_CASE_TEXTS = ("case", "number", "move", "from_state", "state", "matter", "matter_class", "district", "department",
               "handler", "reporter", "channel", "series", "warning")  # fmt: skip
_APPLICATION_TEXTS = ("application", "number", "item", "move", "from_state", "state", "department", "district",
                      "proposal", "check")  # fmt: skip
_WARNING_TEXTS = ("warning", "what", "rule", "level", "peak", "status", "subject", "subject_type", "district",
                  "department", "series", "case")  # fmt: skip


def _schema(texts: Sequence[str], others: Mapping[str, pa.DataType]) -> pa.Schema:
    own = [pa.field("seq", pa.int64()), *[pa.field(name, pa.string()) for name in texts]]
    return pa.schema([*BASE_COLUMNS, *own, *[pa.field(name, kind) for name, kind in others.items()]])


SCHEMAS = {
    "CaseEvent": _schema(
        _CASE_TEXTS,
        dict.fromkeys(("opened_at", "due_at", "closed_at"), _TIME)
        | dict.fromkeys(("used_seconds", "elapsed_seconds", "rework"), pa.int64())
        | {
            "on_time": pa.bool_(),
            "final": pa.bool_(),
            "opened": pa.float64(),
            "lon": pa.float64(),
            "lat": pa.float64(),
        },
    ),
    "ApplicationEvent": _schema(
        _APPLICATION_TEXTS,
        dict.fromkeys(("applied_at", "due_at"), _TIME)
        | dict.fromkeys(("seconds", "appeals"), pa.int64())
        | {"instant": pa.bool_(), "late": pa.bool_(), "applied": pa.float64()},
    ),
    "WarningEvent": _schema(_WARNING_TEXTS, dict.fromkeys(("raised_at", "cleared_at"), _TIME)),
}
"""Columns of the event tables. ``entity`` is the district (or the city), ``observed_at`` the time of the event,
``record`` is ``outbox:<seq>``. ``opened`` is 1.0 for the event that opens a case, so that its sum counts cases;
``applied`` likewise for applications, whose ``seconds`` run from the application to the event."""
PROTECTED = {"ApplicationEvent": "application", "CaseEvent": "case", "WarningEvent": "warning"}
"""Event table → entity at the door; every other table is of observations."""

WARNINGS = tuple(f"cityloop.warning.{what}" for what in ("raised", "level", "cleared", "acknowledged", "linked"))
APPLICATIONS = ("cityloop.application.moved",)
TYPES = ("cityloop.case.moved", *APPLICATIONS, *WARNINGS)
"""Types of events that are written."""


class EventWriter:
    """A handler for the relay: ``relay.consume("lake", EventWriter(lake), TYPES)``."""

    def __init__(self, lake: Lake, city: str = "city") -> None:
        self.on_committed: list[Callable[[ObservationBatch], None]] = []
        """Called with every committed batch, once the relay's own transaction has ended."""
        self._lake = lake
        self._city = city
        self._unheard: list[ObservationBatch] = []
        for table, schema in SCHEMAS.items():
            lake.ensure(table, schema)

    def __call__(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Write the events that the lake does not have yet, and tell of them when the relay's transaction has ended."""
        self.write(events)
        # Listeners open transactions of their own; inside the relay's they would wait for themselves.
        tx.after_commit(self._tell)

    def write(self, events: Sequence[Event]) -> None:
        """Write the events that the lake does not have yet; best before a transaction that others wait for."""
        cases = [_case(event, self._city) for event in events if event.type == "cityloop.case.moved"]
        applications = [_application(event, self._city) for event in events if event.type in APPLICATIONS]
        warnings = [_warning(event, self._city) for event in events if event.type in WARNINGS]
        self._write("CaseEvent", cases)
        self._write("ApplicationEvent", applications)
        self._write("WarningEvent", warnings)

    def _write(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        done = self._lake.txn_version(table, _APP) or 0
        fresh = [row for row in rows if row["seq"] > done]
        if fresh:
            batch = pa.Table.from_pylist(fresh, schema=SCHEMAS[table])
            version = self._lake.append(table, batch, (_APP, fresh[-1]["seq"]))
            self._unheard.append(ObservationBatch(table, batch, version))

    def _tell(self) -> None:
        batches, self._unheard = self._unheard, []
        for batch in batches:
            for listener in self.on_committed:
                listener(batch)


def _base(event: Event, city: str, view: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "entity": view.get("district") or city,
        "observed_at": event.time,
        "received_at": event.time,
        "feed": "outbox",
        "record": f"outbox:{event.seq}",
        "area": view.get("area") or view.get("district"),
        "date": event.time.date(),
        "seq": event.seq,
    }


def _case(event: Event, city: str) -> dict[str, Any]:
    data, view = event.data, event.data["case"]
    texts = {name: view.get(name) for name in _CASE_TEXTS}
    times = {name: _instant(view.get(name)) for name in ("opened_at", "due_at", "closed_at")}
    return {
        **_base(event, city, view),
        **texts,
        **times,
        "case": view["id"],
        "matter_class": (view.get("matter_class") or {}).get("zh"),
        "move": data["move"],
        "from_state": data["from_state"],
        "used_seconds": data["used_seconds"],
        "elapsed_seconds": data["elapsed_seconds"],
        "rework": view.get("rework"),
        "on_time": view.get("on_time"),
        "final": view.get("closed_at") is not None,
        "opened": 0.0 if data["from_state"] else 1.0,
        "lon": view.get("lon"),
        "lat": view.get("lat"),
    }


def _application(event: Event, city: str) -> dict[str, Any]:
    data, view = event.data, event.data["application"]
    applied_at = datetime.fromisoformat(view["applied_at"])
    return {
        **_base(event, city, view),
        **{name: view.get(name) for name in _APPLICATION_TEXTS},
        "application": view["id"],
        "move": data["move"],
        "from_state": data["from_state"],
        "applied_at": applied_at,
        "due_at": _instant(view.get("due_at")),
        "seconds": int((event.time - applied_at).total_seconds()),
        "appeals": view["appeals"],
        "instant": view["instant"],
        "late": view["late"],
        "applied": 1.0 if data["move"] == "apply" else 0.0,
    }


def _warning(event: Event, city: str) -> dict[str, Any]:
    view = event.data["warning"]
    return {
        **_base(event, city, view),
        **{name: view.get(name) for name in _WARNING_TEXTS},
        "warning": view["id"],
        "what": event.type.rpartition(".")[2],
        "subject": view["entity"],
        "subject_type": view["entity_type"],
        "raised_at": _instant(view.get("raised_at")),
        "cleared_at": _instant(view.get("cleared_at")),
    }


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
