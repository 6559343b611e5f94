"""Deny by default: what is not granted is refused, with the reason and who could."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, String, Table, create_engine, insert, select

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.door import Door, Protected
from cityloop.access.policy import Policy, Post, Sight
from cityloop.access.predicates import Both, Either, Everything, In, Nothing, Predicate, Under, lets, tree, where
from cityloop.core.errors import AccessDenied
from cityloop.core.values import Title

POLICY = Policy(
    posts={
        "acceptor": Post(title=Title(zh="受理员", en="Acceptor"), may=("case.accept",), sees={"case": Sight()}),
        "handler": Post(
            title=Title(zh="处置人员", en="Handler"),
            sees={"case": Sight(rows=("own_department", "own"), mask={"phone": "phone", "name": "name"})},
        ),
        "street": Post(title=Title(zh="街道", en="Street"), sees={"case": Sight(rows=("own_areas",))}),
    }
)


def door() -> Door:
    made = Door(POLICY)
    made.register(Protected("case", department="department", area="area", owners=("handler",)))
    return made


def actor(*posts: str, department: str | None = None, areas: tuple[str, ...] = ()) -> Actor:
    return Actor(id="li", name=Title(zh="李", en="Li"), posts=posts, department=department, areas=areas)


def test_an_entity_nobody_registered_is_refused_even_to_the_platform() -> None:
    with pytest.raises(AccessDenied, match="no registered scope"):
        door().scope(SYSTEM, "salary")


def test_an_actor_without_a_post_sees_nothing() -> None:
    with pytest.raises(AccessDenied, match="no post") as refusal:
        door().scope(actor(), "case")
    assert refusal.value.document()["able"] == ["acceptor", "handler", "street"]


def test_a_handler_sees_the_own_department_with_personal_fields_covered() -> None:
    scope = door().scope(actor("handler", department="water"), "case")
    assert scope.lets({"department": "water", "handler": "x"})
    assert scope.lets({"department": "police", "handler": "li"})
    assert not scope.lets({"department": "police", "handler": "x"})
    assert scope.cover({"phone": "13812345678", "name": "欧阳小明", "id": 1}) == {
        "phone": "138****5678",
        "name": "欧阳**",
        "id": 1,
    }


def test_the_clearest_post_decides_on_masks_and_the_rows_add_up() -> None:
    scope = door().scope(actor("handler", "acceptor", department="water"), "case")
    assert scope.masks == {}
    assert scope.lets({"department": "police"})


def test_a_handler_without_a_department_sees_only_what_is_assigned() -> None:
    assert not door().scope(actor("handler"), "case").lets({"department": None, "handler": "x"})


def test_a_street_sees_its_areas_and_all_below() -> None:
    scope = door().scope(actor("street", areas=("440304",)), "case")
    assert scope.lets({"area": "440304000000012"})
    assert not scope.lets({"area": "440305000000012"})
    assert not scope.lets({"area": None})


def test_a_missing_permission_names_who_holds_it() -> None:
    with pytest.raises(AccessDenied) as caught:
        door().permit(actor("handler"), "case.accept")
    assert "acceptor" in caught.value.mend
    door().permit(actor("acceptor"), "case.accept")


def test_scopes_with_different_sight_have_different_cache_keys() -> None:
    one = door().scope(actor("handler", department="water"), "case")
    two = door().scope(actor("handler", department="police"), "case")
    assert one.key != two.key


VALUES = st.sampled_from(["440304", "440304000000001", "440305", "it's", "%", "_4", ""])
LEAVES: st.SearchStrategy[Predicate] = st.one_of(
    st.just(Everything()),
    st.just(Nothing()),
    st.builds(In, st.just("area"), st.lists(VALUES, min_size=1, max_size=3).map(tuple)),
    st.builds(Under, st.just("area"), st.lists(VALUES.filter(bool), min_size=1, max_size=3).map(tuple)),
)
PREDICATES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(tuple).map(Both),
        st.lists(inner, min_size=1, max_size=3).map(tuple).map(Either),
    ),
    max_leaves=6,
)
TABLE = Table("place", MetaData(), Column("area", String))
ENGINE = create_engine("sqlite://")


@given(predicate=PREDICATES, rows=st.lists(st.one_of(st.none(), VALUES), max_size=6))
def test_python_sqlite_and_the_lake_read_a_filter_alike(predicate: Predicate, rows: list[Any]) -> None:
    expected = sorted(str(row) for row in rows if lets(predicate, {"area": row}))
    with ENGINE.connect() as connection:
        TABLE.create(connection)
        if rows:
            connection.execute(insert(TABLE), [{"area": row} for row in rows])
        found = connection.execute(select(TABLE.c.area).where(where(predicate, {"area": TABLE.c.area}))).scalars()
        assert sorted(str(row) for row in found) == expected
        connection.rollback()
        TABLE.drop(connection)
    with duckdb.connect() as lake:
        lake.execute("CREATE TABLE place (area VARCHAR)")
        if rows:
            lake.executemany("INSERT INTO place VALUES (?)", [[row] for row in rows])
        query = f"SELECT area FROM place WHERE {tree(predicate).sql(dialect='duckdb')}"
        assert sorted(str(row[0]) for row in lake.execute(query).fetchall()) == expected
