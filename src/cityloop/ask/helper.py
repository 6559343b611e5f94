"""The optional language model: it may fill in a typed query, which is then checked like any other. Off by default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

import httpx
from pydantic import ValidationError

from cityloop.analyse.check import check
from cityloop.analyse.model import TIME, Model
from cityloop.analyse.schemas import Filter, QueryRequest
from cityloop.ask.lexicon import Lexicon
from cityloop.ask.segment import Sees
from cityloop.ask.text import plain
from cityloop.collect.sources.secrets import resolved
from cityloop.collect.sources.trouble import SourceTrouble
from cityloop.core.errors import Invalid, Problem
from cityloop.core.settings import Settings

_TASK = (
    "Turn the question into one JSON object of a typed query and answer with that object alone. Keys: metrics, "
    "dimensions, filters [{dimension, op: in|not_in, values}], grain, start, end (ISO 8601 with offset), calendar, "
    "compare, derive, having, order [{by, descending}], limit. Use only the names given. Write values as the question "
    'names them. If the question cannot be answered so, answer {"metrics": []}.'
)


class HelperTrouble(Problem):
    """The language model could not be reached or gave nothing that holds; the question stands without it."""

    code = "ask-model"
    title = "The language model gave no usable query"


class Helper(Protocol):
    """Fills in typed queries."""

    def fill(self, question: str, words: Mapping[str, Any]) -> Any:
        """What the model makes of a question, parsed but unchecked; raises :class:`HelperTrouble`."""
        ...


class Endpoint:
    """A server that speaks the chat completions interface."""

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        self._settings = settings
        self._http = httpx.Client(timeout=settings.ask_model_seconds, transport=transport, follow_redirects=False)

    def fill(self, question: str, words: Mapping[str, Any]) -> Any:
        """Ask the server once."""
        messages = [
            {"role": "system", "content": f"{_TASK}\n{json.dumps(words, ensure_ascii=False)}"},
            {"role": "user", "content": question},
        ]
        body = {"model": self._settings.ask_model_name, "messages": messages, "temperature": 0}
        try:
            token = resolved(self._settings.ask_model_token or None)
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            answer = self._http.post(
                f"{self._settings.ask_model_url.rstrip('/')}/chat/completions", json=body, headers=headers
            )
            answer.raise_for_status()
            content = str(answer.json()["choices"][0]["message"]["content"])
            return json.loads(content.strip().removeprefix("```json").removeprefix("```").removesuffix("```"))
        except (httpx.HTTPError, SourceTrouble, ValueError, LookupError, TypeError) as error:
            raise HelperTrouble(f"the language model: {error}", "see CITYLOOP_ASK_MODEL_URL") from error


def words_for(model: Model, now: str) -> dict[str, Any]:
    """What the model is told: names of metrics and dimensions and the time, never values or figures."""
    metrics = {m.id: {"zh": m.title.zh, "en": m.title.en, "cuts": model.cuts(m)} for m in model.metrics.values()}
    dimensions = {d.id: {"zh": d.title.zh, "en": d.title.en} for d in model.dimensions.values() if d.id != TIME}
    return {"now": now, "metrics": metrics, "dimensions": dimensions}


def checked(raw: Any, lexicon: Lexicon, sees: Sees) -> QueryRequest:
    """The query that a model gave, its values looked up within the asker's sight; raises :class:`HelperTrouble`."""
    try:
        query = QueryRequest.model_validate(raw)
        query = query.model_copy(
            update={"filters": [_filter(item, lexicon, sees) for item in query.filters], "as_of": None}
        )
        check(query, lexicon.model)
    except (ValidationError, Invalid, LookupError) as error:
        raise HelperTrouble("the language model gave a query that does not hold", "say it in other words") from error
    return query


def _filter(item: Filter, lexicon: Lexicon, sees: Sees) -> Filter:
    if item.op not in ("in", "not_in"):
        raise LookupError(item.op)
    return item.model_copy(update={"values": [_code(item.dimension, value, lexicon, sees) for value in item.values]})


def _code(dimension: str, said: str, lexicon: Lexicon, sees: Sees) -> str:
    """The code of a value that the asker may know; raises ``LookupError``."""
    terms = lexicon.exact.forms.get(plain(said), ())
    found = {
        term.id for term in terms if term.kind == "value" and term.dimension == dimension and term.id and sees(term)
    }
    if len(found) != 1:
        raise LookupError(said)
    return found.pop()
