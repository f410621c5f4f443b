"""Puts every difference between a session and its replay into one class, with the numbers that say so."""

from bisect import bisect_right
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from qbtrade.app.parity.deals import Course, Deal, State
from qbtrade.app.parity.replay import Differing
from qbtrade.app.parity.tape import Hole
from qbtrade.domain.calendar import NS
from qbtrade.domain.events import Check
from qbtrade.domain.order import Purpose

LOOKBACK: Final = 50
"""Bars within which one that differs explains a decision; what a strategy remembers is not known from outside."""
RESOLUTION: Final = NS
"""KIS tells times in whole seconds."""


class Class(StrEnum):
    """Why a trade went otherwise in the replay."""

    SAME = "same"
    FILL_MODEL = "fill-model"
    LATENCY = "latency"
    MISSED_SIGNAL = "missed-signal"
    GAP = "gap"
    RULE = "rule"
    HAND = "hand"
    RESTART = "restart"
    UNEXPLAINED = "unexplained"


class Why(StrEnum):
    """What shows it; the command line has a sentence for each."""

    SAME = "same"
    FILLED_OTHERWISE = "filled-otherwise"
    FILLED_LATER = "filled-later"
    PRICED_AFTER_ANOTHER_TRADE = "priced-after-another-trade"
    REFUSED_BY_BROKER = "refused-by-broker"
    ANSWER_LOST = "answer-lost"
    EARLIER_TRADE = "earlier-trade"
    RULE_SAW_OTHERWISE = "rule-saw-otherwise"
    TRADING_NARROWED = "trading-narrowed"
    BY_HAND = "by-hand"
    SESSION_END = "session-end"
    LEFT_OVER = "left-over"
    BARS_DIFFER = "bars-differ"
    DATA_MISSING = "data-missing"
    RECORDING_ENDS = "recording-ends"
    STRATEGY_FAILED = "strategy-failed"
    SOURCE_CHANGED = "source-changed"
    NO_CAUSE = "no-cause"


NARROWED: Final = {
    "feed-lost": Class.GAP, "feed-gone": Class.GAP, "stood-still": Class.MISSED_SIGNAL,
    "clock-set": Class.MISSED_SIGNAL, "strategy-failed": Class.MISSED_SIGNAL,
    "halted-by-hand": Class.HAND, "books-disagree": Class.HAND, "sold-elsewhere": Class.HAND,
    "books-unclear": Class.HAND, "taken-over": Class.HAND,
}  # fmt: skip
"""What narrowed trading; anything else is a rule."""
LOST: Final = frozenset({"ORDER_UNCONFIRMED", "ORDER_ABANDONED", "ORDER_NOT_SENT"})


class Verdict(msgspec.Struct, frozen=True):
    """One trade in both worlds; None where one of them did not make it. values: for the sentence of `why`."""

    live: Deal | None
    replayed: Deal | None
    cls: Class
    why: Why
    values: dict[str, str | int] = {}

    @property
    def deal(self) -> Deal:
        """The live one, or else the replayed one."""
        found = self.live or self.replayed
        if found is None:
            raise ValueError
        return found


