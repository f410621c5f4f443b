from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qbtrade.adapters.kis.events import KeyWanted, Registered
from qbtrade.adapters.kis.reconnects import Pace, Reconnects
from qbtrade.adapters.kis.registrations import Channel
from qbtrade.adapters.kis.stream import Stream
from qbtrade.adapters.kis.stream_terms import Close, Connect, Output, StreamLimits
from qbtrade.domain.events import Alert, FeedLost, FeedRestored, Level
from qbtrade.domain.market import Trade
from tests.adapters.kis.wire import (
    ACCOUNT,
    NOTICES,
    START,
    TRADES,
    a_stream,
    answer,
    asked,
    open_stream,
    trade_frame,
    trade_record,
)
from tests.builders import MINUTE, SECOND

HOUR = 60 * MINUTE
STEADY = StreamLimits(pace=Pace(jitter=0))
IN_USE = '{"header":{"tr_id":"(null)","tr_key":"","encrypt":"N"},"body":{"rt_cd":"9","msg_cd":"OPSP8996","msg1":"X"}}'


def due(stream: Stream) -> int:
    assert stream.due is not None
    return stream.due


def test_a_lost_connection_is_made_again_and_everything_asked_for_anew() -> None:
    stream = open_stream(TRADES, NOTICES, limits=STEADY)
    stream.on_text(START + SECOND, trade_frame(trade_record()))
    lost = START + 10 * SECOND
    assert stream.on_closed(lost, "reset") == [FeedLost(lost, "reset")]
    assert due(stream) == lost + SECOND
    assert stream.on_timer(due(stream)) == [Connect()]
    back = lost + 2 * SECOND
    assert asked(stream.on_open(back)) == [("1", *TRADES)]
    assert asked(stream.on_text(back + 1, answer(TRADES))) == [("1", *NOTICES)]
    heard = START + SECOND
    assert stream.on_text(back + 2, answer(NOTICES)) == [
        Registered(back + 2, *NOTICES),
        FeedRestored(back + 2, back + 2 - heard),
    ]


def test_a_loss_is_said_once_however_long_it_lasts() -> None:
    stream = open_stream(TRADES, limits=STEADY)
    outputs = stream.on_closed(START, "reset")
    for _ in range(5):
        outputs += stream.on_timer(due(stream))
        outputs += stream.on_closed(due(stream) if stream.due else START, "refused")
    assert [each for each in outputs if isinstance(each, FeedLost)] == [FeedLost(START, "reset")]


def test_a_first_connect_that_fails_is_a_loss_too() -> None:
    stream = a_stream(STEADY)
    stream.start(START)
    stream.use_key(START, "approval-key")
    assert stream.on_closed(START + SECOND, "refused") == [FeedLost(START + SECOND, "refused")]
    stream.on_timer(due(stream))
    assert stream.on_open(START + 3 * SECOND) == [
        FeedRestored(START + 3 * SECOND, 3 * SECOND),
    ]


def test_silence_ends_the_connection() -> None:
    stream = open_stream(TRADES, limits=STEADY)
    assert due(stream) == START + 75 * SECOND
    stream.on_text(START + 10 * SECOND, '{"header":{"tr_id":"PINGPONG"}}')
    assert stream.on_timer(START + 75 * SECOND) == []
    silent = START + 85 * SECOND
    assert stream.on_timer(silent) == [Close(), FeedLost(silent, "silent")]


def test_trades_repeated_after_a_reconnect_are_let_through_once() -> None:
    stream = open_stream(TRADES, limits=STEADY)
    stream.on_text(START, trade_frame(trade_record(volume=1_000)))
    stream.on_closed(START + 1, "reset")
    stream.on_timer(due(stream))
    stream.on_open(START + 2 * SECOND)
    stream.on_text(START + 2 * SECOND, answer(TRADES))
    again = trade_frame(trade_record(volume=1_000), trade_record(75_100, 4, 1_010, clock="100003"))
    found = stream.on_text(START + 3 * SECOND, again)
    assert [each for each in found if isinstance(each, Trade)] == [
        Trade(START + 3 * SECOND, "005930", 75_100, 4, side="BUY", volume=1_010)
    ]
    assert (stream.counts()["repeats"], stream.counts()["missed_volume"]) == (1, 6)


def test_another_session_with_our_key_is_waited_out_ever_longer_and_said_aloud() -> None:
    stream, now, waits = open_stream(TRADES, limits=STEADY), START, list[int]()
    for turn in range(4):
        outputs = stream.on_text(now, IN_USE)
        alerts = [(each.level, each.code) for each in outputs if isinstance(each, Alert)]
        assert (outputs[0], alerts) == (Close(), [(Level.CRITICAL, "stream-in-use")])
        assert sum(isinstance(each, FeedLost) for each in outputs) == (turn == 0)
        waits.append(due(stream) - now)
        now = due(stream)
        assert stream.on_timer(now) == [Connect()]
        stream.on_open(now)
    assert waits == [20 * SECOND, MINUTE, 5 * MINUTE, 5 * MINUTE]
    stream.on_text(now, answer(TRADES))
    stream.on_text(now, IN_USE)
    assert due(stream) - now == 20 * SECOND


