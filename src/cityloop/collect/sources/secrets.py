"""Secrets never stand in content files: a declaration names where they are, ``env:NAME`` or ``file:PATH``."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from cityloop.collect.sources.trouble import SourceTrouble

_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+")


def is_reference(text: str) -> bool:
    """Whether a text names a place instead of being the value."""
    return bool(_REFERENCE.fullmatch(text))


def _reference(text: str) -> str:
    if not is_reference(text):
        raise ValueError("a secret does not belong into a file of content; write env:NAME or file:PATH")
    return text


SecretReference = Annotated[str, AfterValidator(_reference)]


def resolved(text: str | None) -> str | None:
    """The value behind a reference; a plain text stands for itself. Raises :class:`SourceTrouble`."""
    if text is None or not is_reference(text):
        return text
    kind, _, name = text.partition(":")
    if kind == "env":
        value = os.environ.get(name)
        if value is None:
            raise SourceTrouble(f"the environment variable {name} is not set", "set it for the server's process")
        return value
    try:
        return Path(name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceTrouble(f"the secret in {name} cannot be read: {error}", "check the file and its owner") from error
