"""Backtests: what a rule would have said of the lake's history, equal to what it did say; labels, thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from cityloop.access.actor import Actor
from cityloop.core.errors import AccessDenied, Conflict, Invalid, NotFound
from cityloop.core.values import Title
from cityloop.watch.backtest import EARLY, Happened, propose, report, shifted
from cityloop.watch.backtests import wish_of
from cityloop.watch.rehearsal import Past, Rehearsal, Stopped, touching
from cityloop.watch.rule_schemas import NewBacktest, NewRuleVersion, RuleWish
from cityloop.watch.rulebook import declared
from cityloop.watch.schemas import NewOutcome
from tests.watch.house import BOSS, House, card
from tests.watch.naive import START, at, rule_of

DAY = 86_400
HANDLER = Actor(id="h", name=Title(zh="员", en="H"), posts=("handler",), department="urban")
RULE = rule_of(window=600, bucket=300, late=600, clear={"margin": 1, "hold": 300}, respond="case", matter="m")
OTHER = rule_of(id="test.other", window=300, bucket=300, levels={"blue": 18})
SILENT = rule_of(
    id="test.silent", aggregate="silence", property="", unit="s", window=0, bucket=0, levels={"blue": "2h"}
)


def records_of(second: float) -> list[tuple[str, float, float]]:
    hour = int(second // 3600)
    value = 21.0 if hour % 24 == 8 else 12.0 if hour % 24 == 17 else 1.0
    records = [("a", second, value), ("b", second, 25.0 if hour == 30 else 2.0)]
    return records[:1] if 40 <= hour < 44 else records


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Three days of two things: a daily peak of one, nothing of the other but an hour of the second day."""
    house = House(tmp_path_factory.mktemp("past"), [RULE, OTHER, SILENT], begin=0)
    for begin in range(0, 72, 2):
        house.clock.set(at(begin * 3600 + 7200))
        house.see(*(record for slot in range(24) for record in records_of(begin * 3600.0 + slot * 300)))
        house.watch.tick(house.clock.now())
    yield house
    house.database.close()


@pytest.fixture(scope="module")
def run(past: House) -> Past:
    """What all three rules would have said."""
    return Rehearsal([RULE, OTHER, SILENT], past.things.lake, card).run(START, START + timedelta(days=3))


def test_a_rehearsal_says_what_the_watch_said(past: House, run: Past) -> None:
    found = sorted((episode.rule, episode.entity, episode.peak) for episode in run.episodes)
    assert found == sorted((warning.rule, warning.entity, warning.peak) for warning in past.warnings())
    assert {rule for rule, *_ in found} == {"test.rule", "test.other", "test.silent"}


def test_the_report_counts_days_levels_durations_overlaps_and_cases(run: Past) -> None:
    rules = {rule.id: rule for rule in (RULE, OTHER, SILENT)}
    events = [
        Happened("a", at(8.5 * 3600), at(9 * 3600)),
        Happened("a", at(3 * 3600), at(4 * 3600)),
        Happened("b", at(30 * 3600), at(31 * 3600), real=False),
    ]
    made = report(RULE, rules, run, (START, START + timedelta(days=3)), events, UTC, 2.0)
    assert (made.warnings, made.levels, made.cases) == (7, {"blue": 3, "red": 4}, {"urban": 7})
    assert [day.levels for day in made.days] == [{"blue": 1, "red": 1}, {"blue": 1, "red": 2}, {"blue": 1, "red": 1}]
    assert made.a_week == pytest.approx(7 * 7 / 3, abs=0.01)
    assert 3600 <= (made.median_seconds or 0) <= 5400
    assert {(o.rule, o.warnings, o.both) for o in made.overlaps} == {("test.other", 4, 4), ("test.silent", 1, 0)}
    assert made.events is not None
    assert (made.events.events, made.events.caught, made.events.recall) == (2, 1, 0.5)
    assert 0 < (made.events.median_lead_seconds or 0) <= EARLY.total_seconds()
    assert (made.events.false_known, made.events.false_again) == (1, 1)
    assert (made.times_real, made.before) == (3 * DAY / 2, None)


def test_silence_in_the_past_is_heard(run: Past) -> None:
    (episode,) = run.of("test.silent")
    assert (episode.entity, episode.ended is not None) == ("b", True)
    assert at(41.9 * 3600) <= episode.raised <= at(42.3 * 3600)


