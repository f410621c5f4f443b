
from qbtrade.ports import Strategy


class EveryTrade(Strategy):
    """Buys when flat, sells when not, with every trade."""

    def on_trade(self, trade):
        ask = self.desk.sell if self.desk.position(trade.symbol) else self.desk.buy
        ask(trade.symbol, "a trade has printed")
