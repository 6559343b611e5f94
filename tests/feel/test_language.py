"""What a person writes in a condition means what the language says: kinds, signs, null, names, loops."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cityloop import feel
from cityloop.feel import Months, Range, expression

STATION = {
    "pm": 152.4,
    "level": "red",
    "limits": [35, 75, 115],
    "place": {"street": "花木", "people": 12_000},
    "seen": datetime(2026, 11, 23, 8, 30, tzinfo=UTC),
    "silent": None,
}
ANSWERS: list[tuple[str, Any]] = [
    ("1 + 2 * 3 ** 2 - 4 / 8", Decimal("18.5")),
    ("-3 ** 2", 9),
    ("2 ** 3 ** 2", 64),
    ("(1 + 2) * 3", 9),
    ("0.1 + 0.2", Decimal("0.3")),
    ("1 / 0", None),
    ("1.5e3", 1500),
    ('"a" + "b"', "ab"),
    ('"a" + 1', None),
    ('"\\u82b1\\"\\n"', '花"\n'),
    ("pm > 150", True),
    ("pm >= 152.4 and level = \"red\"", True),
    ("unknown", None),
    ("unknown > 3", None),
    ("unknown > 3 or true", True),
    ("unknown > 3 and false", False),
    ("unknown and true", None),
    ("silent = null", True),
    ("level = null", False),
    ("level = 3", None),
    ("not(silent)", None),
    ("pm between 100 and 200 and level = \"red\"", True),
    ("pm in [100..200)", True),
    ("pm in (100, < 10, > 150)", True),
    ("200 in [100..200)", False),
    ("200 in ]100..200]", True),
    ("level in (\"orange\", \"red\")", True),
    ("level in [\"orange\", \"yellow\"]", False),
    ("if silent then 1 else 2", 2),
    ("place.street", "花木"),
    ("place.mayor", None),
    ("level.upper", None),
    ("limits[1]", 35),
    ("limits[-1]", 115),
    ("limits[9]", None),
    ("limits[item > 50]", [75, 115]),
    ('[{a: 1, b: "x"}, {a: 2, b: "y"}][a > 1].b', ["y"]),
    ("{a: 1, b: a + 1, c: {d: b}}.c.d", 2),
    ("for i in 1..3 return i * i", [1, 4, 9]),
    ("for i in 3..1 return i", [3, 2, 1]),
    ("for i in [1..3], j in [10, 20] return i + j", [11, 21, 12, 22, 13, 23]),
    ("for i in 1..4 return if i = 1 then 1 else sum(partial)", [1, 1, 2, 4]),
    ("some x in limits satisfies x > pm", False),
    ("every x in limits satisfies x < pm", True),
    ("every x in limits satisfies x < silent", None),
    ("(function(a, b) a + b)(1, 2)", 3),
    ("{double: function(x: number) x * 2, y: double(4)}.y", 8),
    ("{double: function(x: number) x * 2, y: double(\"a\")}.y", None),
    ('substring(start position: 2, string: "abc")', "bc"),
    ("[1..5].start", 1),
    ("(1..5].start included", False),
    ("(> 5)", Range(Decimal(5), None, False, False)),
    ('@"2026-11-23"', date(2026, 11, 23)),
    ('@"08:30:00"', time(8, 30)),
    ('date("2026-02-30")', None),
    ('date("2026-11-23") + duration("P1M")', date(2026, 12, 23)),
    ('date("2026-01-31") + @"P1M"', date(2026, 2, 28)),
    ('seen + duration("PT45M")', datetime(2026, 11, 23, 9, 15, tzinfo=UTC)),
    ('seen - date and time("2026-11-22T08:30:00Z")', timedelta(days=1)),
    ('@"P1Y2M" + @"P11M"', Months(25)),
    ('@"PT90M" / @"PT1H"', Decimal("1.5")),
    ('@"P1D" * 2.5', timedelta(days=2, hours=12)),
    ("seen.hour", 8),
    ("seen.weekday", 1),
    ('@"P1DT2H".hours', 2),
    ('@"2026-11-23T08:00:00" < seen', None),
    ("pm instance of number", True),
    ("limits instance of list<number>", True),
    ("limits instance of list<string>", False),
    ("place instance of context<street: string>", True),
    ("@\"P1D\" instance of days and time duration", True),
    ("silent instance of string", False),
    ("1 // one\n + /* two */ 2", 3),
    ("5 = 5.0", True),
    ("[1, [2, \"a\"]] = [1, [2, \"a\"]]", True),
    ("{a: 1} = {a: 2}", False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "answer"), ANSWERS, ids=[text for text, _ in ANSWERS])
def test_an_expression_gives_its_answer(text: str, answer: Any) -> None:
    found = expression(text).value(STATION)
    assert found == answer
    assert isinstance(found, bool) == isinstance(answer, bool)


CELLS: list[tuple[str, Any, bool | None]] = [
    ("-", None, True),
    ("< 10", 5, True),
    ("< 10", "5", None),
    ("< 10", None, None),
    ("[1..3], > 9", 10, True),
    ("[1..3], > 9", 5, False),
    ('not("a", "b")', "c", True),
    ('not("a", "b")', "a", False),
    ('"a", "b"', "b", True),
    ("null", None, True),
    ("null", 1, False),
    ("true", False, False),
    ("? > 3 and ? < limit", 5, True),
    ("limit", 7, True),
    ("limits", 75, True),
    ("> limit", 8, True),
    ("!= 3", 4, True),
    ('date("2026-01-01")', date(2026, 1, 1), True),
    ('[date("2026-01-01")..date("2026-12-31")]', date(2026, 11, 23), True),
    ('contains(?, "路")', "花木路", True),
]


@pytest.mark.parametrize(("text", "value", "holds"), CELLS)
def test_a_cell_holds_or_not(text: str, value: Any, holds: bool | None) -> None:
    assert feel.tests(text).holds(value, {"limit": 7, "limits": [35, 75]}) is holds


def test_an_expression_says_which_names_it_reads() -> None:
    text = "pm > limit and some x in places satisfies x.level = level and {a: b}.a = count(c[item > d])"
    assert expression(text).names == {"pm", "limit", "places", "level", "b", "c", "d"}
    assert feel.tests("> limit, ? < other").names == {"limit", "other"}


def test_a_known_name_may_hold_blanks_and_signs() -> None:
    known = ("Full Name", "Street/No", "Full Name of Owner")
    values = {"Full Name": "a", "Street/No": "b", "Full Name of Owner": "c"}
    assert expression("Full  Name + Street / No", known).value(values) == "ab"
    assert expression("Full Name of Owner", known).value(values) == "c"
    assert expression("{Full Name: 1, x: Full Name + 1}.x").value({}) == 2


def test_an_input_may_be_called_like_a_function() -> None:
    assert expression("count > 3 and count(list) = 2").value({"count": 4, "list": [1, 2]}) is True
    assert expression("date.year").value({"date": date(2026, 1, 1)}) == 2026


def test_python_values_are_taken_as_they_are_meant() -> None:
    values = {"n": 3, "f": 0.1, "nan": float("nan"), "t": (1, 2), "o": object()}
    assert expression("[n, f, nan, t, o]").value(values) == [3, Decimal("0.1"), None, [1, 2], None]
