"""Real servers on this machine that answer as badly as a network can."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from qbtrade.domain.message import Event
from qbtrade.kernel.clock import Stopwatch, sleep
from qbtrade.kernel.loop import Inbox
from tests.program import PATIENCE
from tests.servers import HOST

Behaviour = Callable[[socket.socket], None]


def say(data: bytes) -> Behaviour:
    return lambda sock: sock.sendall(data)


def reply(status: int, body: bytes, *headers: str) -> Behaviour:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]
    return say("\r\n".join(lines).encode() + body)


def reset(sock: socket.socket) -> None:
    """Hang up so that the other side sees a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def nothing(_: socket.socket) -> None:
    """Hang up without a word."""


def stall(sock: socket.socket) -> None:
    """Say nothing until the other side gives up."""
    sock.settimeout(10)
    with suppress(OSError):
        sock.recv(1)


class Stuck:
    """Says nothing until it is let go, then hangs up."""

    def __init__(self) -> None:
        self._free = threading.Event()

    def __call__(self, sock: socket.socket) -> None:
        self._free.wait(PATIENCE)
        sock.shutdown(socket.SHUT_RDWR)

    def let_go(self) -> None:
        """Hang up, now and from now on."""
        self._free.set()


def drip(sock: socket.socket) -> None:
    """Never stop, never finish: a byte of a header now and then."""
    with suppress(OSError):
        sock.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(100):
            sock.sendall(b"X")
            sleep(0.05)


def certificate(folder: Path) -> Path:
    """A certificate for this machine that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "qbtrade test")])
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .add_extension(alternative, critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(made.public_bytes(Encoding.PEM) + secret)
    return path


class HttpServer:
    """Takes whole requests, keeps them, and behaves as it was told."""

    def __init__(self, behave: Behaviour, tls: ssl.SSLContext | None) -> None:
        self.behave, self._tls = behave, tls
        self.requests: list[bytes] = []
        self.connections = 0
        self._listener = socket.create_server((HOST, 0))
        self.url = f"{'https' if tls else 'http'}://{HOST}:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._threads.append(threading.Thread(target=self._serve, args=(sock,)))
            self._threads[-1].start()

    def _serve(self, accepted: socket.socket) -> None:
        with suppress(OSError), accepted, self._shaken(accepted) as sock:
            sock.settimeout(10)
            while request := self._request(sock):
                self.requests.append(request)
                self.behave(sock)
                if b"keep-alive" not in request:
                    return

    def _shaken(self, accepted: socket.socket) -> socket.socket:
        return accepted if self._tls is None else self._tls.wrap_socket(accepted, server_side=True)

    @staticmethod
    def _request(sock: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = sock.recv(65536)
            if not chunk:
                return b""
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [
            int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        ]
        while len(body) < sum(lengths):
            body += sock.recv(65536)
        return head + b"\r\n\r\n" + body


@contextmanager
def http_server(behave: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[HttpServer]:
    server = HttpServer(behave, tls)
    try:
        yield server
    finally:
        server.close()


class WsServer:
    """A stream server: keeps what it is told and answers with what `on_text` gives."""

    def __init__(self, on_text: Callable[[str], list[str | bytes]], greet: Callable[[ServerConnection], None]) -> None:
        self._on_text, self._greet = on_text, greet
        self.texts: list[str] = []
        self.codes: list[int | None] = []
        self.connections: list[ServerConnection] = []
        self._server: Server = serve(self._handle, HOST, 0, ping_interval=None, compression=None)
        self.url = f"ws://{HOST}:{self._server.socket.getsockname()[1]}/tryitout"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def say(self, text: str | bytes) -> None:
        """To the newest connection; bytes go out as a text frame, whatever they are."""
        self.connections[-1].send(text, text=True)

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
        self._server.shutdown()
        self._thread.join(PATIENCE)

    def _handle(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        self._greet(connection)
        try:
            for message in connection:
                text = str(message)
                self.texts.append(text)
                for each in self._on_text(text):
                    connection.send(each, text=True)
        except ConnectionClosed:
            pass
        self.codes.append(connection.close_code)


@contextmanager
def ws_server(
    on_text: Callable[[str], list[str | bytes]], greet: Callable[[ServerConnection], None] = lambda _: None
) -> Iterator[WsServer]:
    server = WsServer(on_text, greet)
    try:
        yield server
    finally:
        server.close()


def take(inbox: Inbox, *kinds: type[Event], seconds: float = PATIENCE) -> list[Event]:
    """Events up to the first of each kind, in the order in which they come; what comes between is kept, too."""
    wanted, found, watch = set(kinds), list[Event](), Stopwatch()
    while wanted:
        event = inbox.take(max(seconds - watch.seconds(), 0.001))
        assert event is not None or watch.seconds() < seconds, f"{wanted} did not come; {found} did"
        if event is not None:
            found.append(event)
            wanted.discard(type(event))
    return found


def our_threads() -> list[str]:
    """Names of the client's threads that are alive."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("qb-")]


def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait for what another thread does."""
    watch = Stopwatch()
    while not condition():
        assert watch.seconds() < seconds
        sleep(0.002)
