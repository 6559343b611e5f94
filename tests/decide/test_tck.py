"""The public compliance kit, where its folder is at hand: level 2 passes whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cityloop.decide.tck import run


@pytest.mark.skipif(
    "CITYLOOP_DMN_TCK" not in os.environ, reason="CITYLOOP_DMN_TCK names the folder TestCases of the kit"
)
def test_compliance_level_2_passes_whole() -> None:
    tallies = [tally for tally in run(Path(os.environ["CITYLOOP_DMN_TCK"])) if tally.level == "compliance-level-2"]
    assert [(tally.name, tally.failed) for tally in tallies if tally.failed] == []
    assert (len(tallies), sum(tally.total for tally in tallies)) == (28, 116)
