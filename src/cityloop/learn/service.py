"""Models of a city: trained from its closed cases, kept as versions, asked at intake, and used to score open cases."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.cases.learned import UNLEARNED, Candidate, MatterSuggestion
from cityloop.cases.listings import ENTITY
from cityloop.cases.models import OPEN, CaseRow
from cityloop.cases.queries import COLUMNS
from cityloop.cases.reading import missing
from cityloop.cases.urgency import urgent_at
from cityloop.cases.workflow import REPORT
from cityloop.city.service import City
from cityloop.core.database import Database
from cityloop.core.errors import ContentError, Invalid
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.learn import artefact
from cityloop.learn.artefact import Card, Parts
from cityloop.learn.rows import closed_count, closed_texts, joined, past
from cityloop.learn.schemas import RiskView, Text, Untrained
from cityloop.learn.telemetry import CLASSIFIED, SCORED
from cityloop.learn.why import UNKNOWN, explain, one

if TYPE_CHECKING:
    from cityloop.learn.risk import RiskModel
    from cityloop.learn.text import TextModel

# scikit-learn and LightGBM take seconds to import; a replay and most commands never need them, so only the methods that
# do import the modules that rest on them.

log = logging.getLogger(__name__)
MATTER, RISK = "matter", "risk"
TRAINED = "cityloop.model.trained"
LEAST_ROWS = 200
"""Fewest closed cases before a model is trained at all."""
_TITLES = {
    MATTER: Title(zh="文本到事项分类", en="Matter of a text"),
    RISK: Title(zh="超期风险", en="Risk of running late"),
}
_HISTORY = timedelta(days=60)
_BATCH = 500
_LOOK_SECONDS = 600.0
"""Counting a million closed cases is not free: the job looks so often at most."""


class Learner:
    """Trains, keeps and asks the models; a city without models works as before."""

    def __init__(
        self, *, database: Database, outbox: Outbox, door: Door, audit: Audit, city: City, folder: Path, seconds: float
    ) -> None:
        self._database, self._outbox, self._door, self._audit = database, outbox, door, audit
        self._city, self._folder, self._seconds = city, folder, seconds
        self._text: tuple[Card, TextModel] | None = None
        self._risk: tuple[Card, RiskModel] | None = None
        self._next = self._look_again = 0.0
        self._training = threading.Lock()
        self.troubles: dict[str, str] = {}
        """Why a model on disk is not in force, by model."""

    def cards(self, actor: Actor) -> list[Card]:
        """The models in force."""
        self._door.permit(actor, REPORT)
        self.refresh()
        return [held[0] for held in (self._text, self._risk) if held is not None]

    def classify(self, actor: Actor, text: Text) -> MatterSuggestion:
        """The likeliest matters of a text, for whoever may report."""
        self._door.permit(actor, REPORT)
        return self.suggest(text.title, text.description)

    def suggest(self, title: str, description: str) -> MatterSuggestion:
        """The three likeliest matters that the catalogue knows, and whether the first may be taken without a person."""
        self.refresh()
        if self._text is None:
            return UNLEARNED
        card, model = self._text
        best = model.best(joined(title, description), len(model.classes))
        known = [(matter, share) for matter, share in best if self._city.catalogue.has(matter)][:3]
        sure = bool(known) and model.threshold is not None and known[0][1] >= model.threshold
        CLASSIFIED.labels(str(sure).lower()).inc()
        candidates = [
            Candidate(matter=matter, title=self._city.catalogue.get(matter).title, confidence=round(share, 4))
            for matter, share in known
        ]
        return MatterSuggestion(
            model=f"{card.name}/{card.version}",
            candidates=candidates,
            automatic=sure,
            threshold=model.threshold,
            reason=_reason(known[0][1] if known else 0.0, model.threshold, sure),
        )

    def train(self, actor: Actor = SYSTEM) -> list[Card | Untrained]:
        """Train both models from the cases of now; a model without enough cases says why it was not trained."""
        with self._training:
            made: list[Card | Untrained] = []
            for name, train in ((MATTER, self._train_text), (RISK, self._train_risk)):
                try:
                    made.append(self._keep(actor, train(actor)))
                except Invalid as refused:
                    made.append(Untrained(name=name, reason=str(refused)))
            self.refresh()
            return made

    def due(self, hours: float) -> bool:
        """Whether the newest model is ``hours`` old (city's clock) and there is a tenth more to learn."""
        if hours <= 0 or time.monotonic() < self._look_again:
            return False
        self._look_again = time.monotonic() + _LOOK_SECONDS
        with self._database.reading() as session:
            rows = closed_count(session)
        found = artefact.versions(self._folder, MATTER)
        last = artefact.read_card(self._folder, MATTER, found[-1]) if found else None
        if rows < LEAST_ROWS or last is None:
            return rows >= LEAST_ROWS
        return self._age(last) >= timedelta(hours=hours) and rows >= 1.1 * last.rows

    def score_due(self) -> int:
        """Estimate the risk of open cases that are new or changed since, in one batch; returns how many."""
        if time.monotonic() < self._next:
            return 0
        self._next = time.monotonic() + self._seconds
        self.refresh()
        return self.score() if self._risk is not None else 0

    def score(self) -> int:
        """The same at once. Version and timeline of the cases stay as they are: an estimate is no move."""
        if self._risk is None:
            return 0
        card, model = self._risk
        now = self._city.clock.now()
        with self._database.reading() as session:
            wanted = _unscored(session, card.trained_at)
            rows, ids = past(session, self._city.zone, now - _HISTORY) if wanted else (None, [])
        asked = [key in wanted for key in ids]
        if rows is None or not any(asked):
            return 0
        import numpy as np

        told = model.risk(rows.take(np.array(asked)), rows)
        keys = [key for key, is_asked in zip(ids, asked, strict=True) if is_asked]
        self._write(dict(zip(keys, told.tolist(), strict=True)), now)
        return len(keys)

    def why(self, actor: Actor, key: str) -> RiskView:
        """What speaks for and against a case missing its limit; raises :class:`NotFound` outside the asker's sight."""
        self.refresh()
        scope = self._door.scope(actor, ENTITY).where(COLUMNS)
        with self._database.reading() as session:
            named = or_(CaseRow.id == key, CaseRow.number == key)
            found = session.execute(select(CaseRow.id, CaseRow.matter).where(named, scope)).first()
            if found is None:
                raise missing(key)
            if self._risk is None:
                return UNKNOWN
            history, ids = past(session, self._city.zone, self._city.clock.now() - _HISTORY, found.matter)
        if found.id not in ids:
            return UNKNOWN
        return explain(self._city, *self._risk, one(history, ids.index(found.id)), history)

    def refresh(self) -> None:
        """Take up the newest versions on disk: another process may have trained them."""
        self._text = self._newest(MATTER, self._text, _text_model)
        self._risk = self._newest(RISK, self._risk, _risk_model)

    def _newest(self, name: str, held: Any, build: Any) -> Any:
        found = artefact.versions(self._folder, name)
        if not found or (held is not None and held[0].version == found[-1]):
            return held
        try:
            card, parts = artefact.load(self._folder, name, found[-1])
            taken = (card, build(parts))
        except (ContentError, KeyError, ValueError) as error:
            self.troubles[name] = str(error)
            return held
        self.troubles.pop(name, None)
        return taken

    def _train_text(self, actor: Actor) -> tuple[Card, Parts]:
        from cityloop.learn import text

        with self._database.reading() as session:
            found = closed_texts(session)
        _enough(len(found.texts))
        rows, rare = text.common(text.Texts.of(found.texts, found.matters))
        model, held = text.train(rows)
        opened = (found.opened[0], found.opened[-1])
        figures = text.metrics(held, model.threshold)
        features = ("title and description as TF-IDF of 1 to 3 characters",)
        return self._card(actor, MATTER, len(rows), opened, features, figures, {"rare_matter": rare}), model.parts()

    def _train_risk(self, actor: Actor) -> tuple[Card, Parts]:
        from cityloop.learn import risk

        with self._database.reading() as session:
            history, _ = past(session, self._city.zone)
        known = risk.settled(history, self._city.clock.now().timestamp())
        _enough(int(known.sum()))
        rows = history.take(known)
        model, figures = risk.train(rows, history)
        opened = (datetime.fromtimestamp(rows.opened[0], UTC), datetime.fromtimestamp(rows.opened[-1], UTC))
        left = {"limit_still_ahead": int(len(history) - len(rows))}
        return self._card(actor, RISK, len(rows), opened, risk.FEATURES, figures, left), model.parts()

    def _card(
        self,
        actor: Actor,
        name: str,
        rows: int,
        opened: tuple[datetime, datetime],
        features: tuple[str, ...],
        figures: dict[str, float | None],
        left: dict[str, int],
    ) -> Card:
        from cityloop.learn.text import SEED

        return Card(
            name=name,
            version=max(artefact.versions(self._folder, name), default=0) + 1,
            title=_TITLES[name],
            trained_at=self._city.clock.now(),
            trained_by=actor.id,
            rows=rows,
            first=opened[0],
            last=opened[1],
            features=features,
            metrics={key: None if value is None else round(value, 6) for key, value in figures.items()},
            left_out=left,
            seed=SEED,
            libraries={package: version(package) for package in ("scikit-learn", "lightgbm", "numpy")},
        )

    def _keep(self, actor: Actor, trained: tuple[Card, Parts]) -> Card:
        """Files first: a version without its event is found by its card, an event without its version would lie."""
        card = artefact.save(self._folder, *trained)
        now = self._city.clock.now()
        with self._database.transaction() as tx:
            subject = f"{card.name}/{card.version}"
            self._audit.record(tx, now, actor.id, "model.train", subject, {"rows": card.rows})
            self._outbox.record(tx, TRAINED, subject, now, {"model": card.model_dump(mode="json")})
        return card

    def _write(self, risks: dict[str, float], now: datetime) -> None:
        keys = list(risks)
        with self._database.transaction() as tx:
            for start in range(0, len(keys), _BATCH):
                values = _estimated(tx.session, {key: risks[key] for key in keys[start : start + _BATCH]}, now)
                tx.update_now(CaseRow, values)
        SCORED.inc(len(risks))

    def _age(self, card: Card) -> timedelta:
        return self._city.clock.now() - card.trained_at


def _text_model(parts: Parts) -> TextModel:
    from cityloop.learn.text import TextModel

    return TextModel.of(parts)


def _risk_model(parts: Parts) -> RiskModel:
    from cityloop.learn.risk import RiskModel

    return RiskModel.of(parts)


def _unscored(session: Any, since: datetime) -> set[str]:
    stale = or_(CaseRow.risk_at.is_(None), CaseRow.risk_at < CaseRow.updated_at, CaseRow.risk_at < since)
    limited = CaseRow.due_at.is_not(None) & CaseRow.department.is_not(None)
    return set(session.scalars(select(CaseRow.id).where(OPEN & limited & stale)))


def _estimated(session: Session, risks: Mapping[str, float], now: datetime) -> list[dict[str, Any]]:
    """What changes on cases by new estimates, their place in the order of a desk with them."""
    query = select(CaseRow.id, CaseRow.opened_at, CaseRow.due_at, CaseRow.late).where(CaseRow.id.in_(risks))
    found = []
    for key, opened_at, due_at, late in session.execute(query):
        risk = round(risks[key], 4)
        urgent = due_at if late else urgent_at(opened_at, due_at, risk)
        found.append({"risk": risk, "risk_at": now, "urgent_at": urgent, "id": key})
    return found


def _enough(rows: int) -> None:
    if rows < LEAST_ROWS:
        raise Invalid(f"there are {rows} cases to learn from", f"a model needs {LEAST_ROWS}")


def _reason(share: float, threshold: float | None, sure: bool) -> Title:
    if threshold is None:
        return Title(
            zh="留出案件上没有任何置信度达到自动所需的准确率，请从候选中选择",
            en="no confidence reached the precision that automatic choice needs on held-out cases: choose",
        )
    told = f"{share:.1%}", f"{threshold:.1%}"
    if sure:
        return Title(
            zh=f"置信度 {told[0]}，不低于阈值 {told[1]}",
            en=f"confidence {told[0]}, at or above the threshold {told[1]}",
        )
    return Title(
        zh=f"置信度 {told[0]}，低于阈值 {told[1]}，请从候选中选择",
        en=f"confidence {told[0]}, below the threshold {told[1]}: choose",
    )