def test_rows_that_were_loaded_long_after_are_taken_at_their_own_instant(tmp_path: Path) -> None:
    house = House(tmp_path, [RULE])
    table = [("a", second * 300.0, 12.0 if second > 6 else 1.0) for second in range(20)]
    batch = house.things.commit(*table)
    column = batch.rows.schema.get_field_index("received_at")
    bulk = batch.rows.set_column(
        column, "received_at", pa.array([at(30 * DAY)] * 20, batch.rows.schema.field(column).type)
    )
    house.things.lake.append("Thing", bulk, None)
    run = Rehearsal([RULE], house.things.lake, card).run(START, START + timedelta(days=1))
    assert (run.records, [e.entity for e in run.episodes], run.late["test.rule"]) == (40, ["a"], 0)
    house.database.close()


def test_a_threshold_is_proposed_for_a_wished_number_of_warnings() -> None:
    values = [float(n) for n in range(100)]

    def ask(threshold: float) -> float:
        return float(sum(value >= threshold for value in values))

    best, *_ = propose(rule_of(levels={"blue": 10, "red": 20}), 7, ask)
    assert 92 < best.threshold <= 93
    assert best.a_week == 7
    assert shifted(rule_of(levels={"blue": 10, "red": 20}), 15).levels == {"blue": 15, "red": 25}
    few, *_ = propose(rule_of(levels={"blue": 4}), 1000, ask)
    assert (few.a_week, few.threshold > 0) == (99, True)
    below, *_ = propose(rule_of(direction="below", levels={"blue": 50}), 5, lambda t: sum(v <= t for v in values))
    assert (below.a_week, 4 <= below.threshold < 5) == (5, True)


def test_a_rehearsal_tells_how_far_it_is_and_can_be_stopped(past: House) -> None:
    told: list[float] = []

    def progress(share: float) -> None:
        told.append(share)
        if len(told) == 2:
            raise Stopped("enough")

    with pytest.raises(Stopped):
        Rehearsal([RULE], past.things.lake, card).run(START, START + timedelta(days=3), progress)
    assert told == [pytest.approx(1 / 3), pytest.approx(2 / 3)]


def test_an_asked_backtest_compares_a_draft_with_the_rule_in_force_and_uses_the_labels(past: House) -> None:
    first, *_ = [warning for warning in past.warnings(rule="test.rule") if warning.entity == "b"]
    past.watch.label(BOSS, first.id, NewOutcome(outcome="false"))
    draft = declared(RULE) | {"version": "2", "levels": {"blue": 15, "red": 20}}
    period = {"start": START, "end": START + timedelta(days=3)}
    job = past.watch.backtests.ask(BOSS, NewBacktest(draft=draft, **period))
    past.watch.backtests.join()
    done = past.watch.backtests.get(BOSS, job.id)
    assert (done.state, done.done, done.problem) == ("done", 1.0, None)
    made = done.report
    assert made is not None
    assert made.before is not None
    assert (made.warnings, made.before.warnings, made.before.only_before, made.before.both) == (4, 7, 3, 4)
    assert made.events is not None
    assert (made.events.false_known, made.events.recall) == (1, None)
    assert [job.report for job in past.watch.backtests.list(BOSS)] == [None]
    past.watch.label(BOSS, first.id, NewOutcome(outcome="drill"))


def test_who_does_not_see_all_rows_gets_no_figures_over_them(past: House) -> None:
    with pytest.raises(AccessDenied, match=r"rule\.try"):
        past.watch.backtests.ask(HANDLER, NewBacktest(rule="test.rule"))


def test_an_impossible_wish_is_refused_with_what_to_do(past: House) -> None:
    with pytest.raises(Invalid, match="give one of"):
        past.watch.backtests.ask(BOSS, NewBacktest())
    with pytest.raises(NotFound):
        past.watch.backtests.ask(BOSS, NewBacktest(rule="tset"))
    with pytest.raises(Invalid, match="period of the past"):
        wish_of(RULE, at(10), at(5), None, at(100))
    with pytest.raises(NotFound):
        past.watch.backtests.get(BOSS, "bkt_none")


