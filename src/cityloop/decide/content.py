"""Decision tables of packs: ``decisions/*.dmn``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cityloop.core.content import raise_faults
from cityloop.core.errors import ContentError, Fault
from cityloop.decide.phrases import PHRASES
from cityloop.decide.ready import Ready, prepare
from cityloop.decide.schemas import TableFinding


@dataclass(frozen=True)
class PackTable:
    """A table as its pack declares it."""

    id: str
    pack: str
    ready: Ready


def load_decisions(packs: Sequence[Path]) -> Mapping[str, PackTable]:
    """All tables of the packs by id; raises :class:`ContentError` with every fault and every error of the check."""
    found: dict[str, PackTable] = {}
    faults: list[Fault] = []
    for pack in packs:
        for path in sorted((pack / "decisions").glob("*.dmn")):
            where = f"{pack.name}/decisions/{path.name}"
            ready = prepare(_text(path), where)
            faults += ready.faults or [
                _fault(where, finding) for finding in ready.findings if finding.weight == "error"
            ]
            id = ready.id or ""
            if id in found:
                faults.append(PHRASES.fault(where, "id-twice", id=id))
            found.setdefault(id, PackTable(id, pack.name, ready))
    raise_faults("decisions", faults)
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ContentError(f"{path} is not UTF-8", "save the file as UTF-8") from error


def _fault(where: str, finding: TableFinding) -> Fault:
    return Fault(
        f"{where} {finding.decision}", finding.said.en, finding.remedy.en, finding.code, finding.said, finding.remedy
    )
