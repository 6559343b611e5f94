"""The real parts that tests talk to: a broker, a stream, two databases; each on a free port, in a folder of its own.

A test asks for the fixture ``mosquitto``, ``nats_server``, ``postgres`` or ``mariadb``; the server starts once a test
process and is ended by its process id. Where the program is not installed the test is skipped, but with
``CITYLOOP_REQUIRE_PARTS=1`` it fails: on a machine that is to prove everything nothing is left out in silence.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psycopg
import pymysql
import pytest

PASSWORD = "s3cret-parts"
"""Of the user ``gateway`` of the broker and the user ``city`` of MariaDB."""
POSTGRES_BINARIES = "/usr/lib/postgresql/*/bin"


PORTS = range(20000, 30000)
"""Below those that the system gives to outgoing connections: none takes a port between the look and the start."""


_given: set[int] = set()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that no other caller in this or another test process gets."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    mine = PORTS[worker % workers :: workers]
    while True:
        port = secrets.choice(mine)
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            if port not in _given:
                _given.add(port)
                return port


def program(name: str, *folders: str) -> str:
    """The path of a program; skips the test, or fails it, when it is not installed."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    for pattern in folders:
        found = found or next(
            (str(path / name) for path in sorted(Path("/").glob(pattern.lstrip("/"))) if (path / name).is_file()), None
        )
    if found is None and os.environ.get("CITYLOOP_REQUIRE_PARTS") == "1":
        pytest.fail(f"{name} is not installed, and CITYLOOP_REQUIRE_PARTS=1 wants every part")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@dataclass
class Part:
    """One server process over one folder; it may be stopped, killed and started again on the same port."""

    name: str
    command: Sequence[str]
    folder: Path
    port: int
    ready: Callable[[], bool]
    user: str | None = None
    ending: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def part(self) -> Part:
        """Itself, as a broker and a store tell of theirs."""
        return self

    def start(self) -> None:
        """Start and wait until it answers; :class:`AssertionError` when it does not, or when another has the port."""
        assert not answers(self.port), f"somebody else listens on port {self.port}, which {self.name} was to have"
        owner = {"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, **self.environment},
                **owner,  # type: ignore[call-overload]
            )
        limit = time.monotonic() + 300
        while time.monotonic() < limit and self.process.poll() is None:
            if self.ready():
                return
            time.sleep(0.02)
        raise AssertionError(f"{self.name} does not answer: {(self.folder / f'{self.name}.log').read_text()[-2000:]}")

    def stop(self) -> None:
        """End it in good order."""
        self._end(self.ending)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def _end(self, how: signal.Signals) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:  # a server that is still starting may not hear the signal
                self.process.kill()
                self.process.wait(20)


def answers(port: int) -> bool:
    """Whether somebody listens on a port of 127.0.0.1."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


Server = TypeVar("Server", bound="Part | Broker | Store")


def served(make: Callable[[], Server]) -> Iterator[Server]:
    """What ``make`` builds, started; in the end stopped, with its folder removed."""
    server = _started(make)
    try:
        yield server
    finally:
        _discard(server.part)


def _started(make: Callable[[], Server], tries: int = 2) -> Server:
    """A server that does not start is built once more, on other ports: somebody may have taken one after the look."""
    server = make()
    try:
        server.part.start()
    except AssertionError:
        _discard(server.part)
        if tries == 1:
            raise
        return _started(make, tries - 1)
    return server


def _discard(part: Part) -> None:
    part.stop()
    shutil.rmtree(part.folder, ignore_errors=True)


def make_folder(name: str, owner: str | None = None) -> Path:
    """A new folder for a server, which its user may write to."""
    folder = Path(tempfile.mkdtemp(prefix=f"cityloop-{name}-"))
    if owner:
        found = pwd.getpwnam(owner)
        os.chown(folder, found.pw_uid, found.pw_gid)
    folder.chmod(0o755)
    return folder


def _unprivileged(name: str) -> str | None:
    """Database servers refuse to run as root: then they run as their own user."""
    return name if os.geteuid() == 0 else None


@dataclass
class Broker:
    """mosquitto with three doors: open, by password, and by TLS with a certificate of its own authority."""

    part: Part
    port: int
    locked_port: int
    tls_port: int
    ca: Path
    user: str = "gateway"
    password: str = PASSWORD


@pytest.fixture(scope="session")
def mosquitto() -> Iterator[Broker]:
    """A broker."""
    binary = program("mosquitto")
    yield from served(lambda: make_broker(binary, make_folder("mosquitto")))


def make_broker(binary: str, folder: Path) -> Broker:
    """A broker over ``folder``, not started yet; sessions and queued messages outlive a restart."""
    port, locked, tls = free_port(), free_port(), free_port()
    ca = certificates(folder)
    keep = folder / "passwords"
    subprocess.run([program("mosquitto_passwd"), "-b", "-c", keep, "gateway", PASSWORD], check=True)
    (folder / "mosquitto.conf").write_text(
        "per_listener_settings true\npersistence true\n"
        f"persistence_location {folder}/\nmax_queued_messages 0\nlog_type error\nlog_type warning\n"
        f"listener {port} 127.0.0.1\nallow_anonymous true\n"
        f"listener {locked} 127.0.0.1\nallow_anonymous false\npassword_file {keep}\n"
        f"listener {tls} 127.0.0.1\nallow_anonymous true\n"
        f"cafile {ca}\ncertfile {folder}/server.pem\nkeyfile {folder}/server.key\n",
        encoding="utf-8",
    )
    if name := _unprivileged("mosquitto"):
        owner = pwd.getpwnam(name)
        for path in [folder, *folder.iterdir()]:
            os.chown(path, owner.pw_uid, owner.pw_gid)
    part = Part(
        "mosquitto",
        [binary, "-c", str(folder / "mosquitto.conf")],
        folder,
        port,
        lambda: answers(port) and answers(tls),
    )
    return Broker(part, port, locked, tls, ca)


def certificates(folder: Path) -> Path:
    """An authority and a certificate for 127.0.0.1 in ``folder``; returns the authority's file."""
    openssl = program("openssl")

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True)

    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
        "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=cityloop test authority",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")  # fmt: skip
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nauthorityKeyIdentifier=keyid\n", "ascii")
    run("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
        "-out", "server.pem", "-extfile", "names")  # fmt: skip
    return folder / "ca.pem"


