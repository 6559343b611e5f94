"""A text finds its matter, with a confidence that means what it says."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest

from cityloop.core.errors import Invalid
from cityloop.learn import text
from cityloop.learn.confidence import automatic, choose_threshold, confidences, sharpen

WORDS = {
    "litter": ["垃圾堆", "没人清运", "满溢", "臭味", "保洁", "垃圾桶"],
    "road": ["路面", "坑洼", "破损", "沥青", "井盖", "积水"],
    "parking": ["违停", "占道", "车辆", "堵住", "消防通道", "停车"],
}


def reports(count: int, seed: int = 1, noise: float = 0.15) -> tuple[list[str], list[str]]:
    """Made-up reports: words of one matter, sometimes with those of another."""
    draw, texts, labels = random.Random(seed), [], []
    for n in range(count):
        label = list(WORDS)[n % 3]
        other = draw.choice(list(WORDS)) if draw.random() < noise else label
        words = draw.choices(WORDS[label], k=3) + draw.choices(WORDS[other], k=2)
        draw.shuffle(words)
        texts.append("，".join(words))
        labels.append(label)
    return texts, labels


@pytest.fixture(scope="module")
def trained() -> tuple[text.TextModel, text.HeldOut]:
    return text.train(text.Texts.of(*reports(300)))


def test_a_matter_is_found_with_calibrated_confidence(trained: tuple[text.TextModel, text.HeldOut]) -> None:
    model, held = trained
    assert model.best("垃圾满溢没人清运")[0][0] == "litter"
    assert [round(sum(row), 6) for row in model.confidences(["违停占道", "路面破损"])] == [1, 1]
    figures = text.metrics(held, model.threshold)
    assert figures["macro_f1"] is not None and figures["macro_f1"] > 0.9
    assert figures["calibration_error"] is not None and figures["calibration_error"] < 0.1


def test_the_automatic_share_keeps_its_precision_on_reports_never_seen(
    trained: tuple[text.TextModel, text.HeldOut],
) -> None:
    model, _ = trained
    held = text.against(model, text.Texts.of(*reports(300, seed=2))).judged(model.sharpness)
    share, precision = automatic(held.confidence, held.right, held.weight, model.threshold)
    assert share > 0.5 and precision is not None and precision >= 0.97


def test_the_same_rows_give_the_same_model(trained: tuple[text.TextModel, text.HeldOut]) -> None:
    again, _ = text.train(text.Texts.of(*reports(300)))
    assert np.array_equal(again.weights, trained[0].weights)
    assert (again.sharpness, again.threshold) == (trained[0].sharpness, trained[0].threshold)


def test_a_model_comes_back_from_its_parts(trained: tuple[text.TextModel, text.HeldOut]) -> None:
    model, back = trained[0], text.TextModel.of(trained[0].parts())
    asked = reports(20, seed=3)[0]
    assert np.allclose(back.confidences(asked), model.confidences(asked), atol=1e-5)
    assert back.threshold == model.threshold


def test_equal_reports_weigh_like_their_number() -> None:
    texts, labels = reports(60)
    twice = text.Texts.of([*texts, *texts], [*labels, *labels]).gathered()
    assert set(twice.weight.tolist()) >= {2.0} and twice.weight.sum() == 120


def test_of_many_reports_the_latest_are_held_out() -> None:
    texts, labels = reports(4000, noise=0.3)
    unseen = text.held_out(text.Texts.of(texts, labels))
    assert unseen.rows.weight.sum() == 800


def test_rare_matters_are_left_out_and_counted() -> None:
    texts, labels = reports(30)
    rows, rare = text.common(text.Texts.of([*texts, "水管爆裂"], [*labels, "burst"]))
    assert rare == 1 and "burst" not in rows.labels


def test_one_matter_alone_cannot_be_learned() -> None:
    with pytest.raises(Invalid, match="fewer than two"):
        text.fit(text.Texts.of(["垃圾", "垃圾桶"], ["litter", "litter"]))


@pytest.mark.parametrize(
    ("right", "least", "above"),
    [
        ([1] * 60, 50, 60),
        ([1] * 60 + [0] * 10, 50, 60),
        ([1] * 60 + [0] * 10, 61, None),
        ([1] * 30 + [0] + [1] * 20, 50, None),
        ([1] * 60 + [0] + [1] * 60, 50, 121),
        ([1] * 40, 20, None),
    ],
)
def test_the_threshold_is_the_lowest_that_stays_precise_with_one_mistake_more(
    right: Sequence[int], least: int, above: int | None
) -> None:
    told = np.linspace(0.99, 0.5, len(right))
    expected = None if above is None else told[above - 1]
    assert choose_threshold(told, np.array(right, float), np.ones(len(right)), 0.98, least) == expected


def test_ties_stand_or_fall_together() -> None:
    told = np.array([0.9] * 60 + [0.6] * 2)
    right = np.array([1.0] * 61 + [0.0])
    assert choose_threshold(told, right, np.ones(62)) == 0.9


def test_sharpness_follows_how_often_the_margin_was_right() -> None:
    margins = np.array([[1.0, -1.0]] * 1000)
    sure = sharpen(margins, np.zeros(1000, int), np.ones(1000))
    torn = sharpen(margins, np.array([0] * 600 + [1] * 400), np.ones(1000))
    assert confidences(margins, torn)[0, 0] == pytest.approx(0.6, abs=0.01) and sure > torn
