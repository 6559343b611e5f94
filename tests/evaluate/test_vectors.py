"""Every worked figure of the domain's table holds: published ones of real cities, and computed ones."""

from __future__ import annotations

import csv
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import true

from cityloop.city import deadline
from cityloop.city.grammar import Limit, parse_limit
from cityloop.core.database import Database
from cityloop.evaluate import expression
from cityloop.evaluate.content import document, load_evaluation
from cityloop.evaluate.declarations import SchemeDef, SchemeDocument
from cityloop.evaluate.scoring import exact, plain, points, rate, rounded, score, shown
from cityloop.evaluate.tally import NONE, Figure, Figures, Window, tally
from tests.city.test_deadline_vectors import SEASONS, calendar
from tests.evaluate.support import NOON, URBAN, T, figures, put, scheme, step

TABLE = Path(__file__).parent / "data/indicators_vectors.csv"
VECTORS = {row["id"]: row for row in csv.DictReader(TABLE.open(encoding="utf-8"))}
JINNIU = [
    {"indicator": "处置率", "points": 30},
    {"indicator": "按期处置率", "points": 20},
    {"indicator": "返工率", "points": 20, "score": "inverse"},
    {"indicator": "超期待处置率", "points": 20, "score": "inverse"},
    {"indicator": "延期率", "points": 10, "score": "inverse"},
]
RATES: dict[str, tuple[str, str | None]] = {
    "处置率": ("处置", "应处置"),
    "按期处置率": ("按期处置", "应处置"),
    "返工率": ("返工", "应结案"),
    "超期待处置率": ("超期待处置", "应处置"),
    "延期率": ("延期", "应处置"),
}
BANDS = {
    "一类": [(0, 100), (3, 90), (5, 75), (7, 60), (9, 40)],
    "二类": [(0, 100), (4, 90), (6, 75), (8, 60), (10, 40)],
}


def inputs(id: str) -> dict[str, Any]:
    return {
        name: value for part in VECTORS[id]["inputs"].split(";") if "=" in part for name, value in [part.split("=")]
    }


def item(value: Any, attributes: dict[str, float] | None = None, **way: Any) -> Fraction | None:
    """The points of one item whose indicator is a single count."""
    document = scheme([{"indicator": "x", **way}], {"x": ("n", None)})
    found = rate(document.indicators["x"], figures(n=value))
    return points(document.scheme.items[0], "higher", found, attributes or {})[0]


def band_items(kind: str, scale: float = 1) -> list[dict[str, float]]:
    first, *rest = BANDS[kind]
    bands = [{"equal": first[0], "score": first[1] * scale}]
    return [*bands, *({"below": bound, "score": found * scale} for bound, found in rest), {"score": 0}]


@pytest.mark.parametrize("id", ["I01", "I02", "I03", "I04", "I05", "I28", "I30"])
def test_a_rate_follows_the_formula_as_the_table_writes_it(id: str) -> None:
    known = {name: Fraction(value) for name, value in inputs(id).items()}
    assert shown(expression.number(VECTORS[id]["formula"], known), "%") == VECTORS[id]["expected"]


def test_i06_and_i07_a_total_of_five_items_in_both_readings_of_rework() -> None:
    first = score(scheme(JINNIU, RATES), figures(**inputs("I06")))
    second = score(scheme(JINNIU, {**RATES, "返工率": ("返工", "处置")}), figures(**inputs("I07")))
    assert plain(Fraction(str(rounded(first.score)))) == VECTORS["I06"]["expected"]
    assert plain(Fraction(str(rounded(second.score)))) == VECTORS["I07"]["expected"]


@pytest.mark.parametrize(("id", "factor"), [("I08", "0.01"), ("I09", "0.002")])
def test_complaints_are_weighed_by_area_and_population(id: str, factor: str) -> None:
    given = {name: float(value) for name, value in inputs(id).items()}
    found = item(given.pop("n"), given, points=30, formula=f"30-(n*{factor})/(area*population)")
    digits = len(VECTORS[id]["expected"].split(".")[1])
    assert rounded(found, digits) == float(VECTORS[id]["expected"])


