"""The risk of running late: better than the mean of the matter, from what was known at the opening and no later."""

from __future__ import annotations

import numpy as np
import pytest

from cityloop.core.errors import Invalid
from cityloop.learn import risk
from cityloop.learn.past import CODED, Past

DAY = 86_400.0


def made_up(count: int = 3000, seed: int = 5) -> Past:
    """A city in which the matter and the place decide together, so that the matter's mean is not enough."""
    draw = np.random.default_rng(seed)
    opened = np.sort(draw.uniform(0, 120 * DAY, count))
    matter = draw.choice(["road", "light", "litter"], count)
    area = draw.choice(["north", "south"], count)
    hard = ((matter == "road") & (area == "north")) | ((matter == "light") & (area == "south"))
    due = opened + 3 * DAY
    closed = opened + np.where(draw.random(count) < np.where(hard, 0.8, 0.1), 5 * DAY, 1 * DAY)
    words = {"matter": matter, "area": area, "department": matter, "channel": np.full(count, "hotline")}
    return Past(words, opened, opened, due, closed)


@pytest.fixture(scope="module")
def trained() -> tuple[risk.RiskModel, dict[str, float | None]]:
    past = made_up()
    return risk.train(past.take(risk.settled(past, 100 * DAY)), past)


def test_the_model_beats_the_mean_of_the_matter_on_later_cases(
    trained: tuple[risk.RiskModel, dict[str, float | None]],
) -> None:
    past = made_up()
    seen, later = risk.settled(past, 100 * DAY), past.opened >= 100 * DAY
    rows = past.take(later)
    ours = risk.scores(trained[0].risk(rows, past), rows.late())
    means = risk.type_means(past.words["matter"][seen], past.late()[seen], rows.words["matter"])
    plain = risk.scores(means, rows.late())
    assert ours["auc"] is not None and plain["auc"] is not None and ours["auc"] > plain["auc"] + 0.1
    assert ours["brier"] is not None and plain["brier"] is not None and ours["brier"] < plain["brier"]
    assert abs(float(trained[0].risk(rows, past).mean() - rows.late().mean())) < 0.06


def test_the_same_rows_give_the_same_risk_also_after_saving(
    trained: tuple[risk.RiskModel, dict[str, float | None]],
) -> None:
    past = made_up()
    again, _ = risk.train(past.take(risk.settled(past, 100 * DAY)), past)
    back = risk.RiskModel.of(trained[0].parts())
    told = trained[0].risk(past, past)
    assert np.array_equal(again.risk(past, past), told) and np.allclose(back.risk(past, past), told)


def test_features_know_nothing_of_what_came_later() -> None:
    past = made_up(400)
    half = past.opened < 60 * DAY
    cut = past.take(half)
    early = Past(cut.words, cut.opened, cut.local, cut.due, np.where(cut.closed > 60 * DAY, np.nan, cut.closed))
    whole, partial = risk.features(past, past), risk.features(early, early)
    for name, column in partial.items():
        assert np.array_equal(whole[name][half], column, equal_nan=True), name


def test_a_limit_still_ahead_teaches_nothing() -> None:
    past = made_up(400)
    assert not risk.settled(past, 50 * DAY)[past.due > 50 * DAY].any()


def test_words_never_seen_are_taken(trained: tuple[risk.RiskModel, dict[str, float | None]]) -> None:
    one = made_up(1)
    strange = Past({name: np.array(["new"]) for name in CODED}, one.opened, one.local, one.due, one.closed)
    assert 0 <= trained[0].risk(strange, one)[0] <= 1


def test_one_outcome_alone_cannot_be_learned() -> None:
    past = made_up(200)
    never = Past(past.words, past.opened, past.local, past.due, past.opened)
    with pytest.raises(Invalid, match="must both occur"):
        risk.train(never, never)


def test_the_reasons_of_a_case_add_up_to_its_score(trained: tuple[risk.RiskModel, dict[str, float | None]]) -> None:
    past = made_up()
    model = trained[0]
    told = {}
    for place in range(200, 230):
        row = past.take(np.arange(len(past)) == place)
        chance, weights, values = model.weighed(row, past)
        assert chance == pytest.approx(float(model.risk(row, past)[0])) and len(weights) == len(values)
        told[place] = np.log(chance / (1 - chance)) - sum(weights)
    assert max(told.values()) - min(told.values()) < 1e-6
