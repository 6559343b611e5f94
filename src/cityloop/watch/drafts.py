"""Rules that are being written: their faults at their place, and what they would have said of the last hours."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from cityloop.access.actor import Actor
from cityloop.access.door import Door
from cityloop.core.clock import Clock
from cityloop.core.content import Key, Lines, parse_yaml
from cityloop.core.errors import ContentError, Fault, Invalid
from cityloop.watch.backtests import TRY, Rehearser, readable
from cityloop.watch.cards import Describe, card_of
from cityloop.watch.checking import Known
from cityloop.watch.draft_schemas import DraftCheck, DraftFault, NewPreview, PreviewEpisode, RuleDraft, RulePreview
from cityloop.watch.language import RuleLanguage, language, spelt
from cityloop.watch.rehearsal import Episode, resting
from cityloop.watch.rulebook import Rulebook, changes_between, declared
from cityloop.watch.rules import LEVELS, Rule

PATIENCE = 8.0
"""Seconds that a preview may take; whatever takes longer is a backtest."""
MOST_EPISODES = 200
_TEXT = Path("draft")


class Drafts:
    """All verbs on drafts. Nothing is written."""

    def __init__(
        self, *, door: Door, clock: Clock, rulebook: Rulebook, rehearser: Rehearser, describe: Describe, known: Known
    ) -> None:
        self._door, self._clock, self._rulebook = door, clock, rulebook
        self._rehearser, self._describe, self._known = rehearser, describe, known

    def language(self, actor: Actor) -> RuleLanguage:
        """The kinds and keys of rules, and what they may refer to here."""
        self._door.scope(actor, "rule")
        return language(self._known.units, self._known.columns)

    def check(self, actor: Actor, sent: RuleDraft) -> DraftCheck:
        """The draft in both forms with every fault; raises :class:`Invalid` unless it is sent in one of them."""
        self._door.permit(actor, TRY)
        if (sent.draft is None) == (sent.text is None):
            raise Invalid("say which rule", "give one of 'draft' and 'text'")
        text = written(sent.draft) if sent.text is None else sent.text
        try:
            value, lines = parse_yaml(_TEXT, text)
        except ContentError as error:
            return _unread(text, *(_broken(fault) for fault in error.faults))
        value, place = _alone(value)
        if not isinstance(value, dict):
            return _unread(
                text, DraftFault(key="", what="a rule is a mapping of keys", mend="see docs/rules.md", line=1)
            )
        return self._checked(text, value, place, lines)

    def preview(self, actor: Actor, wish: NewPreview) -> RulePreview:
        """What a sound draft would have said; raises :class:`Invalid` for any other, or when it takes too long."""
        found = self.check(actor, RuleDraft(draft=wish.draft, text=wish.text))
        rule = self._rulebook.draft(found.draft or {})
        readable(self._door, actor, resting(rule, self._rulebook.rules))
        end = self._clock.now()
        start, limit = end - timedelta(hours=wish.hours), time.monotonic() + PATIENCE

        def progress(share: float) -> None:
            if share < 1 and time.monotonic() > limit:
                raise Invalid(f"a preview may take {PATIENCE:g} s", "choose fewer hours, or ask for a backtest")

        past = self._rehearser.alone(rule, start, end, progress)
        episodes = past.of(rule.id)
        shown = sorted(episodes, key=lambda episode: episode.raised, reverse=True)[:MOST_EPISODES]
        return RulePreview(
            start=start,
            end=end,
            records=past.records,
            late=past.late[rule.id],
            warnings=len(episodes),
            open_at_end=sum(episode.ended is None for episode in episodes),
            levels={level: n for level in LEVELS if (n := sum(one.peak == level for one in episodes))},
            episodes=[self._shown(rule, episode) for episode in shown],
            errors={what: n for what, n in past.errors.items() if what.startswith(f"{rule.id}: ")},
            caution=past.wanting.get(rule.id),
        )

    def _checked(self, text: str, value: Mapping[str, Any], place: Key, lines: Lines) -> DraftCheck:
        draft = json.loads(json.dumps(value, default=str))
        rule, found = self._rulebook.judge(draft)
        faults = [
            DraftFault(key=".".join(map(str, key)), what=what, mend=mend, line=lines.nearest((*place, *key)))
            for key, what, mend in found
        ]
        before = self._rulebook.rules.get(str(draft.get("id")))
        told = changes_between(declared(before) if before else {}, declared(rule)) if rule and not faults else []
        return DraftCheck(draft=draft, text=text, faults=faults, new=before is None, changes=told)

    def _shown(self, rule: Rule, episode: Episode) -> PreviewEpisode:
        title = card_of(self._describe, rule.entity_type, episode.entity, None).title
        return PreviewEpisode(
            entity=episode.entity, title=title, raised_at=episode.raised, ended_at=episode.ended, peak=episode.peak
        )


def written(draft: Mapping[str, Any] | None) -> str:
    """A declaration as the text of a rules file."""
    return yaml.safe_dump(
        spelt(draft or {}), allow_unicode=True, sort_keys=False, width=10_000, default_flow_style=None
    )


def _alone(value: Any) -> tuple[Any, Key]:
    """The rule itself and its place, also where it stands as the only one of a rules file."""
    listed, place = (value.get("rules"), ("rules", 0)) if isinstance(value, dict) else (value, (0,))
    return (listed[0], place) if isinstance(listed, list) and len(listed) == 1 else (value, ())


def _broken(fault: Fault) -> DraftFault:
    """A fault of the YAML itself, which stands at ``draft:<line>``."""
    line, _, key = fault.where.partition(":")[2].partition(" ")
    return DraftFault(key=key, what=fault.what, mend=fault.mend, line=int(line))


def _unread(text: str, *faults: DraftFault) -> DraftCheck:
    return DraftCheck(draft=None, text=text, faults=list(faults), new=True, changes=[])
