"""Books that are compared while a session runs, in an account that others use, too."""

from qbtrade.adapters.kis.answer import Answer
from qbtrade.adapters.kis_fields import Dialect
from qbtrade.app.chaos.market import SYMBOL
from qbtrade.app.live.plan import OnExit
from qbtrade.app.report import build
from qbtrade.domain import events as ev
from qbtrade.domain.calendar import MINUTE
from qbtrade.domain.order import Side
from qbtrade.engines.reconcile import Difference
from tests.app.live.shared_account import SharedAccount
from tests.parametrize import both_sides

ALWAYS = 10**9
UNCLEAR = [("", "REDUCING", "books-unclear"), ("", "ACTIVE", "resumed")]
STOPPED = [("", "HALTED", "session-stopped")]


@both_sides
def test_shares_bought_by_hand_are_quarantined_and_never_sold(side: Dialect) -> None:
    account = SharedAccount(side)
    account.later(2, lambda: account.trade("buy", 7))
    session = account.session(on_exit=OnExit.FLATTEN)

    (shares, cash) = account.corrections()
    assert (shares.what, shares.theirs - shares.ours, shares.foreign) == ("shares-came", 7, 7)
    assert (cash.what, cash.aside) == ("traded-elsewhere", 0)
    assert account.states()[:2] == UNCLEAR
    assert account.core.ledger.held(SYMBOL) == 7
    assert (session.books.found, session.books.ours()) == ((), (account.core.ledger.cash, {SYMBOL: 7}))


def test_an_order_given_up_keeps_nobody_from_seeing_what_others_bought() -> None:
    account = SharedAccount(timeout_not_taken=ALWAYS)
    account.later(1, lambda: account.set_faults(timeout_not_taken=0))
    account.later(3, lambda: account.trade("buy", 7))
    session = account.session(on_exit=OnExit.FLATTEN)

    assert [event for event in account.events() if isinstance(event, ev.OrderAbandoned)]
    assert [each.what for each in account.corrections()] == ["shares-came", "traded-elsewhere"]
    assert (session.books.found, session.books.ours()) == ((), (account.core.ledger.cash, {SYMBOL: 7}))


@both_sides
def test_shares_of_qb_that_were_sold_by_hand_are_not_sold_again_nor_bought_back(side: Dialect) -> None:
    account = SharedAccount(side)
    account.later(2, lambda: account.trade("sell", 4))
    session = account.session(on_exit=OnExit.FLATTEN)

    shares, fills = account.corrections()[0], [each for each in account.events() if isinstance(each, ev.OrderFilled)]
    bought, sold = (sum(each.qty for each in fills if each.side is way) for way in Side)
    assert (shares.what, shares.theirs - shares.ours, shares.foreign) == ("sold-elsewhere", -4, 0)
    assert sold == bought - 4
    assert (SYMBOL, "REDUCING", "sold-elsewhere") in account.states()
    assert (session.books.found, session.books.ours()) == ((), (account.core.ledger.cash, {SYMBOL: 0}))


def test_a_symbol_whose_shares_were_all_sold_by_hand_is_bought_no_more() -> None:
    account = SharedAccount()
    account.later(2, lambda: account.trade("sell", account.core.ledger.held(SYMBOL)))
    account.session()

    after = [event for event in account.events() if event.ts > account.corrections()[0].ts]
    denied = [event for event in after if isinstance(event, ev.OrderDenied)]
    assert denied
    assert {event.reason for event in denied} == {"session-state"}
    assert not [event for event in after if isinstance(event, ev.OrderSending)]


@both_sides
def test_money_that_is_paid_in_raises_no_limit_of_the_day(side: Dialect) -> None:
    account = SharedAccount(side, minutes=6)
    account.later(2, lambda: account.pay_in(5_000_000))
    first = account.session()
    second = account.session()

    (found,) = next(
        [event for event in read() if isinstance(event, ev.BookCorrected)] for read in list(account.disk.books())[1:]
    )
    assert (found.what, found.theirs - found.ours, found.aside) == ("deposit", 5_000_000, 5_000_000)
    assert first.engines.portfolio.cash() == account.core.ledger.cash - 5_000_000
    assert second.engines.portfolio.cash() == first.engines.portfolio.cash()
    assert (second.live.opening.differences, second.live.opening.corrections) == ((), ())
    assert (first.books.found, second.books.found) == ((), ())


def test_money_that_is_paid_out_is_spent_no_more_and_is_no_loss() -> None:
    account = SharedAccount()
    account.later(2, lambda: account.pay_in(-9_000_000))
    session = account.session()

    assert session.engines.portfolio.cash() == account.core.ledger.cash
    assert abs(session.engines.portfolio.day_profit()) < 20_000
    assert [each.what for each in account.corrections()] == ["withdrawal"]
    assert "daily-loss" not in account.alerts()


