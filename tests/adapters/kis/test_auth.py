from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.auth import Held, OwnToken
from qbtrade.adapters.kis.environment import NS, Secret
from qbtrade.adapters.kis.http import ConnectFailed, HttpOutcome, NoAnswer
from qbtrade.adapters.kis.outcomes import Failed, NotSent
from qbtrade.adapters.kis.parse.keys import Grant
from tests.adapters.kis.desk import NOW, TOKEN, Desk, a_reply, a_token, a_token_error, an_environment, an_error, path
from tests.builders import an_order

HOUR = 3600 * NS
PRICE = a_reply(
    {
        "rt_cd": "0",
        "output": {"stck_prpr": "1", "stck_sdpr": "1", "stck_mxpr": "1", "stck_llam": "1", "aspr_unit": "1"},
    }
)


def tokens_asked(desk: Desk) -> int:
    return [path(request) for request in desk.sent].count("tokenP")


def ask(desk: Desk, *names: str) -> Desk:
    for name in names:
        desk.ask(name, calls.price(desk.env, "005930"))
    return desk


def bearer(desk: Desk) -> str:
    return desk.open[-1].headers["authorization"].removeprefix("Bearer ")


def test_many_calls_share_one_token() -> None:
    desk = ask(Desk(an_environment()), "one", "two", "three")
    desk.reply(a_token())
    assert tokens_asked(desk) == 1
    assert len(desk.open) == 3


def test_a_token_that_another_process_keeps_is_used_without_asking() -> None:
    store = OwnToken()
    store.save(Grant(Secret("theirs"), NOW + 5 * HOUR))
    desk = ask(Desk(an_environment(), tokens=store), "one")
    assert bearer(desk) == "theirs"
    assert tokens_asked(desk) == 0


def test_a_token_is_asked_for_once_a_minute_by_all_processes_together() -> None:
    store = OwnToken()
    store.held = Held(asked=NOW - 30 * NS)
    desk = ask(Desk(an_environment(), tokens=store), "one")
    assert desk.sent == []
    desk.wait(30)
    assert desk.sent == []
    desk.wait(2)
    assert tokens_asked(desk) == 1


def test_what_another_process_fetched_meanwhile_is_used() -> None:
    store = OwnToken()
    store.held = Held(asked=NOW - 30 * NS)
    desk = ask(Desk(an_environment(), tokens=store), "one")
    store.save(Grant(Secret("theirs"), NOW + 5 * HOUR))
    desk.wait(40)
    assert (bearer(desk), tokens_asked(desk)) == ("theirs", 0)


def test_too_many_requests_for_a_token_are_waited_out() -> None:
    desk = ask(Desk(an_environment()), "one")
    desk.reply(a_token_error("EGW00133"))
    desk.wait(58)
    assert tokens_asked(desk) == 1
    desk.ask("late", calls.price(desk.env, "005930"))
    desk.wait(5)
    assert tokens_asked(desk) == 2
    desk.reply(a_token())
    assert bearer(desk) == TOKEN


@pytest.mark.parametrize(
    "lost", [NoAnswer("timed out"), a_reply(b"<html>", 502), a_reply({}, 200), an_error("EGW00002")]
)
def test_an_issue_with_an_unknown_end_counts_as_one(lost: NoAnswer) -> None:
    desk = ask(Desk(an_environment()), "one")
    desk.reply(lost)
    desk.wait(55)
    assert tokens_asked(desk) == 1


def test_a_failed_connect_counts_for_nothing_and_is_tried_again_soon() -> None:
    desk = ask(Desk(an_environment()), "one")
    for _ in range(3):
        desk.reply(ConnectFailed("refused"))
        desk.wait(5)
    assert tokens_asked(desk) == 4
    assert desk.alarms == []


@pytest.mark.parametrize("code", ["EGW00103", "EGW00105", "EGW00304"])
def test_wrong_keys_stop_everything_with_one_alarm(code: str) -> None:
    desk = ask(Desk(an_environment()), "one")
    desk.reply(a_token_error(code))
    desk.ask("order", calls.order(desk.env, an_order()))
    desk.wait(600)
    assert isinstance(desk.answers["one"], Failed)
    assert isinstance(desk.answers["order"], NotSent)
    assert [alarm.code for alarm in desk.alarms] == ["token-refused"]
    assert tokens_asked(desk) == 1


@pytest.mark.parametrize("code", ["EGW00121", "EGW00122", "EGW00123"])
def test_a_token_that_died_early_is_replaced_once_and_the_question_repeated(code: str) -> None:
    desk = Desk(an_environment()).logged_in()
    desk.wait(120)
    ask(desk, "one")
    desk.reply(an_error(code))
    assert tokens_asked(desk) == 1
    desk.reply(a_token("second"))
    assert bearer(desk) == "second"
    desk.reply(PRICE)
    assert desk.answers["one"].last == 1
    assert desk.alarms == []


def test_when_the_new_token_is_refused_too_it_stops_with_an_alarm() -> None:
    desk = Desk(an_environment()).logged_in()
    desk.wait(120)
    ask(desk, "one")
    desk.reply(an_error("EGW00123"))
    desk.reply(a_token("second"))
    desk.reply(an_error("EGW00123"))
    ask(desk, "two")
    desk.wait(3600)
    assert tokens_asked(desk) == 1
    assert [alarm.code for alarm in desk.alarms] == ["token-refused"]
    assert isinstance(desk.answers["one"], Failed)
    assert isinstance(desk.answers["two"], Failed)


