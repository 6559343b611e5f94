"""One check of one feed over one period: the measure, the verdict, and a sentence that says why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from cityloop.core.values import Title
from cityloop.quality.content import Sample, Terms
from cityloop.quality.evidence import Window, Witness
from cityloop.quality.meter import Meter
from cityloop.quality.schemas import Example, Verdict
from cityloop.quality.scheme import TITLES, Check, Dimension, Scheme
from cityloop.quality.slots import age

EXAMPLES = 5
"""Examples that are kept with a finding; the rest is found by drilling down."""


@dataclass(frozen=True)
class Outcome:
    """What a check came to."""

    numerator: int
    denominator: int
    least: float | None
    verdict: Verdict
    reason: Title
    examples: tuple[Example, ...] = ()

    @property
    def share(self) -> float | None:
        """Between 0 and 1; ``None`` without any case."""
        return self.numerator / self.denominator if self.denominator else None


class Examiner:
    """Looks at feeds under a scheme."""

    def __init__(self, meter: Meter, witness: Witness) -> None:
        self._meter = meter
        self._witness = witness

    def look(
        self,
        scheme: Scheme,
        feed: str,
        check: Check,
        first: datetime,
        last: datetime,
        now: datetime,
        sample: Sample,
        again: bool = False,
    ) -> Outcome:
        """Check [first, last). ``again``: a recheck, for which a single due slot is enough."""
        terms = self._meter.terms(feed)
        window = Window(first, last, now, size=EXAMPLES)
        if check == "freshness":
            return self._freshness(terms, now)
        if check == "values":
            return self._values(scheme, terms, window)
        if check == "sample":
            return self._sample(scheme, terms, window, sample)
        return self._dimension(scheme, terms, check, window, sample, again)

    def _dimension(
        self, scheme: Scheme, terms: Terms, check: Check, window: Window, sample: Sample, again: bool
    ) -> Outcome:
        dimension: Dimension = next(name for name in get_args(Dimension) if name == check)
        least = scheme.least(check, terms.completeness)
        if check == "completeness" and terms.rhythm is None:
            reason = Title(zh="未声明报送周期，无法判断应到数", en="no rhythm is declared, nothing can be expected")
            return Outcome(0, 0, least, "not_declared", reason)
        counts = self._meter.counts(terms.feed, window.first, window.last, window.now)
        numerator, denominator = counts.part(dimension)
        enough = 1 if again and check == "completeness" else scheme.minimum_sample
        if denominator < enough:
            return Outcome(numerator, denominator, least, "too_few", _too_few(check, denominator, enough))
        # A record that is only inconsistent counts in the validity score, but is one finding, not two.
        own = numerator + (counts.only_inconsistent if check == "validity" else 0)
        if own / denominator >= least:
            return Outcome(numerator, denominator, least, "good", _told(check, numerator, denominator, least))
        examples, _ = self._witness.of(terms.feed, check, window, sample, least)
        told = _told(check, numerator, denominator, least)
        return Outcome(numerator, denominator, least, "finding", told, tuple(examples))

    def _freshness(self, terms: Terms, now: datetime) -> Outcome:
        newest, most = self._meter.source.newest(terms.feed), round(terms.fresh.total_seconds() / 60)
        if newest is None:
            return Outcome(0, 1, 1.0, "finding", Title(zh="从未收到数据", en="nothing has ever arrived"))
        old = age(newest, now, terms.hours)
        minutes = round(old.total_seconds() / 60)
        local = newest.astimezone(terms.zone)
        reason = Title(
            zh=f"最新记录为 {local:%Y-%m-%d %H:%M}，距今 {minutes} 分钟，约定不超过 {most} 分钟",
            en=f"the newest record is of {local:%Y-%m-%d %H:%M}, {minutes} minutes ago; promised: {most} at most",
        )
        fresh = old <= terms.fresh
        return Outcome(int(fresh), 1, 1.0, "good" if fresh else "finding", reason)

    def _values(self, scheme: Scheme, terms: Terms, window: Window) -> Outcome:
        least = scheme.least("values")
        found = [item for item in self._witness.empty(terms, window) if item.rows >= scheme.minimum_sample]
        present, wanted = sum(item.present for item in found), sum(item.rows for item in found)
        if not found:
            return Outcome(present, wanted, least, "too_few", _too_few("values", 0, scheme.minimum_sample))
        bad = [item for item in found if item.present < least * item.rows]
        if not bad:
            return Outcome(present, wanted, least, "good", _told("values", present, wanted, least))
        worst = bad[0]
        share = f"{worst.present / worst.rows:.1%}"
        who = worst.evidence.entity_title or Title(zh=worst.evidence.entity or "", en=worst.evidence.entity or "")
        reason = Title(
            zh=f"{len(bad)} 个“对象·要素”有值率低于 {least:.0%}，最低：{who.zh} · {worst.evidence.column} {share}",
            en=f"{len(bad)} properties of entities filled below {least:.0%}, worst: {who.en} · "
            f"{worst.evidence.column} {share}",
        )
        return Outcome(present, wanted, least, "finding", reason, tuple(i.evidence for i in bad[:EXAMPLES]))

    def _sample(self, scheme: Scheme, terms: Terms, window: Window, sample: Sample) -> Outcome:
        least = scheme.least("sample")
        examples, unfit, drawn = self._witness.unfit(terms, window, sample)
        if drawn < min(scheme.minimum_sample, sample.size):
            return Outcome(drawn - unfit, drawn, least, "too_few", _too_few("sample", drawn, scheme.minimum_sample))
        verdict: Verdict = "good" if drawn - unfit >= least * drawn else "finding"
        told = _told("sample", drawn - unfit, drawn, least)
        return Outcome(drawn - unfit, drawn, least, verdict, told, tuple(examples[:EXAMPLES]))


def _told(check: Check, numerator: int, denominator: int, least: float) -> Title:
    share, bound = f"{numerator / denominator:.1%}", f"{least:.1%}".replace(".0%", "%")
    figures = f"{share}（{numerator}/{denominator}）"
    title, met = TITLES[check], numerator >= least * denominator
    zh = f"{title.zh} {figures}，{'达到' if met else '低于'}要求 {bound}"
    return Title(
        zh=zh,
        en=f"{title.en} {share} ({numerator}/{denominator}), {'at or above' if met else 'below'} the required {bound}",
    )


def _too_few(check: Check, count: int, enough: int) -> Title:
    title = TITLES[check]
    return Title(
        zh=f"{title.zh}：样本 {count}，不足 {enough}，不作判断",
        en=f"{title.en}: {count} case(s), fewer than {enough}, not judged",
    )
