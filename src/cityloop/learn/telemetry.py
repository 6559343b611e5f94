"""Figures of the models for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter

CLASSIFIED = Counter(
    "cityloop_classified_total", "Texts classified, by whether no person needed to look", ["automatic"]
)
SCORED = Counter("cityloop_risks_total", "Risks of running late that were estimated")
