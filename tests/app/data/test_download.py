"""What KIS may answer to a download, and what of it is stored. The real wire is joined in tests/cli/test_data.py."""

from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from qbtrade.adapters.emulator.plan import CREDENTIALS
from qbtrade.adapters.kis.call import Call
from qbtrade.adapters.kis.outcomes import Failed
from qbtrade.adapters.kis.parse.quotes import DailyBar
from qbtrade.adapters.kis_fields import Dialect
from qbtrade.adapters.market_store.layout import Basis
from qbtrade.app.asker import Asker
from qbtrade.app.config import Settings
from qbtrade.app.data.download import Download, NoAnswerError, Outcome, Step, StoppedError, Wanted
from qbtrade.app.data.stored import Stored
from qbtrade.app.kis_account import local_environment
from qbtrade.app.reach import Reach
from qbtrade.app.rules import load_rules
from qbtrade.domain.calendar import MINUTE, kst_ns
from qbtrade.domain.market import Bar
from qbtrade.errors import FileError, NoRowsError
from qbtrade.kernel.clock import LiveClock
from qbtrade.kernel.loop import StopRequest

NOW = kst_ns(date(2026, 11, 20), time(22))
MONDAY, FRIDAY = date(2026, 11, 16), date(2026, 11, 20)
CALENDAR = load_rules().calendar


class Scripted(Asker):
    """Answers questions from a function, and remembers them."""

    def __init__(self, answer: Callable[[Call[Any]], Any]) -> None:
        self._answer, self.asked = answer, list[Call[Any]]()

    def ask(self, call: Call[Any]) -> Any:
        self.asked.append(call)
        return self._answer(call)


class Kis:
    """A download on a scripted KIS."""

    def __init__(
        self,
        home: Path,
        answer: Callable[[Call[Any]], Any],
        now: int = NOW,
        *,
        side: Dialect = "real",
        is_trading: Callable[[], bool] = bool,
    ) -> None:
        environment = local_environment(Settings({}), side, CREDENTIALS[side], ("http://x", "ws://x"))
        self.asker, self.stored, self.stop = Scripted(answer), Stored(home), StopRequest()
        self.steps: list[Step] = []
        reach = Reach(environment, LiveClock(start=now), self.asker)
        self._download = Download(
            reach, self.stored, CALENDAR, self.stop, self.steps.append, is_trading=is_trading
        )  # fmt: skip

    def get(self, kind: str, first: date, last: date, *symbols: str, **more: Any) -> list[Outcome]:
        return list(self._download.run(Wanted(symbols or ("005930",), kind, first, last, **more)))

    def daily(self) -> tuple[list[int], Basis]:
        """Closes of the stored days, and what they are."""
        sheet = self.stored.sheet("1d", "005930")
        about = self.stored.about(sheet)
        assert about is not None
        return [row[4] for row in self.stored.rows(sheet)], about.basis

    def days(self, kind: str = "1d") -> set[date]:
        return self.stored.whole_days(kind, "005930")


def days_asked(call: Call[Any]) -> Iterator[date]:
    first, last = (date.fromisoformat(call.params[f"FID_INPUT_DATE_{n}"]) for n in (1, 2))
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if CALENDAR.is_trading_day(day):
            yield day


def every_day(call: Call[Any]) -> tuple[DailyBar, ...]:
    """The newest hundred of those that were asked for, as KIS does."""
    return tuple(DailyBar(day, 75_000, 75_100, 74_900, 75_000, 10) for day in days_asked(call))[-100:]


def test_years_are_asked_for_page_by_page_and_the_next_time_only_what_is_new(tmp_path: Path) -> None:
    kis = Kis(tmp_path, every_day)
    (outcome,) = kis.get("1d", date(2025, 11, 17), date(2026, 11, 13))
    days = outcome.stored

    (again,) = kis.get("1d", date(2025, 11, 17), FRIDAY)

    pages = [len(list(days_asked(call))) for call in kis.asker.asked]
    assert (sum(pages[:3]), pages[3:], max(pages) <= 100) == (days, [5], True)
    assert (again.there, again.stored, len(kis.days())) == (days, 5, days + 5)
    assert [step.done for step in kis.steps] == [100, 200, days, 5]


