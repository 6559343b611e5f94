"""Commands that run a city: with a server, or in the foreground over its records."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from cityloop.cli.common import CityArg, DataOption, JsonOption, clear, data_folder, print_result, print_rows
from cityloop.core.errors import Problem
from cityloop.core.settings import Settings

app = typer.Typer()


@app.command()
@clear
def demo(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8080,
    data: DataOption = None,
    speed: Annotated[float, typer.Option(help="City seconds a real second.")] = 60.0,
    city: Annotated[Path, typer.Option(help="Folder of the demo city.")] = Path("cities/demo"),
) -> None:
    """Run the demo city: replayed series, drill players, sign-in without password, loopback only."""
    _serve(Settings(city=city, data=data_folder(city, data), host="127.0.0.1", port=port, demo=True, speed=speed))


@app.command()
@clear
def serve(
    city: CityArg = Path("cities/demo"),
    data: DataOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve a city on the machine's own time. Create accounts first with: cityloop user add."""
    given = {"host": host, "port": port}
    _serve(Settings(city=city, data=data_folder(city, data), **{k: v for k, v in given.items() if v is not None}))  # type: ignore[arg-type]


@app.command()
@clear
def load(
    feed: Annotated[str, typer.Argument(help="Feed that the records belong to.")],
    file: Annotated[Path, typer.Argument(help="JSON array, NDJSON or CSV.")],
    url: Annotated[str, typer.Option(help="Address of a running server.")] = "http://127.0.0.1:8080",
    token: Annotated[str, typer.Option(envvar="CITYLOOP_TOKEN", help="Token of an account with feed.push.")] = "",
) -> None:
    """Push a file of records to a running server and print what became of them."""
    from cityloop.drill.load import push_file

    for receipt in push_file(url, token, feed, file):
        print(json.dumps(receipt, ensure_ascii=False))


@app.command()
@clear
def replay(
    city: CityArg,
    start: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    end: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD, included.")],
    data: DataOption = None,
    source: Annotated[Path | None, typer.Option(help="Parquet file of records (default: the city's sample).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Replay a city's records through the same services on the records' own clock."""
    from cityloop.serve.replay import run_replay

    summary = run_replay(city, _day(start), _day(end), data_folder(city, data), source)
    print_result(summary.model_dump(mode="json"), as_json)


@app.command()
@clear
def evaluate(
    city: CityArg,
    scheme: Annotated[str, typer.Option(help="Scheme of evaluation.yaml.")],
    period: Annotated[str, typer.Option(help="day, week, month, quarter or year.")] = "month",
    at: Annotated[str, typer.Option(help="A day inside the period, YYYY-MM-DD (default: today).")] = "",
    object: Annotated[str, typer.Option(help="department, area, post or person (default: the scheme's first).")] = "",
    format: Annotated[str, typer.Option(help="json, html, xlsx or pdf.")] = "json",
    language: Annotated[str, typer.Option(help="zh or en, for reports.")] = "zh",
    out: Annotated[Path | None, typer.Option(help="File to write (default: the report's own name).")] = None,
    rebuild: Annotated[bool, typer.Option(help="Count every case anew from its timeline first.")] = False,
    data: DataOption = None,
) -> None:
    """Print the scoreboard of a scheme, or write its report. Counts the cases of a replay or a stopped server."""
    from cityloop.serve.evaluate import run_evaluation

    settings = Settings(city=city, data=data_folder(city, data))
    wanted = {"period": period, "at": _day(at) if at else None, "object": object or None}
    found = run_evaluation(settings, scheme, wanted, format, language, rebuild)
    if isinstance(found, bytes):
        path = out or Path(f"{scheme}.{format}")
        path.write_bytes(found)
        print(path)
    else:
        print_result(found, True)


@app.command()
@clear
def train(city: CityArg = Path("cities/demo"), data: DataOption = None, as_json: JsonOption = False) -> None:
    """Train the city's models from its closed cases; a running server takes up the new versions by itself."""
    from cityloop.serve.training import train as run

    made = run(Settings(city=city, data=data_folder(city, data)))
    print_rows([one.model_dump(mode="json") for one in made], as_json)


@app.command()
@clear
def inspect(
    city: CityArg,
    plan: Annotated[str | None, typer.Option(help="Plan of inspections.yaml (default: the only one).")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a planned data inspection now, in the foreground, until the departments have their cases."""
    from cityloop.serve.inspect import lines, run_inspection, summary

    detail, findings = run_inspection(city, data_folder(city, data), plan)
    if as_json:
        print(json.dumps(summary(detail, findings), ensure_ascii=False))
        return
    for line in lines(detail, findings, zh=os.environ.get("LANG", "").startswith("zh")):
        print(line)


def _serve(settings: Settings) -> None:
    from cityloop.serve.server import serve as run

    run(settings, lambda address: print(f"cityloop: {settings.city.name} at {address}", flush=True))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Problem(f"'{text}' is not a day", "write it as YYYY-MM-DD") from error
