"""Code lists: what a code means, when it was valid, what stands above it; codes are found by code, title or synonym."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from cityloop.core.content import checked, fault_at, raise_faults, read_yaml
from cityloop.core.errors import ContentError, Fault
from cityloop.core.values import Frozen, Title

FILE = "code_lists.yaml"
Match = Literal["code", "title", "synonym"]
MATCHES: tuple[Match, ...] = ("code", "title", "synonym")


class Code(Frozen):
    """One code. It is valid from ``valid_from`` (included) to ``valid_to`` (not included); codes are never reused,
    but the same code may be listed again for another span, with another title."""

    code: str = Field(min_length=1, max_length=60)
    title: Title
    valid_from: date | None = None
    valid_to: date | None = None
    parent: str | None = None
    synonyms: tuple[str, ...] = ()

    @field_validator("code", mode="before")
    @classmethod
    def _text(cls, code: Any) -> Any:
        return str(code) if isinstance(code, int) and not isinstance(code, bool) else code

    @model_validator(mode="after")
    def _ordered(self) -> Code:
        if self.valid_from and self.valid_to and self.valid_from >= self.valid_to:
            raise ValueError(f"valid_from {self.valid_from} is not before valid_to {self.valid_to}")
        return self

    def valid(self, day: date) -> bool:
        """Whether the code is in force on that day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)


class CodeList(Frozen):
    """A list of codes; ``source`` names the standard it comes from. Long lists stand in a CSV ``file`` beside it."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)
    title: Title
    source: str = ""
    file: str | None = None
    kind: str | None = None
    """Of a file in the form of a catalogue (``class_code``, ``code``): the rows of this kind, below their classes."""
    codes: tuple[Code, ...] = ()

    @model_validator(mode="after")
    def _sound(self) -> CodeList:
        if self.codes and self.file:
            raise ValueError("give either codes or a file")
        known = {code.code for code in self.codes}
        spans: dict[str, list[Code]] = {}
        for code in self.codes:
            if code.parent is not None and code.parent not in known:
                raise ValueError(f"code '{code.code}': its parent '{code.parent}' is not in the list")
            if any(_overlap(code, other) for other in spans.setdefault(code.code, [])):
                raise ValueError(f"code '{code.code}' is listed twice for the same time")
            spans[code.code].append(code)
        _no_circle(self.codes)
        return self

    @cached_property
    def layers(self) -> Sequence[Sequence[Mapping[str, Code]]]:
        """How the list is searched: for each kind of match, names (folded) → code; a name that stands for several
        codes has one in every layer. Names of one kind and layer are unique."""
        return [self._layer(match) for match in MATCHES]

    def _layer(self, match: Match) -> list[dict[str, Code]]:
        layers: list[dict[str, Code]] = []
        for code in self.codes:
            for name in dict.fromkeys(_spelt(code, match)):
                layer = next((layer for layer in layers if name not in layer), None)
                if layer is None:
                    layers.append(layer := {})
                layer[name] = code
        return layers

    def names(self, matches: Sequence[Match] = MATCHES) -> list[Mapping[str, Code]]:
        """The layers of these kinds of match, in order: where an earlier one finds a valid code, it counts."""
        return [layer for match, found in zip(MATCHES, self.layers, strict=True) if match in matches for layer in found]

    def under(self, top: str) -> frozenset[str]:
        """A code and everything below it."""
        found, size = {top}, 0
        while size < len(found):
            size = len(found)
            found |= {code.code for code in self.codes if code.parent in found}
        return frozenset(found)


class CodeListsFile(Frozen):
    """The file ``code_lists.yaml`` of a pack or city."""

    code_lists: tuple[CodeList, ...] = ()


def folded(text: str) -> str:
    """A name as names are compared: wide forms, blanks and case made plain (NFKC)."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def load_code_lists(packs: Sequence[Path]) -> dict[str, CodeList]:
    """Read ``code_lists.yaml`` of every pack that has one; raise :class:`ContentError` with all faults."""
    found: dict[str, CodeList] = {}
    faults: list[Fault] = []
    for path in [pack / FILE for pack in packs if (pack / FILE).is_file()]:
        try:
            value, lines = read_yaml(path)
            for index, item in enumerate(checked(path, CodeListsFile, value, lines).code_lists):
                if item.id in found:
                    what = f"code list '{item.id}' is declared twice"
                    faults.append(fault_at(path, lines, ("code_lists", index, "id"), what, "keep one of the two"))
                found[item.id] = _filled(path.parent, item) if item.file else item
        except ContentError as error:
            faults += error.faults or [Fault(str(path), error.detail, error.mend)]
    raise_faults("the code lists", faults)
    return found


