"""Where qbtrade keeps its files."""

from pathlib import Path

from platformdirs import user_data_path

from qbtrade.app.config import configured
from qbtrade.errors import FileError

OURS_ALONE = 0o700
"""Mode of the folders we make: what is traded is nobody else's business."""


def home() -> Path:
    """What is configured (QB_HOME), or the user's data folder of the platform. Nothing is created."""
    return place(configured("home"))


def place(chosen: str) -> Path:
    """The folder that was chosen, or the user's data folder of the platform for ""."""
    return Path(chosen).expanduser() if chosen else user_data_path("qbtrade", appauthor=False)


def journals_dir(home: Path) -> Path:
    """Holds one `<run_id>.sqlite3` per run."""
    return home / "journals"


def journal_files(home: Path) -> list[Path]:
    """Every journal, oldest first: run ids sort by time. A file that no process finished making is none."""
    return [path for path in sorted(journals_dir(home).glob("[!.]*.sqlite3")) if not _is_unmade(path)]


def _is_unmade(path: Path) -> bool:
    """Whether its process ended while it made it: SQLite's rollback journal is there, the log of rows is not."""
    rollback, log = (path.with_name(path.name + suffix) for suffix in ("-journal", "-wal"))
    return not _size(path) or (rollback.exists() and not _size(log))


def _size(path: Path) -> int:
    """Bytes; 0 also for a file that is not there, as when a session that could not begin has taken its journal away."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def reports_dir(home: Path) -> Path:
    """Holds one `<run_id>.json` per run."""
    return home / "reports"


def kis_dir(home: Path) -> Path:
    """Holds the access token and the recent calls of each KIS key, shared by all processes."""
    return home / "kis"


def create(home: Path) -> None:
    """Make the folders that are missing. Raises: FileError."""
    for folder in (home, journals_dir(home), reports_dir(home)):
        try:
            folder.mkdir(mode=OURS_ALONE, parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(
                "cannot create folder {path}: {cause}", path=folder, cause=error.strerror or error,
                hint="Set QB_HOME to a folder that you may write",
            ) from error  # fmt: skip
