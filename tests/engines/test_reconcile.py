"""Our book against the broker's."""

from qbtrade.engines.reconcile import Book, Difference, differences


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