@pytest.mark.parametrize("code", ["OPSP0010", "OPSP0011"])
def test_a_refused_approval_key_is_replaced_before_the_next_connect(code: str) -> None:
    stream = open_stream(limits=STEADY)
    stream.register(START, TRADES)
    outputs = stream.on_text(START, answer(TRADES, code, "1", "invalid approval"))
    assert outputs == [Close(), FeedLost(START, "invalid approval"), KeyWanted(START, "none")]
    assert stream.use_key(START + 1, "second-key") == []
    assert stream.on_timer(due(stream)) == [Connect()]
    (command,) = stream.on_open(START + 2 * SECOND)
    assert "second-key" in getattr(command, "text", "")


def test_a_key_older_than_a_day_is_not_used_to_connect() -> None:
    stream = open_stream(TRADES, limits=STEADY)
    later = START + 23 * HOUR
    assert stream.on_closed(later, "restart")[1:] == [KeyWanted(later, "expired")]
    stream.use_key(later, "second-key")
    assert stream.on_timer(due(stream)) == [Connect()]


def test_a_connection_that_held_makes_the_next_loss_a_first_one() -> None:
    stream, now, waits = open_stream(limits=STEADY), START, list[int]()
    for held in (0, 0, 0, 61 * SECOND, 0):
        stream.on_text(now + held, '{"header":{"tr_id":"PINGPONG"}}')
        stream.on_closed(now + held, "reset")
        waits.append((due(stream) - now - held) // SECOND)
        now = due(stream)
        stream.on_timer(now)
        stream.on_open(now)
    assert waits == [1, 2, 5, 1, 2]


def mishap(stream: Stream, now: int, number: int) -> Sequence[Output]:
    """One of eight things that may happen to an open stream; two of them are only time going by."""
    if number < 2:
        return stream.on_timer(now)
    if number < 4:
        return stream.on_closed(now, "reset")
    texts = (answer(TRADES), IN_USE, answer(TRADES, "OPSP0011", "1"), "\ufffd")
    return stream.on_text(now, texts[number - 4])


def connects_of(stream: Stream, world: Random, hours: int) -> list[int]:
    """When a stream connects to a world in which everything goes wrong by chance."""
    now, connects = START, list[int]()
    pending: Sequence[Output] = [*stream.start(now), *stream.use_key(now, "key"), *stream.register(now, TRADES)]
    while now < START + hours * HOUR:
        if any(isinstance(each, Connect) for each in pending):
            connects.append(now)
            now += world.choice((1, SECOND, 10 * SECOND))
            pending = stream.on_open(now) if world.random() < 0.7 else stream.on_closed(now, "refused")
        elif any(isinstance(each, KeyWanted) for each in pending):
            pending = stream.use_key(now, "another key")
        else:
            step = world.choice((1, SECOND, MINUTE, 10 * MINUTE))
            now = min(now + step, max(stream.due or now + step, now + 1))
            pending = mishap(stream, now, world.randrange(8))
    return connects


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32))
def test_no_hour_sees_more_connects_than_the_allowance(seed: int) -> None:
    connects = connects_of(Stream(ACCOUNT, Random(seed)), Random(seed + 1), hours=3)
    pace = Pace()
    assert len(connects) > 3
    assert all(sum(begin <= at < begin + HOUR for at in connects) <= pace.burst + 60 for begin in connects)


@given(seed=st.integers(0, 99), failures=st.integers(1, 50))
def test_waits_grow_and_chance_only_ever_adds(seed: int, failures: int) -> None:
    reconnects, pace = Reconnects(Random(seed), Pace()), Pace()
    waits = [reconnects.after_failure(0) for _ in range(failures)]
    steady = [*pace.waits, *[pace.waits[-1]] * failures][:failures]
    assert all(least <= wait <= least + least // 5 for wait, least in zip(waits, steady, strict=True))


def test_two_streams_with_one_seed_do_the_same() -> None:
    first, second = (connects_of(Stream(ACCOUNT, Random(7)), Random(8), hours=2) for _ in range(2))
    assert first == second


def test_a_loss_while_nothing_is_wanted_ends_with_the_connection() -> None:
    stream = open_stream(limits=STEADY)
    stream.register(START, Channel("H0STCNT0", "000660"))
    stream.on_closed(START, "reset")
    stream.on_timer(due(stream))
    stream.on_open(START + SECOND)
    dropped = stream.unregister(START + SECOND, Channel("H0STCNT0", "000660"))
    assert dropped == []
    settled = stream.on_text(START + SECOND, answer(Channel("H0STCNT0", "000660")))
    assert asked(settled) == [("2", "H0STCNT0", "000660")]
    last = stream.on_text(START + SECOND, answer(Channel("H0STCNT0", "000660"), "OPSP0001"))
    assert [type(each) for each in last] == [FeedRestored]
