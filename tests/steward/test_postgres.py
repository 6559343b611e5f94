"""Sharing and versions over PostgreSQL, as over the embedded store."""

from __future__ import annotations

from pathlib import Path

import psycopg

from tests.parts import Store
from tests.steward.conftest import Town
from tests.steward.test_sharing import wish
from tests.steward.test_versions import VERSIONS, applied, with_odour


def test_grants_and_versions_live_in_postgresql(tmp_path: Path, postgres: Store) -> None:
    with psycopg.connect(postgres.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE DATABASE steward")
    url = f"postgresql://city:{postgres.password}@127.0.0.1:{postgres.port}/steward"
    town = Town(tmp_path, database=url)
    try:
        grant = town.client("transport").post("/api/v1/grants", json=wish()).json()["id"]
        answer = town.client("sanitation").post(
            f"/api/v1/grants/{grant}/moves", json={"move": "approve", "reason": "同意"}
        )
        assert answer.json()["state"] == "approved", answer.text
        card = next(iter(town.house.collector.known("WasteContainer").values()))
        town.client("transport").get(f"/api/v1/entities/{card.id}")
        assert town.client("sanitation").get(f"/api/v1/grants/{grant}/usage").json()["reads"] == 1
        assert applied(town.client("shuju"), with_odour())["number"] == 1
        town.restart()
        assert town.client("shuju").get(VERSIONS).json()[0]["current"]
        assert town.house.current.declared.standard.entity_type("WasteContainer").find("odour") is not None
        assert town.house.audit.verify() is None
    finally:
        town.close()
