"""The parts themselves: each starts, answers, and comes back on the same port after it was killed."""

from __future__ import annotations

import socket

import psycopg
import pymysql

from tests.parts import PASSWORD, Broker, Part, Store, answers, make_folder, make_nats, program, served


def test_the_broker_opens_three_doors_and_comes_back(mosquitto: Broker) -> None:
    mosquitto.part.kill()
    assert not answers(mosquitto.port)
    mosquitto.part.start()
    assert all(answers(port) for port in (mosquitto.port, mosquitto.locked_port, mosquitto.tls_port))


def test_the_stream_comes_back(nats_server: Part) -> None:
    nats_server.restart()
    assert answers(nats_server.port)


def test_a_server_whose_port_was_taken_is_built_once_more() -> None:
    binary, built = program("nats-server"), list[Part]()

    def make() -> Part:
        built.append(make_nats(binary, make_folder("nats")))
        if len(built) == 1:
            built[0].port = other.getsockname()[1]
        return built[-1]

    with socket.create_server(("127.0.0.1", 0)) as other:
        for server in served(make):
            assert server is built[1] and answers(server.port)
    assert len(built) == 2 and not any(part.folder.exists() for part in built)


def test_the_databases_know_chinese(postgres: Store, mariadb: Store) -> None:
    with psycopg.connect(f"host=127.0.0.1 port={postgres.port} user=city dbname=city") as connection:
        assert connection.execute("SELECT '水务局'").fetchone() == ("水务局",)
    with pymysql.connect(
        host="127.0.0.1", port=mariadb.port, user="city", password=PASSWORD, database="city"
    ) as other, other.cursor() as cursor:  # fmt: skip
        cursor.execute("SELECT _utf8mb4'水务局'")
        assert cursor.fetchone() == ("水务局",)
