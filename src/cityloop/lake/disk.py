"""Making files durable: what is acknowledged has reached the disk, and a name is given to one content only."""

from __future__ import annotations

import os
from pathlib import Path

from cityloop.core.ids import new_id


def force(path: Path) -> None:
    """Force a file's content, or a folder's list of names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def folder(path: Path, sync: bool) -> None:
    """Create a folder and make its name durable; an existing one is left alone."""
    if path.is_dir():
        return
    path.mkdir(parents=True, exist_ok=True)
    if sync:
        force(path.parent)


def put_if_absent(path: Path, content: bytes, sync: bool) -> bool:
    """Give ``path`` this content unless the name is taken; all or nothing, also across processes.

    ``link(2)`` fails when the name exists, on every POSIX file system; object stores need another writer.
    """
    draft = path.with_name(f".{new_id('tmp')}")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    if sync:
        force(path.parent)
    return True
