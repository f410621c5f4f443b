"""A private PostgreSQL server: its data, its start, its end."""

import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from qbtrade.adapters.services import owner
from qbtrade.adapters.services.access import HOST, USER, Access, made_access, read_access
from qbtrade.adapters.services.process import Server, is_surely_not
from qbtrade.adapters.services.programs import Program, postgres
from qbtrade.errors import FileError

DATABASE: Final = "qb"
NO_SYNC: Final = "fsync=off"
_STATE: Final = 7
"""Line of postmaster.pid that says whether it takes connections."""


class PostgresService:
    """PostgreSQL in one folder. options: settings beyond our own, as NAME=VALUE."""

    name: Final = "PostgreSQL"
    scheme: Final = "postgresql"

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        self.folder, self._options = folder, options
        self.data = folder / "data"
        self.server = Server(self.name, folder, self.data / "postmaster.pid")

    @property
    def access(self) -> Access | None:
        """How it is reached; None before the first start."""
        return read_access(self.folder)

    @property
    def program(self) -> Program:
        """What runs it: a server of the version that made the data. Raises: FileError."""
        try:
            return postgres(int((self.data / "PG_VERSION").read_text(encoding="ascii")))
        except FileNotFoundError:
            return postgres()

    def start(self) -> bool:
        """Start it, unless it runs. Gives whether it had to be started. Raises: FileError."""
        if self.server.is_alive:
            return False
        owner.make_folder(self.folder)
        binary, access = owner.reachable(self.program, self.folder), made_access(self.folder)
        if not self.data.exists():
            self._initialize(binary.with_name("initdb"), access)
        self._bury()
        settings = (f"listen_addresses={HOST}", f"port={access.port}", "unix_socket_directories=", *self._options)
        line = [binary, "-D", self.data, *(word for setting in settings for word in ("-c", setting))]
        self.server.start(line, self._is_ready)
        self._create_database(access)
        return True

    def stop(self) -> bool:
        """End it, its clients with it, and write everything down. Gives whether it ran. Raises: FileError."""
        return self.server.stop(signal.SIGINT)

    def url(self) -> str:
        """Its address, password and all; "" before the first start."""
        access = self.access
        return access.url(self.scheme, DATABASE) if access else ""

    def variables(self) -> dict[str, str]:
        """What leads psql and pg_dump here."""
        access = self.access
        if access is None:
            return {}
        return {
            "PGHOST": HOST,
            "PGPORT": str(access.port),
            "PGUSER": USER,
            "PGPASSWORD": access.password,
            "PGDATABASE": DATABASE,
        }

    def _initialize(self, initdb: Path, access: Access) -> None:
        """Make the data, whole or not at all."""
        draft, secret = self.folder / "data.new", self.folder / "password"
        shutil.rmtree(draft, ignore_errors=True)
        owner.write_secret(secret, access.password)
        line = [
            initdb, "-D", draft, "-U", USER, "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8", "--no-locale",
            "--data-checksums",
        ]  # fmt: skip
        if NO_SYNC in self._options:
            line.append("--no-sync")
        try:
            done = subprocess.run(  # noqa: S603 (our own line)
                list(map(str, line)), capture_output=True, text=True, check=False, cwd="/", **owner.start_as()
            )
        finally:
            secret.unlink()
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["?"])[-1]
            raise FileError("{name} did not start: {cause}", name=self.name, cause=said)
        draft.rename(self.data)

    def _bury(self) -> None:
        """Remove the pid file of a killed server whose number is taken, or whose remains nobody has cleared away.

        PostgreSQL asks only whether the number is in use, and would not start. Whether a server lives is known here.
        """
        with suppress(OSError, ValueError, IndexError):
            pid_file = self.data / "postmaster.pid"
            if is_surely_not(int(pid_file.read_text(encoding="utf-8").split()[0]), "postgres"):
                pid_file.unlink()

    def _is_ready(self) -> bool:
        with suppress(OSError):
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            return self.server.pid > 0 and lines[_STATE:] == ["ready   "]
        return False

    def _create_database(self, access: Access) -> None:
        import psycopg
        from psycopg import sql

        with psycopg.connect(access.url(self.scheme, "postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
