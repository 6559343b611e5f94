"""JetStream behind TLS with a password or a token: a real server lets in who has the secret, and nobody else."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.js.api import StreamConfig

from tests.collect.small_town import air
from tests.collect.sources.conftest import WiredMaker
from tests.collect.sources.wired import environment, wait
from tests.parts import Part, certificates, make_folder, make_nats, program, served

SECRET = "s3cret-of-the-stream"
STREAM = "LOCKED"


@pytest.fixture(params=[["--user", "city", "--pass", SECRET], ["--auth", SECRET]], ids=["password", "token"])
def locked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Part, Path, dict[str, Any]]]:
    """A server with TLS and an account, a stream with one record in it, and what a source needs to get in."""
    ca = certificates(tmp_path)
    tls = ["--tls", "--tlscert", str(tmp_path / "server.pem"), "--tlskey", str(tmp_path / "server.key")]

    def make() -> Part:
        return make_nats(program("nats-server"), make_folder("nats"), *tls, *request.param)

    secret = environment("TEST_NATS_SECRET", SECRET)
    account = {"user": "city", "password": secret} if "--user" in request.param else {"token": secret}
    for server in served(make):
        asyncio.run(fill(server, ca, "--user" in request.param))
        yield server, ca, account


async def fill(server: Part, ca: Path, by_password: bool) -> None:
    account: dict[str, Any] = {"user": "city", "password": SECRET} if by_password else {"token": SECRET}
    client = await nats.connect(
        f"tls://127.0.0.1:{server.port}",
        tls=ssl.create_default_context(cafile=str(ca)),
        tls_hostname="127.0.0.1",
        **account,
    )
    try:
        stream = client.jetstream()
        await stream.add_stream(StreamConfig(name=STREAM, subjects=["locked.>"]))
        await stream.publish("locked.air", json.dumps(air()).encode())
    finally:
        await client.close()


def source(server: Part, **connection: Any) -> dict[str, Any]:
    given = {"url": f"tls://127.0.0.1:{server.port}", "stream": STREAM, "subject": "locked.>"}
    return {"wire": "nats", "connection": {**given, **connection}}


def test_a_source_with_the_secret_and_the_authority_takes_messages(
    wire_up: WiredMaker, locked: tuple[Part, Path, dict[str, Any]]
) -> None:
    server, ca, account = locked
    wired = wire_up(source(server, ca=str(ca), **account))
    view = wired.settle(1)
    assert (view.state, len(wired.rows())) == ("running", 1)
    assert SECRET not in view.model_dump_json()


def test_a_wrong_secret_or_an_unknown_authority_is_told_and_brings_nothing(
    wire_up: WiredMaker, locked: tuple[Part, Path, dict[str, Any]]
) -> None:
    server, ca, account = locked
    wrong = {name: environment("TEST_NATS_WRONG", "guessed") if name != "user" else "city" for name in account}
    wired = wire_up(
        {**source(server, ca=str(ca), **wrong), "id": "wrong"}, {**source(server, **account), "id": "stranger"}
    )
    for name in ("wrong", "stranger"):
        wait(lambda name=name: wired.view(name).state == "failing", f"{name} is told")  # type: ignore[misc]
    assert "uthorization" in (wired.view("wrong").last_error or "")
    assert "certificate" in (wired.view("stranger").last_error or "").lower()
    assert wired.rows() == []
