"""Commands that read what departments keep in sheets into a city's files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cityloop.cli.common import JsonOption, clear, print_result

app = typer.Typer(no_args_is_help=True, help="Read sheets of departments into the files of a city.")


@app.callback()
def _imports() -> None:
    """Keeps ``limits`` a command of its own while it is the only one."""


@app.command("limits")
@clear
def limits(
    file: Annotated[Path, typer.Argument(help="Excel or CSV with limits and filing and closing conditions.")],
    city: Annotated[Path, typer.Option(help="Folder of the city.")] = Path("cities/demo"),
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook (default: the first with a table).")] = None,
    write: Annotated[bool, typer.Option("--write", help="Replace the city's file of limits.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show which limits a sheet would change and which cells cannot be read; with --write change the city's file."""
    from cityloop.serve.limits import import_limits

    plan, target = import_limits(city, file, sheet, write)
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
    print(f"written: {target}" if target else "nothing was written; --write changes the city's file")
