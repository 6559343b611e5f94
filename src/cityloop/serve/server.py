"""Runs one city as a web server until it is told to stop."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from collections.abc import Callable

import uvicorn

from cityloop.core.errors import Conflict
from cityloop.core.settings import Settings
from cityloop.serve.app import create_app
from cityloop.serve.house import House

log = logging.getLogger(__name__)

TURN_SECONDS = 0.0005
"""How long a thread keeps the interpreter when others wait. A commit lets go of it dozens of times and would wait the
usual 5 ms each time to get it back: ``cityloop bench loop`` takes a third off its latency with shorter turns."""

KEEP_ALIVE_SECONDS = 75
"""Longer than clients keep an idle connection: who closes first must be the one who sends the next request."""


def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Open the door, start the house, serve until SIGINT or SIGTERM, then close in order.

    ``announce`` is called with the address once requests are answered.
    """
    sys.setswitchinterval(TURN_SECONDS)
    listener = _listen(settings.host, settings.port)
    address = f"http://{settings.host}:{listener.getsockname()[1]}"
    house = House(settings)
    house.start()
    try:
        config = uvicorn.Config(
            create_app(house.services),
            log_level="warning",
            timeout_graceful_shutdown=3,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            access_log=False,
        )
        server = uvicorn.Server(config)
        opening = threading.Thread(target=_when_started, args=(server, house, address, announce), daemon=True)
        opening.start()
        server.run(sockets=[listener])
    finally:
        house.stop()


def _when_started(server: uvicorn.Server, house: House, address: str, announce: Callable[[str], None]) -> None:
    pause = threading.Event()
    while not server.started and not server.should_exit:
        pause.wait(0.05)
    if server.started:
        house.open(address)
        announce(address)


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Conflict(f"cannot listen on {host}:{port}: {error.strerror}", "choose another with --port") from error
    return listener
