"""What the steward's room says on the wire about lineage: raw batches of a figure, and the uses of a record."""

from __future__ import annotations

from cityloop.core.values import Frozen, Instant, Title


class Use(Frozen):
    """Something that uses a column, a feed or a record."""

    kind: str
    id: str
    title: Title
    link: str | None = None


class BatchView(Frozen):
    """One raw batch with the rows that stand behind a figure. ``by``: who sent it, as far as the audit tells."""

    batch: str
    feed: str
    feed_title: Title
    dataset: str
    rows: int
    first_observed_at: Instant
    last_observed_at: Instant
    received_at: Instant
    by: list[str]
    example: str
    """A record of it; ``GET /api/v1/records/{record}`` shows it."""


class UsedWarning(Frozen):
    """A warning whose evidence holds the record."""

    id: str
    title: Title
    level: str
    status: str
    raised_at: Instant
    link: str
    records: list[str]


class UsedCase(Frozen):
    """The case that answers such a warning."""

    id: str
    number: str | None
    link: str


class UsesView(Frozen):
    """Where a record or a batch went: the rows of it that the asker may see, and what was made of them."""

    record: str | None
    batch: str | None
    dataset: str
    feed: str
    feed_title: Title
    rows: int
    received_at: Instant
    by: list[str]
    metrics: list[Use]
    warnings: list[UsedWarning]
    cases: list[UsedCase]
    truncated: bool
    """More warnings could have used it than were looked through."""
