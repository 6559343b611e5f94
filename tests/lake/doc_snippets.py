"""The programs that docs/lake.md shows; each leaves what it found in ``answer``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "lake.md").read_text(encoding="utf-8")
SNIPPETS: list[str] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def snippet(word: str) -> str:
    """The one snippet that imports ``word``."""
    (found,) = [text for text in SNIPPETS if re.match(rf"(from|import) {word}\b", text) or f"from {word}." in text]
    return found


def run(text: str) -> Any:
    """Run a snippet; return its answer."""
    names: dict[str, Any] = {}
    exec(compile(text, "docs/lake.md", "exec"), names)  # the page is our own
    return names["answer"]
