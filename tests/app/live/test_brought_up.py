"""What a session begins with when balance and rows lag behind each other, or others trade all the while."""

from qbtrade.app.live.account import TRIES
from qbtrade.app.live.brought_up import MOST_TRIES, believed
from qbtrade.app.live.opening import Opening
from qbtrade.engines.reconcile import Difference

THEIRS = Difference("order", "1002", 0, 1)


def an_opening(*found: Difference) -> Opening:
    return Opening(10_000_000, {}, {}, (), found, 0)


def missing(shares: int) -> Difference:
    return Difference("shares", "005930", shares, 0)


def looks_at(*openings: Opening) -> tuple[Opening, int]:
    """What is believed of these looks, the last of which is what all later ones see; and how many there were."""
    left, looked = list(openings), list[Opening]()

    def look() -> Opening:
        looked.append(left.pop(0) if len(left) > 1 else left[0])
        return looked[-1]

    return believed(look(), look), len(looked)


def test_books_that_agree_are_believed_at_once() -> None:
    assert looks_at(an_opening()) == (an_opening(), 1)
    assert looks_at(an_opening(missing(1)), an_opening()) == (an_opening(), 2)


def test_a_difference_that_stays_is_believed_after_the_usual_looks() -> None:
    assert looks_at(an_opening(missing(1))) == (an_opening(missing(1)), TRIES)


def test_shares_that_miss_for_the_first_time_in_the_last_look_are_looked_for_once_more() -> None:
    late = [an_opening(THEIRS)] * (TRIES - 1) + [an_opening(THEIRS, missing(1)), an_opening(THEIRS)]
    assert looks_at(*late) == (an_opening(THEIRS), TRIES + 1)


def test_an_account_that_never_rests_is_believed_in_the_end() -> None:
    restless = [an_opening(missing(shares)) for shares in range(1, MOST_TRIES + 3)]
    assert looks_at(*restless) == (restless[MOST_TRIES - 1], MOST_TRIES)
