"""What a data folder holds, opened: its lake, and the lock that keeps a second process out."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

from cityloop.core.errors import Conflict
from cityloop.core.settings import Settings
from cityloop.lake.service import Lake


def open_lake(settings: Settings) -> Lake:
    """The lake in the data folder, as the settings want it."""
    return Lake(
        settings.data / "lake",
        settings.sync,
        engine=settings.lake_engine,
        keep_hours=settings.lake_keep_hours,
        log_days=settings.lake_log_days,
    )


def occupy(data: Path) -> IO[str]:
    """Take the data folder for this process; raises :class:`Conflict` when another one has it."""
    data.mkdir(parents=True, exist_ok=True)
    lock = (data / "cityloop.lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise Conflict(f"the data folder {data} is in use by another cityloop", "stop it, or choose --data") from error
    return lock
