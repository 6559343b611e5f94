"""The golden set: the seen part is all right, the unseen part keeps what the documentation says of it."""

from __future__ import annotations

from collections import Counter

from tests.ask.golden_set import golden
from tests.ask.report import verdicts


def test_there_are_enough_questions_and_a_third_was_never_looked_at() -> None:
    seen, unseen = len(golden("seen")), len(golden("unseen"))
    assert seen + unseen >= 300
    assert unseen >= 100
    assert sum(item.wants in ("ask", "refuse") for item in [*golden("seen"), *golden("unseen")]) >= 40


def test_every_seen_question_is_read_right() -> None:
    assert [(item.where, verdict) for item, verdict in verdicts("seen") if verdict != "right"] == []


def test_of_the_unseen_nine_in_ten_are_right_and_hardly_any_wrong() -> None:
    counts = Counter(verdict for _, verdict in verdicts("unseen"))
    total = sum(counts.values())
    assert counts["right"] >= 0.9 * total
    assert counts["wrong"] <= 0.02 * total
