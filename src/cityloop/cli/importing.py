"""Commands that read what departments keep in sheets: first what would change, then into the city's files or store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from cityloop.cli.common import DataOption, JsonOption, clear, data_folder, print_result
from cityloop.core.errors import Problem
from cityloop.core.settings import Settings

if TYPE_CHECKING:
    from cityloop.city.sheet import SheetPlan

app = typer.Typer(no_args_is_help=True, help="Read sheets of departments into a city.")
FileArg = Annotated[Path | None, typer.Argument(help="Excel or CSV.")]
CityOption = Annotated[Path, typer.Option(help="Folder of the city.")]
SheetOption = Annotated[str | None, typer.Option(help="Sheet of a workbook (default: the first with a table).")]
WriteOption = Annotated[bool, typer.Option("--write", help="Carry it out; without it nothing is written.")]
TemplateOption = Annotated[Path | None, typer.Option(help="Write an empty sheet (.xlsx) to this file instead.")]
DatumOption = Annotated[str, typer.Option(help="Datum of the coordinates: wgs84, cgcs2000, gcj02 or bd09.")]
_DEMO = Path("cities/demo")
_MOST = 20


@app.command("limits")
@clear
def limits(
    file: FileArg = None,
    city: CityOption = _DEMO,
    sheet: SheetOption = None,
    write: WriteOption = False,
    template: TemplateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which limits a sheet would change and which cells cannot be read; with --write change the city's file."""
    from cityloop.serve.limits import import_limits

    if _template("limits", template):
        return
    plan, target = import_limits(city, _given(file), sheet, write)
    if as_json:
        print_result(plan.model_dump(mode="json"), True)
        return
    for change in plan.changes:
        print(f"{change.matter}  {change.title.zh}  {change.before or '-'} → {change.after}  ({change.lines})")
    for reading in plan.readings:
        print(f"{reading.where}: '{reading.text}' = {reading.read_as.zh} / {reading.read_as.en}")
    for fault in plan.faults:
        print(f"{fault.where}: {fault.what} ({fault.mend})")
    print(f"{plan.rows} rows, {plan.read} read, {len(plan.changes)} matters change, {len(plan.faults)} not read")
    _tell_written([target] if target else [])


