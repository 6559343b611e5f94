"""Saved filters belong to one account and are kept whole."""

from __future__ import annotations

import pytest

from cityloop.access.audit import Audit
from cityloop.access.saved import SavedView, SavedViews, ViewKeeper
from cityloop.core.database import Database
from cityloop.core.errors import Invalid

RED = SavedView(place="desk", name="超期", query={"light": "red"})
MINE = SavedView(place="desk", name="福田", query={"area": "440304"})


def test_an_account_finds_its_own_views_again_in_their_order(database: Database) -> None:
    keeper = ViewKeeper(database, Audit(database))
    keeper.put("zhou", SavedViews(views=[RED, MINE]))
    keeper.put("li", SavedViews(views=[MINE]))
    assert keeper.of("zhou").views == [RED, MINE]
    assert keeper.of("wang").views == []
    keeper.put("zhou", SavedViews(views=[]))
    assert keeper.of("zhou").views == [] and keeper.of("li").views == [MINE]


def test_a_name_stands_for_one_view_of_a_screen(database: Database) -> None:
    keeper = ViewKeeper(database, Audit(database))
    with pytest.raises(Invalid) as refused:
        keeper.put("zhou", SavedViews(views=[RED, MINE, RED]))
    assert refused.value.faults[0].where == "views.2.name"
    assert keeper.of("zhou").views == []
