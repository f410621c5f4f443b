"""A session whose stream is taken away while the price falls."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from websockets.sync.client import ClientConnection, connect

from qbtrade.adapters.emulator.plan import CREDENTIALS
from qbtrade.adapters.kis.http import HttpReply, HttpRequest
from qbtrade.adapters.kis.transport import call_once
from qbtrade.domain import events as ev
from qbtrade.domain.calendar import iso_kst
from qbtrade.domain.events import RiskState
from qbtrade.domain.order import Purpose, Side
from qbtrade.kernel.clock import Stopwatch, sleep
from tests.builders import MINUTE, SECOND, at
from tests.live_days import DAY, HOLD, Hosted, events, hosted, session, the_report, wait_for
from tests.program import PATIENCE

ARGS = ("--symbol", "005930", "--max", "500000", "--strategy", "./hold.py:Hold", "--bar", "10s")
ALWAYS = 10**9


def recording(path: Path, *, falls_at: int) -> str:
    """A trade every second of half an hour: 75,000 won, and 5 % less from `falls_at` on."""
    lines = ["ts,symbol,price,qty"]
    for second in range(30 * 60):
        ts = at("10:00", DAY) + second * SECOND
        lines.append(f"{iso_kst(ts)},005930,{75_000 if ts < falls_at else 71_200},50")
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@contextmanager
def another_program(kis: Hosted) -> Iterator[ClientConnection]:
    """Takes the one stream that the key may have as soon as KIS lets it; keeps it as long as it sends pongs."""
    held = CREDENTIALS["real"]
    said = {"grant_type": "client_credentials", "appkey": held.app_key, "secretkey": held.app_secret}
    url = f"{kis.url}/oauth2/Approval"
    reply = call_once(HttpRequest(
        request_id=0, method="POST", url=url, headers={}, body=msgspec.json.encode(said), timeout_ns=PATIENCE * SECOND
    ))  # fmt: skip
    assert isinstance(reply, HttpReply)
    header = {"approval_key": json.loads(reply.body)["approval_key"], "custtype": "P", "tr_type": "1"}
    wish = json.dumps({"header": header, "body": {"input": {"tr_id": "H0STCNT0", "tr_key": "005930"}}})
    watch = Stopwatch()
    with connect(kis.variables["QB_KIS_WS_URL"], ping_interval=None) as stream:
        while True:
            stream.send(wish)
            answers = (str(stream.recv(timeout=PATIENCE)) for _ in range(100))
            if "OPSP0000" in next(each for each in answers if '"msg_cd"' in each):
                break
            assert watch.seconds() < PATIENCE
            sleep(0.05)
        yield stream


def is_sold(folder: Path, stream: ClientConnection) -> bool:
    stream.pong()
    return has_sold(folder)


def has_sold(folder: Path) -> bool:
    return any(isinstance(each, ev.OrderFilled) and each.side is Side.SELL for each in events(folder))


def test_a_stop_loss_fires_while_the_stream_is_away_and_entries_wait_until_it_is_back(tmp_path: Path) -> None:
    source = recording(tmp_path / "fall.csv", falls_at=at("10:00", DAY) + 9 * MINUTE)
    (tmp_path / "hold.py").write_text(HOLD)
    with hosted("10:00", speed=20, source=(source,)) as kis, session(kis, tmp_path, *ARGS) as process:
        wait_for(process, lambda: any(isinstance(each, ev.OrderFilled) for each in events(tmp_path)))
        kis.set_faults(zombie_slot=ALWAYS, socket_drop=ALWAYS)
        wait_for(process, lambda: any(isinstance(each, ev.FeedLost) for each in events(tmp_path)))
        kis.set_faults(zombie_slot=0, socket_drop=0)
        with another_program(kis) as stream:
            wait_for(process, lambda: is_sold(tmp_path, stream))
        wait_for(process, lambda: any(isinstance(each, ev.FeedRestored) for each in events(tmp_path)))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    told = events(tmp_path)
    lost = next(at for at, each in enumerate(told) if isinstance(each, ev.FeedLost))
    back = next(at for at, each in enumerate(told) if isinstance(each, ev.FeedRestored))
    meanwhile = told[lost:back]
    sent = [each.order for each in meanwhile if isinstance(each, ev.OrderSending)]
    assert {(order.side, order.purpose) for order in sent} == {(Side.SELL, Purpose.PROTECT)}
    assert all(each.price <= 71_200 for each in meanwhile if isinstance(each, ev.OrderFilled))
    assert any(isinstance(each, ev.Alert) and each.code == "stream-in-use" for each in meanwhile)
    states = [each.state for each in told if isinstance(each, ev.RiskStateChanged) and not each.symbol]
    assert states[:2] == [RiskState.REDUCING, RiskState.ACTIVE]
    assert the_report(tmp_path)["session"]["outcome"] == "INTERRUPTED"


def test_a_stop_loss_fires_while_a_stream_that_stands_brings_nothing(tmp_path: Path) -> None:
    source = recording(tmp_path / "fall.csv", falls_at=at("10:00", DAY) + 5 * MINUTE)
    (tmp_path / "hold.py").write_text(HOLD)
    with hosted("10:00", speed=20, source=(source,)) as kis, session(kis, tmp_path, *ARGS) as process:
        wait_for(process, lambda: any(isinstance(each, ev.OrderFilled) for each in events(tmp_path)))
        kis.set_faults(frame_missing=ALWAYS)
        wait_for(process, lambda: has_sold(tmp_path))
        kis.set_faults(frame_missing=0)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    told = events(tmp_path)
    lost = next(each for each in told if isinstance(each, ev.FeedLost))
    assert lost.reason == "trades of 005930 go by that it does not bring"
    sold = next(each.order for each in told if isinstance(each, ev.OrderSending) and each.order.side is Side.SELL)
    assert (sold.purpose, sold.price <= 71_200) == (Purpose.PROTECT, True)
