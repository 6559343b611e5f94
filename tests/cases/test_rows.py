"""The 50 rows of the table of practice, as codes: each is a move with these states, posts and effects on clocks.

A row is (states, flag that must be pending, state afterwards, moves, posts of which one suffices, clocks). Clocks are
written ``+`` starts, ``-`` stops, ``|`` pauses, ``>`` resumes, ``?`` starts or goes on, ``~`` by the rework rule,
``*`` all stop; an empty text: untouched.
"""

from __future__ import annotations

import pytest

from cityloop.cases.workflow import ALL, ClockEffects, MoveDef
from tests.cases.support import by_hand
from tests.cases.test_square import city

ANY, SAME, BEFORE = "any_open", "same", "before"
WORK = "to_handle handling"
LATER = "to_dispatch to_handle handling suspended to_review to_inspect inspecting to_close"
ROWS = [
    ("draft", "", "reported", "submit", "collector acceptor feed", "+accept"),
    ("draft", "", "self_review", "submit_self", "collector", "+accept"),
    ("self_review", "", "self_closed", "accept_self", "acceptor", "-accept"),
    ("self_review", "", "self_invalid", "reject_self", "acceptor", "-accept"),
    ("reported", "", "verifying", "verify_send", "acceptor", "|accept +verification"),
    ("verifying", "", "reported", "verify_answer", "collector", "-verification >accept"),
    ("reported", "", "to_file", "accept", "acceptor", "-accept +filing"),
    ("reported", "", "declined", "decline_accept", "acceptor", "*"),
    ("reported", "", "merged", "merge", "acceptor", "*"),
    ("to_file", "", "to_dispatch", "file", "shift_leader", "-filing +dispatch"),
    ("to_file", "", "declined", "decline_file", "shift_leader", "*"),
    ("to_file", "", "reported", "return_report", "shift_leader", "-filing +accept"),
    ("to_dispatch", "", "to_handle", "dispatch", "dispatcher", "-dispatch ?handling"),
    ("to_dispatch", "", "to_file", "return_to_filing", "dispatcher", "-dispatch +filing"),
    ("to_dispatch", "", "void_pending", "void_ask", "dispatcher", "|dispatch"),
    ("void_pending", "void", "void", "void_approve", "shift_leader", "*"),
    ("void_pending", "void", "to_dispatch", "void_refuse", "shift_leader", ">dispatch"),
    ("to_handle", "", "handling", "assign", "department", ""),
    ("to_handle", "", SAME, "return_ask", "department", ""),
    ("to_handle", "return", "to_dispatch", "return_approve", "dispatcher", "|handling +dispatch"),
    ("to_handle", "return", SAME, "return_refuse", "dispatcher", ""),
    ("to_dispatch", "", "to_handle", "dispatch", "dispatcher", "?handling -dispatch"),
    ("to_dispatch", "", "to_handle", "dispatch", "dispatcher", "?handling -dispatch"),
    ("handling", "", "to_handle", "give_back", "handler", ""),
    ("handling", "", "to_review", "submit_result", "handler", ""),
    ("to_review", "", "handling", "send_back", "department", ""),
    ("to_review", "", "to_inspect", "confirm", "department", "-handling"),
    (WORK, "", SAME, "extend_ask", "handler department", ""),
    (WORK, "extension", SAME, "extend_grant", "dispatcher", ""),
    (WORK, "extension", SAME, "extend_refuse", "department dispatcher", ""),
    (WORK, "", SAME, "suspend_ask", "handler department", ""),
    (WORK, "suspension", "suspended", "suspend_grant", "dispatcher", "|handling"),
    (WORK, "suspension", SAME, "suspend_refuse", "department dispatcher", ""),
    ("suspended", "", BEFORE, "resume", "dispatcher", ">handling"),
    ("to_inspect", "", "inspecting", "inspect_send", "acceptor", "+inspection"),
    ("to_inspect", "", "to_close", "accept_without_visit", "acceptor", "+closing"),
    ("to_inspect", "", "to_handle", "rework_inspect", "dispatcher acceptor", "~"),
    ("inspecting", "", "to_close", "inspect_done", "collector", "-inspection +closing"),
    ("inspecting", "", "to_handle", "inspect_not_done", "acceptor", "-inspection ~"),
    ("to_close", "", "closed", "close", "shift_leader", "*"),
    ("to_close", "", "to_handle", "rework_close", "shift_leader", "-closing ~"),
    (ANY, "", SAME, "supervise", "supervisor leader", "+reply"),
    (ANY, "", SAME, "answer_supervision", "department", "-reply"),
    (LATER, "", SAME, "defer", "shift_leader leader", ""),
    (ANY, "", "force_closed", "force_close", "leader", "*"),
    ("closed", "", SAME, "appeal", "department", ""),
    ("closed", "", SAME, "appeal_pass appeal_reject", "dispatcher", ""),
    ("closed", "", SAME, "appeal_grant", "acceptor shift_leader", ""),
    ("closed", "", SAME, "appeal_refuse", "acceptor shift_leader", ""),
    ("closed", "", "to_dispatch", "callback_reopen", "shift_leader", "+dispatch"),
]


def spelt(clocks: ClockEffects) -> set[str]:
    """The effects of a move on clocks, as the rows write them."""
    signs = (("+", clocks.start), ("|", clocks.pause), (">", clocks.resume))
    found = {f"{sign}{name}" for sign, names in signs for name in names}
    found |= {"*"} if clocks.stop == ALL else {f"-{name}" for name in clocks.stop}
    return found | ({"?handling"} if clocks.start_or_resume else set()) | ({"~"} if clocks.rework else set())


def test_there_are_fifty_rows() -> None:
    assert len(ROWS) == 50


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0].split()[0]}-{row[3].split()[0]}")
def test_every_row_is_a_move(row: tuple[str, str, str, str, str, str]) -> None:
    origin, pending, to, moves, posts, clocks = row
    for name in moves.split():
        move: MoveDef = by_hand().move_by_id[name]
        left = {move.origin} if isinstance(move.origin, str) else set(move.origin)
        assert set(origin.split()) <= left, name
        assert (move.decides or "") == pending and move.to == to, name
        able = {post for post in city().policy.posts if move.needs in city().policy.posts[post].may}
        assert set(posts.split()) <= able, name
        assert spelt(move.clocks) == set(clocks.split()), name


def test_the_unwritten_half_of_a_row_is_there_too() -> None:
    flow = by_hand().move_by_id
    assert flow["callback_new"].to == SAME and flow["force_ask"].to == flow["force_refuse"].to == SAME
    assert (flow["inspect_fail"].asks, flow["inspect_again"].decides) == ("rework", "rework")
    assert flow["undefer"].origin == flow["defer"].origin
