"""Keeps the wire of a local KIS as JSON lines, without its secrets."""

import re
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from qbtrade.adapters.emulator.wire import Answer, Frame, Hangup, Output, Reply, Request
from qbtrade.domain.calendar import iso_kst
from qbtrade.errors import FileError

_SECRET: Final = re.compile(
    r'("(?:appkey|appsecret|secretkey|approval_key|access_token|token|authorization|iv|key)"\s*:\s*")[^"]*(")'
)
_MASK: Final = r"\1***\2"
_SECRET_HEADERS: Final = frozenset({"authorization", "appkey", "appsecret", "personalseckey"})


class Recorder:
    """Writes to `path`; nothing when it is "". Raises: FileError when the file cannot be written."""

    def __init__(self, path: str) -> None:
        try:
            self._file = open(path, "a", encoding="utf-8") if path else None  # noqa: PTH123, SIM115 (closed in exit)
        except OSError as error:
            raise FileError("{path} cannot be written: {error}", path=path, error=error.strerror) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()

    def request(self, now: int, number: int, request: Request) -> None:
        """Keep one HTTP request."""
        headers = {name: "***" if name in _SECRET_HEADERS else text for name, text in request.headers.items()}
        self._write(
            now, "request", number, method=request.method, path=request.path, headers=headers,
            query=dict(request.query), body=_text(request.body),
        )  # fmt: skip

    def received(self, now: int, session: int, text: str) -> None:
        """Keep one text frame of a client."""
        self._write(now, "received", session, text=text)

    def out(self, now: int, output: Output) -> None:
        """Keep what is sent."""
        match output:
            case Reply():
                self._answered(now, output.number, output.answer)
            case Frame():
                data = output.data if isinstance(output.data, str) else _text(output.data)
                self._write(now, "sent", output.session, text=data)
            case Hangup():
                self._write(now, "hangup", output.session)

    def _answered(self, now: int, number: int, answer: Answer | None) -> None:
        if answer is None:
            self._write(now, "no-answer", number)
        else:
            headers, body = dict(answer.headers), _text(answer.body)
            self._write(now, "answer", number, status=answer.status, headers=headers, body=body)

    def _write(self, now: int, what: str, number: int, **rest: Any) -> None:
        if self._file:
            plain = {name: _SECRET.sub(_MASK, each) if isinstance(each, str) else each for name, each in rest.items()}
            line = msgspec.json.encode({"time": iso_kst(now), "what": what, "number": number, **plain})
            self._file.write(line.decode() + "\n")
            self._file.flush()


def _text(data: bytes) -> str:
    return data.decode(errors="backslashreplace")