def test_a_day_without_trade_stands_at_its_close_and_a_day_without_row_is_absent(tmp_path: Path) -> None:
    halted = DailyBar(FRIDAY, 0, 0, 0, 75_000, 0)
    kis = Kis(tmp_path, lambda _call: (DailyBar(MONDAY, 74_000, 76_000, 73_000, 75_000, 10), halted))

    (outcome,) = kis.get("1d", MONDAY, FRIDAY)

    assert (outcome.stored, outcome.absent) == (2, 3)
    assert [row[1:] for row in kis.stored.rows(kis.stored.sheet("1d", "005930"))] == [
        (74_000, 76_000, 73_000, 75_000, 10), (75_000, 75_000, 75_000, 75_000, 0),
    ]  # fmt: skip


def test_nothing_is_asked_of_the_years_before_a_listing(tmp_path: Path) -> None:
    listed = date(2026, 9, 1)
    kis = Kis(tmp_path, lambda call: tuple(bar for bar in every_day(call) if bar.day >= listed))

    (outcome,) = kis.get("1d", date(2020, 1, 2), FRIDAY)

    assert len(kis.asker.asked) == 2
    assert min(kis.days()) == listed
    assert outcome.stored + outcome.absent == len(CALENDAR_DAYS)


CALENDAR_DAYS = [
    day for day in (date(2020, 1, 2) + timedelta(days=n) for n in range(2515)) if CALENDAR.is_trading_day(day)
]


def test_pages_before_an_error_stay(tmp_path: Path) -> None:
    answers: list[Any] = [None, Failed("EGW00002 server error", "EGW00002")]
    kis = Kis(tmp_path, lambda call: answers.pop(0) or every_day(call))

    with pytest.raises(NoAnswerError, match="EGW00002 server error"):
        kis.get("1d", date(2026, 1, 2), FRIDAY)

    assert len(kis.days()) == 100


def test_an_unknown_stock_is_told_from_a_kis_that_does_not_answer(tmp_path: Path) -> None:
    kis = Kis(tmp_path, lambda _call: Failed("OPSQ2001 no such stock", "OPSQ2001"))

    with pytest.raises(NoRowsError, match="KIS does not know 005930"):
        kis.get("1d", MONDAY, FRIDAY)


def test_a_stop_comes_before_the_next_question(tmp_path: Path) -> None:
    kis = Kis(tmp_path, every_day)
    kis.stop.ask("SIGINT")

    with pytest.raises(StoppedError):
        kis.get("1d", MONDAY, FRIDAY)

    assert kis.asker.asked == []


def as_asked(call: Call[Any]) -> tuple[DailyBar, ...]:
    """Half the price where KIS is asked for adjusted ones: the shares were split."""
    price = 50_000 if call.params["FID_ORG_ADJ_PRC"] == "0" else 100_000
    return tuple(DailyBar(day, price, price, price, price, 10) for day in days_asked(call))


def test_raw_and_adjusted_bars_take_each_others_place_only_when_told_to(tmp_path: Path) -> None:
    kis, adjusted = Kis(tmp_path, as_asked), {"basis": Basis.ADJUSTED}
    kis.get("1d", MONDAY, FRIDAY)
    with pytest.raises(FileError, match="stored with raw prices, and these are adjusted"):
        kis.get("1d", MONDAY, FRIDAY, **adjusted)
    assert (len(kis.asker.asked), kis.daily()) == (1, ([100_000] * 5, Basis.RAW))

    kis.get("1d", MONDAY, MONDAY, replace=True, **adjusted)
    assert kis.daily() == ([50_000], Basis.ADJUSTED)
    with pytest.raises(FileError, match="stored with adjusted prices, and these are raw"):
        kis.get("1d", MONDAY, FRIDAY)
    (outcome,) = kis.get("1d", FRIDAY, FRIDAY, replace=True)
    assert (kis.daily(), outcome.stored, outcome.there) == (([100_000], Basis.RAW), 1, 0)


