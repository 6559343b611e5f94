"""A question on the command line, answered by a running server within the asker's scope."""

from __future__ import annotations

import json
from typing import Annotated, Any

import httpx
import typer

from cityloop.cli.common import JsonOption, clear
from cityloop.core.errors import Problem

app = typer.Typer()


@app.command()
@clear
def ask(
    question: Annotated[str, typer.Argument(help="In Chinese or English, at most 500 signs.")],
    url: Annotated[str, typer.Option(help="Address of a running server.")] = "http://127.0.0.1:8080",
    token: Annotated[str, typer.Option(envvar="CITYLOOP_TOKEN", help="Token of the account that asks.")] = "",
    account: Annotated[str, typer.Option(help="An account of the demo to ask as, in place of a token.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Ask a running server, for example: cityloop ask "昨天各区的上报数" --account fenxi."""
    with httpx.Client(base_url=url, timeout=60) as client:
        if token:
            client.headers["authorization"] = f"Bearer {token}"
        elif account:
            _post(client, "/api/v1/demo/session", {"account": account})
        answer = _post(client, "/api/v1/ask", {"question": question})
    print(json.dumps(answer, ensure_ascii=False) if as_json else "\n".join(_lines(answer)))


def _post(client: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    try:
        answer = client.post(path, json=body)
    except httpx.HTTPError as error:
        raise Problem(
            f"{client.base_url} does not answer: {error}", "start it with: cityloop serve, or give --url"
        ) from error
    if answer.is_success:
        return answer.json() if answer.content else None
    told = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    raise Problem(told.get("detail") or f"HTTP {answer.status_code}", told.get("mend", ""))


def _lines(answer: dict[str, Any]) -> list[str]:
    lines = [answer["reading"]["title"]["zh"], answer["reading"]["title"]["en"]] if answer["reading"] else []
    lines += [f"{item['title']['zh']} {item['title']['en']}" for item in answer["because"]]
    lines += [f"{item['said']} → {item['title']['zh']}" for item in answer["corrected"]]
    lines += [
        f"? {choice['reading']['title']['zh']} / {choice['reading']['title']['en']}" for choice in answer["choices"]
    ]
    rows = answer["rows"]
    if rows:
        lines.append("\t".join(column["title"]["zh"] for column in rows["columns"]))
        lines += ["\t".join(_cell(rows, at, value) for at, value in enumerate(row)) for row in rows["rows"]]
    return lines


def _cell(rows: dict[str, Any], at: int, value: Any) -> str:
    label = rows["labels"].get(rows["columns"][at]["id"], {}).get(str(value))
    return label["zh"] if label else "—" if value is None else str(value)
