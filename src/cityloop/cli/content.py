"""Commands about the files of cities and packs, without a running city."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cityloop.cli.common import CityArg, JsonOption, clear

app = typer.Typer()


@app.command()
@clear
def check(city: CityArg = Path("cities/demo")) -> None:
    """Check a city and its packs; print every error with file, line, key and what to do."""
    from cityloop.serve.check import check_city

    faults = check_city(city)
    for fault in faults:
        print(fault)
    print(f"{city}: {len(faults)} error(s)" if faults else f"{city}: no errors")
    if faults:
        raise typer.Exit(1)


@app.command("suggest-mapping")
@clear
def suggest_mapping(
    file: Annotated[Path, typer.Argument(help="CSV, Excel, Parquet, GeoJSON or JSON of a department.")],
    entity_type: Annotated[str, typer.Option("--type", help="Entity type of the standard.")],
    city: Annotated[Path, typer.Option(help="Folder of the city.")] = Path("cities/demo"),
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Propose a mapping of a file to the standard, with a confidence for each field, as text for feeds.yaml."""
    from cityloop.serve.suggesting import suggest_file

    found = suggest_file(city, file, entity_type, sheet)
    if as_json:
        print(json.dumps(found.model_dump(mode="json"), ensure_ascii=False))
        return
    for item in found.fields:
        print(f"# {item.target}: {item.column or '-'} ({item.confidence:.2f}; {'; '.join(item.reasons)})")
    print(f"# positions: {found.datum.crs or found.datum.datum or '-'} ({found.datum.reason})")
    print(f"# unused: {', '.join(found.unused) or '-'}\n{found.yaml}", end="")


@app.command()
@clear
def schema(
    folder: Annotated[Path, typer.Argument(help="Where the schemas are written.")] = Path("schemas"),
) -> None:
    """Write the JSON Schemas of all content files, for editors."""
    from cityloop.serve.schemas import write_schemas

    for path in write_schemas(folder):
        print(path)
