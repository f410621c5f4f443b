"""What was typed after `qb live`, read into a plan."""

from datetime import time

import pytest

from qbtrade.app.live.plan import Until
from qbtrade.cli.live_options import until_of
from qbtrade.domain.calendar import MINUTE
from qbtrade.errors import UsageError


def test_until_is_the_close_or_before_it_or_a_time_of_day() -> None:
    assert until_of("close") == Until()
    assert until_of("close-10m") == Until(before_close=10 * MINUTE)
    assert until_of("14:30") == Until(at=time(14, 30))


@pytest.mark.parametrize("text", ["", "open", "close-", "close+10m", "25:00", "9:00", "close-ten"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        until_of(text)
