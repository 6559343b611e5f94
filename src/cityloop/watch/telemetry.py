"""Figures of the watch for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

WARNINGS = Counter("cityloop_warnings_total", "Warnings raised, by rule and first level", ["rule", "level"])
SKIPPED = Counter("cityloop_watch_skipped_total", "Records a rule could not take, by reason", ["rule", "reason"])
SECONDS = Histogram(
    "cityloop_watch_seconds",
    "Seconds from a committed batch to its durable warnings",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
