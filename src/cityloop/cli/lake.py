"""The lake's upkeep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cityloop.cli.common import CityArg, DataOption, JsonOption, clear, data_folder, print_result, print_rows
from cityloop.core.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The lake: what is in it, what is due, views for other programs.")


@app.command("show")
@clear
def lake_show(city: CityArg = Path("cities/demo"), data: DataOption = None, as_json: JsonOption = False) -> None:
    """Every table with rows, files, bytes, days, and the oldest instant as of which it can be read."""
    from cityloop.serve.upkeep import show

    print_rows(show(Settings(city=city, data=data_folder(city, data))), as_json)


@app.command("retention")
@clear
def lake_retention(
    city: CityArg = Path("cities/demo"),
    data: DataOption = None,
    apply: Annotated[bool, typer.Option("--apply", help="Delete what is due; without it nothing changes.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Days that are past their retention: a dry run, unless --apply is given."""
    from cityloop.serve.upkeep import retire

    print_rows(retire(Settings(city=city, data=data_folder(city, data)), apply), as_json)


@app.command("clean")
@clear
def lake_clean(city: CityArg = Path("cities/demo"), data: DataOption = None, as_json: JsonOption = False) -> None:
    """Compact every table and delete files that nobody needs any more."""
    from cityloop.serve.upkeep import clean

    print_result(clean(Settings(city=city, data=data_folder(city, data))), as_json)


@app.command("views")
@clear
def lake_views(
    target: Annotated[Path, typer.Argument(help="DuckDB file to write, for a BI tool.")],
    city: Annotated[Path, typer.Option(help="Folder of the city.")] = Path("cities/demo"),
    data: DataOption = None,
) -> None:
    """Write a DuckDB file with one view for each table, over the files that count now."""
    from cityloop.serve.upkeep import views

    print("\n".join(views(Settings(city=city, data=data_folder(city, data)), target)))
