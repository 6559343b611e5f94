"""``cityloop load``: push a file of records to a running server, piece by piece, like any department's own program."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

from cityloop.core.errors import Conflict, Invalid, NotFound

PIECE = 1000
"""Records a push."""


def push_file(url: str, token: str, feed: str, file: Path) -> Iterator[dict[str, Any]]:
    """Push ``file`` (JSON array, NDJSON or CSV) to ``feed``; yield the server's receipt for each piece.

    Raises :class:`NotFound` for a missing file, :class:`Invalid` for one that cannot be read, and :class:`Conflict`
    when the server refuses or is not there; what was pushed before stays, and pushing it again is harmless.
    """
    if not file.is_file():
        raise NotFound(f"there is no file {file}", "name a JSON, NDJSON or CSV file")
    headers = {"Content-Type": "application/x-ndjson", "Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        records = _records(file)
        while piece := list(islice(records, PIECE)):
            yield _push(client, f"/api/v1/feeds/{feed}/records", piece)


def _push(client: httpx.Client, path: str, records: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    body = "\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    try:
        answer = client.post(path, content=body.encode())
    except httpx.HTTPError as error:
        raise Conflict(f"{client.base_url} does not answer: {error}", "start the server, or give --url") from error
    if answer.is_error:
        raise Conflict(f"the server answered {answer.status_code}: {answer.text[:500]}", "mend it and push again")
    receipt: dict[str, Any] = answer.json()
    return receipt


def _records(file: Path) -> Iterator[Mapping[str, Any]]:
    text = file.read_text(encoding="utf-8-sig")
    if file.suffix.lower() == ".csv":
        # An empty cell is a missing value, not an empty text.
        yield from ({name: value or None for name, value in row.items()} for row in csv.DictReader(text.splitlines()))
    elif text.lstrip().startswith("["):
        yield from _json(file, text, 1)
    else:
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield _json(file, line, number)


def _json(file: Path, text: str, line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{file}:{line + error.lineno - 1}"
        raise Invalid(f"{where}: {error.msg}", "correct the JSON at this line; CSV files end in .csv") from error