@both_sides
def test_a_balance_that_lags_behind_fills_is_no_difference(side: Dialect) -> None:
    account = SharedAccount(side, balance_lag=ALWAYS)
    session = account.session("qbtrade.app.chaos.strategy:Restless", compare_every=MINUTE // 6)

    fills = [event for event in account.events() if isinstance(event, ev.OrderFilled)]
    assert len(fills) > 10
    assert account.corrections() == []
    assert session.books.found == ()


@both_sides
def test_fills_that_nobody_told_are_ours_and_no_shares_of_others(side: Dialect) -> None:
    account = SharedAccount(side, notice_missing=ALWAYS)
    account.session("qbtrade.app.chaos.strategy:Restless", compare_every=MINUTE // 6)
    assert account.corrections() == []
    session = account.session()
    assert session.live.opening.differences == ()
    assert session.books.ours() == (account.core.ledger.cash, {SYMBOL: account.core.ledger.held(SYMBOL)})


def test_a_balance_that_is_not_told_is_no_balance() -> None:
    account = SharedAccount()
    account.later(2, lambda: account.set_faults(server_error=ALWAYS))
    account.later(6, lambda: account.set_faults(server_error=0))
    account.session()

    assert account.corrections() == []
    assert account.alerts().count("books-not-compared") == 1
    assert ("", "REDUCING", "books-unclear") not in account.states()


def test_the_books_are_compared_after_the_stream_came_back() -> None:
    account = SharedAccount(notice_missing=ALWAYS)
    account.later(3, lambda: account.trade("buy", 3))
    account.later(4, lambda: account.set_faults(socket_drop=ALWAYS))
    account.later(4.5, lambda: account.set_faults(socket_drop=0))
    account.session(compare_every=60 * MINUTE)

    lost = [event.ts for event in account.events() if isinstance(event, ev.FeedLost)]
    assert lost
    assert [each.what for each in account.corrections()] == ["shares-came", "traded-elsewhere"]
    assert account.corrections()[0].ts > lost[0]


@both_sides
def test_the_next_session_carries_the_corrected_book(side: Dialect) -> None:
    account = SharedAccount(side, minutes=6)
    account.later(1, lambda: account.trade("buy", 7))
    account.later(3, lambda: account.trade("sell", 9))
    first = account.session()
    second = account.session()

    own = first.engines.portfolio.qty(SYMBOL)
    assert own == account.core.ledger.held(SYMBOL) > 0
    assert second.live.opening.differences == ()
    assert second.engines.portfolio.qty(SYMBOL) == own
    assert (first.books.found, second.books.found) == ((), ())


def test_what_was_traded_by_hand_is_no_missing_fill_of_the_next_session() -> None:
    account = SharedAccount("paper", minutes=6)
    account.later(1, lambda: account.trade("buy", 7))
    account.session()
    account.session("qbtrade.app.chaos.strategy:Restless")

    assert [event for event in account.events() if isinstance(event, ev.OrderFilled)]
    assert "totals-disagree" not in account.alerts()


@both_sides
def test_the_report_has_the_book_as_it_was_corrected_and_no_profit_of_it(side: Dialect) -> None:
    account = SharedAccount(side)
    account.later(1.5, lambda: account.trade("sell", 3))
    account.later(4, lambda: account.pay_in(-2_000_000))
    session = account.session()
    report = build(account.events())

    assert [each["what"] for each in report["corrections"]] == ["sold-elsewhere", "traded-elsewhere", "withdrawal"]
    assert report["account"]["cash"] == session.engines.portfolio.cash()
    assert [each["qty"] for each in report["account"]["positions"]] == [session.engines.portfolio.qty(SYMBOL)]
    assert report["metrics"]["profit"] == session.engines.portfolio.day_profit()


def test_shares_of_others_that_the_first_balance_tells_in_two_rows_are_all_counted() -> None:
    account = SharedAccount(minutes=1, holding_split=ALWAYS)
    account.trade("buy", 7)
    account.world.run(account.world.now + MINUTE)
    first = account.session()

    assert first.live.opening.foreign == {
        SYMBOL: account.core.ledger.held(SYMBOL) - first.engines.portfolio.qty(SYMBOL)
    }
    assert account.corrections() == []


def test_what_others_did_between_two_sessions_is_shown_in_one_table_and_halts() -> None:
    account = SharedAccount(minutes=4)
    account.session()
    held, cash = account.core.ledger.held(SYMBOL), account.core.ledger.cash
    account.pay_in(-1_000_000)
    account.later(-1, lambda: account.trade("sell", 2))
    second = account.session()

    assert {each.what for each in account.screen.tables[0]} == {"cash", "shares"}
    assert account.screen.tables[0][0].ours == cash
    assert Difference("shares", SYMBOL, held, held - 2) in account.screen.tables[0]
    assert second.engines.risk.has("books-disagree")


def test_what_an_order_had_bought_before_the_session_that_finds_it_is_booked_once() -> None:
    account = SharedAccount(minutes=3, answer_lost=ALWAYS, notice_missing=ALWAYS)
    account.later(0.1, lambda: account.set_faults(ledger_busy=ALWAYS))
    account.later(1, lambda: twin(account))
    account.session()
    account.set_faults(ledger_busy=0)
    account.board.run_id, number = "0001", str(next(iter(account.core.entries)).number)
    answer = Answer("0001", "L000001", number, "", (), "seen in the app", "", 0)
    account.later(1, lambda: account.board.given.update({("0001", "L000001"): answer}))
    second = account.session()

    (lost, _by_hand), corrected = account.core.entries, account.corrections()
    assert "which-is-ours" in account.alerts()
    assert [each.what for each in corrected] == ["shares-came", "withdrawal", "ours-after-all"]
    assert second.engines.portfolio.qty(SYMBOL) == corrected[-1].foreign == lost.filled > 0
    assert (second.engines.portfolio.cash(), second.books.apart.aside) == (account.core.ledger.cash, 0)
    assert second.books.ours() == (account.core.ledger.cash, {SYMBOL: 2 * lost.filled})
    assert abs(second.engines.portfolio.day_profit()) < 20_000


def twin(account: SharedAccount) -> None:
    """Somebody orders just what qb did first."""
    ticket = next(iter(account.core.entries)).ticket
    account.trade("buy", ticket.qty, price=ticket.price)
