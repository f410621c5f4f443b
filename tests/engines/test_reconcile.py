"""Our book against the broker's, and when a difference is believed."""

from qbtrade.engines.reconcile import STUBBORN, Book, Difference, Judgement, Look, Repeats, differences


def test_books_that_agree_have_no_differences() -> None:
    book = Book(1_000, {"005930": 3, "000660": 0}, frozenset({"17"}))
    assert differences(book, Book(1_000, {"005930": 3}, frozenset({"17"})), slack=0) == ()


def test_every_difference_is_named_with_both_sides() -> None:
    ours = Book(1_000, {"005930": 3}, frozenset({"17"}))
    theirs = Book(900, {"005930": 2, "000660": 1}, frozenset({"18"}))
    assert differences(ours, theirs, slack=50) == (
        Difference("cash", "", 1_000, 900),
        Difference("shares", "000660", 0, 1),
        Difference("shares", "005930", 3, 2),
        Difference("order", "17", 1, 0),
        Difference("order", "18", 0, 1),
    )


def test_cash_may_differ_by_what_costs_were_estimated() -> None:
    assert differences(Book(1_000, {}), Book(950, {}), slack=50) == ()


SECOND = 10**9
CASH = (Difference("cash", "", 1_000, 900),)


def judged(*looks: Look) -> list[Judgement]:
    repeats = Repeats(settle=30 * SECOND, pause=10 * SECOND)
    return [repeats.judge(look) for look in looks]


def a_look(second: int, found: tuple[Difference, ...] = CASH, *, moved: int = 0, doubt: str = "") -> Look:
    return Look((1_000 + second) * SECOND, found, (moved and 1_000 + moved) * SECOND, doubt)


def test_a_difference_is_believed_when_a_later_look_repeats_it() -> None:
    assert judged(a_look(0), a_look(5), a_look(10)) == [Judgement.OPEN, Judgement.OPEN, Judgement.PROVEN]


def test_a_difference_that_changes_is_another_one() -> None:
    other = (Difference("cash", "", 1_000, 800),)
    assert judged(a_look(0), a_look(10, other), a_look(20)) == [Judgement.OPEN] * 3


def test_the_same_difference_of_a_book_that_moved_on_both_sides_is_the_same() -> None:
    later = (Difference("cash", "", 500, 400),)
    assert judged(a_look(0), a_look(10, later))[-1] is Judgement.PROVEN


def test_books_that_agree_in_between_begin_it_anew() -> None:
    assert judged(a_look(0), a_look(10, ()), a_look(20)) == [Judgement.OPEN, Judgement.CLEAN, Judgement.OPEN]


def test_a_balance_is_given_time_after_an_order_of_ours_did_something() -> None:
    looks = [a_look(second, moved=-10) for second in (0, 10, 20, 30)]
    assert judged(*looks) == [Judgement.OPEN, Judgement.OPEN, Judgement.OPEN, Judgement.PROVEN]


def test_an_order_that_does_something_between_two_looks_takes_the_first_one_away() -> None:
    assert judged(a_look(0), a_look(40, moved=5), a_look(50, moved=5))[1:] == [Judgement.OPEN, Judgement.PROVEN]


def test_what_an_order_of_ours_may_explain_is_never_proven_and_never_forgotten() -> None:
    looks = [a_look(60 * number, doubt="an order may explain it") for number in range(STUBBORN)]
    assert judged(*looks) == [*[Judgement.OPEN] * (STUBBORN - 1), Judgement.STUBBORN]


def test_a_doubt_that_goes_away_begins_the_proof_anew() -> None:
    assert judged(a_look(0, doubt="?"), a_look(10), a_look(20))[1:] == [Judgement.OPEN, Judgement.PROVEN]


def test_a_changed_book_has_to_be_looked_at_twice_again() -> None:
    repeats = Repeats(settle=0, pause=10 * SECOND)
    repeats.judge(a_look(0))
    assert repeats.judge(a_look(10)) is Judgement.PROVEN
    assert repeats.seen == (1_000 * SECOND, 1_010 * SECOND)
    repeats.forget()
    assert repeats.judge(a_look(20)) is Judgement.OPEN


def test_a_look_that_agrees_while_an_order_did_something_hides_no_difference_of_before() -> None:
    repeats = Repeats(settle=30 * SECOND, pause=10 * SECOND)
    looks = [a_look(10 * number, moved=10 * number) for number in range(1, STUBBORN)]
    assert {repeats.judge(look) for look in looks} == {Judgement.OPEN}
    assert repeats.judge(a_look(60, (), moved=61)) is Judgement.OPEN
    assert repeats.judge(a_look(70, (), moved=61)) is Judgement.CLEAN
    assert repeats.judge(a_look(80, (), moved=81)) is Judgement.CLEAN
