"""Where attachments lie: by the hash of their content. A folder here; a bucket can take its place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from cityloop.core.ids import new_id


class Files(Protocol):
    """A store of bytes by name; a name is written once and never changed."""

    def put(self, name: str, content: bytes) -> None:
        """Keep ``content`` under ``name``; done again it changes nothing. It is durable when this returns."""

    def get(self, name: str) -> bytes | None:
        """The bytes, or ``None``."""


class Folder:
    """Files in a folder, in 256 sub-folders, each written beside and moved into place."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, name: str, content: bytes) -> None:
        """See :class:`Files`."""
        path = self._path(name)
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(new_id("part"))
        with beside.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)

    def get(self, name: str) -> bytes | None:
        """See :class:`Files`."""
        path = self._path(name)
        return path.read_bytes() if path.is_file() else None

    def _path(self, name: str) -> Path:
        return self._root / name[:2] / name
