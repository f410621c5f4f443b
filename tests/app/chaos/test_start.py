"""A start that meets trouble."""

from qbtrade.app.chaos.plan import ChaosPlan
from qbtrade.app.chaos.run import Run
from qbtrade.domain.money import PPB


def test_a_start_whose_token_was_not_answered_waits_for_the_minute_between_two_requests() -> None:
    run = Run(ChaosPlan(seed=1, trouble=1, rates={"request-lost": PPB}))
    assert run.verdict().broken == ()
    assert len(run.lives) == 1
