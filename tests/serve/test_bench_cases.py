"""``cityloop bench cases``, small: what it builds is a city that works, and what it measures is answered."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bench.cases import run
from bench.cases_city import Builder, copy_city
from sqlalchemy import select

from cityloop.cases.models import CaseRow


def test_copies_have_chains_of_their_own_and_wait_at_every_post(tmp_path: Path) -> None:
    builder = Builder(copy_city(tmp_path), f"sqlite:///{tmp_path / 'cases.db'}", tmp_path)
    builder.people(0, 0)
    builder.fill(120, 30)
    with builder.database.reading() as session:
        cases = list(session.scalars(select(CaseRow).where(CaseRow.number.startswith("B"))))
    assert Counter(case.open for case in cases) == {True: 120, False: 30}
    assert len({case.state for case in cases if case.open}) == 8
    assert all(builder.desk.verify_timeline(case.id) is None for case in cases)
    assert all(case.handler for case in cases if case.state == "handling")
    builder.close()


def test_the_bench_tells_what_it_asked_and_met_no_error() -> None:
    found = run(open_cases=100, ended=100, operators=4, phones=2, seconds=1, database="")
    assert found["errors"] == {} and found["open"] == 100
    assert {"queue_page", "move", "riskiest_page"} <= found["alone"].keys()
    assert found["together"]["queue_page"]["requests"] >= 4
