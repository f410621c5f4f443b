"""One HTTP exchange over requests, and the proof of whether any of it left this machine.

Whether a request may have arrived is read off the socket, not guessed from the kind of error: without a connection
nothing was sent, and after one everything may have been.
"""

import socket
import threading
from contextlib import suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from qbtrade.adapters.kis.http import ConnectFailed, HttpOutcome, HttpReply, HttpRequest, NoAnswer
from qbtrade.domain.calendar import NS


class Line:
    """The socket of one exchange. sock: None is proof that not one byte was sent."""

    def __init__(self) -> None:
        self.sock: socket.socket | None = None
        self.is_cut = False

    def up(self, sock: socket.socket) -> None:
        """The connection stands. Raises: TimeoutError when nobody waits for it any more."""
        if self.is_cut:
            raise TimeoutError("connected too late")
        self.sock = sock

    def cut(self) -> None:
        """End the exchange from another thread, whatever it waits for."""
        self.is_cut = True
        if self.sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


_here = threading.local()


class _Plain(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _here.line.up(self.sock)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _here.line.sock = self.sock  # of a connection used before, else None
        super().request(*args, **kwargs)


class _Tls(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _here.line.up(self.sock)

    def request(self, *args: Any, **kwargs: Any) -> None:
        _here.line.sock = self.sock
        super().request(*args, **kwargs)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}


def new_session() -> requests.Session:
    """Connections of our own: no retries, no proxies, and no passwords from ~/.netrc in place of ours."""
    session = requests.Session()
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(max_retries=0))
    return session


def exchange(session: requests.Session, request: HttpRequest, line: Line) -> HttpOutcome:
    """Send once, never follow a redirect, and give up when the time is over, wherever it went."""
    _here.line, seconds = line, request.timeout_ns / NS
    alarm = threading.Timer(seconds, line.cut)
    alarm.name, alarm.daemon = "qb-deadline", True
    try:
        alarm.start()
    except RuntimeError as error:  # no thread is to be had: without a deadline nothing is sent
        return ConnectFailed(str(error))
    try:
        reply = session.request(
            request.method, request.url, headers=dict(request.headers), data=request.body or None,
            timeout=seconds, allow_redirects=False, stream=True,
        )  # fmt: skip
        with reply:
            body = reply.content
    except Exception as error:  # noqa: BLE001 - whatever broke, the socket tells what may have been sent
        return ConnectFailed(_words(error)) if line.sock is None else NoAnswer(_words(error))
    finally:
        alarm.cancel()
        alarm.join()
    if line.is_cut:
        return NoAnswer("no whole answer in time")
    return HttpReply(reply.status_code, {name.lower(): value for name, value in reply.headers.items()}, body)


def _words(error: BaseException) -> str:
    """What went wrong, without the URL: its query names the account."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        error, cause = cause, cause.__cause__ or cause.__context__
    return type(error).__name__


def call_once(request: HttpRequest) -> HttpOutcome:
    """Do one exchange on a connection of its own and wait for it; for commands that have no loop."""
    with new_session() as session:
        return exchange(session, request, Line())