def test_a_rule_runs_beside_what_it_rests_on_and_the_others_of_its_type() -> None:
    part = rule_of(id="t.part", respond="part", entity_type="Road")
    joint = rule_of(id="t.joint", aggregate="agree", conditions=[{"rule": "t.part"}], levels={"blue": 1})
    rules = {rule.id: rule for rule in (part, joint, OTHER, rule_of(id="t.far", entity_type="Far"))}
    assert [rule.id for rule in touching(joint, rules)] == ["t.joint", "t.part", "test.other"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    one = House(tmp_path, [rule_of(window=10), rule_of(id="t.user", depends=[{"rule": "test.rule"}])])
    yield one
    one.database.close()


def change(house: House, **wish: object) -> None:
    plan = house.watch.rulebook.plan(BOSS, RuleWish(**wish))
    told = NewRuleVersion(**wish, plan=plan.plan, base=plan.base, reason="谷值太低")
    house.watch.change_rule(BOSS, told)


def draft(house: House, **changes: object) -> dict[str, object]:
    return declared(house.watch.rulebook.rules["test.rule"]) | {"version": "2"} | changes


def test_a_change_is_explained_applied_at_once_and_outlives_a_restart(house: House, tmp_path: Path) -> None:
    house.see(("a", 0, 12))
    wish = RuleWish(draft=draft(house, levels={"blue": 15}))
    plan = house.watch.rulebook.plan(BOSS, wish)
    assert (plan.action, plan.open_warnings, plan.used_by) == ("changed", 1, ["t.user"])
    assert [(c.key, c.after) for c in plan.changes] == [("version", "2"), ("levels", {"blue": 15.0})]
    change(house, draft=wish.draft)
    house.see(("b", 0, 12), ("c", 0, 16))
    assert [w.entity for w in house.warnings(rule="test.rule")] == ["a", "c"]
    assert house.warnings(rule="test.rule")[1].rule_version == "2"
    assert "cityloop.rule.changed" in house.told()
    again = House(tmp_path, [rule_of(window=10), rule_of(id="t.user", depends=[{"rule": "test.rule"}])])
    entry = again.watch.rulebook.entry(BOSS, "test.rule")
    assert (entry.origin, [v.in_force for v in entry.versions]) == ("changed", [True])
    changed = House(tmp_path, [rule_of(window=10, late=5), rule_of(id="t.user", depends=[{"rule": "test.rule"}])])
    assert changed.watch.rulebook.entry(BOSS, "test.rule").origin == "pack"
    again.database.close()
    changed.database.close()


def test_a_withdrawn_rule_clears_its_warnings_and_may_come_back(house: House) -> None:
    with pytest.raises(Invalid, match=r"t\.user rest on it"):
        house.watch.rulebook.plan(BOSS, RuleWish(rule="test.rule", withdraw=True))
    change(house, rule="t.user", withdraw=True)
    house.see(("a", 0, 12))
    change(house, rule="test.rule", withdraw=True)
    assert [w.status for w in house.warnings(rule="test.rule")] == ["cleared"]
    assert house.watch.rulebook.entry(BOSS, "test.rule").origin == "withdrawn"
    change(house, rule="test.rule", revert_to=0)
    house.see(("a", 20, 12))
    assert [w.status for w in house.warnings(rule="test.rule")] == ["cleared", "open"]


def test_a_stale_or_other_plan_a_bad_draft_and_an_unchanged_version_are_refused(house: House) -> None:
    wish = {"draft": draft(house, levels={"blue": 15})}
    plan = house.watch.rulebook.plan(BOSS, RuleWish(**wish))
    told = {"plan": plan.plan, "base": plan.base, "reason": "谷值太低"}
    with pytest.raises(Invalid, match="does not belong"):
        other = draft(house, levels={"blue": 16})
        house.watch.change_rule(BOSS, NewRuleVersion(draft=other, **told))
    change(house, **wish)
    with pytest.raises(Conflict, match="version 1"):
        house.watch.change_rule(BOSS, NewRuleVersion(draft=draft(house, version="3"), **told))
    with pytest.raises(Invalid, match=r"draft\.levels\.red"):
        house.watch.rulebook.plan(BOSS, RuleWish(draft=draft(house, levels={"blue": 5, "red": 4})))
    with pytest.raises(Invalid, match=r"draft\.window"):
        house.watch.rulebook.plan(BOSS, RuleWish(draft=draft(house, window="soon")))
    with pytest.raises(Invalid, match="another version"):
        house.watch.rulebook.plan(BOSS, RuleWish(draft=draft(house, hold=5)))
    with pytest.raises(AccessDenied):
        house.watch.rulebook.plan(HANDLER, RuleWish(rule="t.user", withdraw=True))
