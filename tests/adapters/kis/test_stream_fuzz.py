"""Whatever the line brings: events, a counted quarantine or WireError, and nothing else."""

import json
from contextlib import suppress
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from qbtrade.adapters.kis.events import (
    Notice,
    NoticeUnread,
    Operation,
    OperationUnread,
    Registered,
    RegistrationRefused,
)
from qbtrade.adapters.kis.frames import Reader, read_control, read_frame
from qbtrade.adapters.kis.notices import Seal, read_notices
from qbtrade.adapters.kis.stream_terms import SendText
from qbtrade.adapters.kis.tape import Tape
from qbtrade.domain.market import Quote, Trade
from qbtrade.errors import WireError
from tests.adapters.kis.wire import (
    IV,
    KEY,
    NOTICES,
    QUOTES,
    START,
    TRADES,
    answer,
    book_record,
    frame,
    notice_record,
    open_stream,
    operation_record,
    seal,
    sealed_frame,
    trade_frame,
    trade_record,
)

WORDS = st.one_of(
    st.text(max_size=12),
    st.integers().map(str),
    st.sampled_from(["", " ", "^", "|", "-1", "1_0", "\ufffd", "9" * 5000]),
)
SPOILT = st.dictionaries(st.integers(0, 25), WORDS, max_size=4)
RECORDS = st.one_of(
    st.builds(lambda over, width: trade_record(over=over, width=width), SPOILT, st.integers(0, 60)),
    st.builds(lambda over, width: book_record(over=over, width=width), SPOILT, st.integers(0, 70)),
    st.builds(lambda over, width: notice_record(over=over, width=width), SPOILT, st.integers(0, 30)),
    st.builds(
        lambda over, width: operation_record(over=over, width=width),
        st.dictionaries(st.integers(0, 10), WORDS, max_size=4),
        st.integers(0, 13),
    ),
    WORDS,
)
ENVELOPES = st.builds(
    lambda flag, tr_id, count, payload: f"{flag}|{tr_id}|{count}|{payload}",
    st.sampled_from(["0", "1", "2", ""]),
    st.sampled_from(["H0STCNT0", "H0STASP0", "H0STCNI0", "H0STCNI9", "H0STMKO0", "?"]),
    st.one_of(st.integers(-1, 30).map("{:03d}".format), WORDS),
    st.one_of(st.lists(RECORDS, max_size=4).map("^".join), RECORDS.map(seal), RECORDS.map(lambda text: seal(text)[3:])),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), WORDS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["header", "body", "output", "tr_id", "tr_key", "rt_cd", "msg_cd", "msg1", "key", "iv"]),
            inner,
        ),
    ),
    max_leaves=12,
).map(json.dumps)
ANSWERS = st.builds(
    lambda channel, code, rt_cd, key: answer(channel, code, rt_cd, key=key),
    st.sampled_from([TRADES, QUOTES, NOTICES]),
    st.sampled_from([f"OPSP{n:04d}" for n in (0, 1, 2, 3, 7, 8, 9, 10, 11, 8991, 8996, 9999)]),
    st.sampled_from(["0", "1", "9", ""]),
    st.sampled_from([KEY, "", "short"]),
)
GOOD = st.sampled_from(
    [
        trade_frame(trade_record()),
        frame("H0STASP0", book_record()),
        sealed_frame(notice_record()),
        answer(TRADES),
        frame("H0STMKO0", operation_record("174")),
    ]
)


@st.composite
def broken(draw: st.DrawFn) -> str:
    """A good text with bytes lost, changed or doubled, decoded as the transport decodes it."""
    data = bytearray(draw(GOOD).encode())
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.integers(0, len(data) - 1))
        data[place : place + draw(st.integers(0, 9))] = draw(st.binary(max_size=4))
        data = data or bytearray(b"0")
    return data.decode("utf-8", "replace")


TEXTS = st.one_of(ENVELOPES, JSON, ANSWERS, broken(), st.text())


@given(text=TEXTS)
def test_parsers_return_or_raise_wire_error(text: str) -> None:
    reader = Reader(Tape())
    for parse in (
        lambda: reader.trades(read_frame(text), "20261120"),
        lambda: reader.quotes(read_frame(text), "20261120"),
        lambda: read_notices(read_frame(text), Seal(KEY, IV), START, "20261120"),
        lambda: read_control(text),
    ):
        with suppress(WireError):
            parse()


@given(texts=st.lists(st.tuples(st.integers(0, 10**11), TEXTS), max_size=20))
def test_the_stream_survives_any_line_and_every_number_is_believable(texts: list[tuple[int, str]]) -> None:
    stream, now = open_stream(TRADES), START
    stream.register(now, QUOTES)
    stream.register(now, NOTICES)
    for later, text in texts:
        now += later
        before = stream.counts()["texts"]
        outputs = [*stream.on_text(now, text), *stream.on_timer(now)]
        assert stream.counts()["texts"] <= before + 1
        for each in outputs:
            if isinstance(each, Trade):
                assert 0 < each.price < 10**12
                assert 0 < each.qty < 10**12
            if isinstance(each, Quote):
                assert min(each.bid, each.bid_qty, each.ask, each.ask_qty) >= 0
            if isinstance(each, Notice):
                assert each.order_no.isdigit()
                assert each.account == "1234567801"


@given(text=st.one_of(ENVELOPES, broken()))
def test_a_text_is_an_event_or_counted(text: str) -> None:
    stream = open_stream(TRADES, QUOTES, NOTICES)
    outputs = stream.on_text(START, text)
    counts = stream.counts()
    quiet = ("unread", "unread_trades", "unread_quotes", "repeats", "foreign", "stray")
    assert outputs or sum(counts[name] for name in quiet) or counts["records"]
    told = (
        Trade | Quote | Notice | NoticeUnread | Operation | OperationUnread | SendText | Registered
        | RegistrationRefused
    )  # fmt: skip
    assert all(isinstance(each, told) for each in outputs)


@given(seed=st.integers(0, 2**32))
def test_a_key_that_is_not_ours_never_yields_a_notice(seed: int) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    key = "".join(Random(seed).choices(letters, k=32))
    with suppress(WireError):
        found = read_notices(read_frame(sealed_frame(notice_record(), key=key)), Seal(KEY, IV), START, "20261120")
        assert key == KEY or all(isinstance(each, WireError) for each in found)
