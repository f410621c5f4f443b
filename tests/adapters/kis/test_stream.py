import json

import pytest

from qbtrade.adapters.kis.events import KeyWanted, Notice, NoticeUnread, Registered, RegistrationRefused
from qbtrade.adapters.kis.registrations import Channel
from qbtrade.adapters.kis.stream_terms import Close, Connect, SendText, StreamLimits
from qbtrade.domain.market import Quote, Trade
from tests.adapters.kis.wire import (
    KEY,
    NOTICES,
    QUOTES,
    START,
    TRADES,
    a_stream,
    answer,
    asked,
    book_record,
    frame,
    notice_record,
    open_stream,
    sealed_frame,
    trade_frame,
    trade_record,
)
from tests.builders import MINUTE, SECOND, at

PING = '{"header":{"tr_id":"PINGPONG","datetime":"20261120100000"}}'


def test_it_connects_once_there_is_a_key() -> None:
    stream = a_stream()
    assert stream.start(START) == [KeyWanted(START, "none")]
    assert stream.start(START) == []
    assert stream.due == START + MINUTE
    assert stream.on_timer(START + MINUTE) == [KeyWanted(START + MINUTE, "none")]
    assert stream.use_key(START + MINUTE, "approval-key") == [Connect()]


def test_channels_are_asked_for_one_at_a_time() -> None:
    stream = open_stream()
    first = stream.register(START, TRADES)
    assert stream.register(START, QUOTES) == []
    assert asked(first) == [("1", "H0STCNT0", "005930")]
    done = stream.on_text(START + 1, answer(TRADES))
    assert done[0] == Registered(START + 1, *TRADES)
    assert asked(done) == [("1", "H0STASP0", "005930")]
    assert stream.on_text(START + 2, answer(QUOTES)) == [Registered(START + 2, *QUOTES)]


def test_a_command_is_written_as_kis_wants_it_and_not_printed() -> None:
    (sent,) = open_stream().register(START, TRADES)
    assert isinstance(sent, SendText)
    assert json.loads(sent.text) == {
        "header": {"approval_key": "approval-key", "custtype": "P", "tr_type": "1", "content-type": "utf-8"},
        "body": {"input": {"tr_id": "H0STCNT0", "tr_key": "005930"}},
    }
    assert "approval-key" not in repr(sent)


def test_what_was_wanted_before_the_connection_is_asked_for_when_it_stands() -> None:
    stream = a_stream()
    stream.start(START)
    assert stream.register(START, TRADES) == []
    stream.use_key(START, "approval-key")
    assert asked(stream.on_open(START)) == [("1", *TRADES)]


def test_the_forty_second_channel_is_refused_before_the_wire() -> None:
    channels = [Channel("H0STCNT0", f"{100_000 + n}") for n in range(41)]
    stream = open_stream(*channels)
    (refused,) = stream.register(START, TRADES)
    assert refused == RegistrationRefused(START, *TRADES, "registrations-full", "a session has room for 41 channels")
    assert stream.register(START, channels[0]) == []
    assert asked(stream.unregister(START, channels[0])) == [("2", *channels[0])]
    assert stream.register(START, TRADES) == []
    assert asked(stream.on_text(START, answer(channels[0], "OPSP0001"))) == [("1", *TRADES)]


@pytest.mark.parametrize(
    "text",
    [
        answer(TRADES, "OPSP0002", "1", "ALREADY IN SUBSCRIBE"),
        '{"header":{"tr_id":"H0STCNT0"},"body":{"rt_cd":"1","msg1":"ALREADY IN SUBSCRIBE"}}',
    ],
)
def test_already_subscribed_is_subscribed(text: str) -> None:
    stream = open_stream()
    stream.register(START, TRADES)
    assert stream.on_text(START, text) == [Registered(START, *TRADES)]


