"""What a rule would have said, from the command line."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cityloop.cli.common import DataOption, JsonOption, clear, data_folder, print_result
from cityloop.core.errors import Invalid
from cityloop.core.settings import Settings

app = typer.Typer()
_SHORT = ("rule", "version", "start", "end", "records", "times_real", "warnings", "a_week", "levels", "median_seconds",
          "cases", "events", "before", "late", "errors", "cautions")  # fmt: skip


@app.command()
@clear
def backtest(
    rule: Annotated[str, typer.Argument(help="Id of the rule.")],
    city: Annotated[Path, typer.Option(help="Folder of the city.")] = Path("cities/demo"),
    data: DataOption = None,
    file: Annotated[Path | None, typer.Option(help="rules.yaml with a changed or new version of it.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="Instant with offset (default: four weeks back).")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Instant with offset (default: the newest record).")] = None,
    a_week: Annotated[float | None, typer.Option(help="Propose a threshold for so many warnings a week.")] = None,
    events: Annotated[Path | None, typer.Option(help="CSV with entity,start,end of what happened.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a rule over the lake's history and print what it would have said. Ctrl-C stops it; nothing is written."""
    from cityloop.serve.rehearsing import rehearse

    settings = Settings(city=city, data=data_folder(city, data))
    period = {"start": _instant(start), "end": _instant(end)}
    try:
        made = rehearse(settings, rule, _tell, file=file, a_week=a_week, events=events, **period)
    except KeyboardInterrupt:
        print("\ncityloop: stopped", file=sys.stderr)
        raise typer.Exit(1) from None
    print("", file=sys.stderr)
    result = made.report.model_dump(mode="json")
    shown = result if as_json else {name: result[name] for name in _SHORT if result[name] not in (None, {}, [], 0)}
    if not as_json:
        shown["days"] = {day.day.isoformat(): day.levels for day in made.report.days}
        shown["overlaps"] = {
            other.rule: f"{other.both} of {made.report.warnings}" for other in made.report.overlaps if other.both
        }
    if made.proposal:
        shown["proposal"] = [trial.model_dump() for trial in made.proposal]
    print_result(shown, as_json)


def _tell(share: float) -> None:
    print(f"\r{share:.0%}", end="", file=sys.stderr, flush=True)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"'{text}' is no instant", "write 2026-03-09T08:00:00+08:00") from error
    if found.tzinfo is None:
        raise Invalid(f"'{text}' has no offset", "write 2026-03-09T08:00:00+08:00")
    return found
