"""Limits against abuse: durable token buckets by network address and by phone number, on the machine's own time."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import delete

from cityloop.access.bucket import Bucket, Rule, take
from cityloop.access.models import BucketRow, PepperRow
from cityloop.core.clock import Clock
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import TooMany

_KEEP = timedelta(days=2)
"""Longer than any bucket needs to fill: an older row says what no row says."""


class Turnstile:
    """Lets so many through for each kind of request and each key."""

    def __init__(self, database: Database, clock: Clock, rules: Mapping[str, Rule]) -> None:
        self._database, self._clock, self._rules = database, clock, rules

    def enter(self, kind: str, key: str) -> None:
        """Take one in a transaction of its own; raises :class:`TooMany`, which says how many seconds to wait."""
        with self._database.transaction() as tx:
            wait = self._take(tx, kind, key)
        if wait:
            raise _too_many(kind, wait)

    def enter_in(self, tx: Transaction, kind: str, key: str) -> None:
        """The same inside a running transaction: what is rolled back gives its token back."""
        if wait := self._take(tx, kind, key):
            raise _too_many(kind, wait)

    def _take(self, tx: Transaction, kind: str, key: str) -> int:
        now = self._clock.now()
        name = hmac.digest(_pepper(tx).encode(), f"{kind}:{key}".encode(), "sha256").hex()
        rule = self._rules[kind]
        tx.session.execute(delete(BucketRow).where(BucketRow.at < now - _KEEP))
        tx.insert_missing(BucketRow, {"key": name, "tokens": float(rule.most), "at": now})
        row = tx.session.get_one(BucketRow, name, with_for_update=True)
        bucket, wait = take(rule, Bucket(row.tokens, row.at), now)
        row.tokens, row.at = bucket.tokens, bucket.at
        return wait


def network(address: str) -> str:
    """What one household or office comes from: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


def _pepper(tx: Transaction) -> str:
    tx.insert_missing(PepperRow, {"id": 1, "value": secrets.token_hex(32)})
    return tx.session.get_one(PepperRow, 1).value


def _too_many(kind: str, wait: int) -> TooMany:
    what = {
        "report": "reports from this network",
        "phone": "reports under this phone number",
        "apply": "applications from this network",
    }
    mend = f"try again in {wait} seconds; in an emergency call the hotline"
    return TooMany(f"too many {what.get(kind, 'questions from this network')}", mend, more={"retry_after": wait})
