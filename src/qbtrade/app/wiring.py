"""Builds the engines and joins them to the outside. The only place that knows which world it is in."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Protocol

import msgspec

from qbtrade.domain import events as ev
from qbtrade.domain.instrument import Instrument
from qbtrade.domain.market import Bar, Quote, Trade
from qbtrade.domain.order import OrderKind
from qbtrade.domain.rules import Rules
from qbtrade.domain.sizing import Sizing
from qbtrade.app.plan import Limits
from qbtrade.engines.hours import Hours
from qbtrade.engines.journal import WRITTEN, Journal
from qbtrade.engines.market_data import SPIKE, MarketData
from qbtrade.engines.monitoring import Monitoring
from qbtrade.engines.orders import Orders
from qbtrade.engines.portfolio import Portfolio
from qbtrade.engines.protection import Protection
from qbtrade.engines.risk import Risk
from qbtrade.engines.risk_rules import RiskLimits
from qbtrade.engines.strategy import StrategyHost, listens_to_trades
from qbtrade.kernel.bus import Bus
from qbtrade.ports import Broker, Clock, JournalStore, MarketView, Strategy
