"""Writing a city's files: content files with the comment that stood above them, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def yaml_text(path: Path, schema: str, value: Any) -> str:
    """A content file as it would be: the comment above the old one, else the line that names its schema."""
    head = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        if not line.startswith("#"):
            break
        head.append(f"{line}\n")
    body: str = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=118)
    return "".join(head or [f"# yaml-language-server: $schema=../../schemas/{schema}.json\n"]) + body


def replace_file(path: Path, text: str) -> None:
    """Put a text in the place of a file; whoever reads meanwhile sees the old one whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8", newline="")
    beside.replace(path)
