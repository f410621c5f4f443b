"""What one check found: ok, warn, fail or skip, what was seen, and how to mend it."""

from enum import StrEnum

import msgspec


class Status(StrEnum):
    """How a check ended. SKIP: it could not be made, or does not apply."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


class Finding(msgspec.Struct, frozen=True):
    """The end of one check. seen, mend: sentences, without secrets."""

    status: Status
    seen: str
    mend: str = ""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A finding in its place. symbol: "" where the check is about no symbol."""

    section: str
    check: str
    status: Status
    seen: str
    mend: str = ""
    symbol: str = ""


class Lacking(Exception):
    """What a check needs is not there; finding: how it ends therefore."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.seen)
        self.finding = finding


def ok(seen: str) -> Finding:
    """All is well."""
    return Finding(Status.OK, seen)


def warn(seen: str, mend: str = "") -> Finding:
    """It can go on, and somebody should know."""
    return Finding(Status.WARN, seen, mend)


def fail(seen: str, mend: str = "") -> Finding:
    """It must not go on."""
    return Finding(Status.FAIL, seen, mend)


def skip(seen: str, mend: str = "") -> Finding:
    """It could not be checked, or need not be."""
    return Finding(Status.SKIP, seen, mend)
