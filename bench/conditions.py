"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import Any


def conditions(*packages: str) -> dict[str, Any]:
    """Cores, Python and the versions of the packages that matter."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[0], 2),
        **{name: version(name) for name in packages},
    }


def percentiles(values: list[float]) -> dict[str, float]:
    """Median, p95, p99 and maximum of ``values``, in their unit, rounded to 0.1."""
    ordered = sorted(values)
    if not ordered:
        return {}
    return {
        name: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
    }
