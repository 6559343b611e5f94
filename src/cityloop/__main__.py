"""``python -m cityloop`` is the same as ``cityloop``."""

from cityloop.cli import app

app()
