"""``cityloop load``: pushes a file of records to a running server, in pieces, like a department's own program would."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

from cityloop.core.errors import Fault, Invalid, NotFound, Problem

PIECE = 5_000
"""Records in one request."""


def push_file(url: str, token: str, feed: str, file: Path) -> Iterator[dict[str, Any]]:
    """Push a JSON array, NDJSON or CSV file (UTF-8); yield the receipt of every piece.

    A line that is no JSON is sent as it stands, so that it reaches the quarantine and is not lost. Raises
    :class:`NotFound` for a missing file and :class:`Problem` with the server's own words for a refusal.
    """
    if not file.is_file():
        raise NotFound(f"{file} is no file", "name a JSON, NDJSON or CSV file")
    lines = _lines(file)
    with httpx.Client(base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=60) as client:
        while piece := list(islice(lines, PIECE)):
            yield _push(client, feed, piece)


def _lines(file: Path) -> Iterator[str]:
    """One JSON text a record."""
    if file.suffix.lower() == ".csv":
        with file.open(encoding="utf-8-sig", newline="") as handle:
            yield from (json.dumps(row, ensure_ascii=False) for row in csv.DictReader(handle))
        return
    text = file.read_text(encoding="utf-8-sig")
    if not text.lstrip().startswith("["):
        yield from (line for line in text.splitlines() if line.strip())
        return
    try:
        yield from (json.dumps(record, ensure_ascii=False) for record in json.loads(text))
    except json.JSONDecodeError as error:
        fault = Fault(f"{file}:{error.lineno}", error.msg, "correct the JSON, or send one record a line")
        raise Invalid(f"{file} is no JSON array", faults=[fault]) from error


def _push(client: httpx.Client, feed: str, piece: list[str]) -> dict[str, Any]:
    headers = {"content-type": "application/x-ndjson"}
    try:
        answer = client.post(f"/api/v1/feeds/{feed}/records", content="\n".join(piece).encode(), headers=headers)
    except httpx.TransportError as error:
        raise Problem(
            f"no answer from {client.base_url}: {error}", "start the server, or name it with --url"
        ) from error
    body: dict[str, Any] = answer.json()
    if answer.is_error:
        faults = [Fault(f["where"], f["what"], f["mend"]) for f in body.get("faults", [])]
        raise Problem(str(body.get("detail", answer.text)), str(body.get("mend", "")), faults)
    return body
