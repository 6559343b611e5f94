"""The table of rules in docs/open311.md names tests that exist, and leaves none out."""

from __future__ import annotations

import re
from pathlib import Path

from cityloop.serve.open311.content import Open311File, Recipient

ROOT = Path(__file__).parents[2]
WRITTEN = ("test_open311.py", "test_open311_updates.py", "test_open311_sending.py")


def test_every_rule_names_a_test_and_every_test_a_rule() -> None:
    page = (ROOT / "docs" / "open311.md").read_text(encoding="utf-8")
    files = [ROOT / "tests" / "serve" / name for name in WRITTEN]
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    written = set(re.findall(r"^def (test_\w+)", source, re.MULTILINE))
    assert set(re.findall(r"`(test_\w+)`", page)) == written


def test_every_key_of_the_file_is_documented() -> None:
    page = (ROOT / "docs" / "open311.md").read_text(encoding="utf-8")
    assert [key for key in [*Open311File.model_fields, *Recipient.model_fields] if f"`{key}`" not in page] == []
