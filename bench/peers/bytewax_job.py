# mypy: ignore-errors
"""The job as a dataflow: 15-minute mean of an entity in 10-second buckets, threshold with hysteresis, alert out.

Runs in an environment of its own, which has bytewax and paho-mqtt; the broker's port is its argument.
"""

from __future__ import annotations

import json
import queue
import sys
from datetime import UTC, datetime, timedelta

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import DynamicSource, StatelessSourcePartition
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

STEP, SPAN, LIMIT, MARGIN, MOST = 10, 90, 75.0, 10.0, 1000
PAUSE = timedelta(milliseconds=1)


class Ring:
    """The buckets of one entity, and whether its alert is open."""

    def __init__(self):
        self.head, self.count, self.total, self.open = None, [0] * SPAN, [0.0] * SPAN, False

    def take(self, at, value):
        """One record; the mean where an alert opens, else nothing."""
        bucket = int(at // STEP)
        if self.head is None:
            self.head = bucket
        for fresh in range(max(self.head + 1, bucket - SPAN + 1), bucket + 1):
            self.count[fresh % SPAN], self.total[fresh % SPAN] = 0, 0.0
        self.head = max(self.head, bucket)
        if bucket <= self.head - SPAN:
            return None
        self.count[bucket % SPAN] += 1
        self.total[bucket % SPAN] += value
        mean = sum(self.total) / sum(self.count)
        if not self.open and mean >= LIMIT:
            self.open = True
            return mean
        if self.open and mean < LIMIT - MARGIN:
            self.open = False
        return None


class Inbox(StatelessSourcePartition):
    """What the broker sends, as soon as it comes."""

    def __init__(self, port):
        self._waiting = queue.SimpleQueue()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="bytewax-in")
        self._client.on_message = lambda client, data, message: self._waiting.put(message.payload)
        self._client.on_connect = lambda client, *_: client.subscribe("obs", qos=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def next_batch(self):
        """All that is there."""
        found = []
        while len(found) < MOST and not self._waiting.empty():
            found.append(self._waiting.get())
        return found

    def next_awake(self):
        """Soon where nothing waits."""
        return datetime.now(UTC) + PAUSE if self._waiting.empty() else None


class Source(DynamicSource):
    """One worker."""

    def build(self, step_id, worker_index, worker_count):
        """The partition."""
        return Inbox(int(sys.argv[1]))


class Outbox(StatelessSinkPartition):
    """Alerts to the broker."""

    def __init__(self, port):
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="bytewax-out")
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def write_batch(self, items):
        """One message each."""
        for entity, mean in items:
            self._client.publish("alerts", json.dumps({"entity": entity, "mean": mean}), qos=1)


class Sink(DynamicSink):
    """One worker."""

    def build(self, step_id, worker_index, worker_count):
        """The partition."""
        return Outbox(int(sys.argv[1]))


def read(payload):
    """A record by its entity."""
    record = json.loads(payload)
    return record["station"], (datetime.fromisoformat(record["time"]).timestamp(), record["PM2.5"])


def judge(ring, record):
    """A record into the ring of its entity."""
    ring = ring or Ring()
    return ring, ring.take(*record)


flow = Dataflow("rules")
records = op.map("read", op.input("in", flow, Source()), read)
alerts = op.filter("new", op.stateful_map("judge", records, judge), lambda told: told[1] is not None)
op.output("out", alerts, Sink())

if __name__ == "__main__":
    run_main(flow, epoch_interval=timedelta(seconds=10))
