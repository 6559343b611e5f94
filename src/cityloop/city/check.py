"""Checking a city folder before it is put to use: all that loading checks, and the ground of its areas."""

from __future__ import annotations

from pathlib import Path

from cityloop.city.faults import Faults
from cityloop.city.loading import read_city
from cityloop.city.topology import flaws
from cityloop.core.errors import Fault


def check_folder(path: Path) -> list[Fault]:
    """Every fault of a city's own files, each with file, line, what is wrong and how to mend it."""
    faults = Faults()
    if not path.is_dir():
        faults.add(str(path), "there is no such folder", "name a folder that holds city.yaml, for example cities/demo")
        return faults.found
    loaded = read_city(path, faults)
    for flaw in flaws(loaded.areas) if loaded is not None else ():
        faults.found.append(flaw.at(f"{path}/areas {flaw.area}"))
    return faults.found
