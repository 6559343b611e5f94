"""Training beside a running city happens in a process of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cityloop.core.settings import Settings
from cityloop.serve.training import CASES, Apprentice
from tests.running import ROOT

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def apprentice(city: Path, data: Path) -> Apprentice:
    looks = iter([(CASES,)])
    return Apprentice(Settings(city=city, data=data, train_hours=24), lambda _: next(looks, ()), lambda: NOW)


def ended(trainer: Apprentice) -> None:
    assert trainer._child is not None
    trainer._child.join(timeout=120)


def test_a_training_that_is_due_runs_once_beside_the_city(tmp_path: Path) -> None:
    trainer = apprentice(ROOT / "cities" / "demo", tmp_path)
    trainer.step()
    ended(trainer)
    trainer.step()
    trainer.step()
    assert trainer._child is None
    assert (tmp_path / "cityloop.db").exists(), "it opened the city's own store"


def test_a_training_that_fails_is_a_trouble_of_the_house(tmp_path: Path) -> None:
    trainer = apprentice(tmp_path / "nowhere", tmp_path)
    trainer.step()
    ended(trainer)
    with pytest.raises(RuntimeError, match="cityloop train"):
        trainer.step()


def test_stopping_ends_a_running_training(tmp_path: Path) -> None:
    trainer = apprentice(ROOT / "cities" / "demo", tmp_path)
    trainer.step()
    trainer.stop()
    assert trainer._child is not None and not trainer._child.is_alive()
