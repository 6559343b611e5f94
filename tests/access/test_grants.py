"""A grant shows its own rows and columns and no others, and when it ends everything is as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from cityloop.access.actor import Actor
from cityloop.access.door import Door, Protected, Scope
from cityloop.access.explain import explain
from cityloop.access.grants import Grant, GrantBook
from cityloop.access.policy import Policy, Post, RowRule, Sight
from cityloop.access.predicates import Both, Everything, In, Predicate, Under, lets
from cityloop.core.clock import ManualClock
from cityloop.core.values import Title

NOW = datetime(2026, 3, 9, 2, 0, tzinfo=UTC)
TITLE = Title(zh="岗位", en="Post")
LEVELS = {"weight": "sensitive", "volume": "internal"}
COLUMNS = ("weight", "volume", "fill")
FEEDS = {"bins-a": "sanitation", "bins-b": "urban"}


def door(sight: Sight, clock: ManualClock) -> tuple[Door, GrantBook]:
    book = GrantBook(clock)
    made = Door(Policy(posts={"desk": Post(title=TITLE, sees={"observation": sight})}), book)
    made.register(
        Protected(
            "observation",
            department="feed",
            area="area",
            owned=lambda department: [feed for feed, owner in FEEDS.items() if owner == department],
            levels=lambda _: LEVELS,
        )
    )
    return made, book


def actor(department: str | None = "transport", areas: tuple[str, ...] = ()) -> Actor:
    return Actor(id="qian", name=TITLE, posts=("desk",), department=department, areas=areas)


def grant(rows: Predicate, columns: set[str], until: datetime = NOW + timedelta(days=1), **changes: Any) -> Grant:
    given = {"id": "g1", "department": "transport", "dataset": "Bin"} | changes
    return Grant(columns=frozenset(columns), rows={"observation": rows}, until=until, **given)


ROW = {"area": "440304001", "feed": "bins-a", "weight": 3.5, "volume": 20.0, "fill": 80.0}
FUTIAN = Both((In("feed", ("bins-a",)), Under("area", ("440304",))))


def test_a_department_sees_its_own_rows_clearly_and_others_covered() -> None:
    made, _ = door(Sight(hide=("sensitive",), clear=("own_department",)), ManualClock(NOW))
    own = made.scope(actor("sanitation"), "observation", "Bin")
    assert own.cover(ROW) == ROW
    assert own.cover({**ROW, "feed": "bins-b"})["weight"] == "***"
    other = made.scope(actor("transport"), "observation", "Bin")
    assert other.cover(ROW) == {**ROW, "weight": "***"}


def test_a_grant_uncovers_its_fields_in_its_rows_for_its_department_only() -> None:
    made, book = door(Sight(hide=("sensitive", "internal")), ManualClock(NOW))
    book.put(grant(FUTIAN, {"weight"}))
    scope = made.scope(actor(), "observation", "Bin")
    assert scope.cover(ROW) == {**ROW, "volume": "***"}
    assert scope.cover({**ROW, "area": "440305001"})["weight"] == "***"
    assert scope.cover({**ROW, "feed": "bins-b"})["weight"] == "***"
    assert made.scope(actor("water"), "observation", "Bin").cover(ROW)["weight"] == "***"
    assert made.scope(actor(), "observation", "Tram").cover(ROW)["weight"] == "***"
    assert made.scope(actor(), "observation").cover(ROW)["weight"] == "***"


def test_rows_that_only_a_grant_shows_show_only_its_fields() -> None:
    made, book = door(Sight(rows=("own_department",)), ManualClock(NOW))
    book.put(grant(FUTIAN, {"weight", "area", "feed"}))
    scope = made.scope(actor(), "observation", "Bin")
    assert scope.lets(ROW)
    assert scope.cover(ROW) == {**ROW, "volume": "***", "fill": "***"}
    assert not scope.lets({**ROW, "area": "440305001"})


def test_a_grant_ends_with_its_term_and_by_revocation() -> None:
    clock = ManualClock(NOW)
    made, book = door(Sight(rows=("own_department",)), clock)
    before = made.scope(actor(), "observation", "Bin")
    book.put(grant(FUTIAN, {"weight"}))
    during = made.scope(actor(), "observation", "Bin")
    assert during.key != before.key
    clock.advance(timedelta(days=1))
    assert made.scope(actor(), "observation", "Bin") == before
    book.put(grant(FUTIAN, {"weight"}, NOW + timedelta(days=9)))
    assert made.scope(actor(), "observation", "Bin") == during
    book.drop("g1")
    assert made.scope(actor(), "observation", "Bin") == before


def test_a_grant_opens_nothing_to_a_post_without_a_line_for_it() -> None:
    made, book = door(Sight(), ManualClock(NOW))
    book.put(grant(Everything(), {"weight"}))
    stranger = Actor(id="x", name=TITLE, posts=("administrator",), department="transport")
    told = explain(made, stranger, "observation", "Bin")
    assert not told.sees
    assert told.grants == []


def test_only_reading_is_counted_and_only_where_the_grant_adds_something() -> None:
    clock = ManualClock(NOW)
    made, book = door(Sight(rows=("own_department",)), clock)
    book.put(grant(FUTIAN, {"weight"}))
    explain(made, actor(), "observation", "Bin")
    made.scope(actor("water"), "observation", "Bin")
    assert book.take_uses() == {}
    made.scope(actor(), "observation", "Bin")
    made.scope(actor(), "observation", "Bin")
    uses = book.take_uses()
    assert {key: (use.reads, use.last) for key, use in uses.items()} == {("g1", "qian"): (2, NOW)}
    assert book.take_uses() == {}
    book.give_back(uses)
    assert book.take_uses()["g1", "qian"].reads == 2


def test_the_explanation_names_post_cover_grant_and_term() -> None:
    made, book = door(Sight(hide=("sensitive",)), ManualClock(NOW))
    book.put(grant(FUTIAN, {"weight"}))
    told = explain(made, actor(), "observation", "Bin")
    assert told.sees
    assert told.rows == "every row"
    assert [mask.column for mask in told.masks] == ["weight"]
    assert "440304" in told.masks[0].because
    assert [(held.id, held.fields) for held in told.grants] == [("g1", ["weight"])]


AREAS = ("440304", "440304001", "440305", "440305002")
ROW_RULES: tuple[RowRule, ...] = ("all", "own_department", "own_areas")
RULES: st.SearchStrategy[tuple[RowRule, ...]] = st.lists(st.sampled_from(ROW_RULES), min_size=1, max_size=2).map(tuple)
SIGHTS = st.builds(
    Sight,
    rows=RULES,
    mask=st.dictionaries(st.sampled_from(COLUMNS), st.just("hide"), max_size=2),
    hide=st.lists(st.sampled_from(("internal", "sensitive")), max_size=2).map(tuple),
    clear=st.lists(st.sampled_from(("own_department", "own_areas")), max_size=1).map(tuple),
)
ROWS = st.fixed_dictionaries(
    {
        "area": st.one_of(st.none(), st.sampled_from(AREAS)),
        "feed": st.sampled_from(tuple(FEEDS)),
        "weight": st.floats(0, 9),
        "volume": st.floats(0, 9),
        "fill": st.floats(0, 9),
    }
)
GRANTED_ROWS: st.SearchStrategy[Predicate] = st.one_of(
    st.just(Everything()),
    st.sampled_from(AREAS).map(lambda area: Under("area", (area,))),
    st.sampled_from(tuple(FEEDS)).map(lambda feed: In("feed", (feed,))),
    st.just(FUTIAN),
)
FIELDS = st.sets(st.sampled_from(COLUMNS), min_size=1)
ACTORS = st.builds(actor, st.sampled_from(("transport", "sanitation", None)), st.sampled_from(((), ("440304",))))


def seen(scope: Scope, row: dict[str, Any]) -> set[str]:
    """The columns of a row that are visible as they are."""
    if not scope.lets(row):
        return set()
    covered = scope.cover(row)
    return {name for name in COLUMNS if covered[name] == row[name]}


@given(sight=SIGHTS, asker=ACTORS, rows=st.lists(ROWS, max_size=4), shared=GRANTED_ROWS, fields=FIELDS)
def test_a_grant_never_shows_a_row_or_column_outside_itself(
    sight: Sight, asker: Actor, rows: list[dict[str, Any]], shared: Predicate, fields: set[str]
) -> None:
    clock = ManualClock(NOW)
    made, book = door(sight, clock)
    before = made.scope(asker, "observation", "Bin")
    book.put(grant(shared, fields))
    during = made.scope(asker, "observation", "Bin")
    for row in rows:
        meant = asker.department == "transport" and lets(shared, row)
        assert seen(during, row) == seen(before, row) | (fields if meant else set())
        assert during.lets(row) == (before.lets(row) or meant)
    clock.advance(timedelta(days=1))
    assert made.scope(asker, "observation", "Bin") == before
    assert made.scope(asker, "observation", "Bin").key == before.key


@settings(max_examples=40)
@given(sight=SIGHTS, rows=st.lists(ROWS, min_size=1, max_size=4), shared=GRANTED_ROWS, fields=FIELDS)
def test_the_lake_shows_the_same_rows_and_columns_as_python(
    sight: Sight, rows: list[dict[str, Any]], shared: Predicate, fields: set[str]
) -> None:
    made, book = door(sight, ManualClock(NOW))
    book.put(grant(shared, fields))
    scope = made.scope(actor(), "observation", "Bin")
    expected = [
        [row[name] if name in seen(scope, row) else None for name in COLUMNS] for row in rows if scope.lets(row)
    ]
    names = ("area", "feed", *COLUMNS)
    with duckdb.connect() as lake:
        lake.execute("CREATE TABLE bin (area VARCHAR, feed VARCHAR, weight DOUBLE, volume DOUBLE, fill DOUBLE)")
        lake.executemany("INSERT INTO bin VALUES (?, ?, ?, ?, ?)", [[row[n] for n in names] for row in rows])
        columns = ", ".join(scope.column(name).sql("duckdb") for name in COLUMNS)
        found = lake.execute(f"SELECT {columns} FROM bin WHERE {scope.tree().sql('duckdb')}").fetchall()
    assert [list(row) for row in found] == expected
