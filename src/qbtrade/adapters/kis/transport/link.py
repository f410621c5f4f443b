"""One WebSocket connection over websocket-client, read without waiting."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final, cast

import websocket

CHUNK: Final = 1 << 16
PATIENCE: Final = 5.0
"""Machine seconds for a connect, for sending one text, and for the other side to take leave."""
BROKEN: Final = (OSError, websocket.WebSocketException)
"""What a connection raises when it is no more."""


class _ReadAhead:
    """A socket that is read in large pieces when it has something, and otherwise never waits."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._kept, self._at = sock, b"", 0
        self.waits = False

    def fill(self) -> None:
        """Take what has come. Raises: OSError when the other side is gone."""
        chunk = self._sock.recv(CHUNK)
        if not chunk:
            raise ConnectionResetError("the server hung up")
        self._kept, self._at = self._kept[self._at :] + chunk, 0

    def recv(self, size: int) -> bytes:
        """At most `size` bytes. Raises: TimeoutError when there are none and it may not wait."""
        piece = self._kept[self._at : self._at + size]
        self._at += len(piece)
        if piece:
            return piece
        if self.waits:
            return self._sock.recv(size)
        raise TimeoutError

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class Link:
    """One WebSocket connection. Raises: OSError or WebSocketException from every method but `close`."""

    def __init__(self, url: str) -> None:
        try:
            self._ws = websocket.create_connection(
                url, timeout=PATIENCE, skip_utf8_validation=True, http_no_proxy=["*"]
            )
        except websocket.WebSocketBadStatusException as error:  # its words quote the whole page
            raise ConnectionRefusedError(f"HTTP {error.status_code} instead of a stream") from None
        self._ahead = _ReadAhead(cast("socket.socket", self._ws.sock))
        self._ws.sock = cast("socket.socket", self._ahead)

    def fileno(self) -> int:
        """For select."""
        number: int = self._ahead.fileno()
        return number

    def texts(self) -> Iterator[str]:
        """Every whole text that has come; bytes that are no UTF-8 are replaced."""
        self._ahead.fill()
        while True:
            try:
                opcode, payload = self._ws.recv_data()
            except websocket.WebSocketTimeoutException:
                return
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                raise ConnectionResetError(f"closed by the server ({int.from_bytes(payload[:2], 'big')})")
            yield payload.decode("utf-8", "replace")

    def send(self, text: str) -> None:
        """Send one text, whole."""
        self._ws.send(text)

    def close(self) -> None:
        """Take leave with 1000 and wait a little for the server to do the same."""
        self._ahead.waits = True
        with suppress(*BROKEN):
            self._ws.close(status=websocket.STATUS_NORMAL, timeout=PATIENCE)
        self._ahead.close()
