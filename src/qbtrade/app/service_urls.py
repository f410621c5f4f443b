"""Where `qb services` says how its servers are reached: one file, in the words of a shell, while they are up."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from qbtrade.app.files import write_whole
from qbtrade.app.home import OURS_ALONE
from qbtrade.errors import ConfigError, FileError

NAMES: Final = {"database_url": "QB_DATABASE_URL", "redis_url": "QB_REDIS_URL"}
OTHERS: Final = 0o077


def services_dir(home: Path) -> Path:
    """Holds what `qb services` keeps for itself."""
    return home / "services"


def urls_path(home: Path) -> Path:
    """Lines of NAME=URL, for `. urls` in a shell as well."""
    return services_dir(home) / "urls"


def read_urls(home: Path) -> dict[str, str]:
    """Each key that the servers answer for; empty while they are not up. Raises: ConfigError."""
    path = urls_path(home)
    try:
        if path.stat().st_mode & OTHERS:
            raise ConfigError("{place} holds a password and others may read it", hint="chmod 600 {place}", place=path)
        lines = dict(line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines() if "=" in line)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError("{place}: {cause}", place=path, cause=error) from error
    return {key: lines[name] for key, name in NAMES.items() if name in lines}


def write_urls(home: Path, urls: Mapping[str, str], more: Mapping[str, str]) -> None:
    """Say them. more: variables for psql and its kin, which need not show a password to `ps`. Raises: FileError."""
    said = {**{NAMES[key]: url for key, url in urls.items()}, **more}
    text = "".join(f"{name}={value}\n" for name, value in said.items())
    write_whole(urls_path(home), text.encode())


def remove_urls(home: Path) -> None:
    """Say nothing any more. Raises: FileError."""
    path = urls_path(home)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise FileError("cannot write {path}: {cause}", path=path, cause=error.strerror or error) from error


def make_services_dir(home: Path) -> None:
    """Make the folder. Raises: FileError."""
    path = services_dir(home)
    try:
        path.mkdir(mode=OURS_ALONE, parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            "cannot create folder {path}: {cause}", path=path, cause=error.strerror or error,
            hint="Set QB_HOME to a folder that you may write",
        ) from error  # fmt: skip
