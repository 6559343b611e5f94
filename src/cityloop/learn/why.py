"""Why a case is thought likely to run late: what each of its features adds to the model's score, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cityloop.city.service import City
from cityloop.core.values import Title
from cityloop.learn.artefact import Card
from cityloop.learn.past import Array, Past
from cityloop.learn.schemas import RiskReason, RiskView

if TYPE_CHECKING:
    from cityloop.learn.risk import RiskModel

MOST = 5
"""Most reasons shown, the weightiest first."""
_LEAST = 0.01
_TITLES = {
    "matter": Title(zh="事项", en="Matter"),
    "department": Title(zh="承办部门", en="Department"),
    "area": Title(zh="辖区", en="Area"),
    "channel": Title(zh="来源", en="Channel"),
    "limit_hours": Title(zh="距截止的时间", en="Time to the limit"),
    "hour": Title(zh="上报时刻", en="Hour of the report"),
    "weekday": Title(zh="星期", en="Weekday"),
    "late_share_matter": Title(zh="同一事项近一个月的超期率", en="Late share of the matter in the month before"),
}
UNKNOWN = RiskView(
    model=None,
    risk=None,
    reasons=[],
    note=Title(zh="没有可用的风险模型，或案件没有时限", en="there is no model of the risk, or the case has no limit"),
)
_DAYS = Title(zh="一二三四五六日", en="Mon Tue Wed Thu Fri Sat Sun")


def explain(city: City, card: Card, model: RiskModel, rows: Past, history: Past) -> RiskView:
    """The reasons of one row, as parts of the calibrated log-odds; ``rows`` holds just that row."""
    from cityloop.learn.risk import FEATURES

    risk, weights, values = model.weighed(rows, history)
    known = [(name, weights[n], values[n]) for n, name in enumerate(FEATURES) if abs(weights[n]) >= _LEAST]
    known.sort(key=lambda item: -abs(item[1]))
    reasons = [
        RiskReason(feature=name, title=_TITLES[name], value=_value(city, rows, name, value), weight=round(weight, 3))
        for name, weight, value in known[:MOST]
    ]
    return RiskView(model=f"{card.name}/{card.version}", risk=round(risk, 4), reasons=reasons, note=_note(card))


def _value(city: City, rows: Past, name: str, value: float) -> Title:
    if name in rows.words:
        return _word(city, name, str(rows.words[name][0]))
    if np.isnan(value):
        return Title(zh="无记录", en="no record")
    if name == "limit_hours":
        return Title(zh=f"{value:.1f} 小时", en=f"{value:.1f} h")
    if name == "hour":
        return Title(zh=f"{value:.0f} 时", en=f"{value:02.0f}:00")
    if name == "weekday":
        return Title(zh=f"星期{_DAYS.zh[int(value)]}", en=_DAYS.en.split()[int(value)])
    return Title(zh=f"{value:.1%}", en=f"{value:.1%}")


def _word(city: City, name: str, word: str) -> Title:
    if name == "matter" and city.catalogue.has(word):
        return city.catalogue.get(word).title
    if name == "department" and word in city.departments:
        return city.departments[word].title
    if name == "area":
        return next((area.title for area in city.areas.list() if area.code == word), Title(zh=word, en=word))
    return Title(zh=word or "—", en=word or "—")


def _note(card: Card) -> Title:
    auc, means = (card.metrics.get(f"holdout_{name}") for name in ("auc", "type_mean_auc"))
    told = f"{auc:.2f}" if auc is not None else "—", f"{means:.2f}" if means is not None else "—"
    return Title(
        zh=f"由 {card.rows} 件已到期案件估计；在留出案件上 AUC {told[0]}，仅按事项均值为 {told[1]}",
        en=f"estimated from {card.rows} settled cases; AUC {told[0]} on held-out ones, {told[1]} by the matter alone",
    )


def one(rows: Past, place: int) -> Past:
    """The row at a place, alone."""
    mask: Array = np.arange(len(rows)) == place
    return rows.take(mask)
