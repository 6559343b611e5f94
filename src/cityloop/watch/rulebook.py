"""The rules in force: those of the packs, and what was applied over them by plan, explanation and versions.

An applied version stays in force over restarts until the pack's own rule of that id is changed: then the pack counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, overload

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.core import canonical
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import Conflict, ContentError, Fault, Invalid, NotFound
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.watch.checking import Found, Known, among, check
from cityloop.watch.content import signed
from cityloop.watch.models import RuleVersionRow, WarningRow
from cityloop.watch.rule_schemas import KeyChange, NewRuleVersion, RuleBookEntry, RulePlan, RuleVersionView, RuleWish
from cityloop.watch.rules import Rule

CHANGE = "rule.change"
CHANGED = "cityloop.rule.changed"
Rules = Mapping[str, Rule]


class Rulebook:
    """All verbs on rules as such. ``adopt`` puts a changed set of rules to work."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        door: Door,
        audit: Audit,
        packs: Sequence[Rule],
        known: Known,
        adopt: Callable[[Rules], None],
    ) -> None:
        self._database, self._outbox, self._door, self._audit = database, outbox, door, audit
        self._packs = {rule.id: rule for rule in packs}
        self._known, self._adopt = known, adopt
        with database.reading() as session:
            self.rules = self._in_force(session)

    def entry(self, actor: Actor, rule: str) -> RuleBookEntry:
        """One rule with all its versions; raises :class:`NotFound`."""
        self._door.scope(actor, "rule")
        with self._database.reading() as session:
            rows = _rows(session, rule)
        if rule not in self.rules and not rows:
            raise NotFound(f"there is no rule '{rule}'", "GET /api/v1/rules lists them")
        newest = rows[0] if rows and self._holds(rows[0]) else None
        found = self.rules.get(rule)
        return RuleBookEntry(
            rule=rule,
            declaration=declared(found) if found else None,
            pack=declared(self._packs[rule]) if rule in self._packs else None,
            origin="withdrawn" if found is None else "changed" if newest else "pack",
            versions=[_version(row, row is newest) for row in rows],
        )

    def judge(self, declaration: Mapping[str, Any]) -> tuple[Rule | None, list[Found]]:
        """A rule that was sent, with all for which one of a pack is refused; ``None`` where it cannot be read."""
        try:
            rule = Rule.model_validate(declaration)
        except ValidationError as error:
            return None, [(item["loc"], item["msg"], "") for item in error.errors()]
        return signed(rule), [*check(rule, self._known), *among(rule, {**self.rules, rule.id: rule})]

    def draft(self, declaration: Mapping[str, Any]) -> Rule:
        """A rule that was sent, checked like one of a pack; raises :class:`Invalid` with the key of every fault."""
        rule, found = self.judge(declaration)
        if rule is None or found:
            faults = [Fault(".".join(["draft", *map(str, key)]), what, mend) for key, what, mend in found]
            detail = "the rule cannot come into force" if rule else "the rule cannot be read"
            raise Invalid(detail, "correct the keys that are named", faults)
        return rule

    def plan(self, actor: Actor, wish: RuleWish) -> RulePlan:
        """What a change would do; nothing is written."""
        self._door.permit(actor, CHANGE)
        with self._database.reading() as session:
            return self._planned(session, wish)[0]

    def apply(self, actor: Actor, wish: NewRuleVersion, now: datetime) -> RuleBookEntry:
        """Put an explained change into force.

        Raises :class:`Conflict` when another version came first, :class:`Invalid` when the plan is of another change.
        """
        self._door.permit(actor, CHANGE)
        with self._database.transaction() as tx:
            plan, rule = self._planned(tx.session, wish)
            if plan.base != wish.base:
                detail = f"version {plan.base} of '{plan.rule}' is in force, the plan is based on {wish.base}"
                raise Conflict(detail, "ask for the plan again and look at it")
            if plan.plan != wish.plan:
                mend = "ask for the plan of exactly this change and look at it first"
                raise Invalid("the plan does not belong to this change", mend, [Fault("plan", "another", mend)])
            self._enter(tx, actor, plan, rule, wish.reason, now)
        with self._database.reading() as session:
            self.rules = self._in_force(session)
        self._adopt(self.rules)
        return self.entry(actor, plan.rule)

    def _planned(self, session: Session, wish: RuleWish) -> tuple[RulePlan, Rule | None]:
        name, rule = self._wished(session, wish)
        rows, before = _rows(session, name), self.rules.get(name)
        changes = changes_between(declared(before) if before else {}, declared(rule) if rule else {})
        if not changes:
            raise Invalid("the change changes nothing", "compare it with the rule in force")
        users = [other.id for other in self.rules.values() if name in other.rests_on]
        if rule is None and users:
            mend = "withdraw or change those first"
            raise Invalid(f"'{name}' cannot go: {', '.join(users)} rest on it", mend, [Fault("rule", "in use", mend)])
        if before and rule and before.version == rule.version:
            fault = Fault("draft.version", "another meaning needs another version", "count it on")
            raise Invalid("the version says nothing new", fault.mend, [fault])
        still = (WarningRow.rule == name) & (WarningRow.status == "open")
        warnings = session.scalar(select(func.count()).select_from(WarningRow).where(still)) or 0
        base = rows[0].number if rows else 0
        digest = canonical.digest({"base": base, "rule": name, "to": declared(rule) if rule else None})
        plan = RulePlan(
            plan=digest,
            base=base,
            rule=name,
            action="withdrawn" if rule is None else "changed" if before else "added",
            changes=changes,
            open_warnings=warnings,
            used_by=users,
            explanation=_explained(rule, before, changes, warnings),
        )
        return plan, rule

    def _wished(self, session: Session, wish: RuleWish) -> tuple[str, Rule | None]:
        if sum((wish.draft is not None, wish.revert_to is not None, wish.withdraw)) != 1:
            raise Invalid("say one thing", "give one of 'draft', 'revert_to' and 'withdraw'")
        if wish.draft is not None:
            rule = self.draft(wish.draft)
            return rule.id, rule
        if wish.rule is None or (wish.rule not in self.rules and not _rows(session, wish.rule)):
            raise NotFound(f"there is no rule '{wish.rule}'", "GET /api/v1/rules lists them")
        if wish.withdraw:
            return wish.rule, None
        if wish.revert_to == 0 and wish.rule in self._packs:
            return wish.rule, self._packs[wish.rule]
        row = next((row for row in _rows(session, wish.rule) if row.number == wish.revert_to), None)
        if row is None:
            raise NotFound(f"'{wish.rule}' has no version {wish.revert_to}", "0 is that of the pack")
        return wish.rule, self.draft(row.document) if row.document else None

    def _enter(
        self, tx: Transaction, actor: Actor, plan: RulePlan, rule: Rule | None, reason: str, now: datetime
    ) -> None:
        row = RuleVersionRow(
            rule=plan.rule,
            number=plan.base + 1,
            document=declared(rule) if rule else None,
            pack_digest=self._mark(plan.rule),
            origin="changed" if rule else "withdrawn",
            at=now,
            by=actor.id,
            reason=reason,
        )
        tx.session.add(row)
        told = {"rule": plan.rule, "number": row.number, "action": plan.action, "reason": reason}
        self._audit.record(tx, now, actor.id, CHANGE, plan.rule, told)
        self._outbox.record(tx, CHANGED, plan.rule, now, told)

    def _in_force(self, session: Session) -> dict[str, Rule]:
        """The packs' rules under the newest versions; raises :class:`ContentError` where one fits no longer."""
        newest: dict[str, RuleVersionRow] = {}
        for row in session.scalars(select(RuleVersionRow).order_by(RuleVersionRow.number)):
            newest[row.rule] = row
        rules = dict(self._packs)
        for name, row in newest.items():
            if not self._holds(row):
                continue
            rules.pop(name, None)
            if row.document:
                rules[name] = signed(Rule.model_validate(row.document))
        faults = [
            Fault(f"rule {rule.id}: {'.'.join(map(str, key))}", what, mend)
            for rule in rules.values()
            for key, what, mend in [*check(rule, self._known), *among(rule, rules)]
        ]
        if faults:
            raise ContentError("rules that were applied fit no longer", "change the packs so that they do", faults)
        return rules

    def _holds(self, row: RuleVersionRow) -> bool:
        return row.pack_digest == self._mark(row.rule)

    def _mark(self, rule: str) -> str:
        found = self._packs.get(rule)
        return canonical.digest(declared(found)) if found else ""


