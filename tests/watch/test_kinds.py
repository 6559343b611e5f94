"""What rules can look at beyond plain windows: each way of looking, in the words of docs/rules.md."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from shapely import box

from cityloop.core.values import Title
from cityloop.standard.batch import BASE_COLUMNS, EntityCard
from cityloop.watch.agreeing import Stand
from cityloop.watch.agreeing import judge as agree
from cityloop.watch.cells import MOST_VALUES
from cityloop.watch.evaluate import evaluate, warm
from cityloop.watch.guard import Guard, Standing, Verdict
from cityloop.watch.joining import Joiner
from cityloop.watch.judging import DIVISION, Decision, Outcome, Tally
from cityloop.watch.locality import Locality
from cityloop.watch.rules import Rule
from cityloop.watch.runs import Readings
from cityloop.watch.schemas import Level
from cityloop.watch.state import State
from tests.watch.feeding import LATER, outcome, readings, run, steps
from tests.watch.house import BOSS, House
from tests.watch.naive import at, rule_of

TRACKS = pa.schema(
    [
        *BASE_COLUMNS,
        *[pa.field(name, pa.float64()) for name in ("lon", "lat", "opened")],
        *[pa.field(name, pa.string()) for name in ("matter", "channel")],
    ]
)


def tracks(*records: tuple[str, float, float, float], **more: object) -> pa.Table:
    """Rows of moving things: entity, second, longitude, latitude."""
    base = {"feed": "f", "area": "440304001", "opened": 1.0, "matter": "m1", "channel": "citizen", **more}
    rows = [
        {"entity": e, "observed_at": at(s), "received_at": at(s), "record": f"r{n}", "date": at(s).date(),
         "lon": lon, "lat": lat, **base}
        for n, (e, s, lon, lat) in enumerate(records)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, TRACKS)


def told(verdicts: list[Verdict]) -> list[tuple[str, str]]:
    return [(d.entity, d.outcome.name) for verdict in verdicts for d in verdict.decisions]


def placed(**changes: object) -> Rule:
    return rule_of(**({"entity_type": "Track", "property": "", "unit": "", "aggregate": "last"} | changes))


def test_the_change_over_a_window_is_its_newest_less_its_oldest_value() -> None:
    rule = rule_of(aggregate="change", levels={"blue": 5})
    assert steps(run(rule, [("a", 0, 1), ("a", 20, 3), ("a", 10, 9), ("a", 30, 6)])[1]) == [("FIRE", "blue", 30)]


def test_a_rate_counts_by_event_time_and_needs_two_instants() -> None:
    rule = rule_of(aggregate="rate", per=60, levels={"blue": 12})
    _, decisions = run(rule, [("a", 0, 0), ("a", 30, 6)])
    assert steps(decisions) == [("FIRE", "blue", 30)]
    assert decisions[0].value == 12
    assert outcome(run(rule, [("a", 0, 5)])[0]) is Outcome.NO_DATA


def test_a_rate_over_no_time_is_an_error_and_never_all_is_well() -> None:
    rule = rule_of(aggregate="rate", levels={"blue": 1})
    state = State(rule)
    _, decisions, tally = evaluate(rule, state, readings(state, [("a", 0, 1), ("a", 0, 5)]), LATER)
    assert (decisions, tally.errors) == ([], {DIVISION: 1})
    assert outcome(state) is Outcome.ERROR


def test_a_percentile_is_exact_and_a_bucket_that_overflows_is_an_error() -> None:
    rule = rule_of(aggregate="percentile", percentile=85, levels={"blue": 8.4})
    _, decisions = run(rule, [("a", n, n) for n in range(11)])
    assert steps(decisions) == [("FIRE", "blue", 10)]
    assert decisions[0].value == pytest.approx(8.5)
    state = State(rule)
    many = [("a", n / MOST_VALUES, 1.0) for n in range(MOST_VALUES + 3)]
    _, _, tally = evaluate(rule, state, readings(state, many), LATER)
    assert (tally.taken, sum(tally.errors.values())) == (MOST_VALUES, 3)


def test_a_stuck_sensor_is_a_spread_of_nothing_over_enough_records() -> None:
    rule = rule_of(aggregate="spread", direction="below", window=30, least=3, levels={"blue": 0}, hold=20)
    same = [("a", float(second), 7.0) for second in range(0, 60, 10)]
    assert steps(run(rule, same)[1]) == [("FIRE", "blue", 40)]
    assert run(rule, [("a", 0, 7), ("a", 10, 7)])[1] == []
    assert run(rule, [(n, s, v + 0.1 * (s == 20)) for n, s, v in same])[1] == []


def test_each_level_may_have_a_hold_of_its_own() -> None:
    rule = rule_of(window=10, levels={"blue": 1, "red": 1}, holds={"red": 20}, clear={"margin": 0.5})
    _, decisions = run(rule, [("a", 0, 1), ("a", 10, 1), ("a", 20, 1), ("a", 30, 0)])
    assert steps(decisions) == [("FIRE", "blue", 0), ("LEVEL", "red", 20), ("CLEAR", None, 30)]


def test_a_fence_speaks_on_entering_and_on_staying() -> None:
    fence = {"polygons": [[(114.0, 22.5), (114.1, 22.5), (114.1, 22.6), (114.0, 22.6)]]}
    levels = {"levels": {"blue": 1, "orange": 1}, "holds": {"orange": 60}, "clear": {"margin": 0.5}}
    guard = Guard("Track", [placed(fence=fence, **levels)])
    assert told(guard.take(tracks(("car", 0, 113.9, 22.55)), LATER)) == []
    assert told(guard.take(tracks(("car", 30, 114.05, 22.55)), LATER)) == [("car", "FIRE")]
    inside = [("car", 30.0 + step, 114.05, 22.55) for step in range(10, 70, 10)]
    assert told(guard.take(tracks(*inside), LATER)) == [("car", "LEVEL")]
    assert told(guard.take(tracks(("car", 100, 114.2, 22.55)), LATER)) == [("car", "CLEAR")]


def test_a_fence_may_be_an_area_of_the_city_and_its_outside() -> None:
    locality = Locality(shape=lambda code: box(114.0, 22.5, 114.1, 22.6) if code == "440304" else None)
    rule = placed(fence={"side": "outside", "areas": ["440304"]}, levels={"blue": 1}, clear={"margin": 0.5})
    guard = Guard("Track", [rule], locality)
    rows = tracks(("car", 0, 114.05, 22.55), ("car", 10, 114.2, 22.55))
    assert told(guard.take(rows, LATER)) == [("car", "FIRE")]


def test_a_stopped_vehicle_roams_less_than_its_tolerance() -> None:
    rule = placed(aggregate="roam", unit="m", direction="below", least=3, levels={"blue": 30}, hold=30)
    guard = Guard("Track", [rule])
    driving = [("car", float(s), 114.0 + s * 1e-4, 22.5) for s in range(0, 60, 10)]
    assert told(guard.take(tracks(*driving), LATER)) == []
    parked = [("car", float(s), 114.01, 22.5 + (s % 20) * 1e-6) for s in range(60, 180, 10)]
    (decision,) = [d for v in guard.take(tracks(*parked), LATER) for d in v.decisions]
    assert decision.value == pytest.approx(1.11, abs=0.01)
    restarted = Guard("Track", [rule])
    restarted.warm(tracks(*parked[:-1]))
    assert told(restarted.take(tracks(parked[-1]), LATER)) == [("car", "FIRE")]


def test_silence_is_told_by_the_clock_and_ends_with_the_next_record() -> None:
    rule = placed(aggregate="silence", unit="s", levels={"blue": "1min", "orange": "10min"})
    guard = Guard("Track", [rule])
    guard.take(tracks(("a", 0, 0, 0), ("b", 0, 0, 0)), at(0))
    assert told(guard.tick(at(59))) == []
    guard.take(tracks(("b", 50, 0, 0)), at(59))
    assert told(guard.tick(at(61))) == [("a", "FIRE")]
    assert told(guard.tick(at(601))) == [("a", "LEVEL"), ("b", "FIRE")]
    assert told(guard.take(tracks(("a", 600, 0, 0)), at(602))) == [("a", "CLEAR")]


def test_a_thing_that_never_sent_anything_counts_from_its_registration_or_from_now(tmp_path: Path) -> None:
    things = {"old": EntityCard("old", "Thing", Title(zh="旧", en="Old"), attributes={"registered": "2026-03-08"})}
    rule = rule_of(
        aggregate="silence", property="", unit="s", window=0, bucket=0, levels={"blue": "30min"}, unheard=True
    )
    locality = Locality(things=lambda _: things)
    house = House(tmp_path, [rule], begin=0, locality=locality)
    house.watch.tick(at(0))
    (warning,) = house.warnings()
    assert (warning.entity, warning.value) == ("old", 86_400)
    assert house.watch.get(BOSS, warning.id).evidence.points == []
    things["new"] = EntityCard("new", "Thing", Title(zh="新", en="New"))
    house.watch.tick(at(1000))
    again = House(tmp_path, [rule], begin=2000, locality=locality)
    again.watch.tick(at(2799))
    assert again.warnings(entity="new") == []
    again.watch.tick(at(2800))
    assert [found.value for found in again.warnings(entity="new")] == [1800]
    again.clock.set(at(3000))
    again.see(("new", 2999, 1), ("old", 2999, 1))
    assert {found.status for found in again.warnings()} == {"cleared"}
    house.database.close()
    again.database.close()


def test_a_feed_is_a_subject_too_and_so_is_a_district() -> None:
    silent = placed(id="t.feed", aggregate="silence", unit="s", by="feed", levels={"blue": "1min"})
    busy = placed(id="t.district", aggregate="count", property="opened", by=["district", "matter"], levels={"blue": 3})
    guard = Guard("Track", [silent, busy], Locality(district=lambda code: code[:6]))
    rows = tracks(("a", 0, 0, 0), ("b", 1, 0, 0), ("c", 2, 0, 0))
    assert told(guard.take(rows, at(5))) == [("440304|m1", "FIRE")]
    assert told(guard.tick(at(90))) == [("f", "FIRE")]
    assert guard.reader.belongs(busy, rows, "440304|m1").to_pylist() == [True] * 3


NEAR = {"near": {"metres": 200, "same": ["matter"]}, "aggregate": "sum", "property": "opened", "levels": {"blue": 3}}


def test_reports_of_one_matter_that_lie_together_are_one_place() -> None:
    guard = Guard("Track", [placed(**NEAR, window=3600, bucket=60, match={"channel": ["citizen"]})])
    close = [("d", 0.0, 114.0, 22.5), ("d", 60.0, 114.001, 22.5), ("d", 120.0, 114.0, 22.5011)]
    assert told(guard.take(tracks(*close[:2], ("d", 70, 114.05, 22.5)), LATER)) == []
    assert told(guard.take(tracks(close[2], matter="m2"), LATER)) == []
    assert told(guard.take(tracks(close[2], channel="desk"), LATER)) == []
    (found,) = told(guard.take(tracks(close[2]), LATER))
    assert found == ("m1@114.00000,22.50000", "FIRE")


def test_a_report_between_two_places_counts_for_both() -> None:
    guard = Guard("Track", [placed(**NEAR, window=3600, bucket=60)])
    west, east, middle = ("d", 0.0, 114.0, 22.5), ("d", 1.0, 114.003, 22.5), ("d", 2.0, 114.0015, 22.5)
    assert told(guard.take(tracks(west, east, middle, middle), LATER)) == [
        ("m1@114.00000,22.50000", "FIRE"),
        ("m1@114.00300,22.50000", "FIRE"),
    ]


@pytest.mark.parametrize(
    ("local", "open_"),
    [("2026-03-09 07:30", True), ("2026-03-09 06:59", False), ("2026-03-09 09:00", False), ("2026-03-14 07:30", False),
     ("2026-03-13 23:30", True), ("2026-03-14 01:30", True), ("2026-03-14 02:00", False), ("2026-03-15 01:30", False)],
)  # fmt: skip
def test_a_rule_may_keep_hours(local: str, open_: bool) -> None:
    locality = Locality(zone=ZoneInfo("Asia/Shanghai"))
    slots = rule_of(
        active=[
            {"days": "workday", "start": time(7), "end": time(9)},
            {"days": ["fri"], "start": time(22), "end": time(2)},
        ]
    ).active
    instant = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    assert locality.open_at(slots, instant) is open_
    micro = np.array([int(instant.astimezone(UTC).timestamp()) * 1_000_000])
    assert locality.open(slots, micro).tolist() == [open_]


def test_records_outside_of_its_hours_do_not_reach_a_rule() -> None:
    rule = placed(property="opened", levels={"blue": 1}, active=[{"start": "01:00", "end": "02:00"}])
    guard = Guard("Track", [rule])
    assert told(guard.take(tracks(("a", 0, 0, 0)), LATER)) == []
    assert told(guard.take(tracks(("a", 3600, 0, 0)), LATER)) == [("a", "FIRE")]


PARTS = [rule_of(id="air.high", respond="part"), rule_of(id="road.jam", respond="part", entity_type="Road")]


def joint(**changes: object) -> Rule:
    base = {"id": "joint.both", "aggregate": "agree", "property": "", "unit": "", "window": 0, "bucket": 0,
            "conditions": [{"rule": "air.high", "at": "red"}, {"rule": "road.jam"}], "join": "district"}  # fmt: skip
    return rule_of(**(base | changes))


def spoken(rule: str, entity: str, level: Level | None, second: float) -> Verdict:
    decision = Decision(
        rule,
        entity,
        Outcome.LEVEL,
        level,
        None,
        1,
        1,
        at(second),
        at(0),
        at(second),
        at(0),
    )
    return Verdict(next(part for part in PARTS if part.id == rule), [decision], [], Tally())


def card(entity_type: str, entity: str) -> EntityCard:
    return EntityCard(entity, entity_type, Title(zh=entity, en=entity), district=entity[:6], attributes={"pole": "p1"})


def test_and_across_entity_types_is_a_count_of_conditions_in_one_district() -> None:
    joiner = Joiner([*PARTS, joint(levels={"red": 2})], card)
    assert told(joiner.follow([spoken("air.high", "440304-1", "red", 0)])) == []
    assert told(joiner.follow([spoken("road.jam", "440305-9", "blue", 5)])) == []
    assert told(joiner.follow([spoken("road.jam", "440304-7", "blue", 9)])) == [("440304", "FIRE")]
    assert told(joiner.follow([spoken("air.high", "440304-1", "blue", 12)])) == [("440304", "CLEAR")]


def test_or_is_one_of_them_and_an_attribute_joins_what_stands_together() -> None:
    joiner = Joiner([*PARTS, joint(levels={"blue": 1, "red": 2}, join="pole")], card)
    assert told(joiner.follow([spoken("air.high", "x", "red", 0)])) == [("p1", "FIRE")]
    assert told(joiner.follow([spoken("road.jam", "y", "blue", 1)])) == [("p1", "LEVEL")]
    assert told(joiner.follow([spoken("road.jam", "z", "blue", 2), spoken("road.jam", "y", None, 3)])) == []


def test_the_hold_of_a_joint_rule_survives_a_restart() -> None:
    rule = joint(levels={"red": 2}, hold=60)
    joiner = Joiner([*PARTS, rule], card)
    first = [spoken("air.high", "440304-1", "red", 0), spoken("road.jam", "440304-7", "blue", 10)]
    (verdict,) = [v for v in joiner.follow(first) if v.standings and v.standings[0].stage == "waiting"]
    assert told(joiner.tick(at(69))) == []
    fresh = Joiner([*PARTS, rule], card)
    members = [("air.high", "440304-1", "red"), ("road.jam", "440304-7", "blue")]
    fresh.restore([*verdict.standings, *[Standing(r, e, level, "open", 0, at(0)) for r, e, level in members]])
    assert told(fresh.tick(at(69))) == []
    assert told(fresh.tick(at(70))) == told(joiner.tick(at(70))) == [("440304", "FIRE")]


def test_a_joint_rule_is_left_only_when_its_clear_hold_is_over() -> None:
    rule = joint(levels={"blue": 1}, clear={"hold": 30})
    stand, fired = agree(rule, "k", Stand(), 1, at(0))
    assert fired is not None
    stand, nothing = agree(rule, "k", stand, 0, at(10))
    assert (nothing, stand.left) == (None, 30)
    stand, cleared = agree(rule, "k", stand, 0, at(40))
    assert cleared is not None
    assert cleared.outcome is Outcome.CLEAR


def test_warming_fills_every_kind_of_cell() -> None:
    for aggregate, more in (("change", {}), ("percentile", {"percentile": 50}), ("rate", {"per": 10})):
        rule = rule_of(aggregate=aggregate, levels={"blue": 1000}, **more)
        records = [("a", 3.0, 5.0), ("a", 1.0, 9.0), ("a", 12.0, 2.0), ("b", 4.0, 4.0), ("a", 1.0, 8.0)]
        cold = run(rule, records)[0]
        state = State(rule)
        warmed = warm(rule, state, readings(state, records))
        for name, cells in cold.cells.items():
            other = warmed.cells[name]
            pair = [np.sort(c, axis=2) if name == "values" else c for c in (cells, other)]
            np.testing.assert_array_equal(pair[0][:2], pair[1][:2], name)


def test_positions_that_are_no_numbers_are_errors() -> None:
    rule = placed(aggregate="roam", levels={"blue": 1})
    state = State(rule)
    wrong = Readings(state.numbers(["a"]), np.array([0]), np.array([[114.0, np.nan]]))
    assert evaluate(rule, state, wrong, LATER)[2].errors == {"the value is not a finite number": 1}
