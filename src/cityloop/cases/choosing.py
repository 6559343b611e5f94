"""Which of several equally responsible departments: the one that will have it done first, by load and past speed.

Pure. A case waits behind the open cases that each handler has, each for as long as cases of its matter usually take:
(open cases / handlers + 1) × median handling time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from cityloop.core.values import Title


@dataclass(frozen=True, slots=True)
class Load:
    """What a department has in hand; ``median_seconds`` of handling, empty where it has handled none of the matter."""

    department: str
    open_cases: int
    handlers: int
    handled: int = 0
    median_seconds: float | None = None

    @property
    def each(self) -> float:
        """Open cases for each handler."""
        return self.open_cases / self.handlers


def choose(loads: Sequence[Load], names: Mapping[str, Title]) -> tuple[str, Title]:
    """The quickest department and why; of equals the one that stands first. Who has no past counts as usual."""
    known = [load.median_seconds for load in loads if load.median_seconds is not None]
    usual = median(known) if known else 1.0

    def wait(load: Load) -> float:
        return (load.each + 1) * (usual if load.median_seconds is None else load.median_seconds)

    best = min(loads, key=wait)
    told = [(names[load.department], load) for load in sorted(loads, key=lambda load: load is not best)]
    return best.department, Title(
        zh=f"{len(loads)} 个同等部门中预计最快：" + "；".join(f"{name.zh} {_zh(load)}" for name, load in told),
        en=f"likely the quickest of {len(loads)} equals: " + "; ".join(f"{name.en} {_en(load)}" for name, load in told),
    )


def _zh(load: Load) -> str:
    past = "无此类处置记录" if load.median_seconds is None else f"同类处置中位数 {load.median_seconds / 3600:.1f} 小时"
    return f"人均在办 {load.each:.1f} 件，{past}"


def _en(load: Load) -> str:
    past = "no such case handled" if load.median_seconds is None else f"median {load.median_seconds / 3600:.1f} h"
    return f"{load.each:.1f} open a handler, {past}"
