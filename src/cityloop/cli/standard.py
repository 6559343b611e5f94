"""Changes of the standard, in a data folder or at a running server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cityloop.cli.common import CityArg, DataOption, JsonOption, clear, data_folder
from cityloop.core.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Changes of the standard: plan, explain, apply.")


FilesArg = Annotated[list[Path], typer.Argument(help="YAML or JSON files with the keys of a pack.")]
UrlOption = Annotated[str, typer.Option(help="Address of a running server; without it the data folder is changed.")]
TokenOption = Annotated[str, typer.Option(envvar="CITYLOOP_TOKEN", help="Token of an account with standard.change.")]
AccountOption = Annotated[str, typer.Option("--as", help="Account in whose name the data folder is changed.")]
ReasonOption = Annotated[str, typer.Option(help="Why; kept with the version.")]


@app.command("plan")
@clear
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


@app.command("apply")
@clear
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


@app.command("versions")
@clear
def standard_versions(city: CityArg, data: DataOption = None, url: UrlOption = "", token: TokenOption = "") -> None:
    """List the applied versions, newest first."""
    from cityloop.serve import changing

    for line in changing.versions(_place(city, data, url, token)):
        at = line.at.isoformat(timespec="seconds") if line.at else "-"
        print(f"{line.number}\t{at}\t{line.by or '-'}\t{line.changes} change(s)\t{line.reason or 'the packs alone'}")


@app.command("restore")
@clear
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


@app.command("export")
@clear
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


def _place(city: Path, data: Path | None, url: str, token: str, account: str = "") -> Any:
    from cityloop.serve.changing import Place

    return Place(Settings(city=city, data=data_folder(city, data)), url, token, account)