@pytest.mark.parametrize("code", ["OPSP0008", "OPSP8991", "OPSP8993", "OPSP9999"])
def test_a_refused_channel_is_named_and_the_next_is_asked_for(code: str) -> None:
    stream = open_stream()
    stream.register(START, TRADES)
    stream.register(START, QUOTES)
    refused, *rest = stream.on_text(START, answer(TRADES, code, "1", "NO"))
    assert refused == RegistrationRefused(START, *TRADES, code, "NO")
    assert asked(rest) == [("1", *QUOTES)]
    assert stream.counts()["registrations"] == 1


def test_an_unanswered_command_is_repeated_and_then_the_line_is_given_up() -> None:
    stream = open_stream()
    stream.register(START, TRADES)
    assert stream.due == START + 5 * SECOND
    assert stream.on_timer(START + 5 * SECOND - 1) == []
    for turn in (5, 10):
        assert asked(stream.on_timer(START + turn * SECOND)) == [("1", *TRADES)]
    assert stream.on_timer(START + 15 * SECOND)[0] == Close()
    assert not stream.is_open


def test_a_passing_fault_of_the_server_is_asked_again_after_a_while() -> None:
    stream = open_stream()
    stream.register(START, TRADES)
    assert stream.on_text(START, answer(TRADES, "OPSP0007", "1", "INTERNAL")) == []
    assert asked(stream.on_timer(START + 5 * SECOND)) == [("1", *TRADES)]


def test_a_late_answer_ends_no_other_command() -> None:
    stream = open_stream()
    stream.register(START, TRADES)
    stream.on_timer(START + 5 * SECOND)
    stream.register(START, QUOTES)
    assert asked(stream.on_text(START + 6 * SECOND, answer(TRADES))) == [("1", *QUOTES)]
    assert stream.on_text(START + 7 * SECOND, answer(TRADES, "OPSP0002", "1")) == []
    assert stream.counts()["stray"] == 1
    stream.on_text(START + 7 * SECOND, answer(QUOTES))
    assert asked(stream.unregister(START + 8 * SECOND, QUOTES)) == [("2", *QUOTES)]
    assert stream.on_text(START + 8 * SECOND, answer(QUOTES)) == []
    stream.on_text(START + 8 * SECOND, answer(QUOTES, "OPSP0001"))
    assert stream.due == START + 8 * SECOND + StreamLimits().silence


def test_a_channel_dropped_before_it_was_asked_for_is_never_asked_for() -> None:
    stream = open_stream()
    stream.register(START, TRADES)
    stream.register(START, QUOTES)
    assert stream.unregister(START, QUOTES) == []
    assert stream.on_text(START, answer(TRADES)) == [Registered(START, *TRADES)]


def test_pingpong_is_given_back_as_it_came() -> None:
    assert open_stream().on_text(START, PING) == [SendText(PING)]


def test_trades_quotes_and_notices_come_out_in_their_order() -> None:
    stream = open_stream(TRADES, QUOTES, NOTICES)
    trades = stream.on_text(START, trade_frame(trade_record(), trade_record(75_100, 2, 1_002)))
    assert trades == [
        Trade(START, "005930", 75_000, 3, side="BUY", volume=1_000),
        Trade(START, "005930", 75_100, 2, side="BUY", volume=1_002),
    ]
    (quote,) = stream.on_text(START, frame("H0STASP0", book_record()))
    assert isinstance(quote, Quote)
    assert (quote.bid, quote.bid_qty, quote.ask, quote.ask_qty) == (75_000, 340, 75_100, 120)
    (notice,) = stream.on_text(START + 2 * SECOND, sealed_frame(notice_record()))
    assert isinstance(notice, Notice)
    assert notice.ts == at("10:00:01")


def test_without_quotes_the_best_prices_come_with_the_newest_trade_of_a_frame() -> None:
    stream = open_stream(TRADES)
    text = trade_frame(trade_record(), trade_record(75_100, 2, 1_002, over={10: "75200", 11: "75100"}))
    found = stream.on_text(START, text)
    assert found[0] == Quote(START, "005930", 75_100, 340, 75_200, 120)
    assert [type(each) for each in found[1:]] == [Trade, Trade]
    assert stream.on_text(START, text) == []  # repeated by the server