@pytest.mark.parametrize(("id", "step", "free"), [("I10", 200, 8300), ("I11", 100, 0)])
def test_steps_of_deduction_are_rounded_down(id: str, step: int, free: int) -> None:
    found = item(inputs(id)["n"], deduct={"each": 0.1, "step": step, "free": free, "cap": 30})
    assert found == exact(float(VECTORS[id]["expected"]))


@pytest.mark.parametrize("id", ["I12", "I13"])
def test_a_formula_keeps_within_floor_and_cap(id: str) -> None:
    assert item(inputs(id)["days"], points=10, formula="(2-value)*10", floor=0, cap=10) == int(VECTORS[id]["expected"])


@pytest.mark.parametrize("id", ["I14", "I15"])
def test_bonuses_stack_on_conditions(id: str) -> None:
    given = {name: float(value) for name, value in inputs(id).items()}
    assert item(1, given, formula=VECTORS[id]["formula"], bonus=True) == int(VECTORS[id]["expected"])


def test_i16_a_boundary_belongs_to_the_higher_band() -> None:
    bands = [{"equal": 0, "score": -0.3}, {"below": 0.5, "score": -0.25}, {"below": 0.75, "score": -0.15}]
    bands += [{"below": 0.9, "score": -0.1}, {"score": 0}]
    assert item(inputs("I16")["rate"], bands=bands) == exact(float(VECTORS["I16"]["expected"]))


def test_i17_points_are_lost_for_parts_of_a_point_or_for_full_ones() -> None:
    rule = {"full_at": 0.70, "per_point": 1}
    assert item(inputs("I17")["rate"], points=50, threshold=rule) == exact(float(VECTORS["I17"]["expected"]))
    assert item(inputs("I17")["rate"], points=50, threshold={**rule, "whole": True}) == 46


def test_i18_rework_costs_more_from_the_third_time_on() -> None:
    off = "0.2 * least(times, 2) + 0.5 * greatest(times - 2, 0)"
    found = expression.number(off, {"times": Fraction(inputs("I18")["times"])})
    assert found is not None
    assert -found == exact(float(VECTORS["I18"]["expected"]))


def counted(database: Database, rows: list[dict[str, Any]], **count: Any) -> Figure:
    value = {"id": "n", "title": "n", "step": "handle", "at": "ended", **count}
    document = scheme([{"indicator": "x"}], {"x": ("n", None)}).model_dump(mode="json")
    exemptions = {"granted": {"id": "granted", "title": "g", "where": "exempt", "effect": "on_time"}}
    known = SchemeDocument.model_validate({**document, "counts": {"n": value}, "exemptions": exemptions})
    put(database, rows)
    window = Window(NOON - timedelta(days=1), NOON + timedelta(days=1))
    with database.reading() as session:
        found = tally(session, known, "department", window, lambda name: name, true())
    return found["sanitation"].get("n", NONE)


def test_i19_a_leaders_case_counts_double(database: Database) -> None:
    rows = [step(1, late=True, channel="hotline"), step(2, late=True, channel="leader"), step(3)]
    found = counted(database, rows, where="late", weights={"channel": {"leader": 2, "media": 2}})
    assert found.counted == int(VECTORS["I19"]["expected"])


def test_i20_a_composite_of_a_score_a_band_and_two_rates() -> None:
    items = [
        {"indicator": "举报", "points": 10, "formula": "value * 0.1"},
        {"indicator": "立案数", "points": 20, "bands": band_items("一类", 0.2)},
        {"indicator": "结案率", "points": 30},
        {"indicator": "按期结案率", "points": 40},
    ]
    rates: dict[str, tuple[str, str | None]] = {
        "举报": ("举报分", None),
        "立案数": ("立案", None),
        "结案率": ("结案", "应结案"),
        "按期结案率": ("按期结案", "应结案"),
    }
    known: Figures = figures(举报分=100, 立案=2, 结案=911, 应结案=972, 按期结案=737)
    assert rounded(score(scheme(items, rates), known).score) == float(VECTORS["I20"]["expected"])


