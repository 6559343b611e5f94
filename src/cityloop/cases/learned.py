"""What cases take from models, as the cases room sees it: a matter for a text. Models themselves live in ``learn``."""

from __future__ import annotations

from typing import Protocol

from cityloop.core.values import Frozen, Title


class Candidate(Frozen):
    """A matter that a text may mean; ``confidence`` is calibrated, 0 to 1."""

    matter: str
    title: Title
    confidence: float


class Suggestion(Frozen):
    """The likeliest matters of a text, best first, and whether the first may be taken without a person."""

    model: str | None
    """Name and version of the model; ``None`` while there is none."""
    candidates: list[Candidate]
    automatic: bool
    threshold: float | None
    reason: Title


class Classifier(Protocol):
    """Whoever knows what a text means."""

    def suggest(self, title: str, description: str) -> Suggestion:
        """The likeliest matters of a report."""


UNLEARNED = Suggestion(
    model=None,
    candidates=[],
    automatic=False,
    threshold=None,
    reason=Title(zh="尚无训练好的分类模型，请人工选择事项", en="no model has been trained yet: choose the matter"),
)


class Nobody:
    """The classifier of a city that has learned nothing."""

    def suggest(self, title: str, description: str) -> Suggestion:
        """Nothing is known of any text."""
        return UNLEARNED
