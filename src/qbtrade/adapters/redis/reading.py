"""The other end: follows the events of sessions, and sees what they look like."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from qbtrade.adapters.redis import names
from qbtrade.adapters.redis.client import PATIENT, cause, connect
from qbtrade.errors import ConfigError

NEW: Final = "$"
"""After everything that is there now."""
START: Final = "0"
MANY: Final = 500


class Told(msgspec.Struct, frozen=True):
    """One event as it was told. entry: its id in the stream; n: its number within the run; body: JSON."""

    entry: str
    run: str
    n: int
    type: str
    body: str


class Picture(msgspec.Struct, frozen=True):
    """What a session looks like. account: a digest; written: UTC ns of machine time; status: JSON."""

    account: str
    run: str
    environment: str
    written: int
    heeded: int
    status: str


class AwayError(Exception):
    """Redis does not answer now; the text says why, and never holds its address."""


class Reader:
    """Follows the stream of events from an entry on. Keeps its place while the server is away."""

    def __init__(self, url: str, after: str = NEW) -> None:
        self._client = connect(url, timeout=PATIENT)
        self.after = after
        self._seen: dict[str, int] = {}

    def begin(self) -> None:
        """Find the place where new events begin. Raises: AwayError."""
        if self.after == NEW:
            newest = self._ask(lambda: self._client.xrevrange(names.EVENTS, count=1))
            self.after = newest[0][0] if newest else START

    def read(self, wait: float) -> tuple[list[Told], int]:
        """What was told since, and how many events were not. wait: seconds, if there is nothing. Raises: AwayError."""
        found = self._ask(
            lambda: self._client.xread({names.EVENTS: self.after}, count=MANY, block=max(int(wait * 1_000), 1))
        )
        told, missed = list[Told](), 0
        for entry, fields in entries_of(found):
            self.after = entry
            one = Told(entry, fields["run"], int(fields["n"]), fields["type"], fields["body"])
            last = self._seen.get(one.run, one.n - 1)
            if one.n > last:  # what failed on its way was told again
                missed += one.n - last - 1
                self._seen[one.run] = one.n
                told.append(one)
        return told, missed

    def pictures(self) -> list[Picture]:
        """Every session that showed itself lately, newest first. Raises: AwayError."""
        found = list[Picture]()
        for key in self._ask(lambda: list(self._client.scan_iter(names.STATUS + "*"))):
            fields: Any = self._ask(lambda key=key: self._client.hgetall(key))
            if fields:  # it may have expired just now
                found.append(
                    msgspec.convert({**fields, "account": key.removeprefix(names.STATUS)}, Picture, strict=False)
                )
        return sorted(found, key=lambda picture: -picture.written)

    def send(self, fields: dict[Any, Any]) -> None:
        """Ask for something. Raises: AwayError."""
        self._ask(lambda: self._client.xadd(names.COMMANDS, fields, maxlen=names.COMMANDS_KEPT, approximate=True))

    def close(self) -> None:
        """Let go of the server."""
        self._client.close()

    def _ask(self, question: Any) -> Any:
        import redis

        try:
            return question()
        except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
            raise ConfigError("Redis cannot be used: {cause}", hint="Check QB_REDIS_URL", cause=cause(error)) from error
        except (redis.RedisError, OSError) as error:
            raise AwayError(cause(error)) from error


def entries_of(found: Any) -> Iterator[tuple[str, dict[str, str]]]:
    """Id and fields of each entry of an XREAD; its form depends on the protocol that client and server agreed on."""
    for _stream, entries in found.items() if isinstance(found, dict) else found or ():
        yield from entries