class Judge:
    """Judges the trades of both worlds in the order of time.

    interval: ns of a bar. until: UTC ns at which the recording ends. is_same_source: the strategy's, then and now.
    """

    def __init__(
        self,
        live: Course,
        replayed: Course,
        differing: dict[tuple[str, int], Differing],
        holes: Iterable[Hole],
        *,
        interval: int,
        until: int,
        is_same_source: bool = True,
    ) -> None:
        self._no_cause = Why.NO_CAUSE if is_same_source else Why.SOURCE_CHANGED
        self._live, self._replayed, self._until = live, replayed, until
        self._lookback, self._tolerance = LOOKBACK * interval, max(interval // 2, 2 * RESOLUTION)
        self._window = interval + RESOLUTION  # in which a wish was made that led to an order
        self._differing: dict[str, list[int]] = {}
        for symbol, start in sorted(differing):
            self._differing.setdefault(symbol, []).append(start)
        self._holes = tuple(holes)
        self._roots: dict[str, Verdict] = {}  # the last difference of each symbol, and of the account

    def verdicts(self) -> list[Verdict]:
        """One for each trade."""
        found = list[Verdict]()
        for live, replayed in pairs(self._live.deals, self._replayed.deals, self._tolerance):
            verdict = self._judge(live, replayed)
            root = self._as_root(verdict)
            if root is not None:
                self._roots[root.deal.symbol] = self._roots[""] = root
            found.append(verdict)
        return found

    @staticmethod
    def _as_root(verdict: Verdict) -> Verdict | None:
        """What later differences may come from; also shares that came for the same money at another time."""
        live, replayed = verdict.live, verdict.replayed
        if verdict.cls is not Class.SAME or live is None or replayed is None:
            return None if verdict.cls is Class.UNEXPLAINED else verdict
        return Verdict(live, replayed, Class.LATENCY, Why.FILLED_LATER) if _delay(live) != _delay(replayed) else None

    def _judge(self, live: Deal | None, replayed: Deal | None) -> Verdict:
        if live is None or replayed is None:
            return self._alone(live, replayed)
        for judge in (self._by_verdict, self._by_price, self._by_qty, self._by_fill):
            verdict = judge(live, replayed)
            if verdict is not None:
                return verdict
        return Verdict(live, replayed, Class.SAME, Why.SAME)

    # made in one world only

    def _alone(self, live: Deal | None, replayed: Deal | None) -> Verdict:
        deal = live or replayed
        if deal is None:
            raise ValueError

        def verdict(cls: Class, why: Why, **values: str | int) -> Verdict:
            return Verdict(live, replayed, cls, why, values)

        if cause := self._cause(deal):
            return verdict(*cause)
        others = (self._replayed if live else self._live).states_in(deal.symbol, deal.ts - self._window, deal.ts)
        other = next((state for state in others if _stands_otherwise(deal.state, state, deal.purpose)), None)
        root = self._roots.get(deal.symbol)
        if root is not None and other is not None:
            return verdict(root.cls, Why.EARLIER_TRADE, order=root.deal.order_id, here=deal.state.qty, there=other.qty)
        return verdict(Class.UNEXPLAINED, self._no_cause)

    def _cause(self, deal: Deal) -> tuple[Class, Why] | None:
        """What kept a trade to one world, where that is told outright."""
        live = self._live
        causes = {
            (Class.RESTART, Why.LEFT_OVER): deal.adopted,
            (Class.RULE, Why.SESSION_END): deal.purpose is Purpose.FLATTEN,
            (Class.MISSED_SIGNAL, Why.STRATEGY_FAILED): self._happened(live.failed, deal),
            (Class.HAND, Why.BY_HAND): self._happened(live.corrected, deal),
            (Class.GAP, Why.BARS_DIFFER): self._saw_other_bars(deal),
            (Class.GAP, Why.RECORDING_ENDS): deal.ts > self._until - RESOLUTION,
        }
        return next((cause for cause, holds in causes.items() if holds), None)

    @staticmethod
    def _happened(moments: Iterable[tuple[int, str]], deal: Deal) -> bool:
        return any(at <= deal.ts and symbol in {deal.symbol, ""} for at, symbol in moments)

    def _saw_other_bars(self, deal: Deal) -> bool:
        """Whether bars within the strategy's memory differ, and the recording says why."""
        starts = self._differing.get(deal.symbol, [])
        differ = bisect_right(starts, deal.ts) > bisect_right(starts, deal.ts - self._lookback)
        return differ and self._has_hole(deal)

    def _has_hole(self, deal: Deal) -> bool:
        return any(hole.symbol == deal.symbol and hole.at <= deal.ts for hole in self._holes)

    # made in both

    def _by_verdict(self, live: Deal, replayed: Deal) -> Verdict | None:
        if live.denied == replayed.denied:
            return None
        if live.risk != replayed.risk and live.risk:
            cls = NARROWED.get(live.risk, Class.RULE)
            return Verdict(live, replayed, cls, Why.TRADING_NARROWED, {"reason": live.risk})
        rule = live.denied or replayed.denied
        here, there = _check(live.checks, rule), _check(replayed.checks, rule)
        if "" in self._roots and here and there and here.value != there.value:
            values: dict[str, str | int] = {
                "rule": rule, "here": here.value, "there": there.value, "limit": here.limit, "unit": here.unit,
            }  # fmt: skip
            return Verdict(live, replayed, Class.RULE, Why.RULE_SAW_OTHERWISE, values)
        return self._unexplained(live, replayed)

    def _by_price(self, live: Deal, replayed: Deal) -> Verdict | None:
        if live.price == replayed.price:
            return None
        values: dict[str, str | int] = {"here": live.price, "there": replayed.price}
        if live.reference != replayed.reference or abs(live.ts - replayed.ts) > RESOLUTION:
            return Verdict(live, replayed, Class.LATENCY, Why.PRICED_AFTER_ANOTHER_TRADE, values)
        if self._has_hole(live):
            return Verdict(live, replayed, Class.GAP, Why.DATA_MISSING, values)
        return self._unexplained(live, replayed)

    def _by_qty(self, live: Deal, replayed: Deal) -> Verdict | None:
        if live.qty == replayed.qty:
            return None
        if self._happened(self._live.corrected, live):
            return Verdict(live, replayed, Class.HAND, Why.BY_HAND)
        root = self._roots.get(live.symbol if live.side == "SELL" else "")
        if root is None or live.state == replayed.state:
            return self._unexplained(live, replayed)
        values: dict[str, str | int] = {
            "order": root.deal.order_id,
            "here": live.state.qty,
            "there": replayed.state.qty,
        }
        return Verdict(live, replayed, root.cls, Why.EARLIER_TRADE, values)

    def _by_fill(self, live: Deal, replayed: Deal) -> Verdict | None:
        if live.denied or (live.filled, live.amount) == (replayed.filled, replayed.amount):
            return None
        if max(live.filled_at, live.ts) > self._until - RESOLUTION:
            return Verdict(live, replayed, Class.GAP, Why.RECORDING_ENDS)
        if "ORDER_REJECTED" in live.trouble:
            return Verdict(live, replayed, Class.RULE, Why.REFUSED_BY_BROKER)
        if LOST.intersection(live.trouble):
            return Verdict(live, replayed, Class.LATENCY, Why.ANSWER_LOST)
        late = abs(_delay(live) - _delay(replayed))
        if live.filled and replayed.filled and late > RESOLUTION:
            values: dict[str, str | int] = {"here": _delay(live) // 1_000_000, "there": _delay(replayed) // 1_000_000}
            return Verdict(live, replayed, Class.LATENCY, Why.FILLED_LATER, values)
        return Verdict(live, replayed, Class.FILL_MODEL, Why.FILLED_OTHERWISE)

    def _unexplained(self, live: Deal, replayed: Deal) -> Verdict:
        return Verdict(live, replayed, Class.UNEXPLAINED, self._no_cause)


def _stands_otherwise(here: State, there: State, purpose: Purpose) -> bool:
    """Whether what a strategy or a stop-loss looks at was different: shares, open orders; for a stop their cost."""
    if bool(here.qty) != bool(there.qty) or bool(here.open) != bool(there.open):
        return True
    return purpose is Purpose.PROTECT and (here.qty, here.cost) != (there.qty, there.cost)


def _check(checks: Iterable[Check], rule: str) -> Check | None:
    return next((check for check in checks if check.rule == rule), None)


def _delay(deal: Deal) -> int:
    """From the request to the first share, ns."""
    return max(deal.filled_at - deal.sent, 0) if deal.filled_at else 0


def pairs(live: list[Deal], replayed: list[Deal], tolerance: int) -> list[tuple[Deal | None, Deal | None]]:
    """Trades of the same symbol, side and purpose at about the same time, those of one world alone between them."""
    left = list(replayed)
    found = list[tuple[Deal | None, Deal | None]]()
    for deal in live:
        fitting = [
            other for other in left
            if (other.symbol, other.side, other.purpose) == (deal.symbol, deal.side, deal.purpose)
            and abs(other.ts - deal.ts) <= tolerance
        ]  # fmt: skip
        best = min(fitting, key=lambda other: abs(other.ts - deal.ts), default=None)
        if best is not None:
            left.remove(best)
        found.append((deal, best))
    found += [(None, deal) for deal in left]
    return sorted(found, key=lambda pair: pair[0].ts if pair[0] else pair[1].ts if pair[1] else 0)
