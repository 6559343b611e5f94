"""Measurements; they need a checkout with the folder ``bench``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cityloop.cli.common import JsonOption, clear, print_result
from cityloop.core.errors import Problem

_PARTS = ("rules", "screen", "peers")
app = typer.Typer(no_args_is_help=True, help="Measure, on this machine, with the conditions printed.")


@app.command("lake")
@clear
def bench_lake(
    commits: Annotated[int, typer.Option(min=100, max=100_000)] = 10_000,
    rows: Annotated[int, typer.Option(min=520_000, max=1_000_000_000, help="Rows to query.")] = 100_000_000,
    folder: Annotated[Path | None, typer.Option(help="Where to work (default: the system's temporary folder).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Commits beside delta-rs' own append, and queries beside a native DuckDB table."""
    print_result(_bench("lake").run(commits, rows, folder), as_json)


@app.command("ingest")
@clear
def bench_ingest(seconds: Annotated[float, typer.Option(min=1, max=600)] = 10.0, as_json: JsonOption = False) -> None:
    """Observations a second, acknowledged after the durable commit, beside the library's own writer."""
    print_result(_bench("ingest").run(seconds), as_json)


@app.command("sources")
@clear
def bench_sources(seconds: Annotated[float, typer.Option(min=1, max=600)] = 5.0, as_json: JsonOption = False) -> None:
    """Observations a second from JetStream, acknowledged after the durable commit, beside the library's own writer."""
    print_result(_bench("sources").run(seconds), as_json)


@app.command("loop")
@clear
def bench_loop(
    seconds: Annotated[float, typer.Option(min=5, max=600)] = 30.0,
    rate: Annotated[int, typer.Option(min=0, max=20_000, help="Observations a second beside it.")] = 2000,
    as_json: JsonOption = False,
) -> None:
    """Latency from the POST of a crossing value to the dispatched case."""
    print_result(_bench("loop").run(seconds, rate), as_json)


@app.command("models")
@clear
def bench_models(
    source: Annotated[Path | None, typer.Option(help="Folder of the data sets (default: ../shared/data).")] = None,
    only: Annotated[list[str] | None, typer.Option(help="A part to measure (default: all); may be repeated.")] = None,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Threads that a training may take.")] = 1,
    page: Annotated[Path, typer.Option(help="Folder of models.json and models.md.")] = Path("docs"),
    as_json: JsonOption = False,
) -> None:
    """Every model on what it has not seen, beside plain rivals on the same rows; writes docs/models.md anew."""
    found = {}
    for part, figures in _bench("models").run(source, only or (), threads):
        found[part] = figures
        _bench("models_page").update(page, {part: figures})
        print(f"{part}: {figures['conditions']['cpu_seconds']} s of the processor", file=sys.stderr)
    print_result(found, as_json)


@app.command("cases")
@clear
def bench_cases(
    open_cases: Annotated[int, typer.Option("--open", min=100, max=1_000_000, help="Open cases.")] = 100_000,
    ended: Annotated[int, typer.Option(min=0, max=10_000_000, help="Ended cases.")] = 1_000_000,
    operators: Annotated[int, typer.Option(min=0, max=500, help="People at desks at once.")] = 50,
    phones: Annotated[int, typer.Option(min=0, max=5000, help="Handlers with phones at once.")] = 500,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="Most seconds of each of three measurements.")] = 60.0,
    database: Annotated[
        str, typer.Option(help="URL of an empty store, or postgres: a server of its own (default: SQLite).")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """A page of a queue and a move with very many cases, then operators and phones at once, over HTTP."""
    print_result(_bench("cases").run(open_cases, ended, operators, phones, seconds, database), as_json)


@app.command("watch")
@clear
def bench_watch(
    part: Annotated[list[str] | None, typer.Option(help="rules, screen or peers; several are possible.")] = None,
    rules: Annotated[int, typer.Option(min=1, max=10_000, help="Rules, each of which watches every entity.")] = 1000,
    entities: Annotated[int, typer.Option(min=100, max=1_000_000)] = 20_000,
    rate: Annotated[int, typer.Option(min=100, max=1_000_000, help="Observations a second.")] = 50_000,
    batches: Annotated[int, typer.Option(min=2, max=10_000, help="Batches of 200 ms.")] = 100,
    seconds: Annotated[float, typer.Option(min=2, max=600, help="Of each measurement of screen and peers.")] = 5.0,
    folder: Annotated[Path | None, typer.Option(help="Where peers are installed (default: ~/.cache).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Many rules over many entities, each kind of rule, from a record to the screen, and peers on one broker."""
    print_result(_bench("watch").run(part or _PARTS, rules, entities, rate, batches, seconds, folder), as_json)


@app.command("tck")
@clear
def bench_tck(
    folder: Annotated[Path, typer.Option(exists=True, file_okay=False, help="TestCases of the public DMN kit.")],
    failed: Annotated[bool, typer.Option(help="List the cases that fail, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """How many cases of the public compliance kit of DMN pass, by level and model."""
    from cityloop.decide.tck import run, summary

    print_result(summary(run(folder), failed=failed), as_json)


@app.command("mapping")
@clear
def bench_mapping(
    seconds: Annotated[float, typer.Option(min=1, max=600)] = 10.0,
    rows: Annotated[int, typer.Option(min=20_000, max=2_000_000, help="Rows that all three check.")] = 100_000,
    as_json: JsonOption = False,
) -> None:
    """Mapping plus all checks, rows a second, beside pandera and Great Expectations on the same rows."""
    print_result(_bench("mapping").run(seconds, rows), as_json)


@app.command("ask")
@clear
def bench_ask(
    values: Annotated[int, typer.Option(min=100, max=1_000_000, help="Made-up values that may be named.")] = 10_000,
    questions: Annotated[int, typer.Option(min=10, max=100_000)] = 500,
    as_json: JsonOption = False,
) -> None:
    """Milliseconds from a question to its typed query, with exact names, slips and words that are not known."""
    print_result(_bench("ask").run(values, questions), as_json)


def _bench(name: str) -> Any:
    """A module of the ``bench`` folder; measuring needs a checkout, not only the installed package."""
    root = Path(__file__).parents[3]
    if not (root / "bench" / f"{name}.py").is_file():
        raise Problem("there is no bench folder beside this installation", "run it in a clone of the repository")
    sys.path.insert(0, str(root))
    return importlib.import_module(f"bench.{name}")
