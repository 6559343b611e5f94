"""A finding as a case: what the department reads, under which matter, with which limit."""

from __future__ import annotations

from cityloop.cases.intake import Brought
from cityloop.cases.schemas import CaseReport
from cityloop.city.schemas import Position
from cityloop.city.service import City
from cityloop.core.values import Title
from cityloop.quality.content import Plan
from cityloop.quality.models import FindingRow
from cityloop.quality.schemas import Example
from cityloop.quality.scheme import TITLES


def case_report(city: City, plan: Plan, finding: FindingRow, feed: Title, matter: str, number: str) -> CaseReport:
    """The report that opens the case of a finding. It names places and rules; values stay behind the door."""
    zh = city.language == "zh"
    reason, what = _text(city, Title.model_validate(finding.reason)), _text(city, TITLES[finding.check])
    title = f"数据治理检查：{feed.zh}{what}问题" if zh else f"Data inspection: {what.lower()} of {feed.en}"
    lines = [
        _text(city, plan.title),
        reason,
        *(_line(city, Example.model_validate(example)) for example in finding.examples),
        f"检查问题编号 {finding.id}" if zh else f"finding {finding.id}",
    ]
    return CaseReport(
        title=title[:120],
        description="\n".join(lines)[:4000],
        matter=matter,
        position=_middle(city),
        channel="inspection",
        external_number=number,
    )


def brought(city: City, plan: Plan, finding: FindingRow) -> Brought:
    """The whole city is the place, the owner of the feed the department, the plan's limit the limit."""
    root = city.areas.list("city")[0].code
    return Brought(area=root, department=finding.department, entity=finding.feed, limit=plan.limit)


def _line(city: City, example: Example) -> str:
    at = example.at.astimezone(city.zone)
    who = _text(city, example.entity_title) if example.entity_title else example.entity
    place = example.record or example.quarantine or ""
    # A refusal's sentence quotes the value that was refused; the rule and the column say enough here.
    reason = (example.rule or "") if example.kind == "quarantine" else _text(city, example.reason)
    parts = [f"{at:%Y-%m-%d %H:%M}", who, example.column, reason, place]
    return "· " + " · ".join(part for part in parts if part)


def _middle(city: City) -> Position:
    centre = city.areas.list("city")[0].centre
    if centre is not None:
        return centre
    return Position(lon=(city.map.west + city.map.east) / 2, lat=(city.map.south + city.map.north) / 2)


def _text(city: City, title: Title) -> str:
    return title.zh if city.language == "zh" else title.en