class InForce(Sequence[Rule]):
    """The rules of a book as they are whenever somebody looks."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book

    @overload
    def __getitem__(self, index: int) -> Rule: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Rule]: ...
    def __getitem__(self, index: int | slice) -> Rule | Sequence[Rule]:
        """One rule, or some, in the order of the packs."""
        return tuple(self._book.rules.values())[index]

    def __len__(self) -> int:
        """How many rules are in force."""
        return len(self._book.rules)


def declared(rule: Rule) -> dict[str, Any]:
    """The rule as it would be written: without what is left to its default."""
    return rule.model_dump(mode="json", exclude_defaults=True)


def _rows(session: Session, rule: str) -> list[RuleVersionRow]:
    wanted = select(RuleVersionRow).where(RuleVersionRow.rule == rule)
    return list(session.scalars(wanted.order_by(RuleVersionRow.number.desc())))


def _version(row: RuleVersionRow, in_force: bool) -> RuleVersionView:
    version = (row.document or {}).get("version", "")
    names = ("number", "origin", "at", "by", "reason")
    told = {name: getattr(row, name) for name in names}
    return RuleVersionView.model_validate(
        {**told, "version": version, "in_force": in_force, "declaration": row.document}
    )


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[KeyChange]:
    """The keys in which two declarations differ."""
    keys = [*after, *(key for key in before if key not in after)]
    changed = [key for key in keys if before.get(key) != after.get(key)]
    return [KeyChange(key=key, before=before.get(key), after=after.get(key)) for key in changed]


def _explained(rule: Rule | None, before: Rule | None, changes: Sequence[KeyChange], warnings: int) -> Title:
    keys = ", ".join(change.key for change in changes)
    if rule is None:
        return Title(
            zh=f"规则停用，{warnings} 条未解除的预警随之解除",
            en=f"the rule goes, and {warnings} open warning(s) with it",
        )
    if before is None:
        return Title(zh="新规则，从现在起监视", en="a new rule; it watches from now on")
    return Title(
        zh=f"改变 {keys}；{warnings} 条未解除的预警按新版本继续判定",
        en=f"{keys} change; {warnings} open warning(s) are judged on by the new version",
    )
