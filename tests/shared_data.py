"""Recorded market data that lies beside the checkout on machines that have it."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_SHARED = ROOT / "../shared/data"


def shared(path: str) -> Path:
    """Locate `path` (say "intraday5m_2020/005930.csv") in the recorded data; skip the test where it is absent."""
    found = (_SHARED / path).resolve()
    if not found.exists():
        pytest.skip(f"the recorded data {path} is not on this machine")
    return found
