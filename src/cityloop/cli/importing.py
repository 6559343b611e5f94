"""Commands that read what departments keep in sheets: first what would change, then into the city's files or store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cityloop.cli.common import DataOption, JsonOption, clear, data_folder, print_result
from cityloop.core.errors import Problem
from cityloop.core.settings import Settings

if TYPE_CHECKING:
    from cityloop.city.sheet import SheetPlan
    from cityloop.serve.importing.plans import Draft
    from cityloop.serve.importing.sent import Sent

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
    plan, target = import_limits(city, _named(file), sheet, write)
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
    from cityloop.serve.importing.areas import read_area_sheet

    if not _template("areas", template):
        sent = _given(file, sheet, datum)
        _tell_draft(read_area_sheet(city, sent), sent, write, as_json)


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
    from cityloop.serve.importing.departments import read_departments

    if not _template("departments", template):
        sent = _given(file, sheet)
        _tell_draft(read_departments(city, sent), sent, write, as_json)


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
    from cityloop.serve.importing.responsibility import read_responsibility

    if not _template("responsibility", template):
        sent = _given(file, sheet)
        _tell_draft(read_responsibility(city, sent), sent, write, as_json)


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
    from cityloop.serve.importing.addresses import read_address_sheet

    if not _template("addresses", template):
        sent = _given(file, sheet, datum)
        _tell_draft(read_address_sheet(city, sent), sent, write, as_json)


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
    from cityloop.access.actor import SYSTEM
    from cityloop.city.service import City
    from cityloop.core.clock import SystemClock
    from cityloop.serve.importing.accounts import read_staff
    from cityloop.serve.users import open_accounts

    if not _template("accounts", template):
        settings, sent = Settings(city=city, data=data_folder(city, data)), _given(file, sheet)
        accounts = open_accounts(settings)
        staff = read_staff(City.load(city, SystemClock()), accounts, sent)
        passwords = staff.enrol(accounts, SYSTEM, sent.name) if write else {}
        _tell(staff.plan, as_json, [f"accounts in {settings.data}"] if write else [], {"passwords": passwords})


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
    from cityloop.serve.house import House
    from cityloop.serve.importing.components import read_survey

    if _template("components", template):
        return
    settings, sent = Settings(city=city, data=data_folder(city, data)), _given(file, sheet)
    house = House(settings)
    try:
        survey = read_survey(house.city, house.collector, sent, feed)
        counts = survey.push(house.collector).model_dump() if write else {}
    finally:
        house.stop()
    _tell(survey.plan, as_json, [f"feed {feed} in {settings.data}"] if write else [], counts)


def _template(kind: str, file: Path | None) -> bool:
    """Write the empty sheet of a kind, when that is what was asked for."""
    if file is None:
        return False
    from cityloop.serve.importing.kinds import KINDS
    from cityloop.serve.importing.template import template

    file.write_bytes(template(KINDS[kind]))
    print(file)
    return True


def _named(file: Path | None) -> Path:
    if file is None:
        raise Problem(
            "no file was named", "name an Excel or CSV file, or ask for an empty one with --template FILE.xlsx"
        )
    return file


def _given(file: Path | None, sheet: str | None, datum: str = "wgs84") -> Sent:
    from cityloop.serve.importing.sent import Sent, datum_named

    return Sent.at(_named(file), sheet, datum_named(datum))


def _tell_draft(draft: Draft, sent: Sent, write: bool, as_json: bool) -> None:
    _tell(draft.plan, as_json, list(map(str, draft.write(sent.name))) if write else [])


def _tell(plan: SheetPlan, as_json: bool, written: Sequence[str], more: Mapping[str, Any] | None = None) -> None:
    """The plan for people, or as one JSON object; lists are cut for people, never for JSON."""
    if as_json:
        print_result({**plan.model_dump(mode="json"), "written": list(written), **(more or {})}, True)
        return
    for row in plan.first:
        print("  ".join(f"{name}={text}" for name, text in row.items() if text))
    for change in plan.changes[:_MOST]:
        before, after = _parts(change.before), _parts(change.after)
        sides = f"{before} → {after}" if before else after
        print(f"{change.change}  {change.key}  {sides}".rstrip())
    if len(plan.changes) > _MOST:
        print(f"… and {len(plan.changes) - _MOST} more changes (--json tells them all)")
    for line in [
        *(note.en for note in plan.notes),
        *(f"{fault.where}: {fault.what} ({fault.mend})" for fault in plan.faults),
    ]:
        print(line)
    counts = f"{len(plan.changes)} changes, {plan.same} the same, {plan.kept} kept, {len(plan.faults)} faults"
    print(f"{plan.rows} rows, {plan.understood} understood, {counts}")
    for name, value in (more or {}).items():
        _tell_more(name, value)
    _tell_written(written)


def _parts(told: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {text or '-'}" for name, text in told.items())


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
