"""The six offline scenarios."""

from collections.abc import Iterator

from qbtrade.app.preflight.rows import Finding, fail, ok
from qbtrade.app.scenarios import run_suite


def rehearse() -> Iterator[tuple[str, Finding]]:
    """Each scenario by name."""
    for result in run_suite():
        if result.passed:
            yield result.name, ok("passed")
        else:
            yield result.name, fail(result.detail, "Start `qb simulate --suite` for its figures")
