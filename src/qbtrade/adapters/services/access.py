"""How a private server is reached: a port of this machine and a password, made once and kept."""

import os
import secrets
import socket
from pathlib import Path
from typing import Final

import msgspec

from qbtrade.errors import FileError

HOST: Final = "127.0.0.1"
USER: Final = "qb"
NAME: Final = "access.json"


class Access(msgspec.Struct, frozen=True):
    """What a client needs to know. port: 0 before the first start."""

    password: str
    port: int = 0

    def url(self, scheme: str, database: str) -> str:
        """The address, password and all."""
        return f"{scheme}://{USER}:{self.password}@{HOST}:{self.port}/{database}"


def read_access(folder: Path) -> Access | None:
    """What was kept; None before the first start. Raises: FileError."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Access)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise FileError("{path}: {cause}", path=folder / NAME, cause=error) from error


def made_access(folder: Path) -> Access:
    """What was kept, or a new password, and a port on which nobody listens at this moment. Raises: FileError."""
    kept = read_access(folder) or Access(secrets.token_urlsafe(24))
    access = Access(kept.password, kept.port if kept.port and _is_free(kept.port) else _any_port())
    draft = folder / f"{NAME}.new"
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(access))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / NAME)
    except OSError as error:
        raise FileError("cannot write {path}: {cause}", path=draft, cause=error.strerror or error) from error
    return access


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port
