"""The command line. Every refusal is one clear message and exit code 1, never a traceback."""

from __future__ import annotations

import functools
import importlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer

from cityloop.core.errors import Problem
from cityloop.core.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help="cityloop: urban management that closes the loop.")
user_app = typer.Typer(no_args_is_help=True, help="Accounts and tokens.")
bench_app = typer.Typer(no_args_is_help=True, help="Measure, on this machine, with the conditions printed.")
standard_app = typer.Typer(no_args_is_help=True, help="Changes of the standard: plan, explain, apply.")
app.add_typer(user_app, name="user")
app.add_typer(standard_app, name="standard")
app.add_typer(bench_app, name="bench")
lake_app = typer.Typer(no_args_is_help=True, help="The lake: what is in it, what is due, views for other programs.")
app.add_typer(lake_app, name="lake")

P = ParamSpec("P")
CityArg = Annotated[Path, typer.Argument(help="Folder of the city.")]
DataOption = Annotated[Path | None, typer.Option(help="Data folder (default: data/<city folder>).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def _clear(command: Callable[P, None]) -> Callable[P, None]:
    """Turn a refusal into a message and exit code 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except Problem as problem:
            print(f"cityloop: {problem}", file=sys.stderr)
            raise typer.Exit(1) from problem

    return run


@app.command()
@_clear
def demo(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8080,
    data: DataOption = None,
    speed: Annotated[float, typer.Option(help="City seconds a real second.")] = 60.0,
    city: Annotated[Path, typer.Option(help="Folder of the demo city.")] = Path("cities/demo"),
) -> None:
    """Run the demo city: replayed series, drill players, sign-in without password, loopback only."""
    _serve(Settings(city=city, data=_data(city, data), host="127.0.0.1", port=port, demo=True, speed=speed))


@app.command()
@_clear
def serve(
    city: CityArg = Path("cities/demo"),
    data: DataOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve a city on the machine's own time. Create accounts first with: cityloop user add."""
    given = {"host": host, "port": port}
    _serve(Settings(city=city, data=_data(city, data), **{k: v for k, v in given.items() if v is not None}))  # type: ignore[arg-type]


@app.command()
@_clear
def check(city: CityArg = Path("cities/demo")) -> None:
    """Check a city and its packs; print every error with file, line, key and what to do."""
    from cityloop.serve.check import check_city

    faults = check_city(city)
    for fault in faults:
        print(fault)
    print(f"{city}: {len(faults)} error(s)" if faults else f"{city}: no errors")
    if faults:
        raise typer.Exit(1)


@app.command()
@_clear
def train(city: CityArg = Path("cities/demo"), data: DataOption = None, as_json: JsonOption = False) -> None:
    """Train the city's models from its closed cases; a running server takes up the new versions by itself."""
    from cityloop.serve.training import train as run

    _lines([made.model_dump(mode="json") for made in run(Settings(city=city, data=_data(city, data)))], as_json)


@app.command("suggest-mapping")
@_clear
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
@_clear
def schema(
    folder: Annotated[Path, typer.Argument(help="Where the schemas are written.")] = Path("schemas"),
) -> None:
    """Write the JSON Schemas of all content files, for editors."""
    from cityloop.serve.schemas import write_schemas

    for path in write_schemas(folder):
        print(path)


@app.command()
@_clear
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
@_clear
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

    summary = run_replay(city, _day(start), _day(end), _data(city, data), source)
    _print(summary.model_dump(mode="json"), as_json)


@app.command()
@_clear
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

    settings = Settings(city=city, data=_data(city, data))
    wanted = {"period": period, "at": _day(at) if at else None, "object": object or None}
    found = run_evaluation(settings, scheme, wanted, format, language, rebuild)
    if isinstance(found, bytes):
        path = out or Path(f"{scheme}.{format}")
        path.write_bytes(found)
        print(path)
    else:
        _print(found, True)


@app.command()
@_clear
def inspect(
    city: CityArg,
    plan: Annotated[str | None, typer.Option(help="Plan of inspections.yaml (default: the only one).")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a planned data inspection now, in the foreground, until the departments have their cases."""
    from cityloop.serve.inspect import lines, run_inspection, summary

    detail, findings = run_inspection(city, _data(city, data), plan)
    if as_json:
        print(json.dumps(summary(detail, findings), ensure_ascii=False))
        return
    for line in lines(detail, findings, zh=os.environ.get("LANG", "").startswith("zh")):
        print(line)


@user_app.command("add")
@_clear
def user_add(
    account: Annotated[str, typer.Argument(help="Name to sign in with.")],
    post: Annotated[list[str], typer.Option(help="Post; may be repeated.")],
    name: Annotated[str, typer.Option(help="Name for people.")] = "",
    department: Annotated[str | None, typer.Option(help="Department id.")] = None,
    area: Annotated[list[str] | None, typer.Option(help="Area code; may be repeated.")] = None,
    machine: Annotated[bool, typer.Option(help="A machine: gets a token instead of a password.")] = False,
    city: Annotated[Path, typer.Option(help="Folder of the city.")] = Path("cities/demo"),
    data: DataOption = None,
) -> None:
    """Create or change an account. The password is read from CITYLOOP_PASSWORD or asked for."""
    from cityloop.serve.users import add_user

    password = None if machine else os.environ.get("CITYLOOP_PASSWORD") or typer.prompt("Password", hide_input=True)
    settings = Settings(city=city, data=_data(city, data))
    token = add_user(settings, account, name or account, post, department, area or [], password)
    print(token if token else f"{account} can sign in")


@user_app.command("list")
@_clear
def user_list(city: Annotated[Path, typer.Option()] = Path("cities/demo"), data: DataOption = None) -> None:
    """List all accounts."""
    from cityloop.serve.users import list_users

    for actor in list_users(Settings(city=city, data=_data(city, data))):
        print(f"{actor.id}\t{actor.kind}\t{','.join(actor.posts)}\t{actor.department or '-'}\t{actor.name.zh}")


@lake_app.command("show")
@_clear
def lake_show(city: CityArg = Path("cities/demo"), data: DataOption = None, as_json: JsonOption = False) -> None:
    """Every table with rows, files, bytes, days, and the oldest instant as of which it can be read."""
    from cityloop.serve.upkeep import show

    _lines(show(Settings(city=city, data=_data(city, data))), as_json)


@lake_app.command("retention")
@_clear
def lake_retention(
    city: CityArg = Path("cities/demo"),
    data: DataOption = None,
    apply: Annotated[bool, typer.Option("--apply", help="Delete what is due; without it nothing changes.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Days that are past their retention: a dry run, unless --apply is given."""
    from cityloop.serve.upkeep import retire

    _lines(retire(Settings(city=city, data=_data(city, data)), apply), as_json)


@lake_app.command("clean")
@_clear
def lake_clean(city: CityArg = Path("cities/demo"), data: DataOption = None, as_json: JsonOption = False) -> None:
    """Compact every table and delete files that nobody needs any more."""
    from cityloop.serve.upkeep import clean

    _print(clean(Settings(city=city, data=_data(city, data))), as_json)


@lake_app.command("views")
@_clear
def lake_views(
    target: Annotated[Path, typer.Argument(help="DuckDB file to write, for a BI tool.")],
    city: Annotated[Path, typer.Option(help="Folder of the city.")] = Path("cities/demo"),
    data: DataOption = None,
) -> None:
    """Write a DuckDB file with one view for each table, over the files that count now."""
    from cityloop.serve.upkeep import views

    print("\n".join(views(Settings(city=city, data=_data(city, data)), target)))


@bench_app.command("lake")
@_clear
def bench_lake(
    commits: Annotated[int, typer.Option(min=100, max=100_000)] = 10_000,
    rows: Annotated[int, typer.Option(min=520_000, max=1_000_000_000, help="Rows to query.")] = 100_000_000,
    folder: Annotated[Path | None, typer.Option(help="Where to work (default: the system's temporary folder).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Commits beside delta-rs' own append, and queries beside a native DuckDB table."""
    _print(_bench("lake").run(commits, rows, folder), as_json)


FilesArg = Annotated[list[Path], typer.Argument(help="YAML or JSON files with the keys of a pack.")]
UrlOption = Annotated[str, typer.Option(help="Address of a running server; without it the data folder is changed.")]
TokenOption = Annotated[str, typer.Option(envvar="CITYLOOP_TOKEN", help="Token of an account with standard.change.")]
AccountOption = Annotated[str, typer.Option("--as", help="Account in whose name the data folder is changed.")]
ReasonOption = Annotated[str, typer.Option(help="Why; kept with the version.")]


@standard_app.command("plan")
@_clear
def standard_plan(
    city: CityArg,
    files: FilesArg,
    trial: Annotated[int, typer.Option(min=0, max=1000, help="Recent records of each feed to be tried.")] = 200,
    data: DataOption = None,
    url: UrlOption = "",
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show what a change would do: differences, dependants, what breaks, a trial on recent records."""
    from cityloop.serve import changing

    made = changing.plan(_place(city, data, url, token), files, trial)
    for line in [made.model_dump_json()] if as_json else changing.told(made):
        print(line)
    if not made.applicable:
        raise typer.Exit(1)


@standard_app.command("apply")
@_clear
def standard_apply(
    city: CityArg,
    files: FilesArg,
    reason: ReasonOption,
    data: DataOption = None,
    url: UrlOption = "",
    token: TokenOption = "",
    account: AccountOption = "",
) -> None:
    """Apply a change as the next version; refused when something would break."""
    from cityloop.serve import changing

    made = changing.apply(_place(city, data, url, token, account), files, reason)
    print(f"version {made.number}: {made.changes} change(s) in force")


@standard_app.command("versions")
@_clear
def standard_versions(city: CityArg, data: DataOption = None, url: UrlOption = "", token: TokenOption = "") -> None:
    """List the applied versions, newest first."""
    from cityloop.serve import changing

    for line in changing.versions(_place(city, data, url, token)):
        at = line.at.isoformat(timespec="seconds") if line.at else "-"
        print(f"{line.number}\t{at}\t{line.by or '-'}\t{line.changes} change(s)\t{line.reason or 'the packs alone'}")


@standard_app.command("restore")
@_clear
def standard_restore(
    city: CityArg,
    number: Annotated[int, typer.Argument(min=0, help="Version to bring back; 0: the packs alone.")],
    reason: ReasonOption,
    data: DataOption = None,
    url: UrlOption = "",
    token: TokenOption = "",
    account: AccountOption = "",
) -> None:
    """Bring the state of a former version back as a new one."""
    from cityloop.serve import changing

    made = changing.restore(_place(city, data, url, token, account), number, reason)
    print(f"version {made.number}: as version {number}")


@standard_app.command("export")
@_clear
def standard_export(
    city: CityArg,
    number: Annotated[int, typer.Argument(min=1)],
    folder: Annotated[Path, typer.Argument(help="Folder for the files.")],
    data: DataOption = None,
    url: UrlOption = "",
    token: TokenOption = "",
) -> None:
    """Write what stands beyond the packs in a version as files of a pack."""
    from cityloop.serve import changing

    for path in changing.export(_place(city, data, url, token), number, folder):
        print(path)


@bench_app.command("ingest")
@_clear
def bench_ingest(seconds: Annotated[float, typer.Option(min=1, max=600)] = 10.0, as_json: JsonOption = False) -> None:
    """Observations a second, acknowledged after the durable commit, beside the library's own writer."""
    _print(_bench("ingest").run(seconds), as_json)


@bench_app.command("sources")
@_clear
def bench_sources(seconds: Annotated[float, typer.Option(min=1, max=600)] = 5.0, as_json: JsonOption = False) -> None:
    """Observations a second from JetStream, acknowledged after the durable commit, beside the library's own writer."""
    _print(_bench("sources").run(seconds), as_json)


@bench_app.command("loop")
@_clear
def bench_loop(
    seconds: Annotated[float, typer.Option(min=5, max=600)] = 30.0,
    rate: Annotated[int, typer.Option(min=0, max=20_000, help="Observations a second beside it.")] = 2000,
    as_json: JsonOption = False,
) -> None:
    """Latency from the POST of a crossing value to the dispatched case."""
    _print(_bench("loop").run(seconds, rate), as_json)


@bench_app.command("models")
@_clear
def bench_models(
    source: Annotated[Path | None, typer.Option(help="Folder of the data sets (default: ../shared/data).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Classification, duplicates and risk on cases held out, each beside a plain rival on the same rows."""
    _print(_bench("models").run(source), as_json)


@bench_app.command("mapping")
@_clear
def bench_mapping(
    seconds: Annotated[float, typer.Option(min=1, max=600)] = 10.0,
    rows: Annotated[int, typer.Option(min=20_000, max=2_000_000, help="Rows that all three check.")] = 100_000,
    as_json: JsonOption = False,
) -> None:
    """Mapping plus all checks, rows a second, beside pandera and Great Expectations on the same rows."""
    _print(_bench("mapping").run(seconds, rows), as_json)


def _bench(name: str) -> Any:
    """A module of the ``bench`` folder; measuring needs a checkout, not only the installed package."""
    root = Path(__file__).parents[2]
    if not (root / "bench" / f"{name}.py").is_file():
        raise Problem("there is no bench folder beside this installation", "run it in a clone of the repository")
    sys.path.insert(0, str(root))
    return importlib.import_module(f"bench.{name}")


def _serve(settings: Settings) -> None:
    from cityloop.serve.server import serve as run

    run(settings, lambda address: print(f"cityloop: {settings.city.name} at {address}", flush=True))


def _place(city: Path, data: Path | None, url: str, token: str, account: str = "") -> Any:
    from cityloop.serve.changing import Place

    return Place(Settings(city=city, data=_data(city, data)), url, token, account)


def _data(city: Path, data: Path | None) -> Path:
    if data is not None:
        return data
    base = Path(os.environ["CITYLOOP_DATA"]) if "CITYLOOP_DATA" in os.environ else Path("data")
    return base / city.resolve().name


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Problem(f"'{text}' is not a day", "write it as YYYY-MM-DD") from error


def _lines(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        print("  ".join(f"{key}={value}" for key, value in row.items()))


def _print(result: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(result, ensure_ascii=False))
        return
    for key, value in result.items():
        print(f"{key}: {json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value}")
