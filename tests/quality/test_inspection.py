"""A data inspection of five sources with known faults: who gets which case, who mends, who does not, what is told."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.quality.inspected import ALL, FEEDS, HOURS, STEWARD, Inspected, department, write_city

# By hand: 3 entities × 47 hours are due (the last hour has until noon), 48 hours have been sent.
#   feed            received/expected  accepted  quarantined  repeated
TABLE = {
    "river-levels": ((111, 141), 114, 0, 0),
    "road-counts": ((141, 141), 144, 0, 24),
    "noise-levels": ((135, 141), 138, 6, 0),
    "lamp-states": ((137, 141), 140, 4, 0),
    "site-dust": ((135, 141), 135, 0, 0),
}
# 30 × completeness + 25 × validity + 20 × timeliness + 15 × consistency + 10 × uniqueness, each of 1:
#   river 30×111/141+70 · road 90+10×144/168 · noise 30×135/141+25×138/144+45 · lamp 30×137/141+40×140/144+30
#   · dust 30×135/141+70
SCORES = {
    "river-levels": 93.62,
    "road-counts": 98.57,
    "noise-levels": 97.68,
    "lamp-states": 98.04,
    "site-dust": 98.72,
}
FOUND = {
    "river-levels": "completeness",
    "road-counts": "uniqueness",
    "noise-levels": "validity",
    "lamp-states": "consistency",
    "site-dust": "freshness",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("inspected")


@pytest.fixture(scope="module")
def city(folder: Path) -> Iterator[Inspected]:
    """The city after two days of data."""
    inspected = Inspected(folder, write_city(folder))
    inspected.hours(HOURS)
    inspected.work()
    yield inspected
    inspected.close()


def test_scores_equal_the_table_made_by_hand(city: Inspected) -> None:
    rows = {row.id: row for row in city.quality.scores(STEWARD, "feed", None, None, ALL, None).items if row.id in FEEDS}
    for feed, ((received, expected), accepted, quarantined, repeated) in TABLE.items():
        parts = {part.id: (part.numerator, part.denominator) for part in rows[feed].dimensions}
        arrived = accepted + quarantined
        inconsistent = 4 if feed == "lamp-states" else 0
        assert parts == {
            "completeness": (received, expected),
            "validity": (accepted, arrived),
            "timeliness": (accepted, accepted),
            "consistency": (arrived - inconsistent, arrived),
            "uniqueness": (accepted, accepted + repeated),
        }, feed
    assert {feed: rows[feed].score for feed in FEEDS} == SCORES
    assert {feed: rows[feed].grade for feed in FEEDS} == {f: "B" if f == "river-levels" else "A" for f in FEEDS}
    assert {feed: rows[feed].fresh for feed in FEEDS} == {f: f != "site-dust" for f in FEEDS}


def test_hours_add_up_to_the_score(city: Inspected) -> None:
    cells = city.quality.hours(STEWARD, "river-levels", None, None).cells
    assert (sum(cell.received for cell in cells), sum(cell.expected for cell in cells)) == (111, 141)
    assert [cell.completeness for cell in cells[9:21]] == [1.0, *[0.0] * 10, 1.0]


def test_a_figure_leads_to_gaps_and_to_quarantine(city: Inspected) -> None:
    gaps = city.quality.evidence(STEWARD, "river-levels", "completeness", None, None, ALL)
    assert [(gap.kind, gap.count, gap.entity) for gap in gaps.items] == [
        ("gap", 10, f"RiverGauge-{n}") for n in (1, 2, 3)
    ]
    refused = city.quality.evidence(STEWARD, "noise-levels", "validity", None, None, ALL)
    assert (refused.total, {item.rule for item in refused.items}) == (6, {"range"})
    assert refused.items[0].quarantine is not None
    repeated = city.quality.evidence(STEWARD, "road-counts", "uniqueness", None, None, ALL)
    assert sum(item.count for item in repeated.items) == 24


def test_a_feed_that_stopped_has_one_open_breach_for_each_check(city: Inspected) -> None:
    found = city.quality.breaches(STEWARD, ALL, True, "site-dust").items
    assert sorted(breach.check for breach in found) == ["completeness", "freshness"]
    city.work()
    told = [e for e in city.house.outbox.after(0, 10_000) if e.type == "cityloop.quality.breached"]
    assert len([event for event in told if event.subject == "site-dust"]) == 2


def test_a_department_sees_only_its_own_rows(city: Inspected) -> None:
    own = city.quality.scores(department("water"), "feed", None, None, ALL, None)
    assert [row.id for row in own.items if row.id in FEEDS] == ["river-levels"]


def test_the_inspection_from_plan_to_report(city: Inspected) -> None:
    inspection = city.only()
    city.quality.act(STEWARD, inspection, "start")
    city.work()
    _each_finding_has_its_case(city, inspection)
    _one_mends_others_do_not(city, inspection)
    _the_report_tells_it(city, inspection)
    _the_next_one_is_held_against_it(city, inspection)


def _each_finding_has_its_case(city: Inspected, inspection: str) -> None:
    assert city.detail(inspection).state == "repair"
    findings = city.findings(inspection)
    assert {feed: finding.check for feed, finding in findings.items()} == FOUND
    numbers = {finding.case_number for finding in findings.values()}
    assert len(numbers) == 5
    for feed, finding in findings.items():
        case = city.case(finding)
        assert (case.department, case.channel, case.external_number) == (FEEDS[feed][1], "inspection", finding.id)
        assert case.deadline is not None
        assert case.deadline.limit_text == "1工作日"
        assert case.due_at == finding.due_at
        assert finding.reason.zh in case.description
        assert "500" not in case.description, "values stay behind the door"


def _one_mends_others_do_not(city: Inspected, inspection: str) -> None:
    before = city.findings(inspection)
    city.broken -= {"river-levels"}
    for feed in ("river-levels", "road-counts", "noise-levels", "lamp-states"):
        city.hand_in(before[feed])
    # People close the lamps' case themselves, before anybody has looked at new data.
    for actor, move in (("acceptor", "accept_without_visit"), ("shift_leader", "close")):
        city.move(before["lamp-states"], department("centre", actor), move)
    city.work()
    assert {f: city.findings(inspection)[f].state for f in before} == {
        **dict.fromkeys(before, "repaired"),
        "site-dust": "open",
    }
    city.hours(9)
    city.work()
    after = city.findings(inspection)
    assert city.case(after["river-levels"]).state == "closed"
    assert (after["river-levels"].state, after["river-levels"].rechecks[0].act) == ("passed", "closed")
    assert (after["road-counts"].state, after["road-counts"].rechecks[0].act) == ("open", "rework")
    assert city.case(after["road-counts"]).state == "to_handle"
    assert city.case(after["road-counts"]).rework == 1
    assert (after["lamp-states"].state, after["lamp-states"].rechecks[0].act) == ("open", "new_case")
    assert after["lamp-states"].case != before["lamp-states"].case
    assert city.case(after["lamp-states"]).department == "urban"
    # The lamps are mended now, the road sensors still are not, nobody does anything about the dust.
    city.broken -= {"lamp-states"}
    for feed in ("road-counts", "lamp-states"):
        city.hand_in(after[feed])
    city.hours(30)
    city.work()
    last = city.findings(inspection)
    assert {feed: finding.state for feed, finding in last.items()} == {
        "river-levels": "passed",
        "road-counts": "failed",
        "noise-levels": "failed",
        "lamp-states": "passed",
        "site-dust": "failed",
    }
    assert last["site-dust"].overdue
    assert city.detail(inspection).state == "report"


def _the_report_tells_it(city: Inspected, inspection: str) -> None:
    findings = city.findings(inspection)
    page = bytes(city.quality.report(STEWARD, inspection, "html", "zh").body).decode()
    book = load_workbook(io.BytesIO(bytes(city.quality.report(STEWARD, inspection, "xlsx", "en").body)))
    assert book.sheetnames == ["Summary", "Departments", "Findings", "Cases and rechecks", "Method"]
    cells = {str(value) for sheet in book for row in sheet.values for value in row if value is not None}
    for feed, finding in findings.items():
        assert str(finding.case_number) in page
        assert str(finding.case_number) in cells
        assert f"{SCORES[feed]:.2f}" in page
        assert f"{SCORES[feed]:.2f}" in cells
    assert "未整改到位" in page
    assert "sent back for rework" in " ".join(cells)
    assert "http" not in page, "nothing from outside"
    own = bytes(city.quality.report(department("water"), inspection, "html", "zh").body).decode()
    assert str(findings["river-levels"].case_number) in own
    assert str(findings["road-counts"].case_number) not in own


def _the_next_one_is_held_against_it(city: Inspected, inspection: str) -> None:
    assert city.quality.act(STEWARD, inspection, "close").state == "closed"
    following = city.only()
    city.quality.act(STEWARD, following, "start")
    city.work()
    detail = city.detail(following)
    assert detail.previous == inspection
    water = next(one for one in detail.departments if one.id == "water")
    assert (water.score, water.previous_score, water.change) == (100.0, SCORES["river-levels"], 6.38)
    assert "river-levels" not in city.findings(following)