def test_the_same_dead_token_handed_out_again_ends_the_same_way() -> None:
    desk = Desk(an_environment()).logged_in()
    desk.wait(120)
    ask(desk, "one")
    desk.reply(an_error("EGW00123"))
    desk.reply(a_token(TOKEN))
    desk.reply(an_error("EGW00123"))
    desk.wait(3600)
    assert tokens_asked(desk) == 1
    assert len(desk.alarms) == 1


def test_several_calls_that_meet_the_dead_token_bring_one_refresh() -> None:
    desk = Desk(an_environment()).logged_in()
    desk.wait(120)
    ask(desk, "one", "two", "three")
    for request in desk.open.copy():
        desk.reply(an_error("EGW00123"), request)
    assert tokens_asked(desk) == 1
    desk.reply(a_token("second"))
    while desk.open:
        desk.reply(PRICE)
        desk.wait(2)
    assert set(desk.answers) == {"one", "two", "three"}
    assert desk.alarms == []


def test_a_token_that_worked_may_die_and_be_replaced_again_later() -> None:
    desk = Desk(an_environment()).logged_in()
    for number in range(3):
        desk.wait(120)
        ask(desk, f"call {number}")
        desk.reply(an_error("EGW00123"))
        desk.reply(a_token(f"token {number}".replace(" ", "-")))
        desk.reply(PRICE)
    assert tokens_asked(desk) == 3
    assert desk.alarms == []


def test_a_token_with_which_a_busy_ledger_was_reached_may_die_and_be_replaced_again() -> None:
    desk = Desk(an_environment()).logged_in()
    desk.wait(120)
    ask(desk, "one")
    desk.reply(an_error("EGW00123"))
    desk.reply(a_token("second"))
    desk.reply(an_error("EGW00215"))
    desk.wait(120)
    desk.reply(an_error("EGW00123"))
    ask(desk, "two")
    desk.reply(a_token("third"))
    desk.reply(PRICE)
    assert desk.answers["two"].last == 1
    assert desk.alarms == []


def test_the_refresh_after_a_death_waits_for_the_minute_of_the_former_issue() -> None:
    desk = Desk(an_environment()).logged_in()  # ten seconds ago
    ask(desk, "one")
    desk.reply(an_error("EGW00123"))
    assert tokens_asked(desk) == 0
    desk.wait(55)
    assert tokens_asked(desk) == 1


def test_a_new_token_is_fetched_an_hour_ahead_while_the_old_one_serves() -> None:
    desk = Desk(an_environment()).logged_in()
    desk.wait(22.9 * 3600)
    assert tokens_asked(desk) == 0
    desk.wait(600)
    assert tokens_asked(desk) == 1
    ask(desk, "meanwhile")
    assert bearer(desk) == TOKEN
    desk.reply(a_token("second"))
    ask(desk, "then")
    assert bearer(desk) == "second"


def test_while_an_order_is_under_way_the_refresh_waits_for_half_an_hour_at_most() -> None:
    desk = Desk(an_environment()).logged_in()
    desk.wait(22.9 * 3600)
    desk.ask("order", calls.order(desk.env, an_order()))
    desk.wait(0.5 * 3600)
    assert tokens_asked(desk) == 0
    desk.wait(0.2 * 3600)
    assert tokens_asked(desk) == 1


def test_a_token_that_comes_back_unchanged_is_not_asked_for_again_at_once() -> None:
    desk = Desk(an_environment()).logged_in()
    desk.wait(23 * 3600)
    desk.reply(a_token(TOKEN, lasts=3500))
    desk.wait(590)
    assert tokens_asked(desk) == 1
    desk.wait(30)
    assert tokens_asked(desk) == 2


def test_the_earlier_of_the_two_told_ends_counts_and_kst_is_meant() -> None:
    desk = ask(Desk(an_environment()), "one")
    told = {"access_token": "a", "expires_in": 86_400, "access_token_token_expired": "2026-11-20 10:30:00"}
    desk.reply(a_reply(told))
    assert desk.auth.expires() == NOW + HOUR


REPLIES = st.sampled_from(
    [
        a_token("first"), a_token("second"), a_token("third"), a_token_error("EGW00133"), an_error("EGW00123"),
        an_error("EGW00121"), PRICE, ConnectFailed("refused"), NoAnswer("lost"), a_reply(b"{", 500),
    ]
)  # fmt: skip


@given(st.lists(st.tuples(REPLIES, st.floats(0, 400)), max_size=40))
def test_whatever_kis_answers_tokens_are_a_minute_apart_and_every_call_ends(
    script: list[tuple[HttpOutcome, float]],
) -> None:
    desk = Desk(an_environment())
    issued: list[int] = []
    for number, (outcome, pause) in enumerate(script):
        ask(desk, f"call {number}")
        request = desk.open[0] if desk.open else None
        if request is not None:
            if path(request) == "tokenP":
                reached = not isinstance(outcome, ConnectFailed)
                issued += [desk.sent_at[desk.sent.index(request)]] if reached else []
            desk.reply(outcome, request)
        desk.wait(pause)
    for request in desk.open.copy():
        desk.reply(NoAnswer("the end"), request)
    desk.wait(4000)
    while desk.open:
        desk.reply(NoAnswer("the end"))
        desk.wait(4000)
    gaps = [later - earlier for earlier, later in pairwise(issued)]
    assert all(gap >= 60 * NS for gap in gaps)
    assert len(desk.answers) == len(script)
    assert len(desk.alarms) <= 1