@pytest.fixture(scope="session")
def nats_server() -> Iterator[Part]:
    """A NATS server with JetStream, without accounts."""
    binary = program("nats-server")
    yield from served(lambda: make_nats(binary, make_folder("nats")))


def make_nats(binary: str, folder: Path, *arguments: str) -> Part:
    """A JetStream server over ``folder``, not started yet."""
    port = free_port()
    command = [binary, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder / "store"), *arguments]
    return Part("nats-server", command, folder, port, lambda: answers(port))


@dataclass
class Store:
    """A database server; ``url`` is for SQLAlchemy and carries the password."""

    part: Part
    url: str
    user: str = "city"
    password: str = PASSWORD

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        return self.part.port


@pytest.fixture(scope="session")
def postgres() -> Iterator[Store]:
    """PostgreSQL with the empty database ``city``."""
    for store in served(make_postgres):
        with psycopg.connect(f"host=127.0.0.1 port={store.port} user=city dbname=postgres", autocommit=True) as first:
            first.execute("CREATE DATABASE city")
        yield store


def make_postgres() -> Store:
    """A PostgreSQL server over a new folder, not started yet."""
    owner = _unprivileged("postgres")
    postgres, initdb = program("postgres", POSTGRES_BINARIES), program("initdb", POSTGRES_BINARIES)
    folder, port = make_folder("postgres", owner), free_port()
    data = folder / "data"
    subprocess.run(
        [initdb, "-D", data, "-U", "city", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"],
        check=True, capture_output=True, user=owner, group=owner, cwd=folder,
    )  # fmt: skip
    command = [postgres, "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder), "-c", "fsync=off"]
    address = f"host=127.0.0.1 port={port} user=city dbname=postgres"

    def ready() -> bool:
        try:
            psycopg.connect(address, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    part = Part("postgres", command, folder, port, ready, owner, signal.SIGINT)
    return Store(part, f"postgresql+psycopg://city@127.0.0.1:{port}/city", password="")


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Store]:
    """MariaDB with the empty database ``city`` and the user ``city`` with :data:`PASSWORD`."""
    yield from served(make_mariadb)


def make_mariadb() -> Store:
    """A MariaDB server over a new folder, not started yet."""
    owner = _unprivileged("mysql")
    server, install = program("mariadbd"), program("mariadb-install-db")
    folder, port = make_folder("mariadb", owner), free_port()
    data = folder / "data"
    subprocess.run(
        [install, "--no-defaults", f"--datadir={data}", "--skip-test-db", *([f"--user={owner}"] if owner else [])],
        check=True, capture_output=True, user=owner, group=owner, cwd=folder,
    )  # fmt: skip
    first = folder / "first.sql"
    first.write_text(
        "CREATE DATABASE IF NOT EXISTS city CHARACTER SET utf8mb4;\n"
        f"CREATE OR REPLACE USER city@'%' IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON *.* TO city@'%';\n",
        encoding="utf-8",
    )
    command = [
        server, "--no-defaults", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1",
        f"--socket={folder}/db.sock", f"--pid-file={folder}/db.pid", f"--init-file={first}", "--skip-name-resolve",
        "--character-set-server=utf8mb4", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M",
    ]  # fmt: skip

    def ready() -> bool:
        try:
            pymysql.connect(host="127.0.0.1", port=port, user="city", password=PASSWORD, database="city").close()
        except pymysql.MySQLError:
            return False
        return True

    part = Part("mariadb", command, folder, port, ready, owner)
    return Store(part, f"mysql+pymysql://city@127.0.0.1:{port}/city")
