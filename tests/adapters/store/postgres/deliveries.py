"""What is compared after a journal was passed on: every row of every table, counted and summed."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime

import psycopg

from qbtrade.adapters.store.postgres.sink import PostgresSink

ALL = 10**9
Y2K = datetime(2000, 1, 1, tzinfo=UTC)
Sums = dict[str, tuple[int, str]]


def drained(sink: PostgresSink, most: int = 97) -> int:
    """Pass on everything; how many rows that were."""
    total = 0
    while passed := sink.drain(most):
        total += passed
    return total


@contextmanager
def lossy(url: str) -> Iterator[tuple[str, threading.Event]]:
    """A way to the server that loses, while the event is set, the answer to a COMMIT and the connection with it."""
    info = psycopg.conninfo.conninfo_to_dict(url)
    loses = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        threading.Thread(target=_serve, args=(listener, int(str(info["port"])), loses), daemon=True).start()
        yield url.replace(f":{info['port']}/", f":{port}/"), loses


def _serve(listener: socket.socket, port: int, loses: threading.Event) -> None:
    with suppress(OSError):
        while True:
            client = listener.accept()[0]
            threading.Thread(target=_carry, args=(client, port, loses), daemon=True).start()


def _carry(client: socket.socket, port: int, loses: threading.Event) -> None:
    with closing(client), socket.create_connection(("127.0.0.1", port)) as server:
        silent = threading.Event()
        back = threading.Thread(target=_answers, args=(server, client, silent), daemon=True)
        back.start()
        with suppress(OSError):
            while asked := client.recv(65536):
                if loses.is_set() and b"COMMIT" in asked:
                    silent.set()
                server.sendall(asked)
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        back.join()


def _answers(server: socket.socket, client: socket.socket, silent: threading.Event) -> None:
    with suppress(OSError):
        while told := server.recv(65536):
            if silent.is_set():
                break
            client.sendall(told)
    with suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
