"""A private Redis server: its settings, its start, its end."""

import signal
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from qbtrade.adapters.services import owner
from qbtrade.adapters.services.access import HOST, USER, Access, made_access, read_access
from qbtrade.adapters.services.process import Server
from qbtrade.adapters.services.programs import Program, redis

TIMEOUT: Final = 5.0
_SETTINGS: Final = """\
bind {host}
port {port}
daemonize no
dir "{data}"
pidfile "{pid_file}"
appendonly yes
maxmemory 256mb
maxmemory-policy noeviction
user default off
user {user} on >{password} ~qb:* resetchannels &qb:* +@all -@dangerous +info
"""
"""The user may touch what is called qb:..., and nothing that administers the server."""


class RedisService:
    """Redis, or Valkey, in one folder. options: settings beyond our own, as lines of its configuration."""

    name: Final = "Redis"
    scheme: Final = "redis"

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        self.folder, self._options = folder, options
        self.data, self._pid_file = folder / "data", folder / "server.pid"
        self.server = Server(self.name, folder, self._pid_file)

    @property
    def access(self) -> Access | None:
        """How it is reached; None before the first start."""
        return read_access(self.folder)

    @property
    def program(self) -> Program:
        """What runs it. Raises: FileError."""
        return redis()

    def start(self) -> bool:
        """Start it, unless it runs. Gives whether it had to be started. Raises: FileError."""
        if self.server.is_alive:
            return False
        owner.make_folder(self.folder)
        owner.make_folder(self.data)
        binary, access = owner.reachable(self.program, self.folder), made_access(self.folder)
        self.server.start([binary, self._settings(access)], self._is_ready)
        return True

    def stop(self) -> bool:
        """End it and write everything down. Gives whether it ran. Raises: FileError."""
        return self.server.stop(signal.SIGTERM)

    def url(self) -> str:
        """Its address, password and all; "" before the first start."""
        access = self.access
        return access.url(self.scheme, "0") if access else ""

    def variables(self) -> dict[str, str]:
        """What leads redis-cli here, beside its -p."""
        access = self.access
        return {"REDISCLI_AUTH": access.password} if access else {}

    def _settings(self, access: Access) -> Path:
        """The file of its settings: a password on the command line would be seen by everybody."""
        path = self.folder / "redis.conf"
        text = _SETTINGS.format(
            host=HOST, port=access.port, data=self.data, pid_file=self._pid_file, user=USER, password=access.password
        )
        owner.write_secret(path, text + "".join(f"{line}\n" for line in self._options))
        return path

    def _is_ready(self) -> bool:
        import redis

        with closing(redis.Redis.from_url(self.url(), socket_timeout=TIMEOUT)) as client:
            try:
                return self.server.pid > 0 and bool(client.ping())
            except redis.RedisError:
                return False
