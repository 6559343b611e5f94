"""Which warnings of others open a case: the city's own rule, ``cap.yaml``. Without the file none does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from cityloop.core.content import checked, fault_at, raise_faults, read_yaml
from cityloop.core.values import Frozen
from cityloop.watch.cap import CapMessage
from cityloop.watch.checking import Known
from cityloop.watch.rules import LEVELS, Category
from cityloop.watch.schemas import Level

FILE = "cap.yaml"


class CapCase(Frozen):
    """Messages that fit all that is given open a case of this matter, or join the one that is open for them."""

    sender: str | None = Field(default=None, max_length=120)
    category: Category | None = None
    event: str | None = Field(default=None, max_length=120)
    """Text within the event's name."""
    level: Level = "blue"
    """This level or beyond."""
    matter: str
    department: str

    def fits(self, message: CapMessage) -> bool:
        """Whether a message is one of these; an exercise opens no case."""
        named = self.event is None or self.event in message.title.zh or self.event in message.title.en
        sent = self.sender in (None, message.sender) and self.category in (None, *message.categories)
        grave = LEVELS.index(message.level) >= LEVELS.index(self.level)
        return message.status == "Actual" and named and sent and grave


class CapFile(Frozen):
    """``cap.yaml`` of a city; the first line that fits counts."""

    cases: tuple[CapCase, ...]


def case_of(cases: Sequence[CapCase], message: CapMessage) -> CapCase | None:
    """The line that a message falls under."""
    return next((case for case in cases if case.fits(message)), None)


def load_cap_cases(city: Path, known: Known) -> tuple[CapCase, ...]:
    """The lines of a city folder; none without a file. Raises :class:`ContentError` with every fault."""
    path = city / FILE
    if not path.exists():
        return ()
    value, lines = read_yaml(path)
    cases = checked(path, CapFile, value, lines).cases
    named = {"matter": known.matters, "department": known.departments}
    raise_faults(
        str(path),
        [
            fault_at(path, lines, ("cases", n, key), f"there is no {key} '{getattr(case, key)}'", "correct the key")
            for n, case in enumerate(cases)
            for key, names in named.items()
            if names is not None and getattr(case, key) not in names
        ],
    )
    return cases
