"""Versions of schemes: content brings some, changes bring others; none is ever altered, one is in force."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cityloop.core import canonical
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import Conflict, ContentError, Fault, Invalid, NotFound
from cityloop.evaluate import expression
from cityloop.evaluate.content import Book, all_faults, counted, document, scheme_faults
from cityloop.evaluate.declarations import IndicatorDef, SchemeDef, SchemeDocument
from cityloop.evaluate.models import SchemeRow
from cityloop.evaluate.schemas import NewVersion, SchemeChange, SchemeView, VersionView

CONTENT, CHANGED = "content", "changed"


class Versions:
    """Finds, enters and changes versions."""

    def __init__(self, database: Database, book: Book) -> None:
        self._database = database
        self._book = book

    def open(self, now: datetime) -> None:
        """Enter the declared versions; refuses changed content under an old version."""
        with self._database.transaction() as tx:
            for scheme in self._book.schemes.values():
                self._enter(tx, document(self._book, scheme), now)

    def all(self) -> list[SchemeView]:
        """Every declared scheme."""
        with self._database.reading() as session:
            return [self.view(session, name) for name in self._book.schemes]

    def view(self, session: Session, scheme: str) -> SchemeView:
        """One scheme with its versions; raises :class:`NotFound`."""
        rows = self._rows(session, scheme)
        current = _read(rows[0])
        versions = [
            VersionView.model_validate(
                {name: getattr(row, name) for name in ("version", "origin", "created_at", "created_by", "reason")}
            )
            for row in rows
        ]
        return SchemeView(
            id=scheme,
            title=current.scheme.title,
            objects=list(current.scheme.objects),
            version=current.scheme.version,
            versions=versions,
            document=current,
        )

    def document(self, session: Session, scheme: str, version: str | None = None) -> SchemeDocument:
        """The version in force, or a named one; raises :class:`NotFound`."""
        rows = self._rows(session, scheme)
        found = next((row for row in rows if version in (None, row.version)), None)
        if found is None:
            known = ", ".join(row.version for row in rows)
            raise NotFound(f"scheme '{scheme}' has no version '{version}'", f"one of: {known}")
        return _read(found)

    def changed(self, base: SchemeDocument, change: SchemeChange, version: str) -> SchemeDocument:
        """The document of a change; raises :class:`Invalid` with every fault, and when nothing is changed."""
        book = self._with(change)
        scheme = _scheme(base, change, version)
        faults = all_faults("change", scheme_faults(book, scheme))
        unknown = sorted(set(change.points) - {item.id for item in base.scheme.items})
        known = ", ".join(item.id for item in base.scheme.items)
        faults += [Fault(f"change.points.{name}", f"there is no item '{name}'", f"one of: {known}") for name in unknown]
        if faults:
            raise Invalid("the changed scheme has faults", "correct the fields that are named", faults)
        found = self._document(book, base, scheme, change)
        if _content(found) == _content(base):
            raise Invalid("the change changes nothing", "change points, items, indicators, grades, ties or samples")
        return found

    def apply(self, tx: Transaction, scheme: str, wish: NewVersion, actor: str, now: datetime) -> SchemeDocument:
        """Put a change into force; raises :class:`Conflict` when the base is not in force or the version exists."""
        rows = self._rows(tx.session, scheme)
        if rows[0].version != wish.base:
            detail = f"version {rows[0].version} of '{scheme}' is in force, the change is based on {wish.base}"
            raise Conflict(detail, "explain the change again on the version in force")
        if any(row.version == wish.version for row in rows):
            raise Conflict(f"'{scheme}' has a version '{wish.version}' already", "choose another name")
        base = _read(rows[0])
        found = self.changed(base, wish.change, wish.version)
        if plan_of(base, wish.change) != wish.plan:
            mend = "ask for a what-if of exactly this change and look at it first"
            raise Invalid("the plan does not belong to this change", mend, [Fault("plan", "another change", mend)])
        self._write(tx, found, CHANGED, rows[0].seq + 1, now, actor, wish.reason)
        return found

    def _with(self, change: SchemeChange) -> Book:
        """The book with the changed formulas laid over; their counts must be declared."""
        versions = {**self._book.versions}
        indicators = {**self._book.indicators}
        faults = []
        for number, indicator in enumerate(change.indicators):
            if indicator.key in versions and versions[indicator.key] != indicator:
                what = f"'{indicator.key}' is declared with another formula"
                faults.append(Fault(f"change.indicators.{number}", what, "give the variant a version of its own"))
            versions[indicator.key] = indicators[indicator.id] = indicator
            faults += _formula_faults(self._book, indicator, number)
        if faults:
            raise Invalid("the changed indicators have faults", "correct the fields that are named", faults)
        book: dict[str, Any] = {**vars(self._book), "versions": versions, "indicators": indicators}
        return Book(**book)

    def _document(self, book: Book, base: SchemeDocument, scheme: SchemeDef, change: SchemeChange) -> SchemeDocument:
        """What the change does not touch keeps the formulas of its base, not those that content has since."""
        fresh = document(book, scheme)
        touched = {indicator.id for indicator in change.indicators}
        indicators = {
            name: base.indicators.get(name, found) if found.id not in touched else found
            for name, found in fresh.indicators.items()
        }
        names = [name for found in indicators.values() for name in counted(found)]
        counts = {
            name: base.counts.get(name) or book.counts[name]
            for name in dict.fromkeys([*scheme.tie, *scheme.listed, *names])
        }
        used = dict.fromkeys(name for count in counts.values() for name in count.exemptions)
        exemptions = {name: base.exemptions.get(name) or book.exemptions[name] for name in used}
        return SchemeDocument(scheme=scheme, indicators=indicators, counts=counts, exemptions=exemptions)

    def _rows(self, session: Session, scheme: str) -> list[SchemeRow]:
        query = select(SchemeRow).where(SchemeRow.scheme == scheme).order_by(SchemeRow.seq.desc())
        rows = list(session.scalars(query)) if scheme in self._book.schemes else []
        if not rows:
            known = ", ".join(self._book.schemes) or "none"
            raise NotFound(f"there is no scheme '{scheme[:60]}'", f"schemes of this city: {known}")
        return rows

    def _enter(self, tx: Transaction, found: SchemeDocument, now: datetime) -> None:
        scheme = found.scheme
        known = tx.session.get(SchemeRow, (scheme.id, scheme.version))
        if known is not None:
            if known.digest != _digest(found):
                raise ContentError(
                    f"scheme '{scheme.id}' version {scheme.version} has changed since it was used",
                    "raise the version of the scheme (or of the indicator it names) in evaluation.yaml",
                )
            return
        query = select(func.max(SchemeRow.seq)).where(SchemeRow.scheme == scheme.id)
        self._write(tx, found, CONTENT, (tx.session.scalar(query) or 0) + 1, now, "content", "evaluation.yaml")

    def _write(
        self, tx: Transaction, found: SchemeDocument, origin: str, seq: int, now: datetime, actor: str, reason: str
    ) -> None:
        row = SchemeRow(
            scheme=found.scheme.id,
            version=found.scheme.version,
            seq=seq,
            document=found.model_dump(mode="json"),
            digest=_digest(found),
            origin=origin,
            created_at=now,
            created_by=actor,
            reason=reason,
        )
        tx.session.add(row)


def plan_of(base: SchemeDocument, change: SchemeChange) -> str:
    """What ties an application to its explanation: the base as it stands, and the very change."""
    return canonical.digest({"base": _digest(base), "change": change.model_dump(mode="json")})


def _scheme(base: SchemeDocument, change: SchemeChange, version: str) -> SchemeDef:
    given = change.model_dump(mode="json", exclude={"points", "indicators"}, exclude_none=True)
    value: dict[str, Any] = {**base.scheme.model_dump(mode="json"), **given, "version": version}
    value["items"] = [_item(item, change.points) for item in value["items"]]
    try:
        return SchemeDef.model_validate(value)
    except ValueError as error:
        fault = Fault("change", str(error), "see docs/evaluate.md")
        raise Invalid("the changed scheme has faults", "correct the fields that are named", [fault]) from error


def _item(item: Mapping[str, Any], points: Mapping[str, float]) -> dict[str, Any]:
    return {**item, "points": points.get(str(item["id"]), item["points"])}


def _formula_faults(book: Book, indicator: IndicatorDef, number: int) -> list[Fault]:
    texts = {"numerator": indicator.numerator, "denominator": indicator.denominator}
    return [
        Fault(f"change.indicators.{number}.{name}", what, "see docs/evaluate.md")
        for name, text in texts.items()
        if text is not None
        for what in expression.faults(text, book.counts)
    ]


def _content(found: SchemeDocument) -> dict[str, Any]:
    value = found.model_dump(mode="json")
    value["scheme"].pop("version")
    return value


def _digest(found: SchemeDocument) -> str:
    return canonical.digest(found.model_dump(mode="json"))


def _read(row: SchemeRow) -> SchemeDocument:
    return SchemeDocument.model_validate(row.document)
