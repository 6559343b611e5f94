"""A city learns from its closed cases, names the matter of a new report, and knows which open case is at risk."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from cityloop.access.actor import SYSTEM
from cityloop.cases.models import CaseRow
from cityloop.cases.schemas import CaseReport
from cityloop.core.errors import AccessDenied, Invalid, NotFound
from cityloop.core.web import Paging
from cityloop.learn.artefact import Card
from cityloop.learn.schemas import Text, Untrained
from cityloop.learn.service import RISK, Learner
from tests.cases.support import ACCEPTOR, FUTIAN, LITTER, NOBODY, ROAD, TRANSPORT, Room, open_room

PLAIN = {
    LITTER: ["垃圾堆放", "没人清运", "垃圾桶满溢", "臭味难闻", "保洁不到位"],
    ROAD: ["路面坑洼", "沥青破损", "路面裂缝", "坑洞积水", "人行道砖松动"],
}


def learner_of(room: Room, folder: Path) -> Learner:
    return Learner(
        database=room.database,
        outbox=room.outbox,
        door=room.door,
        audit=room.audit,
        city=room.city,
        folder=folder / "models",
        seconds=30,
    )


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Room, Learner]]:
    """A city that has closed 220 cases and has not learned yet; each test may add to it."""
    folder = tmp_path_factory.mktemp("past")
    room = open_room(folder)
    _close_many(room, 220)
    yield room, learner_of(room, folder)
    room.database.close()


def _close_many(room: Room, count: int) -> None:
    """Reports of two matters; litter that is told of late in the series runs late."""
    draw = random.Random(3)
    with room.database.transaction() as tx:
        for n in range(count):
            matter = list(PLAIN)[n % 2]
            words = "，".join(draw.sample(PLAIN[matter], 3))
            report = CaseReport(title=words, matter=matter, position=FUTIAN, channel="hotline")
            case, _ = room.desk.report_in(tx, SYSTEM, report, room.city.clock.now())
            opened = room.city.clock.now() - timedelta(days=60) + timedelta(hours=n)
            late = draw.random() < (0.7 if matter == LITTER else 0.1)
            ended = opened + timedelta(hours=30 if late else 3)
            values = {"opened_at": opened, "due_at": opened + timedelta(hours=12), "closed_at": ended}
            tx.before_commit(_closing(case.id, {**values, "handled_at": ended, "on_time": not late}))


def _closing(case: str, values: dict[str, object]):  # type: ignore[no-untyped-def]
    done = {"open": False, "filed": True, "department": "sanitation", **values}
    return lambda tx: tx.session.execute(update(CaseRow).where(CaseRow.id == case).values(done))


def test_a_city_without_models_asks_a_person(tmp_path: Path) -> None:
    room = open_room(tmp_path)
    told = learner_of(room, tmp_path).classify(ACCEPTOR, Text(title="垃圾满溢"))
    assert (told.model, told.automatic, told.candidates) == (None, False, [])
    with pytest.raises(Invalid) as refused:
        room.desk.report(ACCEPTOR, CaseReport(title="垃圾满溢", position=FUTIAN))
    assert refused.value.more["classification"]["reason"]["zh"].startswith("尚无")


def test_too_few_cases_teach_nothing(tmp_path: Path) -> None:
    made = learner_of(open_room(tmp_path), tmp_path).train()
    assert [item.name for item in made if isinstance(item, Untrained)] == ["matter", "risk"]


def test_only_who_may_report_may_ask(past: tuple[Room, Learner]) -> None:
    with pytest.raises(AccessDenied):
        past[1].classify(NOBODY, Text(title="垃圾满溢"))


def test_a_city_learns_asks_and_scores(past: tuple[Room, Learner]) -> None:
    room, learner = past
    cards = learner.train()
    assert all(isinstance(card, Card) for card in cards), cards
    assert [card.rows for card in learner.cards(ACCEPTOR)] == [220, 220]
    assert len(room.events("cityloop.model.trained")) == 2

    told = learner.classify(ACCEPTOR, Text(title="垃圾桶满溢，没人清运，臭味难闻"))
    assert told.automatic and told.candidates[0].matter == LITTER and len(told.candidates) == 2
    room.desk._intake._classifier = learner
    case, _ = room.desk.report(ACCEPTOR, CaseReport(title="垃圾桶满溢，没人清运，臭味难闻", position=FUTIAN))
    assert case.matter == LITTER
    assert case.timeline[0].facts["classified"]["model"] == "matter/1"

    doubtful = CaseReport(title="你好我想反映一个情况谢谢", position=FUTIAN)
    with pytest.raises(Invalid) as refused:
        room.desk.report(ACCEPTOR, doubtful)
    assert len(refused.value.more["classification"]["candidates"]) == 2

    before = room.desk.get(ACCEPTOR, case.id)
    _give_limit(room, case.id)
    assert learner.score() >= 1 and learner.score() == 0
    after = room.desk.get(ACCEPTOR, case.id)
    assert after.risk is not None and 0 < after.risk < 1
    assert (after.version, len(after.timeline)) == (before.version, len(before.timeline))
    listed = room.listed(ACCEPTOR, Paging(page=1, size=5, sort="-risk"), open=True)
    assert listed.items[0].risk is not None


def _give_limit(room: Room, case: str) -> None:
    due = room.city.clock.now() + timedelta(hours=12)
    with room.database.transaction() as tx:
        tx.session.execute(update(CaseRow).where(CaseRow.id == case).values(due_at=due, department="sanitation"))


def test_another_process_takes_up_the_newest_model(past: tuple[Room, Learner], tmp_path: Path) -> None:
    room, learner = past
    learner.train()
    other = learner_of(room, learner._folder.parent)
    newest = [card.version for card in other.cards(ACCEPTOR)]
    assert newest == [card.version for card in learner.cards(ACCEPTOR)]


def test_a_spoilt_model_is_named_and_the_one_in_hand_stays(past: tuple[Room, Learner]) -> None:
    room, learner = past
    learner.train()
    held = learner.cards(ACCEPTOR)
    learner.train()
    newest = learner._folder / RISK / f"{held[1].version + 1:04}"
    (newest / "trees.txt").write_text("spoilt", encoding="utf-8")
    other = learner_of(room, learner._folder.parent)
    assert [card.name for card in other.cards(ACCEPTOR)] == ["matter"]
    assert "trees.txt" in other.troubles[RISK]


def test_the_job_waits_for_age_and_for_more_to_learn(past: tuple[Room, Learner], tmp_path: Path) -> None:
    room, learner = past
    untaught = learner_of(room, tmp_path)
    assert untaught.due(24) and not untaught.due(24), "looks at most every ten minutes"
    learner.train()
    room.clock.advance(timedelta(hours=25))
    again = learner_of(room, learner._folder.parent)
    assert not again.due(0) and not again.due(24)


def test_estimates_are_no_moves(past: tuple[Room, Learner]) -> None:
    room, _ = past
    with room.database.reading() as session:
        for case in session.scalars(select(CaseRow.id).where(CaseRow.open.is_(True))):
            assert room.desk.verify_timeline(case) is None


def test_a_case_says_why_it_is_at_risk_to_whoever_sees_it(past: tuple[Room, Learner]) -> None:
    room, learner = past
    learner.train()
    case = room.report(title="垃圾堆放，没人清运", matter=LITTER)
    told = learner.why(ACCEPTOR, case.number)
    assert told.risk is not None and told.model is not None
    assert told.reasons == sorted(told.reasons, key=lambda reason: -abs(reason.weight))
    matter = next(reason for reason in told.reasons if reason.feature in ("matter", "late_share_matter"))
    assert matter.weight > 0 and matter.value.zh
    assert "AUC" in told.note.en
    with pytest.raises(NotFound):
        learner.why(TRANSPORT, case.id)
