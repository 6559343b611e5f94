"""``cityloop standard``: plan, apply and restore changes of the standard, here or on a running server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from cityloop.access.actor import SYSTEM, Actor
from cityloop.core.errors import Fault, Problem
from cityloop.core.settings import Settings
from cityloop.serve.house import House
from cityloop.steward.plans import ApplyRequest, Dependant, Plan, PlanRequest, RestoreRequest, VersionLine, VersionView
from cityloop.steward.submission import TextFile


@dataclass(frozen=True)
class Place:
    """Where the standard is: a data folder that no server occupies, or a server by its address and a token."""

    settings: Settings
    url: str = ""
    token: str = ""
    account: str = ""
    """Who changes it, for the version and the audit; by default the platform itself. A server knows by the token."""


def plan(place: Place, files: Sequence[Path], trial: int) -> Plan:
    """What the set would do."""
    request = PlanRequest(files=_texts(files), trial=trial)
    if place.url:
        return Plan.model_validate(_ask(place, "POST", "changes/plan", request.model_dump(mode="json")))
    with _house(place) as (house, actor):
        return house.versions.plan(actor, request)


def apply(place: Place, files: Sequence[Path], reason: str) -> VersionView:
    """Plan and apply in one go; refused when something would break."""
    request = ApplyRequest(files=_texts(files), reason=reason, hash=plan(place, files, 0).hash)
    if place.url:
        return VersionView.model_validate(_ask(place, "POST", "changes", request.model_dump(mode="json")))
    with _house(place) as (house, actor):
        return house.versions.apply(actor, request)


def restore(place: Place, number: int, reason: str) -> VersionView:
    """Bring a former version back as a new one."""
    request = RestoreRequest(reason=reason)
    if place.url:
        return VersionView.model_validate(_ask(place, "POST", f"versions/{number}/restore", request.model_dump()))
    with _house(place, packs_alone=number == 0) as (house, actor):
        return house.versions.restore(actor, number, request)


def versions(place: Place) -> list[VersionLine]:
    """All versions, newest first."""
    if place.url:
        return [VersionLine.model_validate(line) for line in _ask(place, "GET", "versions", None)]
    with _house(place) as (house, actor):
        return house.versions.list(actor)


def export(place: Place, number: int, folder: Path) -> list[Path]:
    """Write what stands beyond the packs in a version as files of a pack; returns them."""
    if place.url:
        view = VersionView.model_validate(_ask(place, "GET", f"versions/{number}", None))
        texts = {file.name: file.text for file in view.overlay}
    else:
        with _house(place) as (house, actor):
            texts = dict(house.versions.export(actor, number))
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def told(plan: Plan) -> Iterator[str]:
    """A plan in lines for a terminal."""
    for change in plan.changes:
        keys = f" {', '.join(change.keys)}" if change.keys else ""
        mark = "breaking" if change.breaking else "compatible"
        yield f"{change.what} {change.kind} {change.id}{keys}: {mark}: {change.reason.en}"
    for item in plan.dependants:
        yield f"  {_said(item)}"
    for trial in plan.trial:
        yield (
            f"  {trial.feed}: {trial.now_refused} of {trial.tried_accepted} stored rows would be refused, "
            f"{trial.now_accepted} of {trial.tried_quarantined} quarantined records would pass"
        )
    yield "can be applied" if plan.applicable else "cannot be applied"


def _said(item: Dependant) -> str:
    count = f" ({item.count})" if item.count is not None else ""
    return f"{'BREAKS ' if item.breaks else ''}{item.kind} {item.id}{count} on {item.on}: {item.why.en}"


@contextmanager
def _house(place: Place, *, packs_alone: bool = False) -> Iterator[tuple[House, Actor]]:
    """A house that is not started, over a data folder that no server occupies."""
    house = House(place.settings, packs_alone=packs_alone)
    try:
        yield house, house.accounts.get(place.account) if place.account else SYSTEM
    finally:
        house.close()


def _texts(files: Sequence[Path]) -> list[TextFile]:
    try:
        return [TextFile(name=path.name, text=path.read_text(encoding="utf-8")) for path in files]
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"a file of the set cannot be read: {error}", "give UTF-8 files of YAML or JSON") from error


def _ask(place: Place, method: str, path: str, body: Any) -> Any:
    headers = {"authorization": f"Bearer {place.token}"}
    try:
        answer = httpx.request(
            method, f"{place.url.rstrip('/')}/api/v1/standard/{path}", json=body, headers=headers, timeout=120
        )
    except httpx.HTTPError as error:
        raise Problem(f"{place.url} does not answer: {error}", "check --url, and that the server runs") from error
    if answer.is_success:
        return answer.json()
    told = answer.json()
    faults = [Fault(**fault) for fault in told.get("faults", ())]
    raise Problem(told.get("detail", answer.text), told.get("mend", ""), faults)
