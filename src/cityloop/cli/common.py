"""What all commands share: the city and data they speak of, how a refusal is told, how a result is printed."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer

from cityloop.core.errors import Problem

P = ParamSpec("P")
CityArg = Annotated[Path, typer.Argument(help="Folder of the city.")]
DataOption = Annotated[Path | None, typer.Option(help="Data folder (default: data/<city folder>).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def clear(command: Callable[P, None]) -> Callable[P, None]:
    """Turn a refusal into a message and exit code 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except Problem as problem:
            print(f"cityloop: {problem}", file=sys.stderr)
            raise typer.Exit(1) from problem

    return run


def data_folder(city: Path, data: Path | None) -> Path:
    """The data folder that is given, or the one of the city under ``CITYLOOP_DATA`` or ``data``."""
    if data is not None:
        return data
    base = Path(os.environ["CITYLOOP_DATA"]) if "CITYLOOP_DATA" in os.environ else Path("data")
    return base / city.resolve().name


def print_rows(rows: list[dict[str, Any]], as_json: bool) -> None:
    """Rows, one a line, or as one JSON array."""
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        print("  ".join(f"{key}={value}" for key, value in row.items()))


def print_result(result: Mapping[str, Any], as_json: bool) -> None:
    """One result, a value a line, or as one JSON object."""
    if as_json:
        print(json.dumps(result, ensure_ascii=False))
        return
    for key, value in result.items():
        print(f"{key}: {json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value}")
