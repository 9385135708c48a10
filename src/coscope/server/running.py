"""Running the server on a loopback port, until it is interrupted."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn

from coscope.errors import InputError
from coscope.server.application import Answers, application

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the page is, and the token that belongs to this run."""

    port: int
    token: str

    @property
    def url(self) -> str:
        """What to open. The fragment is not sent to the server, nor to any other."""
        return f"http://{LOOPBACK}:{self.port}/#token={self.token}"


def run(answers: Answers, port: int, started: Callable[[Address], None]) -> None:
    """Serve until interrupted.

    Args:
        answers: What answers.
        port: The port; 0 for any that is free.
        started: Called once the port is open.

    Raises:
        InputError: The port is taken, or may not be used.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((LOOPBACK, port))
        except OSError as error:
            raise InputError(
                f"port {port} cannot be used: {error.strerror}", hint="Another one: --port 0."
            ) from error
        listening.listen()
        address = Address(listening.getsockname()[1], secrets.token_urlsafe(24))
        hosts = frozenset(f"{name}:{address.port}" for name in (LOOPBACK, "localhost"))
        app = application(answers, hosts=hosts, token=address.token)
        config = uvicorn.Config(
            app,
            log_level="error",
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=1,
            server_header=False,
        )
        started(address)
        uvicorn.Server(config).run(sockets=[listening])
