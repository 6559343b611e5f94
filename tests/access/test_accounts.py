"""Who may come in, and the record of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.models import AuditRow
from cityloop.access.service import Accounts
from cityloop.core.database import Database
from cityloop.core.errors import Invalid, NotFound, PasswordDue, SignInNeeded, TooMany
from cityloop.core.values import Title

WANG = Actor(id="wang", name=Title(zh="王磊", en="Wang Lei"), posts=("shift_leader",), areas=("4403",))
PASSWORD = "correct horse battery"


@pytest.fixture
def accounts(database: Database) -> Accounts:
    made = Accounts(database, Audit(database), session_hours=1)
    made.put(WANG, PASSWORD)
    return made


def test_the_right_password_opens_a_session_that_can_be_closed(accounts: Accounts) -> None:
    actor, token = accounts.sign_in("wang", PASSWORD)
    assert actor == WANG
    assert accounts.actor(token) == WANG
    accounts.close_session(token)
    assert accounts.actor(token) is None


def test_unknown_account_and_wrong_password_get_the_same_answer(accounts: Accounts) -> None:
    with pytest.raises(SignInNeeded) as unknown:
        accounts.sign_in("nobody", PASSWORD)
    with pytest.raises(SignInNeeded) as wrong:
        accounts.sign_in("wang", "wrong")
    assert unknown.value.detail == wrong.value.detail


def test_five_failures_lock_the_account_even_for_the_right_password(accounts: Accounts) -> None:
    for _ in range(5):
        with pytest.raises(SignInNeeded):
            accounts.sign_in("wang", "wrong")
    with pytest.raises(TooMany):
        accounts.sign_in("wang", PASSWORD)


def test_an_account_without_a_password_cannot_sign_in_with_one(accounts: Accounts) -> None:
    accounts.put(Actor(id="drill", name=Title(zh="演练", en="Drill"), kind="drill"))
    with pytest.raises(SignInNeeded):
        accounts.sign_in("drill", "")


def test_a_new_password_ends_the_old_sessions(accounts: Accounts) -> None:
    _, token = accounts.sign_in("wang", PASSWORD)
    accounts.put(WANG, PASSWORD + "!")
    assert accounts.actor(token) is None


def test_an_ended_session_is_nobody(database: Database) -> None:
    accounts = Accounts(database, Audit(database), session_hours=1e-9)
    accounts.put(WANG, PASSWORD)
    _, token = accounts.sign_in("wang", PASSWORD)
    assert accounts.actor(token) is None


def test_a_short_password_and_an_unknown_account_are_named(accounts: Accounts) -> None:
    with pytest.raises(Invalid, match="shorter than 12"):
        accounts.put(WANG, "short")
    with pytest.raises(NotFound, match="no account 'li'"):
        accounts.get("li")


def test_an_edited_line_of_the_audit_is_found(database: Database) -> None:
    audit = Audit(database)
    with database.transaction() as tx:
        for number in range(3):
            audit.record(tx, datetime(2026, 3, 9, tzinfo=UTC), "wang", "case.close", f"case_{number}")
    assert audit.verify() is None
    with database.transaction() as tx:
        tx.session.execute(update(AuditRow).where(AuditRow.seq == 2).values(actor="li"))
    assert audit.verify() == 2


def test_tokens_and_passwords_are_stored_only_as_hashes(accounts: Accounts, database: Database) -> None:
    _, token = accounts.sign_in("wang", PASSWORD)
    with database.engine.connect() as connection:
        dump = str(
            [connection.exec_driver_sql(f"SELECT * FROM {t}").fetchall() for t in ("account", "sign_in", "audit")]
        )
    assert token not in dump
    assert PASSWORD not in dump


def test_a_first_password_opens_nothing_but_its_own_change(accounts: Accounts) -> None:
    li = Actor(id="li", name=Title(zh="李", en="Li"), posts=("handler",))
    first = accounts.enrol([li, WANG])
    assert set(first) == {"li"} and accounts.sign_in("wang", PASSWORD)[0] == WANG, "who has a password keeps it"
    with pytest.raises(PasswordDue):
        accounts.sign_in("li", first["li"])
    with pytest.raises(SignInNeeded):
        accounts.change_password("li", "wrong", "a password of my own")
    for bad in ("short", first["li"]):
        with pytest.raises(Invalid):
            accounts.change_password("li", first["li"], bad)
    actor, token = accounts.change_password("li", first["li"], "a password of my own")
    assert actor == li and accounts.actor(token) == li
    assert accounts.sign_in("li", "a password of my own")[0] == li
    with pytest.raises(SignInNeeded):
        accounts.sign_in("li", first["li"])
    assert accounts.enrol([li]) == {}


def test_a_change_of_password_ends_the_other_sessions(accounts: Accounts) -> None:
    _, old = accounts.sign_in("wang", PASSWORD)
    _, new = accounts.change_password("wang", PASSWORD, "another long password")
    assert accounts.actor(old) is None and accounts.actor(new) == WANG
