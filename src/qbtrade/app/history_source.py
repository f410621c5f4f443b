"""Where figures over many sessions come from: PostgreSQL where it is at hand, else the journals."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, time, timedelta
from pathlib import Path
from typing import Final

import msgspec

from qbtrade.adapters.store.outbox import last_number
from qbtrade.adapters.store.runs import Unreadable, from_journals, head_within
from qbtrade.app.config import configured
from qbtrade.app.history import By, Figures, History
from qbtrade.app.home import journal_files
from qbtrade.domain.calendar import kst_ns
from qbtrade.errors import NoRowsError, QbError

DATABASE: Final = "database"
JOURNALS: Final = "journals"
ALL: Final = "all"
"""Each environment by itself."""
_FOREVER: Final = 2**63 - 1


class Question(msgspec.Struct, frozen=True):
    """What is asked. Both days are included, by market time in KST; no `until` for no bound.

    environment: "" for the one that matters most of those that have sessions. journals: read them even where a database
    is at hand.
    """

    since: date
    until: date | None = None
    by: By = By.MONTH
    environment: str = ""
    journals: bool = False

    @property
    def span(self) -> tuple[int, int]:
        """UTC ns, half open."""
        last = kst_ns(self.until + timedelta(days=1), time()) if self.until else _FOREVER
        return kst_ns(self.since, time()), last


class Lacking(msgspec.Struct, frozen=True):
    """A journal of which the database lacks rows."""

    mode: str
    rows: int


class Told(msgspec.Struct):
    """Figures, and what has to be known about them.

    source: DATABASE or JOURNALS. environments: sessions of each in that time. shown: those whose rows follow.
    away: why a database that is configured was not read. lacking: journals that it has not in full, of what is shown.
    unreadable: journals that tell nothing, with the reason.
    """

    source: str
    environments: dict[str, int]
    shown: tuple[str, ...]
    rows: list[Figures]
    away: str
    lacking: list[Lacking]
    unreadable: dict[str, str]


def figures(home: Path, asked: Question) -> Told:
    """Sum up what falls into a span of time. Raises: NoRowsError when there is nothing."""
    url = "" if asked.journals else configured("database_url") or ""
    paths = journal_files(home)
    source, away = JOURNALS, ""
    lacking: list[Lacking] = []
    unreadable: dict[str, str] = {}
    history = History(asked.by, *asked.span)
    if url:
        try:
            lacking = _read_database(history, url, paths, asked)
            source = DATABASE
        except QbError as error:
            history, away = History(asked.by, *asked.span), error.message
    if source == JOURNALS:
        unreadable = _read_journals(history, paths, asked)
    found = history.environments()
    shown = _chosen(found, asked, lacking)
    rows = [row for environment in shown for row in history.rows(environment)]
    return Told(source, found, shown, rows, away, [each for each in lacking if each.mode in shown], unreadable)


def _read_database(history: History, url: str, paths: Sequence[Path], asked: Question) -> list[Lacking]:
    from qbtrade.adapters.store.postgres.runs import cursors, from_database

    numbers = dict(_numbers(paths))  # before the cursors, so that no session that goes on seems to be ahead
    known = cursors(url)
    for run in from_database(url, *asked.span):
        history.add(run)
    return list(_lacking(numbers, known, asked))


def _numbers(paths: Iterable[Path]) -> Iterator[tuple[Path, int]]:
    for path in paths:
        try:
            yield path, last_number(path)
        except QbError:
            continue  # nothing that the database could have


def _lacking(numbers: dict[Path, int], known: dict[str, int], asked: Question) -> Iterator[Lacking]:
    for path, number in numbers.items():
        rows = number - known.get(path.stem, 0)
        started = head_within(path, *asked.span) if rows > 0 else None
        if started:
            yield Lacking(started.mode, rows)


def _read_journals(history: History, paths: Iterable[Path], asked: Question) -> dict[str, str]:
    unreadable: dict[str, str] = {}
    for run in from_journals(paths, *asked.span):
        if isinstance(run, Unreadable):
            unreadable[run.run_id] = run.problem
        else:
            history.add(run)
    return unreadable


def _chosen(found: dict[str, int], asked: Question, lacking: Sequence[Lacking]) -> tuple[str, ...]:
    if asked.environment in found:
        return (asked.environment,)
    if found and asked.environment in {"", ALL}:
        return tuple(found) if asked.environment else tuple(found)[:1]
    span = f"{asked.since} - {asked.until or ''}".rstrip()
    if lacking:
        raise NoRowsError(
            "the database holds no session of {span}", hint="It lacks {count} journals: run qb db fill", span=span,
            count=len(lacking),
        )  # fmt: skip
    if found:
        others = ", ".join(f"{name} ({count})" for name, count in found.items())
        raise NoRowsError(
            "no session of {span} in {environment}", hint="Others are there: {others}", span=span,
            environment=asked.environment, others=others,
        )  # fmt: skip
    raise NoRowsError("no session of {span}", hint="See qb report", span=span)
