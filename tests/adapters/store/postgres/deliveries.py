"""What is compared after a journal was passed on: every row of every table, counted and summed."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from qbtrade.adapters.store.outbox import letters
from qbtrade.adapters.store.postgres.copying import micros
from qbtrade.adapters.store.postgres.projection import BECOMES, COLUMNS
from qbtrade.adapters.store.postgres.sink import PostgresSink

ALL = 10**9
Y2K = datetime(2000, 1, 1, tzinfo=UTC)
Sums = dict[str, tuple[int, str]]


def journal_sums(journal: Path) -> Sums:
    """Rows and checksum of each table, as the journal says."""
    tables: dict[str, list[Any]] = {table: [] for table in COLUMNS}
    for seq, ts, _body, event in letters(journal, 0, ALL):
        assert event is not None
        for table, cells in BECOMES.get(event.__class__, ()):
            tables[table].append(cells((journal.stem, seq, ts, micros(ts)), event))
    return {table: _sum(found) for table, found in tables.items()}


def database_sums(url: str, journal: Path) -> Sums:
    """The same, as the database says."""
    with psycopg.connect(url) as connection:
        return {
            table: _sum(
                connection.execute(
                    sql.SQL("SELECT {} FROM qb.{} WHERE run_id = %s ORDER BY ts, {}").format(
                        sql.SQL(", ").join(map(sql.Identifier, columns)),
                        sql.Identifier(table),
                        sql.Identifier("run_id" if table == "sessions" else "seq"),
                    ),
                    [journal.stem],
                ).fetchall()
            )
            for table, columns in COLUMNS.items()
        }


def _sum(found: list[Any]) -> tuple[int, str]:
    plain = sorted(json.dumps([_plain(cell) for cell in cells], sort_keys=True) for cells in found)
    return len(plain), sha256("\n".join(plain).encode()).hexdigest()


def _plain(cell: Any) -> Any:
    """As it stands on the wire, which carries JSON as text and times as numbers."""
    if isinstance(cell, bytes):
        return json.loads(cell.removeprefix(b"\x01"))
    return (cell - Y2K) // timedelta(microseconds=1) if isinstance(cell, datetime) else cell


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