@app.command("areas")
@clear
def areas(
    file: FileArg = None,
    city: CityOption = _DEMO,
    sheet: SheetOption = None,
    datum: DatumOption = "wgs84",
    write: WriteOption = False,
    template: TemplateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Areas down to the grid cell, from Excel, CSV or GeoJSON: codes by level, overlaps and gaps in square metres."""
    from cityloop.serve.importing.areas import import_areas

    if not _template("areas", template):
        plan, files = import_areas(city, _given(file), sheet, _datum(datum), write)
        _tell(plan, as_json, [str(path) for path in files])


@app.command("departments")
@clear
def departments(
    file: FileArg = None,
    city: CityOption = _DEMO,
    sheet: SheetOption = None,
    write: WriteOption = False,
    template: TemplateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Departments with their codes and calendars; those that the sheet leaves out stay."""
    from cityloop.serve.importing.departments import import_departments

    if not _template("departments", template):
        plan, files = import_departments(city, _given(file), sheet, write)
        _tell(plan, as_json, [str(path) for path in files])


@app.command("responsibility")
@clear
def responsibility(
    file: FileArg = None,
    city: CityOption = _DEMO,
    sheet: SheetOption = None,
    write: WriteOption = False,
    template: TemplateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who is responsible for which matter where: the sheet is the whole table, the first row that fits decides."""
    from cityloop.serve.importing.responsibility import import_responsibility

    if not _template("responsibility", template):
        plan, files = import_responsibility(city, _given(file), sheet, write)
        _tell(plan, as_json, [str(path) for path in files])


@app.command("addresses")
@clear
def addresses(
    file: FileArg = None,
    city: CityOption = _DEMO,
    sheet: SheetOption = None,
    datum: DatumOption = "wgs84",
    write: WriteOption = False,
    template: TemplateOption = None,
    as_json: JsonOption = False,
) -> None:
    """The register of standard addresses with their points; those that the sheet leaves out stay."""
    from cityloop.serve.importing.addresses import import_addresses

    if not _template("addresses", template):
        plan, files = import_addresses(city, _given(file), sheet, _datum(datum), write)
        _tell(plan, as_json, [str(path) for path in files])


@app.command("accounts")
@clear
def accounts(
    file: FileArg = None,
    city: CityOption = _DEMO,
    data: DataOption = None,
    sheet: SheetOption = None,
    write: WriteOption = False,
    template: TemplateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accounts of the staff. A new one gets a password, told once, that must be changed at the first sign-in."""
    from cityloop.serve.importing.accounts import import_accounts

    if not _template("accounts", template):
        settings = Settings(city=city, data=data_folder(city, data))
        plan, passwords = import_accounts(settings, _given(file), sheet, write)
        _tell(plan, as_json, [f"accounts in {settings.data}"] if write else [], {"passwords": passwords})


@app.command("components")
@clear
def components(
    file: FileArg = None,
    city: CityOption = _DEMO,
    data: DataOption = None,
    sheet: SheetOption = None,
    feed: Annotated[str, typer.Option(help="Feed that the rows belong to.")] = "components",
    write: WriteOption = False,
    template: TemplateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Components with class, owner and place, from Excel, CSV or GeoJSON; what the feed refuses lies in quarantine."""
    from cityloop.serve.importing.components import import_components

    if not _template("components", template):
        settings = Settings(city=city, data=data_folder(city, data))
        plan, pushed = import_components(settings, _given(file), sheet, feed, write)
        counts = {"accepted": pushed.accepted, "quarantined": pushed.quarantined, "duplicate": pushed.duplicate}
        _tell(plan, as_json, [f"feed {feed} in {settings.data}"] if write else [], counts if write else {})


def _template(kind: str, file: Path | None) -> bool:
    """Write the empty sheet of a kind, when that is what was asked for."""
    if file is None:
        return False
    from cityloop.serve.importing.kinds import KINDS
    from cityloop.serve.importing.template import write_template

    write_template(KINDS[kind], file)
    print(file)
    return True


def _given(file: Path | None) -> Path:
    if file is None:
        raise Problem(
            "no file was named", "name an Excel or CSV file, or ask for an empty one with --template FILE.xlsx"
        )
    return file


def _datum(text: str) -> str:
    from cityloop.standard.declarations import DatumName

    if text not in get_args(DatumName):
        raise Problem(f"there is no datum '{text}'", f"one of: {', '.join(get_args(DatumName))}")
    return text


def _tell(plan: SheetPlan, as_json: bool, written: Sequence[str], more: Mapping[str, Any] | None = None) -> None:
    """The plan for people, or as one JSON object; lists are cut for people, never for JSON."""
    if as_json:
        print_result({**plan.model_dump(mode="json"), "written": list(written), **(more or {})}, True)
        return
    for row in plan.first:
        print("  ".join(f"{name}={text}" for name, text in row.items() if text))
    for change in plan.changes[:_MOST]:
        sides = f"{change.before} → {change.after}" if change.before else change.after
        print(f"{change.change}  {change.key}  {sides}".rstrip())
    if len(plan.changes) > _MOST:
        print(f"… and {len(plan.changes) - _MOST} more changes (--json tells them all)")
    for line in [*plan.notes, *(f"{fault.where}: {fault.what} ({fault.mend})" for fault in plan.faults)]:
        print(line)
    counts = f"{len(plan.changes)} changes, {plan.same} the same, {plan.kept} kept, {len(plan.faults)} faults"
    print(f"{plan.rows} rows, {plan.understood} understood, {counts}")
    for name, value in (more or {}).items():
        _tell_more(name, value)
    _tell_written(written)


def _tell_more(name: str, value: Any) -> None:
    if not isinstance(value, dict):
        print(f"{name}: {value}")
        return
    for key, text in value.items():
        print(f"{key}\t{text}")
    if value:
        print(f"{len(value)} {name}, told only this once; each must be changed at the first sign-in")


def _tell_written(written: Sequence[Any]) -> None:
    print(f"written: {', '.join(map(str, written))}" if written else "nothing was written; --write carries it out")
