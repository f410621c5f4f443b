"""The story of an order: complete, whether it was filled, replaced or stopped."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.app.story import story
from qbtrade.domain.order import Side
from qbtrade.errors import FileError
from tests.builders import an_order
from tests.recordings import Recording, a_traded_day


def journal_of(tmp_path: Path, recording: Recording) -> Path:
    path = tmp_path / "20261120-090000-abcd.sqlite3"
    journal = SqliteJournal(path)
    journal.append(recording.events, durable=False)
    journal.close()
    return path


def test_filled_order_tells_signal_checks_steps_fills_and_costs(tmp_path: Path) -> None:
    told = story(journal_of(tmp_path, a_traded_day()), "Q1")
    assert told["run_id"] == "20261120-090000-abcd"
    assert told["signal"] == {
        "ts": "2026-11-20T09:30:00+09:00",
        "side": "BUY",
        "reason": "a test",
        "values": {"fast": "75010", "slow": "74990"},
    }
    assert told["checks"] == [
        {"rule": "budget", "limit": 100_000, "value": 75_000, "distance": 25_000, "unit": "KRW", "passed": True}
    ]
    assert [step["type"] for step in told["steps"]] == [
        "SUBMIT_ORDER", "ORDER_APPROVED", "ORDER_SENDING", "ORDER_ACCEPTED", "ORDER_FILLED", "POSITION_CHANGED",
    ]  # fmt: skip
    assert told["steps"][3] == {"ts": "2026-11-20T09:30:00+09:00", "type": "ORDER_ACCEPTED", "broker_order_id": "B-Q1"}
    assert [(fill["price"], fill["commission"]) for fill in told["fills"]] == [(75_000, 21)]
    assert (told["order"]["status"], told["order"]["slippage"]) == ("FILLED", 200)
    assert told["chain"] == []


def test_denied_order_tells_every_check_with_its_distance(tmp_path: Path) -> None:
    told = story(journal_of(tmp_path, a_traded_day()), "Q6")
    assert [(check["rule"], check["passed"], check["distance"]) for check in told["checks"]] == [
        ("budget", True, 25_000),
        ("position-share", False, -250_000),
    ]
    assert (told["order"]["status"], told["order"]["reason"]) == ("DENIED", "position-share")
    assert told["fills"] == []


def test_repriced_orders_tell_one_story_with_the_signal_of_the_first(tmp_path: Path) -> None:
    first = an_order("Q1", side=Side.SELL, price=75_000)
    second = replace(first, order_id="Q2", price=74_900, repriced_from="Q1", signal="repriced")
    third = replace(first, order_id="Q3", price=74_800, repriced_from="Q2", signal="repriced")
    recording = Recording().start().buy("09:10", "Q0", 75_000).signal("10:00", Side.SELL, slow="1")
    recording.send("10:00", first).cancel("10:00:02", first, 1, "reprice").send("10:00:02", second)
    recording.cancel("10:00:04", second, 1, "reprice").send("10:00:04", third).fill("10:00:05", third, 74_800, 1)
    journal = journal_of(tmp_path, recording.end())
    for order_id in ("Q1", "Q2", "Q3"):
        told = story(journal, order_id)
        ends = [(order["order_id"], order["status"]) for order in told["chain"]]
        assert ends == [("Q1", "CANCELED"), ("Q2", "CANCELED"), ("Q3", "FILLED")]
        assert told["signal"]["values"] == {"slow": "1"}


def test_order_without_a_signal_of_its_own_has_none(tmp_path: Path) -> None:
    recording = Recording().start().buy("09:10", "Q0", 75_000)
    assert story(journal_of(tmp_path, recording), "Q0")["signal"] is None


def test_order_unknown_to_the_session_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no order 'Q99' in session 20261120-090000-abcd"):
        story(journal_of(tmp_path, a_traded_day()), "Q99")
