"""Routes about rules as such: one rule and its versions, what a change would do, the change, backtests."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from cityloop.access.routes import Asker
from cityloop.core.web import service
from cityloop.watch.draft_schemas import DraftCheck, NewPreview, RuleDraft, RulePreview
from cityloop.watch.language import RuleLanguage
from cityloop.watch.rule_schemas import (
    BacktestComparison,
    BacktestView,
    NewBacktest,
    NewRuleVersion,
    RuleBookEntry,
    RulePlan,
    RuleWish,
)
from cityloop.watch.service import Watch

router = APIRouter(prefix="/api/v1/rules", tags=["rules"])
TheWatch = Annotated[Watch, Depends(service(Watch))]


@router.get("/backtests")
def backtests(watch: TheWatch, actor: Asker) -> list[BacktestView]:
    """The backtests that are kept, without their reports."""
    return watch.backtests.list(actor)


@router.post("/backtests", status_code=202)
def backtest(body: NewBacktest, watch: TheWatch, actor: Asker) -> BacktestView:
    """Run a rule, in force or drafted, over the history; look again under its id for progress and report."""
    return watch.backtests.ask(actor, body)


@router.get("/backtests/compare")
def compare_backtests(first: str, second: str, watch: TheWatch, actor: Asker) -> BacktestComparison:
    """Two backtests that are done, as of two versions of a rule, over the time that both looked at."""
    return watch.backtests.compare(actor, first, second)


@router.get("/backtests/{backtest}")
def backtest_report(backtest: str, watch: TheWatch, actor: Asker) -> BacktestView:
    """How far it is, and its report once it is done."""
    return watch.backtests.get(actor, backtest)


@router.post("/backtests/{backtest}/stop")
def stop_backtest(backtest: str, watch: TheWatch, actor: Asker) -> BacktestView:
    """End it within a day of its history."""
    return watch.backtests.stop(actor, backtest)


@router.get("/language")
def rule_language(watch: TheWatch, actor: Asker) -> RuleLanguage:
    """The kinds and keys of rules, and the entity types, properties and columns they may refer to."""
    return watch.drafts.language(actor)


@router.post("/check")
def check_rule(body: RuleDraft, watch: TheWatch, actor: Asker) -> DraftCheck:
    """A rule that is being written, as JSON and as YAML, with every fault at its key and line. Nothing is written."""
    return watch.drafts.check(actor, body)


@router.post("/preview")
def preview_rule(body: NewPreview, watch: TheWatch, actor: Asker) -> RulePreview:
    """What a draft would have said of the last hours. Nothing is written."""
    return watch.drafts.preview(actor, body)


@router.post("/plan")
def plan_rule(body: RuleWish, watch: TheWatch, actor: Asker) -> RulePlan:
    """Explain a change of a rule. Nothing is written."""
    return watch.rulebook.plan(actor, body)


@router.post("/versions", status_code=201)
def apply_rule(body: NewRuleVersion, watch: TheWatch, actor: Asker) -> RuleBookEntry:
    """Put an explained change into force, without a restart."""
    return watch.change_rule(actor, body)


@router.get("/{rule}")
def rule(rule: str, watch: TheWatch, actor: Asker) -> RuleBookEntry:
    """One rule as declared, with its versions."""
    return watch.rulebook.entry(actor, rule)
