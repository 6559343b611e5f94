"""What figures of this city cannot say: the future, persons, other cities, causes outside the data; orders to act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cityloop.ask.draft import Draft
from cityloop.ask.periods import starts_later
from cityloop.core.values import Title

RefusalKind = Literal["future", "personal", "elsewhere", "outside", "act", "opinion", "nothing", "not_seen"]


@dataclass(frozen=True)
class Refusal:
    """Why a question gets no answer, with the words it hangs on."""

    kind: RefusalKind
    said: tuple[str, ...]
    reason: Title


REASONS: dict[RefusalKind, Title] = {
    "future": Title(
        zh="这里只回答已经发生的事；预测见各领域的预测页面。",
        en="Only what has happened is answered here; forecasts have pages of their own.",
    ),
    "personal": Title(
        zh="问数不回答个人信息；有权限的人可在案件中查看。",
        en="Personal data is not answered here; who may see it finds it in the case.",
    ),
    "elsewhere": Title(zh="这里只有本市的数据。", en="There is only data of this city."),
    "outside": Title(
        zh="本市的数据里没有这件事，无法据此回答。",
        en="The city's data does not hold this, so nothing can be said about it.",
    ),
    "act": Title(
        zh="问数只读数据，不执行操作；请到相应页面办理。",
        en="Questions only read; do this on the page it belongs to.",
    ),
    "opinion": Title(
        zh="数据不能告诉您应该怎么做；可以问指标的数值、比较和变化的原因。",
        en="Data cannot say what should be done; ask for figures, comparisons, or why a figure changed.",
    ),
    "nothing": Title(
        zh="没有读出任何指标；请说出想看的指标，例如“昨天各区的上报数”。",
        en="No metric was found; name what you want to see, for example 'cases opened yesterday by district'.",
    ),
    "not_seen": Title(
        zh="您的岗位看不到这个指标的数据。",
        en="Your post has no sight of the data of this metric.",
    ),
}  # fmt: skip
_TAGS: tuple[RefusalKind, ...] = ("personal", "act", "elsewhere", "future", "outside", "opinion")


def refusal(draft: Draft) -> Refusal | None:
    """The first reason not to answer, or ``None``."""
    for kind in _TAGS:
        places = draft.places(kind)
        if places:
            return _refused(kind, tuple(draft.pieces[place].said for place in places))
    if starts_later(draft.span, draft.now):
        return _refused("future", tuple(piece.said for piece in draft.pieces if piece.time))
    return None


def nothing() -> Refusal:
    """No metric and no word of the data was found."""
    return _refused("nothing", ())


def _refused(kind: RefusalKind, said: tuple[str, ...]) -> Refusal:
    return Refusal(kind, said, REASONS[kind])
