"""What the market's operation records say, and what is done with those that say nothing."""

import pytest

from qbtrade.adapters.kis.events import MarketEvent, Operation, OperationUnread
from qbtrade.adapters.kis.registrations import Channel
from qbtrade.domain.message import Event
from tests.adapters.kis.wire import START, frame, open_stream, operation_record

CHANNEL = Channel("H0STMKO0", "005930")


def told(*records: str) -> list[Event]:
    """What a stream makes of one frame."""
    outputs = open_stream(CHANNEL).on_text(START, frame("H0STMKO0", *records))
    return [each for each in outputs if isinstance(each, Event)]


def test_an_interruption_begins_and_ends() -> None:
    on, off = told(operation_record(vi="Y"), operation_record(vi="N"))
    assert on == Operation(START, "005930", halted=False, vi=True, event=None)
    assert off == Operation(START, "005930", halted=False, vi=False, event=None)


@pytest.mark.parametrize("over", [{1: "Y"}, {7: "58"}])
def test_a_suspension_is_told_in_two_ways(over: dict[int, str]) -> None:
    (found,) = told(operation_record(over=over))
    assert found == Operation(START, "005930", halted=True, vi=False, event=None)


@pytest.mark.parametrize(
    ("code", "event"),
    [
        ("174", MarketEvent.BREAKER), ("175", MarketEvent.BREAKER_OVER), ("184", MarketEvent.BREAKER),
        ("185", MarketEvent.BREAKER_OVER), ("164", MarketEvent.BREAKER), ("387", MarketEvent.SELL_SIDECAR),
        ("388", MarketEvent.SELL_SIDECAR_OVER), ("397", MarketEvent.BUY_SIDECAR),
        ("398", MarketEvent.BUY_SIDECAR_OVER), ("112", None), ("F09", None), ("182", None), ("", None),
    ],
)  # fmt: skip
def test_codes_that_matter_to_trading_are_known_and_hours_are_not_taken_from_them(
    code: str, event: MarketEvent | None
) -> None:
    (found,) = told(operation_record(code))
    assert found == Operation(START, "005930", halted=False, vi=False, event=event)


@pytest.mark.parametrize("width", [9, 10, 11, 12])
def test_the_width_may_be_any_that_holds_what_is_read(width: int) -> None:
    (found,) = told(operation_record(vi="Y", width=width))
    assert isinstance(found, Operation)
    assert found.vi


def test_what_a_record_does_not_say_is_not_made_up() -> None:
    (found,) = told(operation_record(vi="", over={1: ""}))
    assert found == Operation(START, "005930", halted=None, vi=None, event=None)


@pytest.mark.parametrize("record", [operation_record().partition("^")[2], "", operation_record(width=8)])
def test_a_record_that_names_no_stock_is_counted_and_said(record: str) -> None:
    stream = open_stream(CHANNEL)
    (found,) = stream.on_text(START, frame("H0STMKO0", record))
    assert isinstance(found, OperationUnread)
    assert stream.counts()["unread"] == 1