@pytest.mark.parametrize("id", ["I21", "I22"])
def test_filed_cases_are_scored_by_bands_of_the_areas_class(id: str) -> None:
    given = inputs(id)
    found = [item(n, points=100, bands=band_items(given["class"])) for n in given["n"].split("|")]
    assert found == [int(value) for value in VECTORS[id]["expected"].split("|")]


def test_i23_nothing_divided_by_nothing_is_shown_as_a_dash_and_not_ranked() -> None:
    found = score(scheme([{"indicator": "x", "points": 100}], {"x": ("结案", "应结案")}), figures(结案=0, 应结案=0))
    assert (found.score, found.ranked, shown(found.items[0].counted.value, "%")) == (None, False, "—")


def test_i24_the_rate_of_a_group_is_sum_over_sum() -> None:
    streets = [figures(a=1, b=2), figures(a=98, b=98)]
    district = {name: streets[0][name] + streets[1][name] for name in "ab"}
    document = scheme([{"indicator": "x"}], {"x": ("a", "b")})
    assert shown(rate(document.indicators["x"], district).value, "%") == VECTORS["I24"]["expected"]


def test_i25_a_small_sample_is_shown_but_not_ranked() -> None:
    document = scheme([{"indicator": "x", "points": 100}], {"x": ("a", "b")}, minimum_sample=10)
    found = score(document, figures(a=3, b=3))
    assert shown(found.items[0].counted.value, "%") == "100.00%"
    assert (found.items[0].enough, found.ranked) == (False, False)


def test_i26_a_granted_appeal_moves_the_counted_figure_and_not_the_raw_one(database: Database) -> None:
    rows = [step(n, late=n < 5, exempt=n < 2) for n in range(50)]
    found = counted(database, rows, where="not late", exemptions=["granted"])
    assert (shown(found.counted / 50, "%"), shown(found.raw / 50, "%")) == ("94.00%", "90.00%")


def test_i27_lights_turn_at_80_and_above_100_percent() -> None:
    limit = parse_limit("10小时", "natural_default/day=8h", SEASONS)
    assert isinstance(limit, Limit)
    clock = deadline.start(limit, calendar("std"), NOON)
    used = [timedelta(hours=float(text.removesuffix("h"))) for text in inputs("I27")["used"].split("|")]
    found = "|".join(deadline.light(clock, calendar("std"), NOON + span) for span in used)
    assert found == VECTORS["I27"]["expected"]


def test_i29_the_denominator_of_satisfaction_is_the_citys_choice() -> None:
    known = figures(回访=40, 非常满意=12, 满意=20, 不满意=6)
    document = scheme(
        [{"indicator": "x"}],
        {"x": ("非常满意 + 满意", "回访"), "y": ("非常满意 + 满意", "非常满意 + 满意 + 不满意")},
    )
    both = [shown(rate(document.indicators[name], known).value, "%") for name in "xy"]
    assert both == [VECTORS["I29"]["expected"], "84.21%"]


def test_i29_stars_are_counted_over_those_who_gave_some(database: Database) -> None:
    """12 very satisfied, 20 satisfied, 6 not; two of the forty gave no answer."""
    stars = [5] * 12 + [4] * 20 + [3, 3, 2, 2, 1, 1]
    ratings = [step(n, step="rate", outcome="rated", began_at=NOON, rating=given) for n, given in enumerate(stars)]
    put(database, [*ratings, step(99)])
    book = load_evaluation([URBAN])
    names = ("satisfaction_rate", "mean_rating")
    items = [{"indicator": name, "points": 0, "formula": "0"} for name in names]
    found = document(book, SchemeDef.model_validate({"id": "s", "title": T, "objects": ["department"], "items": items}))
    with database.reading() as session:
        window = Window(NOON - timedelta(days=1), NOON + timedelta(days=1))
        known = tally(session, found, "department", window, lambda name: name, true())["sanitation"]
    values = [rate(book.indicators[name], known) for name in names]
    assert shown(values[0].value, "%") == "84.21%" and values[1].numerator == sum(stars)


def test_no_vector_is_left_out() -> None:
    source = Path(__file__).read_text(encoding="utf-8").lower()
    assert [id for id in VECTORS if id.lower() not in source] == []
