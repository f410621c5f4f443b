"""Runs the checks, section by section."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from qbtrade import __version__
from qbtrade.app.plan import SimulationPlan
from qbtrade.app.preflight import configuration, feasibility, kis, machine, market, rehearsal, state, stores
from qbtrade.app.preflight.case import Case
from qbtrade.app.preflight.opening import Wish, open_case
from qbtrade.app.preflight.rows import Finding, Lacking, Row, Status, fail
from qbtrade.app.preflight.verdict import Verdict, digest, save, why_no_go
from qbtrade.domain.calendar import kst_date
from qbtrade.errors import FileError, QbError
from qbtrade.kernel.clock import wall_ns

SECTIONS: Final[Mapping[str, Mapping[str, Callable[[Case], Finding]]]] = {
    "configuration": configuration.CHECKS,
    "machine": machine.CHECKS,
    "market": market.CHECKS,
    "kis": kis.CHECKS,
    "stores": stores.CHECKS,
    "state": state.CHECKS,
    "feasibility": {},
    "rehearsal": {},
}
SYMBOL_SECTIONS: Final[Mapping[str, Mapping[str, Callable[[Case, str], Finding]]]] = {
    "market": market.SYMBOL_CHECKS,
    "feasibility": feasibility.SYMBOL_CHECKS,
}
SHORT: Final = frozenset(
    {"clock", "token", "balance", "price-limits", "halt-flag", "instance", "one-share", "paper-day"}
)
"""What can have changed since a preflight of the same day."""


def preflight(
    folder: Path,
    variables: Mapping[str, str],
    home: Path,
    *,
    asked: str = "",
    symbols: tuple[str, ...] = (),
    budget: int = 0,
    dry_run: bool = False,
    only: Collection[str] = (),
    on_row: Callable[[Row], None] = lambda _row: None,
) -> Verdict:
    """Make every check and keep the verdict, or make `only` some of them.

    folder: where .env and qb.toml stand. asked: environment, "" for the configured one. budget: KRW, 0 for the
    configured one. dry_run: no order is to be sent. on_row: told of each row as it is found. Raises: UsageError for
    an unknown environment.
    """
    with ExitStack() as open_things:
        case = open_case(Wish(folder, variables, home, asked, symbols, budget, dry_run=dry_run), open_things)
        return _check(case, only, on_row)


def clearance(
    folder: Path,
    variables: Mapping[str, str],
    home: Path,
    *,
    asked: str = "",
    plan: SimulationPlan | None = None,
    dry_run: bool = False,
    on_row: Callable[[Row], None] = lambda _row: None,
) -> Verdict:
    """What `qb live` asks before it trades: SHORT after a preflight of the same day and configuration, else all of it.

    plan: what the session was told, None for what is configured. The rest, and the errors, are those of `preflight`.
    """
    with ExitStack() as open_things:
        wish = Wish(folder, variables, home, asked, plan.symbols if plan else (), plan=plan, dry_run=dry_run)
        case = open_case(wish, open_things)
        return _check(case, SHORT if _is_fresh(case) else (), on_row)


def _is_fresh(case: Case) -> bool:
    if not case.has_environment:
        return False
    return not why_no_go(case.home, case.environment, _configuration(case), kst_date(wall_ns()))


def _configuration(case: Case) -> str:
    return digest(case.settings, case.environment, case.plan, case.today)


def _check(case: Case, only: Collection[str], on_row: Callable[[Row], None]) -> Verdict:
    rows = []
    for row in _rows(case, only):
        rows.append(row)
        on_row(row)
    verdict = _verdict(case, tuple(rows))
    if case.has_environment and not only:
        kept = _kept(case, verdict)
        if kept is not None:
            on_row(kept)
            verdict = msgspec.structs.replace(verdict, go=False, rows=(*verdict.rows, kept))
    return verdict


def _rows(case: Case, only: Collection[str]) -> Iterator[Row]:
    for section, checks in SECTIONS.items():
        for name, check in checks.items():
            if not only or name in only:
                yield _row(section, name, "", lambda check=check: check(case))  # type: ignore[misc]
        for symbol in case.symbols:
            for name, symbol_check in SYMBOL_SECTIONS.get(section, {}).items():
                if not only or name in only:
                    yield _row(section, name, symbol, lambda check=symbol_check, at=symbol: check(case, at))  # type: ignore[misc]
    if not only:
        for name, finding in rehearsal.rehearse():
            yield _row("rehearsal", name, "", lambda found=finding: found)  # type: ignore[misc]


def _row(section: str, check: str, symbol: str, make: Callable[[], Finding]) -> Row:
    try:
        finding = make()
    except Lacking as error:
        finding = error.finding
    except QbError as error:
        finding = fail(error.message, error.hint)
    except Exception as error:  # noqa: BLE001 - one check that breaks is one row that fails
        kind = type(error).__name__
        finding = fail(f"the check itself broke ({kind})", "Report it, with what was configured but the keys")
    return Row(
        section=section, check=check, status=finding.status, seen=finding.seen, mend=finding.mend, symbol=symbol,
        table=finding.table,
    )  # fmt: skip


def _verdict(case: Case, rows: tuple[Row, ...]) -> Verdict:
    whole = case.has_settings and case.has_environment
    budget = case.plan.limits.max_budget if case.has_settings else 0
    now = wall_ns()
    return Verdict(
        go=not any(row.status is Status.FAIL for row in rows), environment=case.kind,
        account=case.environment.account_tail if whole else "", symbols=case.symbols, budget=budget,
        day=kst_date(now), ts=now, version=__version__, rows=rows,
        configuration=_configuration(case) if whole else "",
    )  # fmt: skip


def _kept(case: Case, verdict: Verdict) -> Row | None:
    """Write the verdict down; a row when that fails."""
    try:
        save(case.home, case.environment, verdict)
    except FileError as error:
        return Row(section="state", check="verdict", status=Status.FAIL, seen=error.message, mend=error.hint)
    return None
