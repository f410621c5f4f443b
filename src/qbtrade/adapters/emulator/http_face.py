"""Just enough HTTP/1.1 for one KIS client: requests with a length, connections that stay open."""

import asyncio
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from qbtrade.adapters.emulator.wire import Answer, Request

_LARGEST: Final = 1_000_000
_REQUEST_LINE: Final = 3


class BadRequestError(ValueError):
    """Bytes that are no HTTP request."""


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection; None when it ended. Raises: BadRequestError."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise BadRequestError("half a request") from error
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequestError("the head is too long") from error
    first, *rest = head.decode("latin-1").split("\r\n")
    line = first.split(" ")
    if len(line) != _REQUEST_LINE:
        raise BadRequestError(first)
    pairs = (text.partition(":") for text in rest if text)
    headers = {name.strip().lower(): value.strip() for name, _colon, value in pairs}
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > _LARGEST:
        raise BadRequestError(f"content-length {length}")
    body = await reader.readexactly(int(length))
    target = urlsplit(line[1])
    return Request(line[0], target.path, headers, dict(parse_qsl(target.query, keep_blank_values=True)), body)


def encoded(answer: Answer) -> bytes:
    """An answer as bytes."""
    headers = {**answer.headers, "content-length": str(len(answer.body)), "connection": "keep-alive"}
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body
