"""The account of a virtual world as its broker knows it, and what of it others did: the measure of qb's own book."""

from collections.abc import Iterable, Iterator
from datetime import date

from qbtrade.adapters.emulator.core import Emulator
from qbtrade.adapters.emulator.orders import Entry
from qbtrade.app.chaos.law import Becomes, books, cost_of, costs


class Account:
    """core: the broker. start: cash at the beginning, KRW; paid: KRW that came from outside since.

    foreign: numbers of orders that others made. raided: symbols of which others sold shares of qb, of which one that a
    night left was in part theirs, or of which a night changed shares beside an order that nobody could find.
    frozen: stocks of qb of whose shares nobody can say what a night made of them.
    is_misled: somebody told qb that an order of others was its own; misnamed: numbers of such orders.
    """

    def __init__(self, core: Emulator, start: int) -> None:
        self.core, self.start, self.paid = core, start, 0
        self.foreign, self.misnamed = set[int](), set[int]()
        self.raided, self.frozen = set[str](), set[str]()
        self.is_misled = False
        self._nights = list[Becomes]()

    def dawn(self, becomes: Iterable[Becomes], frozen: Iterable[str]) -> None:
        """A night is over. becomes: what became of shares. frozen: stocks of which nobody can say that yet."""
        tonight, ours, every = list(becomes), self.bought(), self.books()[1]
        for each in tonight:
            if every.get(each.symbol, 0) * each.new % each.old and every[each.symbol] != ours.get(each.symbol):
                self.raided.add(each.symbol)
        self._nights += tonight
        shares = self.worth()[2]
        self.frozen = {symbol for symbol in self.frozen | set(frozen) if shares.get(symbol)}

    @property
    def unsaid(self) -> set[str]:
        """Symbols of which it is open how many of the shares there are qb's; others may buy back what they sold."""
        return self.raided | self.frozen

    def ours(self) -> Iterator[Entry]:
        """Orders that qb made."""
        return (entry for entry in self.core.entries if entry.number not in self.foreign)

    def bought(self) -> dict[str, int]:
        """Shares of qb by its orders."""
        return books(self.ours(), 0, self._nights)[1]

    def books(self) -> tuple[int, dict[str, int]]:
        """Cash, KRW, and shares of everybody."""
        return books(self.core.entries, self.start + self.paid, self._nights)

    def cost(self, shares: dict[str, int]) -> int:
        """What so many shares of qb cost, KRW."""
        return cost_of(self.ours(), shares, self._nights)

    def costs(self, day: date) -> int:
        """What all fills of a day cost, KRW."""
        return costs(self.core.entries, day)

    def worth(self) -> tuple[int, int, dict[str, int]]:
        """Cash, what shares cost, KRW, and shares, as if nobody else had traded or moved money."""
        ledger = self.core.ledger
        if not self.foreign:
            held = {symbol: position for symbol, position in ledger.positions.items() if position.qty}
            cost = sum(position.cost for position in held.values())
            return ledger.cash - self.paid, cost, {symbol: position.qty for symbol, position in held.items()}
        cash, shares = books(self.ours(), self.start, self._nights)
        left = {symbol: min(qty, ledger.held(symbol)) for symbol, qty in shares.items()}
        return cash, self.cost(left), left
