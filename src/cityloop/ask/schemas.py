"""What is asked and answered: the question with its context, the reading, the figures, and ways out of a doubt."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cityloop.analyse.charts import Chart
from cityloop.analyse.schemas import QueryRequest, QueryResult
from cityloop.core.values import Frozen, Title

LONGEST = 500
"""Most signs of a question."""
ChipKind = Literal[
    "period", "calendar", "filter", "metric", "dimension", "grain", "derive", "having", "order", "limit", "compare"
]  # fmt: skip
Outcome = Literal["answered", "why", "asked_back", "refused"]


class AskContext(Frozen):
    """What went before: the query of the last answer, so that 那南山区呢 can follow it."""

    query: QueryRequest | None = None


class AskRequest(Frozen):
    """A question in Chinese or English."""

    question: str = Field(min_length=1, max_length=LONGEST)
    context: AskContext = AskContext()


class AskEdit(Frozen):
    """A query that came of a question and was changed by hand."""

    query: QueryRequest
    why: bool = False


class Chip(Frozen):
    """One part of a reading. ``key`` says which, within its kind."""

    kind: ChipKind
    key: str
    title: Title


class Reading(Frozen):
    """How a question was understood."""

    title: Title
    chips: list[Chip]


class Corrected(Frozen):
    """A word that was read as something else, by its sound or in spite of a slip."""

    said: str
    title: Title


class AskChoice(Frozen):
    """One thing the question may have meant."""

    reading: Reading
    query: QueryRequest
    why: bool = False


class Because(Frozen):
    """Why there is no answer yet, or none at all."""

    code: str
    said: list[str]
    title: Title


class AskAnswer(Frozen):
    """The answer to a question.

    ``answered`` has reading, query, figures and chart; ``why`` has reading and query, whose change
    ``POST /api/v1/explain`` takes apart; ``asked_back`` has at most three ``choices``; ``refused`` says why
    in ``because``.
    """

    outcome: Outcome
    reading: Reading | None = None
    query: QueryRequest | None = None
    rows: QueryResult | None = None
    """The figures with what is needed to trust them, as ``POST /api/v1/query`` gives them."""
    chart: Chart | None = None
    unknown: list[str] = []
    corrected: list[Corrected] = []
    choices: list[AskChoice] = []
    because: list[Because] = []
    by_model: bool = False
    """Whether the optional language model filled in the query."""
