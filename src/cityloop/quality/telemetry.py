"""What quality tells Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

AGE = Gauge("cityloop_feed_age_seconds", "Age of the newest record in hours of operation", ["feed"])
COMPLETE = Gauge("cityloop_feed_completeness_ratio", "Share of what was expected in the last whole hour", ["feed"])
OPEN = Gauge("cityloop_quality_breaches_open", "Feeds that are stale or incomplete now", ["check"])
BREACHES = Counter("cityloop_quality_breaches_total", "Breaches of freshness or completeness", ["feed", "check"])
FINDINGS = Counter("cityloop_inspection_findings_total", "Findings of inspections", ["check"])
