"""What can go wrong on a wire, in words that say what to do."""

from __future__ import annotations

from cityloop.core.errors import Problem


class SourceTrouble(Problem):
    """The other side cannot be reached, refuses, or answers with something that is no data."""

    status = 502
    code = "source-unreachable"
    title = "The source cannot be read"
