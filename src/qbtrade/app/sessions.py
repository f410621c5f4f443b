"""The sessions of QB_HOME, read from their journals: a list, one of them by name, its report."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import msgspec

from qbtrade.adapters.store.sqlite import last_event, read_events
from qbtrade.adapters.store.verify import Sound, verify
from qbtrade.app import report
from qbtrade.app.home import journal_files, journals_dir
from qbtrade.app.session_rows import Books
from qbtrade.domain.events import SessionEnded, SessionStarted
from qbtrade.domain.message import Event, EventType
from qbtrade.errors import FileError, QbError
from qbtrade.kernel.bus import Bus

LATEST: Final = "latest"
EMPTY: Final = "EMPTY"
"""Outcome of a run that ended before it wrote anything."""
UNREADABLE: Final = "UNREADABLE"
"""Outcome of a file that is damaged, foreign or of a newer version."""

_SUFFIX: Final = ".sqlite3"
_OFFERED: Final = 3
_SUMMED: Final = frozenset({EventType.SESSION_STARTED, EventType.POSITION_CHANGED, EventType.SESSION_ENDED})


class Session(msgspec.Struct, frozen=True):
    """One run at a glance. start, end: UTC ns of market time; profit: KRW, net; problem: why it cannot be read."""

    run_id: str
    session_id: str = ""
    mode: str = ""
    symbols: tuple[str, ...] = ()
    strategy: str = ""
    start: int = 0
    end: int = 0
    outcome: str = EMPTY
    profit: int = 0
    fills: int = 0
    problem: str = ""


class _Timing(msgspec.Struct):
    journal_hash: str | None = None


class _Kept(msgspec.Struct):
    timing: _Timing


def sessions(home: Path, most: int) -> tuple[tuple[Session, ...], int]:
    """The last runs, newest first, at most `most`, and how many there are besides.

    A journal that cannot be read is listed with its problem.
    """
    journals = _journals(home)
    return tuple(map(_glance, journals[:most])), len(journals[most:])


def find(home: Path, name: str = LATEST) -> Path:
    """The journal of a run by the beginning of its run id or session id, or the latest one.

    Runs of the same session (same input, configuration and seed) share a session id: the latest of them is taken.
    Raises: FileError when none or several fit.
    """
    heads = ((path, started) for path in _journals(home) if (started := _head(path)))
    latest = next(heads, None)
    if latest is None:
        raise FileError("no session in {path}", path=journals_dir(home), hint="Run qb simulate first")
    if name == LATEST:
        return latest[0]
    known = [latest, *heads]
    fitting = [
        (path, started.session_id)
        for path, started in known
        if path.stem.startswith(name) or started.session_id.startswith(name)
    ]
    if len({session_id for _, session_id in fitting}) == 1:
        return fitting[0][0]
    if fitting:
        raise _several(name, [path.stem for path, _ in fitting])
    raise _unknown(name, [each for path, started in known for each in (path.stem, started.session_id)])


def file_of(home: Path, name: str) -> Path:
    """The journal of a run, as `find`, also one that cannot be read. Raises: FileError."""
    fitting = [path for path in _journals(home) if name in {LATEST, path.stem}]
    return fitting[0] if fitting else find(home, name)


def verified(journal: Path, report_path: Path) -> Sound:
    """Look at every row of a journal; a report of it, where there is one, knows the hash of the last row that it saw.

    Raises: FileError, which names the first bad row.
    """
    told = ""
    with suppress(OSError, msgspec.MsgspecError):
        kept = msgspec.json.decode(report_path.read_bytes(), type=_Kept)
        told = kept.timing.journal_hash or ""
    return verify(journal, told=told)


def load(journal: Path) -> dict[str, Any]:
    """The report of a run, built from its journal. Raises: FileError, JournalError."""
    return report.made_from(journal)


def newest_with(home: Path, order_id: str) -> Path:
    """The latest journal that knows the order. Raises: FileError."""
    for path in _journals(home):
        if _head(path) and next(read_events(path, {EventType.SUBMIT_ORDER}, order_id=order_id), None):
            return path
    raise FileError("no order {name!r} in any session", name=order_id, hint="See qb report --events SUBMIT_ORDER")


def _journals(home: Path) -> list[Path]:
    """Newest first."""
    return journal_files(home)[::-1]


def _head(path: Path) -> SessionStarted | None:
    try:
        first = next(read_events(path), None)
    except QbError:
        return None
    return first if isinstance(first, SessionStarted) else None


def _glance(path: Path) -> Session:
    try:
        started = next(read_events(path), None)
        if not isinstance(started, SessionStarted):
            return Session(path.stem)
        return _sum_up(path, started, read_events(path, _SUMMED), last_event(path) or started)
    except QbError as error:
        return Session(path.stem, outcome=UNREADABLE, problem=str(error))


def _sum_up(path: Path, started: SessionStarted, booked: Iterator[Event], last: Event) -> Session:
    bus = Bus()
    books = Books(bus)
    fills = 0
    for event in booked:
        bus.publish(event)
        fills += event.__class__ not in {SessionStarted, SessionEnded}
    return Session(
        run_id=path.stem,
        session_id=started.session_id,
        mode=started.mode,
        symbols=started.symbols,
        strategy=started.strategy,
        start=started.ts,
        end=last.ts,
        outcome=last.outcome.value if isinstance(last, SessionEnded) else report.UNFINISHED,
        profit=books.account()["equity"] - books.worth,
        fills=fills,
    )


def _several(name: str, run_ids: Sequence[str]) -> FileError:
    return FileError(
        "{name!r} fits {count} sessions", name=name, count=len(run_ids), hint="Say more of it: {known}",
        known=", ".join(run_ids[:_OFFERED]),
    )  # fmt: skip


def _unknown(name: str, known: Sequence[str]) -> FileError:
    near = get_close_matches(name, known, n=_OFFERED, cutoff=0.5) or known[:_OFFERED]
    return FileError("no session {name!r}", name=name, hint="Nearest: {known}", known=", ".join(dict.fromkeys(near)))
