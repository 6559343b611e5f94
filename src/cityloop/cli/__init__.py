"""The command line. Every refusal is one clear message and exit code 1, never a traceback."""

from __future__ import annotations

import typer

from cityloop.cli import asking, backtest, bench, content, importing, lake, run, standard, user

app = typer.Typer(no_args_is_help=True, add_completion=False, help="cityloop: urban management that closes the loop.")
app.add_typer(run.app)
app.add_typer(content.app)
app.add_typer(backtest.app)
app.add_typer(asking.app)
app.add_typer(user.app, name="user")
app.add_typer(standard.app, name="standard")
app.add_typer(importing.app, name="import")
app.add_typer(bench.app, name="bench")
app.add_typer(lake.app, name="lake")
