"""Opens what stands on the semantic model: changes explained and written SQL."""

from __future__ import annotations

from cityloop.access.audit import Audit
from cityloop.analyse.explaining import Explainer
from cityloop.analyse.service import Analyst
from cityloop.analyse.sql import SqlDesk
from cityloop.core.database import Database
from cityloop.lake.service import Lake


def open_analysis(analyst: Analyst, lake: Lake, database: Database, audit: Audit) -> tuple[Explainer, SqlDesk]:
    """The two of them, over one analyst."""
    return Explainer(analyst), SqlDesk(lake=lake, door=analyst.door, database=database, audit=audit)
