"""Our books, brought up to what the broker tells: as a session begins, and when somebody asks whether they agree."""

from collections.abc import Callable
from datetime import date
from typing import Final

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.parse.orders import OrderHistory, Sender
from qbtrade.adapters.kis.totals import everything
from qbtrade.app.live.account import TRIES, AtBroker
from qbtrade.app.live.asking import Asking
from qbtrade.app.live.base_price import Jumped
from qbtrade.app.live.carried import Carried
from qbtrade.app.live.opening import Opening, opening
from qbtrade.app.live.plan import LivePlan
from qbtrade.app.rules import instrument_for
from qbtrade.domain.calendar import kst_date
from qbtrade.domain.instrument import Instrument
from qbtrade.domain.money import Costs
from qbtrade.domain.rules import Rules

MOST_TRIES: Final = 2 * TRIES
"""Looks at an account that others trade in all the while: no difference may stand there twice."""


def orders_before(desk: Asking, found: Carried) -> OrderHistory | None:
    """What became of orders that an earlier day left without an end; None when there were none. Raises: BrokerError."""
    if found.since in {None, kst_date(desk.clock.now())} or not found.leftovers:
        return None
    return desk.fetch(calls.order_history(desk.environment, found.since, found.since))


def believed(begun: Opening, look_again: Callable[[], Opening]) -> Opening:
    """What a session begins with: balance and rows may lag behind each other, so they are looked at until they agree.

    Where they never do, what differs in shares and cash has to have stood there a look before, unless each look
    tells another one. Raises: BrokerError, KeyboardInterrupt.
    """
    for tries in range(2, MOST_TRIES + 1):
        if not begun.differences:
            break
        before, begun = begun, look_again()
        if tries >= TRIES and _moved(begun) <= _moved(before):
            break
    return begun


def _moved(begun: Opening) -> set[tuple[str, str, int]]:
    return {(each.what, each.name, each.theirs - each.ours) for each in begun.differences if each.what != "order"}


def brought_up(
    plan: LivePlan, rules: Rules, instruments: tuple[Instrument, ...], found: Carried, at_broker: AtBroker,
    earlier: OrderHistory | None, today: date, jumped: Jumped, *, sender: Sender,
) -> Opening:  # fmt: skip
    """Our books with what the broker tells. earlier: orders of the day of the last session, if it was another one.

    sender: what rows of our orders say, where somebody said that.
    """
    if plan.dry_run:
        return Opening(plan.session.cash, {}, {}, (), (), 0)
    if found.cash is None:
        accounted = everything(at_broker.history, at_broker.balance)
        return Opening(at_broker.balance.cash, {}, at_broker.balance.held, (), (), 0, accounted=accounted)
    known = {instrument.symbol: instrument for instrument in instruments}
    settles = rules.calendar.settlement_day(today)

    def costs_of(symbol: str) -> Costs:
        said, instrument = plan.session, known.get(symbol) or instrument_for(rules, symbol)
        commission, tax = said.commission_ppb, said.tax_ppb
        return Costs(
            commission if commission >= 0 else rules.commission_ppb(instrument),
            tax if tax >= 0 else rules.tax_ppb(instrument, settles),
        )

    balance, history, same_day = at_broker.balance, at_broker.history, found.since == today
    return opening(found, balance, history, costs_of, same_day=same_day, earlier=earlier, jumped=jumped, sender=sender)
