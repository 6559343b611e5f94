"""``drill.yaml`` and ``people.yaml``: what is wrong is said with file, line, key and what to do."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cityloop.access.audit import Audit
from cityloop.access.service import Accounts
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.database import Database
from cityloop.core.errors import ContentError
from cityloop.drill.people import ensure_accounts, load_people
from cityloop.drill.plan import load_plan

CITIES = Path(__file__).parents[2] / "cities"
DEMO = CITIES / "demo"


def test_the_demo_has_a_person_and_a_player_for_every_post_that_moves_cases() -> None:
    city = City.load(DEMO, ManualClock(datetime.now(UTC)))
    people = load_people(DEMO, city.policy, frozenset(city.departments))
    for post in set(city.policy.posts) - {"intake", "public", "evidence"}:
        kinds = {account.kind for account in people.accounts if post in account.posts}
        assert kinds, post
    for department in city.departments.values():
        if department.kind == "department" and department.id != "civil":  # it answers applications, no cases
            for post in ("department", "handler"):
                assert {a.kind for a in people.of(department.id, post)} == {"person", "drill"}
    played = {post for player in people.players for post in player.posts}
    assert {turn.post for turn in load_plan(DEMO).turns} <= played


def test_accounts_are_made_once_and_corrected_when_the_file_changes(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'city.db'}")
    database.create()
    accounts = Accounts(database, Audit(database), 12)
    people = load_people(DEMO)
    assert ensure_accounts(people, accounts) == len(people.accounts)
    assert ensure_accounts(people, accounts) == 0
    moved = people.accounts[0].model_copy(update={"areas": ("440304",)})
    accounts.put(moved)
    assert ensure_accounts(people, accounts) == 1
    database.close()


def test_a_city_without_people_has_none(tmp_path: Path) -> None:
    assert load_people(tmp_path).accounts == ()


def test_an_unknown_post_and_a_double_account_are_named_with_their_lines(tmp_path: Path) -> None:
    city = City.load(DEMO, ManualClock(datetime.now(UTC)))
    line = "  - {id: a, name: 甲, kind: drill, posts: [dispatchr], department: urbn}\n"
    (tmp_path / "people.yaml").write_text(f"accounts:\n{line}{line}", encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load_people(tmp_path, city.policy, frozenset(city.departments))
    said = [f"{fault.where.rsplit(':', 1)[1]} {fault.what}" for fault in caught.value.faults]
    assert "2 accounts.0.posts the policy has no post 'dispatchr'" in said
    assert "3 accounts.1.id 'a' is there twice" in said
    assert "2 accounts.0.department there is no department 'urbn'" in said


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("wait: [60, 300]", "wait: [300, 60]", "write the shorter wait first"),
        ("loop: false", "lop: false", "unknown key"),
        ("file: series/air-hourly.parquet", "file: series/air.parquet", "is missing"),
        ("{move: accept}", "{move: accept, share: 0.5}", "exactly one move has no share"),
    ],
)
def test_a_fault_in_the_plan_is_named_with_its_line(tmp_path: Path, before: str, after: str, said: str) -> None:
    shutil.copytree(DEMO / "series", tmp_path / "series")
    text = (DEMO / "drill.yaml").read_text(encoding="utf-8")
    assert before in text
    (tmp_path / "drill.yaml").write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load_plan(tmp_path)
    assert any(said in fault.what and "drill.yaml:" in fault.where for fault in caught.value.faults)
