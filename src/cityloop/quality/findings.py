"""What becomes of a finding: its case is opened and followed, the finding is rechecked, the case goes on or back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cityloop.access.actor import SYSTEM
from cityloop.cases.schemas import MoveRequest
from cityloop.cases.service import CaseDesk
from cityloop.cases.store import CaseStore
from cityloop.city.service import City
from cityloop.core.database import Transaction
from cityloop.core.values import Title
from cityloop.quality.content import Plan, QualityContent, span
from cityloop.quality.examine import Examiner, Outcome
from cityloop.quality.meter import Meter
from cityloop.quality.models import FindingRow, InspectionRow
from cityloop.quality.opening import brought, case_report
from cityloop.quality.store import Definition

_STEPS_OF_A_CASE = 5


class Findings:
    """The verbs of findings, each within a transaction of the inspector."""

    def __init__(
        self, *, city: City, desk: CaseDesk, meter: Meter, examiner: Examiner, content: QualityContent
    ) -> None:
        self._city = city
        self._desk = desk
        self._meter = meter
        self._examiner = examiner
        self._content = content

    def report(self, tx: Transaction, definition: Definition, finding: FindingRow, number: str, now: datetime) -> None:
        """Open the case and note it on the finding, together. The same number finds the case that is there already."""
        matter = self._content.matters[finding.check]
        feed = self._feed_title(finding.feed)
        report = case_report(self._city, definition.plan, finding, feed, matter, number)
        case, _ = self._desk.report_in(tx, SYSTEM, report, now, brought(self._city, definition.plan, finding))
        finding.case, finding.case_number, finding.case_state = case.id, case.number, case.state
        finding.due_at, finding.repaired_at, finding.recheck_at = case.due_at, None, None

    def followed(self, tx: Transaction, finding: FindingRow, case: Mapping[str, Any], at: datetime) -> None:
        """What its case has come to at ``at``, by the case's moved event."""
        finding.case_state = case["state"]
        finding.due_at = datetime.fromisoformat(case["due_at"]) if case["due_at"] else None
        handed_in = case["closed_at"] is not None or case["state"] in self._content.handling.mended
        row = tx.session.get_one(InspectionRow, finding.inspection)
        plan = Plan.model_validate(row.definition["plan"])
        if handed_in and finding.repaired_at is None:
            finding.repaired_at, finding.recheck_at = at, at + span(plan.recheck_after)
        elif not handed_in:
            finding.repaired_at = finding.recheck_at = None
        again = finding.state == "failed" and row.state in ("repair", "recheck") and finding.attempts < plan.attempts
        if handed_in and (finding.state == "open" or again):
            finding.state = "repaired"
        elif not handed_in and finding.state == "repaired":
            finding.state = "open"

    def again(self, definition: Definition, finding: FindingRow, now: datetime) -> Outcome:
        """Examine a finding on data that arrived since it was repaired."""
        assert finding.repaired_at is not None
        sample = definition.plan.sample
        return self._examiner.look(
            definition.scheme, finding.feed, finding.check, finding.repaired_at, now, now, sample, again=True
        )

    def judged(
        self, tx: Transaction, definition: Definition, finding: FindingRow, outcome: Outcome, now: datetime
    ) -> None:
        """Write a recheck on the finding; its case goes on or back."""
        begin, number, passed = finding.repaired_at, finding.case_number, outcome.verdict == "good"
        act = self._mended(tx, finding, now) if passed else self._not_mended(tx, definition, finding, outcome, now)
        finding.attempts += 1
        last_try = finding.attempts >= definition.plan.attempts
        finding.state = "passed" if passed else "failed" if last_try else "open"
        line = {
            "at": now.isoformat(),
            "from": begin.isoformat() if begin else now.isoformat(),
            "to": now.isoformat(),
            "numerator": outcome.numerator,
            "denominator": outcome.denominator,
            "share": outcome.share,
            "verdict": "passed" if passed else "failed",
            "reason": outcome.reason.model_dump(),
            "case_number": number,
            "act": act,
        }
        finding.rechecks = [*finding.rechecks, line]

    def _mended(self, tx: Transaction, finding: FindingRow, now: datetime) -> str:
        """Let the case go on to its end."""
        told = Title(zh="新数据复查合格", en="rechecked on new data: mended")
        made = self._walk(tx, finding, self._content.handling.mended, told, now)
        return "closed" if made else "none"

    def _not_mended(
        self, tx: Transaction, definition: Definition, finding: FindingRow, outcome: Outcome, now: datetime
    ) -> str:
        """Send the case back; one that is closed is final, so a new one follows it."""
        zh, en = outcome.reason.zh, outcome.reason.en
        told = Title(zh=f"新数据复查不合格：{zh}", en=f"rechecked on new data, not mended: {en}")
        if self._walk(tx, finding, self._content.handling.not_mended, told, now):
            finding.repaired_at = finding.recheck_at = None
            return "rework"
        case = CaseStore.of(tx).find(finding.case or "")
        if case is None or not case.closed_at:
            return "none"
        self.report(tx, definition, finding, f"{finding.id}.{finding.attempts + 1}", now)
        return "new_case"

    def _walk(self, tx: Transaction, finding: FindingRow, way: Mapping[str, str], told: Title, now: datetime) -> bool:
        """Make the move that ``way`` names for the state of the case, and the next, until it names none."""
        made = False
        for _ in range(_STEPS_OF_A_CASE):
            case = CaseStore.of(tx).find(finding.case or "")
            move = way.get(case.state) if case is not None and not case.closed_at else None
            if case is None or move is None:
                return made
            opinion = told.zh if self._city.language == "zh" else told.en
            wish = MoveRequest(move=move, version=case.version, opinion=opinion[:2000])
            after = self._desk.move_in(tx, SYSTEM, case.id, wish, now)
            finding.case_state, finding.due_at, made = after.state, after.due_at, True
        return made

    def _feed_title(self, feed: str) -> Title:
        mapping = self._meter.source.mappings.get(feed)
        return mapping.declaration.title if mapping else Title(zh=feed, en=feed)
