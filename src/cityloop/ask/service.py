"""The verbs of ask: answer a question, answer a query that came of one, within the asker's sight."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from cityloop.access.actor import Actor
from cityloop.access.door import Door
from cityloop.analyse.charts import choose
from cityloop.analyse.labels import ENTITIES
from cityloop.analyse.model import Model
from cityloop.analyse.schemas import QueryRequest
from cityloop.analyse.service import Analyst
from cityloop.ask.grammar import Understood, understand
from cityloop.ask.helper import Helper, HelperTrouble, checked, words_for
from cityloop.ask.holidays import Holidays
from cityloop.ask.index import Term
from cityloop.ask.lexicon import Lexicon
from cityloop.ask.offers import Known, Sight, offered
from cityloop.ask.phrases import because
from cityloop.ask.reading import Reader
from cityloop.ask.refusals import REASONS
from cityloop.ask.schemas import AskAnswer, AskChoice, AskEdit, AskRequest, Because, Corrected
from cityloop.ask.segment import segment
from cityloop.ask.text import read
from cityloop.city.service import City
from cityloop.core.errors import AccessDenied
from cityloop.core.values import Title

_HELPED = frozenset({"nothing", "metric", "no_metric", "unknown", "unused", "misfit", "two_periods"})
"""What a language model may be asked to help out of."""


class AskDesk:
    """Answers questions of one city. The words are read anew when what can be named has changed."""

    def __init__(
        self,
        *,
        model: Model,
        analyst: Analyst,
        door: Door,
        city: City,
        known: Known,
        rules: Callable[[], Mapping[str, Title]],
        helper: Helper | None = None,
    ) -> None:
        self._model, self._analyst, self._door, self._city = model, analyst, door, city
        self._known, self._rules, self._helper = known, rules, helper
        self._turn = threading.Lock()
        self._lexicon: tuple[int, Lexicon] | None = None

    def ask(self, actor: Actor, request: AskRequest) -> AskAnswer:
        """Answer a question, ask back, or refuse with the reason."""
        lexicon = self.lexicon()
        sight = Sight(actor, self._door, lexicon)
        pieces = segment(read(request.question), lexicon, self._holidays(), self._now(), sight)
        found = understand(pieces, self._model, self._now(), request.context.query)
        corrected = [Corrected(said=guess.said, title=guess.title) for guess in found.guesses]
        answer = self._answer(actor, found, lexicon, sight)
        if self._helper and any(item.code in _HELPED for item in answer.because):
            answer = self._helped(actor, request.question, answer, lexicon, sight)
        return answer.model_copy(update={"corrected": corrected})

    def edit(self, actor: Actor, request: AskEdit) -> AskAnswer:
        """Answer a query whose chips were changed by hand; raises :class:`Invalid` for what the model cannot answer."""
        lexicon = self.lexicon()
        return self._given(actor, request.query, lexicon, Sight(actor, self._door, lexicon), why=request.why)

    def lexicon(self) -> Lexicon:
        """The words as they are now."""
        state = self._state()
        with self._turn:
            if self._lexicon is None or self._lexicon[0] != state:
                values = offered(self._model, self._city, self._known, self._rules())
                self._lexicon = (state, Lexicon(self._model, values))
            return self._lexicon[1]

    def _state(self) -> int:
        """Changes when something that can be named comes or goes."""
        kinds = {d.labels for d in self._model.dimensions.values() if d.labels and d.labels.startswith(ENTITIES)}
        known = tuple(tuple(self._known(kind.removeprefix(ENTITIES))) for kind in sorted(kinds))
        return hash((known, tuple(self._rules()), tuple(self._city.departments)))

    def _holidays(self) -> Holidays:
        table = self._city.almanac.table
        return Holidays({day: name for day, name in table.names.items() if table.days.get(day) == "holiday"})

    def _now(self) -> datetime:
        return self._city.clock.now().astimezone(self._city.zone)

    def _answer(self, actor: Actor, found: Understood, lexicon: Lexicon, sight: Sight) -> AskAnswer:
        if found.refusal:
            reason = Because(code=found.refusal.kind, said=list(found.refusal.said), title=found.refusal.reason)
            return AskAnswer(outcome="refused", because=[reason], unknown=list(found.unknown))
        if found.query is not None and found.clear:
            return self._given(actor, found.query, lexicon, sight, why=found.why)
        reader = self._reader(lexicon, sight)
        choices = [
            AskChoice(reading=reader.read(query, why=found.why), query=query, why=found.why) for query in found.options
        ]
        return AskAnswer(
            outcome="asked_back",
            choices=choices,
            because=[because(doubt) for doubt in found.doubts],
            unknown=list(found.unknown),
        )

    def _given(self, actor: Actor, query: QueryRequest, lexicon: Lexicon, sight: Sight, *, why: bool) -> AskAnswer:
        try:
            rows = self._analyst.query(actor, query)
        except AccessDenied as denied:
            said = Title(zh=REASONS["not_seen"].zh, en=f"{REASONS['not_seen'].en} {denied.mend}".strip())
            return AskAnswer(outcome="refused", because=[Because(code="not_seen", said=[], title=said)])
        reading = self._reader(lexicon, sight).read(query, why=why)
        return AskAnswer(
            outcome="why" if why else "answered", reading=reading, query=query, rows=rows, chart=choose(rows, query)
        )

    def _reader(self, lexicon: Lexicon, sight: Sight) -> Reader:
        def name(dimension: str, code: str) -> Title | None:
            title = lexicon.titles.get((dimension, code)) or _area(lexicon, code)
            return title if title and sight(Term("value", code, title, dimension)) else None

        return Reader(self._model, name, self._city.zone)

    def _helped(self, actor: Actor, question: str, answer: AskAnswer, lexicon: Lexicon, sight: Sight) -> AskAnswer:
        assert self._helper is not None
        try:
            raw = self._helper.fill(question, words_for(self._model, self._now().isoformat()))
            helped = self._given(actor, checked(raw, lexicon, sight), lexicon, sight, why=False)
            return helped.model_copy(update={"by_model": True, "unknown": answer.unknown})
        except HelperTrouble as trouble:
            note = Because(
                code=trouble.code, said=[], title=Title(zh="语言模型没有给出可用的查询。", en=f"{trouble.title}.")
            )
            return answer.model_copy(update={"because": [*answer.because, note]})


def _area(lexicon: Lexicon, code: str) -> Title | None:
    """The title of an area that stands under another dimension of areas (a district as a prefix of cells)."""
    names = [d.id for d in lexicon.model.dimensions.values() if d.kind == "area"]
    return next((title for name in names if (title := lexicon.titles.get((name, code)))), None)
