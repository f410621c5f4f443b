from hypothesis import given
from hypothesis import strategies as st

from qbtrade.adapters.kis.call import Priority
from qbtrade.adapters.kis.environment import NS, PAPER_LIMITS, REAL_LIMITS, KisLimits
from qbtrade.adapters.kis.limiter import BUSY, LONGEST_BUSY, Grants, Limiter, OwnGrants, Wish
from qbtrade.kernel.clock import FOREVER
from tests.adapters.kis.desk import NOW

QUOTE, ORDER, CANCEL = Wish(Priority.QUOTE), Wish(Priority.ORDER), Wish(Priority.CANCEL)
BALANCE = Wish(Priority.BALANCE, ledger=True)


class Stuck(OwnGrants):
    """Grants that another process never lets go of."""

    def update(self, change: object) -> bool:
        del change
        return False


def times(limits: KisLimits, wish: Wish, count: int) -> list[int]:
    limiter = Limiter(limits, OwnGrants())
    now, found = NOW, [0]
    found.clear()
    while len(found) < count:
        granted, again = limiter.take(now, [wish])
        if granted:
            found.append(now - NOW)
        else:
            now = again
    return found


def test_real_grants_eighteen_calls_a_second() -> None:
    found = times(REAL_LIMITS, CANCEL, 37)
    assert found == [0] * 18 + [NS + NS // 10] * 18 + [2 * (NS + NS // 10)]


def test_paper_grants_one_call_in_little_more_than_a_second() -> None:
    assert times(PAPER_LIMITS, CANCEL, 3) == [0, NS + NS // 10, 2 * (NS + NS // 10)]


def test_the_rate_is_configurable_down_to_less_than_one_a_second() -> None:
    slow = KisLimits(calls_per_second_milli=500, margin_ns=0)
    assert times(slow, QUOTE, 3) == [0, 2 * NS, 4 * NS]


def test_the_most_urgent_go_first_and_equals_in_their_order() -> None:
    limiter = Limiter(PAPER_LIMITS, OwnGrants())
    wishes = [Wish(priority) for priority in reversed(Priority)] + [CANCEL]
    done, now, left = [], NOW, list(range(len(wishes)))
    while left:
        granted, again = limiter.take(now, [wishes[position] for position in left])
        done += [left[position] for position in granted]
        left = [position for position in left if position not in done]
        now = again
    assert done == [5, 6, 4, 3, 2, 1, 0]


def test_a_share_is_kept_for_cancels_and_another_for_orders() -> None:
    limiter = Limiter(REAL_LIMITS, OwnGrants())
    assert len(limiter.take(NOW, [QUOTE] * 30)[0]) == 12
    assert len(limiter.take(NOW, [ORDER] * 30)[0]) == 4
    assert len(limiter.take(NOW, [CANCEL] * 30)[0]) == 2
    assert limiter.take(NOW, [CANCEL])[0] == []


def test_questions_about_the_account_are_a_second_apart_while_others_pass() -> None:
    limiter = Limiter(REAL_LIMITS, OwnGrants())
    granted, again = limiter.take(NOW, [BALANCE, BALANCE, QUOTE])
    assert (granted, again) == ([0, 2], NOW + NS)
    assert limiter.take(NOW + NS, [BALANCE])[0] == [0]


def test_after_a_complaint_all_calls_rest_for_a_second() -> None:
    limiter = Limiter(REAL_LIMITS, OwnGrants())
    limiter.punish(NOW, ledger_only=False)
    assert limiter.take(NOW, [CANCEL]) == ([], NOW + NS)


def test_after_a_complaint_of_the_ledger_only_its_calls_rest() -> None:
    limiter = Limiter(REAL_LIMITS, OwnGrants())
    limiter.punish(NOW, ledger_only=True)
    assert limiter.take(NOW, [BALANCE, QUOTE]) == ([1], NOW + NS)


def test_two_processes_share_one_window() -> None:
    store = OwnGrants()
    one, other = Limiter(REAL_LIMITS, store), Limiter(REAL_LIMITS, store)
    assert len(one.take(NOW, [CANCEL] * 10)[0]) == 10
    assert len(other.take(NOW, [CANCEL] * 10)[0]) == 8


def test_grants_that_another_process_has_open_are_tried_again_soon() -> None:
    assert Limiter(REAL_LIMITS, Stuck()).take(NOW, [CANCEL]) == ([], NOW + BUSY)


def test_a_process_that_never_lets_go_does_not_stop_the_others() -> None:
    limiter = Limiter(REAL_LIMITS, Stuck())
    limiter.take(NOW, [CANCEL])
    granted, _again = limiter.take(NOW + LONGEST_BUSY, [CANCEL] * 30)
    assert len(granted) == 18
    assert limiter.take(NOW + LONGEST_BUSY, [CANCEL] * 30)[0] == []


def test_times_of_another_clock_hold_nobody_up() -> None:
    store = OwnGrants()
    future = NOW + 3600 * NS
    store.grants = Grants((future,) * 18, future, future)
    assert len(Limiter(REAL_LIMITS, store).take(NOW, [CANCEL, BALANCE])[0]) == 2


def test_without_wishes_there_is_nothing_to_come_back_for() -> None:
    assert Limiter(REAL_LIMITS, OwnGrants()).take(NOW, []) == ([], FOREVER)


@given(
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from(Priority), st.booleans()), max_size=80),
    st.integers(200, 20_000),
    st.integers(0, 5),
)
def test_no_window_of_a_second_ever_holds_more_than_the_rate(
    steps: list[tuple[int, Priority, bool]], rate: int, kept: int
) -> None:
    limits = KisLimits(calls_per_second_milli=rate, kept_for_cancels=kept, kept_for_orders=kept)
    limiter = Limiter(limits, OwnGrants())
    now, granted = NOW, []
    for pause, priority, ledger in steps:
        now += pause * NS // 1000
        found, again = limiter.take(now, [Wish(priority, ledger)] * 3)
        granted += [now] * len(found)
        assert again > now
    allowed = max(1, rate // 1000)
    assert all(sum(start <= ts < start + NS for ts in granted) <= allowed for start in granted)
