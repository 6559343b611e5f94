"""A trained model on disk: a numbered folder with a card, plain arrays and plain text. Nothing in it can run code.

No pickle: arrays are read with ``allow_pickle=False``, words are JSON, trees are the text of LightGBM. The card names
the SHA-256 of every file, and a file that differs is refused.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from cityloop.core.errors import ContentError
from cityloop.core.ids import new_id
from cityloop.core.values import Frozen, Instant, Title

ARRAYS, WORDS, TREES, CARD = "arrays.npz", "words.json", "trees.txt", "card.json"


class Card(Frozen):
    """What a person must know of a model before trusting it."""

    name: str
    version: int
    title: Title
    trained_at: Instant
    trained_by: str
    rows: int
    first: Instant
    last: Instant
    """Opening of the oldest and of the newest case it was trained on."""
    features: tuple[str, ...]
    metrics: Mapping[str, float | None]
    """Measured on cases that the measured model had not seen; the key says what."""
    left_out: Mapping[str, int] = {}
    """Rows that were not used, by reason."""
    seed: int
    libraries: Mapping[str, str]
    files: Mapping[str, str] = {}
    """SHA-256 by file."""


@dataclass(frozen=True)
class Parts:
    """The content of a model: named arrays, JSON values, and the text of trees."""

    arrays: Mapping[str, np.ndarray[Any, Any]]
    words: Mapping[str, Any]
    trees: str = ""


def versions(folder: Path, name: str) -> list[int]:
    """The whole versions of a model, oldest first; a half-written folder does not count."""
    found = (folder / name).glob("[0-9]*/" + CARD)
    return sorted(int(path.parent.name) for path in found if path.parent.name.isdigit())


def save(folder: Path, card: Card, parts: Parts) -> Card:
    """Write a version beside the others and then give it its place at once; returns the card with its digests."""
    target = folder / card.name / f"{card.version:04}"
    draft = folder / card.name / f".{new_id('model')}"
    draft.mkdir(parents=True)
    try:
        np.savez_compressed(draft / ARRAYS, allow_pickle=False, **parts.arrays)
        (draft / WORDS).write_text(json.dumps(parts.words, ensure_ascii=False, sort_keys=True), encoding="utf-8")
        (draft / TREES).write_text(parts.trees, encoding="utf-8")
        whole = card.model_copy(update={"files": {name: _digest(draft / name) for name in (ARRAYS, WORDS, TREES)}})
        (draft / CARD).write_text(whole.model_dump_json(indent=1), encoding="utf-8")
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return whole


def read_card(folder: Path, name: str, version: int) -> Card:
    """The card of a version; raises :class:`ContentError` naming the file and what is wrong with it."""
    path = folder / name / f"{version:04}" / CARD
    try:
        return Card.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise ContentError(f"{path} is no model card: {error}", "delete this version or train anew") from error


def load(folder: Path, name: str, version: int) -> tuple[Card, Parts]:
    """A version with its card; raises :class:`ContentError` when a file is missing or is not the one of the card."""
    card = read_card(folder, name, version)
    place = folder / name / f"{version:04}"
    for file in (ARRAYS, WORDS, TREES):
        if not (place / file).is_file() or _digest(place / file) != card.files.get(file):
            raise ContentError(f"{place / file} is not the file that its card names", "delete it or train anew")
    with np.load(place / ARRAYS, allow_pickle=False) as arrays:
        found = {key: arrays[key] for key in arrays.files}
    words = json.loads((place / WORDS).read_text(encoding="utf-8"))
    return card, Parts(found, words, (place / TREES).read_text(encoding="utf-8"))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
