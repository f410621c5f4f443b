"""What one check found: ok, warn, fail or skip, what was seen, and how to mend it."""

from enum import StrEnum

import msgspec

from qbtrade.engines.reconcile import Difference


class Status(StrEnum):
    """How a check ended. SKIP: it could not be made, or does not apply."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


class Finding(msgspec.Struct, frozen=True):
    """The end of one check. seen, mend: sentences, without secrets. table: on what the books disagree."""

    status: Status
    seen: str
    mend: str = ""
    table: tuple[Difference, ...] = ()


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A finding in its place. symbol: "" where the check is about no symbol."""

    section: str
    check: str
    status: Status
    seen: str
    mend: str = ""
    symbol: str = ""
    table: tuple[Difference, ...] = ()


class Lacking(Exception):
    """What a check needs is not there; finding: how it ends therefore."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.seen)
        self.finding = finding


def ok(seen: str) -> Finding:
    """All is well."""
    return Finding(Status.OK, seen)


def warn(seen: str, mend: str = "", table: tuple[Difference, ...] = ()) -> Finding:
    """It can go on, and somebody should know."""
    return Finding(Status.WARN, seen, mend, table)


def fail(seen: str, mend: str = "", table: tuple[Difference, ...] = ()) -> Finding:
    """It must not go on."""
    return Finding(Status.FAIL, seen, mend, table)


def skip(seen: str, mend: str = "") -> Finding:
    """It could not be checked, or need not be."""
    return Finding(Status.SKIP, seen, mend)