def _filled(folder: Path, item: CodeList) -> CodeList:
    """The list with the codes of its CSV: ``code, title_zh, title_en, valid_from, valid_to, parent, synonyms``."""
    path = folder / (item.file or "")
    if not path.is_file():
        raise ContentError(f"{path} is missing", f"code list '{item.id}' names it")
    faults: list[Fault] = []
    codes: list[Code] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        catalogue = "class_code" in (reader.fieldnames or ())
        for row in reader:
            try:
                codes += _entries(row, item.kind, codes) if catalogue else [_code(row)]
            except (ValidationError, KeyError) as error:
                what = error.errors()[0]["msg"] if isinstance(error, ValidationError) else f"no column {error}"
                faults.append(Fault(f"{path}:{reader.line_num}", what, "see docs/standard.md, code lists"))
    raise_faults(f"code list '{item.id}'", faults)
    try:
        return CodeList(id=item.id, title=item.title, source=item.source, kind=item.kind, codes=tuple(codes))
    except ValidationError as error:
        raise ContentError(f"{path} has 1 error(s)", faults=[Fault(str(path), error.errors()[0]["msg"])]) from error


def _entries(row: Mapping[str, str], kind: str | None, known: Sequence[Code]) -> list[Code]:
    """A row of a catalogue as a code below its class; the class itself where it is met first."""
    if kind is not None and row["kind"] != kind:
        return []
    top, title = row["class_code"], {"zh": row["class_zh"], "en": row["class_en"] or row["class_zh"]}
    parent = [] if any(code.code == top for code in known) else [Code.model_validate({"code": top, "title": title})]
    own = {"zh": row["zh"], "en": row["en"] or row["zh"]}
    names = _several(row.get("synonyms"))
    return [*parent, Code.model_validate({"code": row["code"], "title": own, "parent": top, "synonyms": names})]


def _code(row: Mapping[str, str]) -> Code:
    return Code.model_validate(
        {
            "code": row["code"],
            "title": {"zh": row["title_zh"], "en": row.get("title_en") or row["title_zh"]},
            "valid_from": row.get("valid_from") or None,
            "valid_to": row.get("valid_to") or None,
            "parent": row.get("parent") or None,
            "synonyms": _several(row.get("synonyms")),
        }
    )


def _several(text: str | None) -> list[str]:
    return [part for part in (text or "").split("|") if part]


def _spelt(code: Code, match: Match) -> Collection[str]:
    names = {"code": (code.code,), "title": (code.title.zh, code.title.en), "synonym": code.synonyms}[match]
    return [folded(name) for name in names]


def _overlap(a: Code, b: Code) -> bool:
    before = a.valid_to is not None and b.valid_from is not None and a.valid_to <= b.valid_from
    after = b.valid_to is not None and a.valid_from is not None and b.valid_to <= a.valid_from
    return not (before or after)


def _no_circle(codes: Sequence[Code]) -> None:
    parents = {code.code: code.parent for code in codes}
    for start, parent in parents.items():
        seen, here = {start}, parent
        while here is not None:
            if here in seen:
                raise ValueError(f"code '{start}': its parents form a circle")
            seen.add(here)
            here = parents.get(here)
