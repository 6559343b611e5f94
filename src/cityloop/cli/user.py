"""Accounts and tokens."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from cityloop.cli.common import DataOption, clear, data_folder
from cityloop.core.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Accounts and tokens.")


@app.command("add")
@clear
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
    settings = Settings(city=city, data=data_folder(city, data))
    token = add_user(settings, account, name or account, post, department, area or [], password)
    print(token if token else f"{account} can sign in")


@app.command("list")
@clear
def user_list(city: Annotated[Path, typer.Option()] = Path("cities/demo"), data: DataOption = None) -> None:
    """List all accounts."""
    from cityloop.serve.users import list_users

    for actor in list_users(Settings(city=city, data=data_folder(city, data))):
        print(f"{actor.id}\t{actor.kind}\t{','.join(actor.posts)}\t{actor.department or '-'}\t{actor.name.zh}")
