"""Tests that share the machine's time with others get another try."""

import subprocess
from typing import Final

import pytest

AGAINST_TIME: Final = frozenset(
    {
        "tests.adapters.kis.transport.servers", "tests.cli.terminal", "tests.kis_market", "tests.kis_venue",
        "tests.live_days", "tests.program", "tests.servers", "tests.terminals", "tests.venues",
    }
)  # fmt: skip
"""What starts processes, or a market that goes on while the machine is busy with other things."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run such a test up to three times before it fails; the summary names each that needed more than one."""
    for item in items:
        used = vars(getattr(item, "module", item)).values()
        if any(value is subprocess or getattr(value, "__module__", "") in AGAINST_TIME for value in used):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=1))
