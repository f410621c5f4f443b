"""The books of a virtual world after everything has healed: qb's against the broker's."""

from collections import Counter
from collections.abc import Callable
from typing import Final

from qbtrade.adapters.emulator.orders import Action, Entry
from qbtrade.app.chaos.account import Account
from qbtrade.app.chaos.disk import Disk
from qbtrade.app.chaos.excuse import either, indistinct, just_come, oversold, parts, shared, strays, unexcused
from qbtrade.app.chaos.resolved import Sight
from qbtrade.domain.calendar import kst_date

ROUNDED: Final = 2
"""KRW: commission and tax of an order are rounded, each."""


class Reckoning:
    """broken: promises, in words. excused: orders that worked on after the end, named, whose numbers KIS never told."""

    def __init__(self, account: Account, disk: Disk, now: Callable[[], int]) -> None:
        self.broken, self.excused = list[str](), 0
        self._account, self._disk, self._now = account, disk, now
        self._strays = list[Entry]()

    def forgive(self, sight: Sight, healed: int, *, told_who: bool) -> None:
        """Take orders of others for ours where qb could not tell them apart. told_who: somebody said who qb is.

        healed: since when nothing goes wrong, UTC ns.
        """
        account, journals = self._account, [journal.read() for journal in self._disk.journals]
        written = [(*journal.read(), *journal.lost) for journal in self._disk.journals]
        mistaken = indistinct(written, account.core.entries, account.foreign, sight, told_who=told_who)
        account.foreign -= mistaken
        self._strays = strays(journals, account.ours(), mistaken | account.misnamed, healed)
        if account.core.side == "paper":
            self._strays += (*parts(account.ours(), journals[-1]), *either(account.ours(), journals[-1]))
        account.is_misled |= bool(mistaken)

    def compare(self, cash: int, positions: dict[str, int], own: dict[str, int]) -> None:
        """The book after everything has healed. positions: all of them; own: those that qb bought.

        KIS's costs of a day are estimates: what others gain or lose within them is found by the next start.
        """
        account, (true_cash, theirs) = self._account, self._account.books()
        loose = Counter[str]()
        for stray in self._strays:
            loose[stray.ticket.symbol] += stray.filled
        if any(abs(positions.get(each, 0) - theirs.get(each, 0)) > loose[each] for each in positions.keys() | theirs):
            self.broken.append(f"shares: {positions} in the book, {theirs} at the broker")
        rounded = ROUNDED * shared(journal.read() for journal in self._disk.journals)
        rounded += account.costs(kst_date(self._now())) if account.foreign or account.paid or self._strays else 0
        if abs(cash - true_cash) > rounded + sum(stray.amount for stray in self._strays):
            self.broken.append(f"cash: {cash:,} in the book, {true_cash:,} at the broker")
        bought, unsaid = Counter(account.bought()), account.unsaid | set(loose)
        bought.update(oversold(journal.read() for journal in self._disk.journals))
        sides = (
            {symbol: qty for symbol, qty in each.items() if qty and symbol not in unsaid} for each in (own, bought)
        )
        if len({tuple(sorted(each.items())) for each in sides}) > 1 and not account.is_misled:
            self.broken.append(f"shares of qb: {own} in the book, {dict(bought)} by its orders at the broker")
        self._compare_orders()

    def _compare_orders(self) -> None:
        account, journals = self._account, [journal.read() for journal in self._disk.journals]
        ours = [entry for entry in account.ours() if entry.action is Action.CANCEL]
        cut = [entry.original for entry in ours if entry.original in account.foreign]
        if cut:
            self.broken.append(f"orders of others were canceled: {cut}")
        left = [entry for entry in account.ours() if entry.remaining and entry.action is not Action.CANCEL]
        left = [entry for entry in left if not just_come(entry, journals, self._now())]
        if account.is_misled:  # the true one is nobody's
            left = []
        if account.core.side == "paper":
            guilty = unexcused(left, journals[-1])
            self.excused += len(left) - len(guilty)
            left = guilty
        if left:
            numbers = [entry.number for entry in left]
            self.broken.append(f"orders still work at the broker after the end: {numbers}")