def test_a_corporate_action_changes_every_adjusted_bar_that_is_stored(tmp_path: Path) -> None:
    factor = [1]

    def answer(call: Call[Any]) -> tuple[DailyBar, ...]:
        price = 100_000 // factor[0]
        return tuple(DailyBar(day, price, price, price, price, 10) for day in days_asked(call))[-100:]

    kis, first = Kis(tmp_path, answer), date(2025, 11, 17)
    kis.get("1d", first, date(2026, 11, 13), basis=Basis.ADJUSTED)
    days = len(kis.days())
    (same,) = kis.get("1d", MONDAY, FRIDAY, basis=Basis.ADJUSTED)
    factor[0] = 2
    (split,) = kis.get("1d", FRIDAY, FRIDAY, basis=Basis.ADJUSTED)

    assert (same.there, same.stored) == (days, 5)
    assert (split.there, split.stored) == (0, days + 5)
    assert kis.daily() == ([50_000] * (days + 5), Basis.ADJUSTED)


def test_adjusted_bars_of_which_a_page_does_not_come_stay_as_they_were(tmp_path: Path) -> None:
    answers: list[Any] = [None, None, Failed("EGW00002 server error", "EGW00002")]
    kis = Kis(tmp_path, lambda call: answers.pop(0) or every_day(call))
    kis.get("1d", MONDAY, FRIDAY, basis=Basis.ADJUSTED)
    with pytest.raises(NoAnswerError, match="EGW00002"):
        kis.get("1d", date(2026, 1, 2), FRIDAY, basis=Basis.ADJUSTED)
    assert len(kis.days()) == 5


def a_minute(day: date, clock: time, volume: int = 5) -> Bar:
    start = kst_ns(day, clock)
    return Bar(start + MINUTE, "005930", start, 75_000, 75_000, 75_000, 75_000, volume)


def test_minutes_are_stored_once_each_without_those_in_which_nothing_traded(tmp_path: Path) -> None:
    nine, one, two = (a_minute(MONDAY, time(9, minute)) for minute in range(3))
    quiet, before = a_minute(MONDAY, time(9, 5), volume=0), a_minute(MONDAY, time(8, 59))
    pages = [(one, two, quiet), (before, nine, one)]
    kis = Kis(tmp_path, lambda _call: pages.pop(0) if pages else ())

    (outcome,) = kis.get("1m", MONDAY, MONDAY)

    assert (outcome.stored, outcome.rows, len(kis.asker.asked)) == (1, 3, 2)
    assert [row[0] for row in kis.stored.rows(kis.stored.sheet("1m", "005930", MONDAY))] == [
        nine.start, one.start, two.start,
    ]  # fmt: skip


def test_ten_days_without_a_minute_are_enough_to_know_that_none_are_kept(tmp_path: Path) -> None:
    def friday_alone(call: Call[Any]) -> tuple[Bar, ...]:
        return (a_minute(FRIDAY, time(9)),) if call.params["FID_INPUT_DATE_1"] == "20261120" else ()

    kis = Kis(tmp_path, friday_alone, now=kst_ns(date(2026, 11, 23), time(22)))

    (outcome,) = kis.get("1m", date(2026, 10, 1), FRIDAY)

    days = [date(2026, 10, 1) + timedelta(days=n) for n in range(51)]
    assert (outcome.stored, outcome.absent) == (1, 10)
    assert outcome.unasked == sum(map(CALENDAR.is_trading_day, days)) - 11


@pytest.mark.parametrize(("side", "looks"), [("real", 0), ("paper", 1)])
def test_where_calls_are_scarce_a_session_that_trades_gets_every_second_one(
    side: Dialect, looks: int, tmp_path: Path
) -> None:
    seen: list[bool] = []

    def is_trading() -> bool:
        seen.append(True)
        return True

    Kis(tmp_path, every_day, side=side, is_trading=is_trading).get("1d", MONDAY, FRIDAY)

    assert len(seen) == looks


def test_a_day_that_runs_is_stored_as_far_as_it_is_and_asked_for_again(tmp_path: Path) -> None:
    bars = [a_minute(FRIDAY, time(10, minute)) for minute in range(3)]
    ten_past = kst_ns(FRIDAY, time(10, 2)) + MINUTE // 2
    early, evening = (Kis(tmp_path, lambda _call: tuple(bars), now=now) for now in (ten_past, NOW))

    (running,) = early.get("1m", FRIDAY, FRIDAY)
    (over,) = evening.get("1m", FRIDAY, FRIDAY)
    (again,) = evening.get("1m", FRIDAY, FRIDAY)

    assert (running.rows, running.running) == (2, True)  # the third minute had not closed
    assert (over.there, over.rows, over.running) == (0, 3, False)
    assert (again.there, again.stored) == (1, 0)
