"""Models on disk: whole or not at all, and never anything that runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from cityloop.core.errors import ContentError
from cityloop.core.values import Title
from cityloop.learn.artefact import ARRAYS, CARD, Card, Parts, load, save, versions

NOON = datetime(2026, 3, 9, 4, tzinfo=UTC)
PARTS = Parts({"weights": np.arange(3.0)}, {"classes": ["路面"]}, "trees")


def card(version: int = 1) -> Card:
    return Card(
        name="matter", version=version, title=Title(zh="分类", en="Matter"), trained_at=NOON, trained_by="system",
        rows=3, first=NOON, last=NOON, features=("text",), metrics={"accuracy": 1.0, "threshold": None}, seed=1,
        libraries={"numpy": "2"},
    )  # fmt: skip


def test_a_version_comes_back_as_it_was(tmp_path: Path) -> None:
    saved = save(tmp_path, card(), PARTS)
    back, parts = load(tmp_path, "matter", 1)
    assert back == saved and parts.words == PARTS.words and parts.trees == "trees"
    assert parts.arrays["weights"].tolist() == [0, 1, 2]


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    save(tmp_path, card(), PARTS)
    (tmp_path / "matter/0001" / ARRAYS).write_bytes(b"other")
    with pytest.raises(ContentError, match="not the file that its card names"):
        load(tmp_path, "matter", 1)


def test_a_pickle_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pickle"):
        save(tmp_path, card(), Parts({"words": np.array([{}], dtype=object)}, {}))
    assert versions(tmp_path, "matter") == [] and list((tmp_path / "matter").iterdir()) == []


def test_a_half_written_version_does_not_count(tmp_path: Path) -> None:
    save(tmp_path, card(), PARTS)
    (tmp_path / "matter/0002").mkdir()
    assert versions(tmp_path, "matter") == [1]


def test_a_broken_card_says_where(tmp_path: Path) -> None:
    save(tmp_path, card(), PARTS)
    (tmp_path / "matter/0001" / CARD).write_text("{}", encoding="utf-8")
    with pytest.raises(ContentError, match=r"card\.json is no model card"):
        load(tmp_path, "matter", 1)
