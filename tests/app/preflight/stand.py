"""A stand to check things on: a local KIS, a proxy before it that says what a test wants said, and the rows by name."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from qbtrade.adapters.emulator.plan import EmulatorPlan
from qbtrade.adapters.emulator.server import EmulatorServer
from qbtrade.app.emulator import open_emulator
from qbtrade.app.preflight import Row, preflight
from qbtrade.kernel.clock import wall_ns

SYMBOL = "005930"
NOWHERE = "http://127.0.0.1:9"


@contextmanager
def emulator(plan: EmulatorPlan | None = None) -> Iterator[tuple[EmulatorServer, dict[str, str]]]:
    """A local KIS and the variables that point at it."""
    server = open_emulator(plan or EmulatorPlan())
    urls = server.start()
    held = server.credentials
    try:
        yield server, {
            "QB_KIS_ENV": "emulator", "QB_KIS_REST_URL": urls[0], "QB_KIS_WS_URL": urls[1],
            "QB_KIS_APP_KEY": held.app_key, "QB_KIS_APP_SECRET": held.app_secret, "QB_KIS_ACCOUNT": held.account,
            "QB_KIS_HTS_ID": held.hts_id, "QB_KIS_SPEAKS": server.plan.side,
        }  # fmt: skip
    finally:
        server.stop()


class Lies:
    """What the proxy changes. fields: by the last part of the path, then by name. html: paths that answer HTTP 500.

    bodies: paths that answer HTTP 200 with this; both know "*" for all. asked: the paths that were asked for.

    late: added to the Date header, which tells the machine's time with real_date. whole: blocks of answers by path.
    """

    def __init__(
        self,
        fields: Mapping[str, Mapping[str, str]] | None = None,
        *,
        html: tuple[str, ...] = (),
        bodies: Mapping[str, bytes] | None = None,
        late: timedelta = timedelta(0),
        real_date: bool = False,
        whole: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.fields, self.html, self.late, self.real_date = fields or {}, html, late, real_date
        self.bodies, self.asked = bodies or {}, list[str]()
        lasting = {"tokenP": {"access_token_token_expired": "2099-01-01 00:00:00"}} if real_date else {}
        self.whole = whole or lasting
        self.html += ("clock",) if real_date else ()  # as KIS, which has no such path


class _Proxy(BaseHTTPRequestHandler):
    target: ClassVar[str] = ""
    lies: ClassVar[Lies] = Lies()

    def log_message(self, *_args: Any) -> None:
        pass

    def send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        name = urlsplit(self.path).path.rpartition("/")[2]
        self.lies.asked.append(name)
        if name in self.lies.html or "*" in self.lies.html:
            self.send(500, {"content-type": "text/html"}, b"<html><body>Internal Server Error</body></html>")
            return
        said = self.lies.bodies.get(name, self.lies.bodies.get("*"))
        if said is not None:
            self.send(200, {"content-type": "application/json"}, said)
            return
        length = int(self.headers.get("content-length", 0))
        onward = HTTPConnection(urlsplit(self.target).netloc, timeout=10)
        onward.request(self.command, self.path, self.rfile.read(length), dict(self.headers))
        reply = onward.getresponse()
        body = json.loads(reply.read()) | self.lies.whole.get(name, {})
        for block in body.values():
            for row in block if isinstance(block, list) else [block]:
                if isinstance(row, dict):
                    row.update(self.lies.fields.get(name, {}))
        dropped = {"content-length", "date", "connection"}
        headers = {key: value for key, value in reply.getheaders() if key.lower() not in dropped}
        told = reply.getheader("date") or ""
        moment = datetime.fromtimestamp(wall_ns() / 1e9, UTC) if self.lies.real_date else parsedate_to_datetime(told)
        headers["date"] = format_datetime(moment + self.lies.late)
        onward.close()
        self.send(reply.status, headers, json.dumps(body).encode())

    do_POST = do_GET  # noqa: N815 (http.server's name)


@contextmanager
def proxy(target: str, lies: Lies) -> Iterator[str]:
    """A server that passes everything on to `target` and changes the answers."""
    handler = type("Handler", (_Proxy,), {"target": target, "lies": lies})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def lying_kis(lies: Lies, plan: EmulatorPlan | None = None) -> Iterator[dict[str, str]]:
    """The variables of a local KIS that lies."""
    with emulator(plan) as (_server, variables), proxy(variables["QB_KIS_REST_URL"], lies) as url:
        yield {**variables, "QB_KIS_REST_URL": url}


def rows(folder: Path, variables: Mapping[str, str], *only: str, **wish: Any) -> dict[str, Row]:
    """The rows of some checks, by name."""
    found = preflight(folder, variables, folder / "home", only=only, **wish).rows
    return {row.check: row for row in found}


def row(folder: Path, variables: Mapping[str, str], check: str, **wish: Any) -> Row:
    """The row of one check."""
    return rows(folder, variables, check, **wish)[check]


def lied(folder: Path, check: str, lies: Lies, plan: EmulatorPlan | None = None, **wish: Any) -> Row:
    """The row of one check at a KIS that lies."""
    with lying_kis(lies, plan) as variables:
        return row(folder, variables, check, **wish)