@pytest.mark.parametrize(
    "over",
    [
        {10: "0", 11: "0"}, {10: "75000", 11: "75000"}, {10: "75000", 11: "75100"}, {10: ""}, {11: "-75000"},
        {36: "many"}, {10: "9" * 15}, {43: "C"},
    ],
)  # fmt: skip
def test_best_prices_that_mean_nothing_or_are_of_an_auction_are_left_out(over: dict[int, str]) -> None:
    found = open_stream(TRADES).on_text(START, trade_frame(trade_record(over=over)))
    assert not any(isinstance(each, Quote) for each in found)


def test_at_a_price_limit_one_side_is_empty() -> None:
    (quote, _trade) = open_stream(TRADES).on_text(START, trade_frame(trade_record(over={10: "0", 36: "0"})))
    assert quote == Quote(START, "005930", 75_000, 340, 0, 0)


def test_notices_of_another_account_are_counted_and_dropped() -> None:
    stream = open_stream(NOTICES)
    assert stream.on_text(START, sealed_frame(notice_record(over={1: "9999999901"}))) == []
    assert stream.counts()["foreign"] == 1


def test_a_notice_that_cannot_be_read_is_said_so_that_it_can_be_asked_for() -> None:
    stream = open_stream(NOTICES)
    outputs = stream.on_text(START, sealed_frame(notice_record(), key=KEY[::-1]))
    assert [type(each) for each in outputs] == [NoticeUnread]
    outputs = stream.on_text(START, sealed_frame(notice_record(), notice_record(over={9: "x"})))
    assert [type(each) for each in outputs] == [Notice, NoticeUnread]
    assert stream.counts()["unread"] == 2


def test_a_notice_channel_that_answers_without_key_is_asked_for_afresh_once() -> None:
    stream = open_stream()
    stream.register(START, NOTICES)
    bare = answer(NOTICES, "OPSP0002", "1", "ALREADY IN SUBSCRIBE", key="", iv="")
    assert asked(stream.on_text(START, bare)) == [("2", *NOTICES)]
    assert asked(stream.on_text(START, answer(NOTICES, "OPSP0001"))) == [("1", *NOTICES)]
    assert stream.on_text(START, answer(NOTICES)) == [Registered(START, *NOTICES)]


def test_a_notice_channel_that_never_brings_a_key_is_given_up() -> None:
    stream = open_stream()
    stream.register(START, NOTICES)
    bare = answer(NOTICES, key="too short")
    stream.on_text(START, bare)
    stream.on_text(START, answer(NOTICES, "OPSP0001"))
    refused, *rest = stream.on_text(START, bare)
    assert isinstance(refused, RegistrationRefused)
    assert refused.code == "no-notice-key"
    assert asked(rest) == [("2", *NOTICES)]


def test_a_new_subscription_brings_a_new_key() -> None:
    stream = open_stream(NOTICES)
    stream.unregister(START, NOTICES)
    stream.on_text(START, answer(NOTICES, "OPSP0001"))
    stream.register(START, NOTICES)
    stream.on_text(START, answer(NOTICES, key=KEY[::-1]))
    (notice,) = stream.on_text(START, sealed_frame(notice_record(), key=KEY[::-1]))
    assert isinstance(notice, Notice)


def test_stopping_closes_and_nothing_follows() -> None:
    stream = open_stream(TRADES)
    assert stream.stop() == [Close()]
    assert stream.due is None
    assert stream.on_closed(START, "gone") == stream.on_text(START, PING) == stream.on_timer(START * 2) == []
    assert stream.on_open(START) == [Close()]
    assert stream.stop() == []


def test_a_faster_clock_leaves_answers_their_machine_time() -> None:
    limits = StreamLimits().at_speed(60)
    assert (limits.answer, limits.silence, limits.pace) == (300 * SECOND, 300 * SECOND, StreamLimits().pace)
    assert StreamLimits().at_speed(1) == StreamLimits()
