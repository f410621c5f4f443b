import json
import socket
import threading
from collections.abc import Iterator
from datetime import date, time
from pathlib import Path

import msgspec
import pytest
import requests
import websocket

from qbtrade.adapters.emulator.plan import EmulatorPlan
from qbtrade.adapters.emulator.server import EmulatorServer
from qbtrade.app.emulator import open_emulator, open_public_emulator, open_stage
from qbtrade.domain.calendar import kst_ns
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.errors import FileError, UsageError
from qbtrade.kernel.clock import Stopwatch, sleep
from tests.program import PATIENCE


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port}"):
            open_emulator(EmulatorPlan(port=port, ticks=2)).start()


def test_a_halted_symbol_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="000660"):
        open_emulator(EmulatorPlan(halted=("000660",)))


def test_a_wire_file_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be written"):
        open_emulator(EmulatorPlan(ticks=2, record=str(tmp_path / "no" / "wire.jsonl"))).start()


def test_it_ends_and_leaves_no_thread_behind_with_connections_open() -> None:
    server = open_emulator(EmulatorPlan(ticks=2))
    rest, stream = server.start()
    session = requests.Session()
    session.get(f"{rest}/emulator/clock", timeout=PATIENCE)
    socket_ = websocket.create_connection(stream, timeout=PATIENCE)
    server.stop()
    server.stop()
    assert [thread.name for thread in threading.enumerate() if thread.name == "emulator"] == []
    socket_.close()
    session.close()


def talk(stream: websocket.WebSocket, times: int) -> None:
    for _ in range(times):
        stream.send("nothing that is a command")


def test_a_stream_that_asks_and_never_reads_is_dropped_and_others_live_on() -> None:
    plan = EmulatorPlan(ticks=2)
    server = EmulatorServer(plan, open_stage(plan), backlog=20)
    rest, url = server.start()
    mute = websocket.create_connection(url, timeout=PATIENCE, sockopt=((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),))
    with pytest.raises(OSError, match=r"reset|pipe|abort"):
        talk(mute, 500_000)
    other = websocket.create_connection(url, timeout=PATIENCE)
    other.send("nothing either")
    assert "JSON PARSING ERROR" in str(other.recv())
    assert requests.get(f"{rest}/emulator/clock", timeout=PATIENCE).status_code == 200
    other.close()
    mute.close()
    server.stop()


def test_its_clock_has_twins_and_its_date_header_is_market_time() -> None:
    server = open_emulator(EmulatorPlan(ticks=2, speed=10))
    rest, _stream = server.start()
    answer = requests.get(f"{rest}/emulator/clock", timeout=PATIENCE)
    twin = server.clock.twin()
    assert (answer.json()["speed"], twin.speed) == (10, 10)
    assert abs(int(answer.json()["now"]) - twin.now()) < 10**11
    assert answer.headers["date"].startswith("Sun, 01 Nov 2026 23:5")
    server.stop()


def test_clients_with_a_clock_of_their_own_believe_the_token() -> None:
    server = open_public_emulator(EmulatorPlan(ticks=2, day="2024-06-03"))
    rest, _stream = server.start()
    held = server.credentials
    body = {"grant_type": "client_credentials", "appkey": held.app_key, "appsecret": held.app_secret}
    told = requests.post(f"{rest}/oauth2/tokenP", json=body, timeout=PATIENCE).json()["access_token_token_expired"]
    server.stop()
    assert told > "2026"


def test_the_wire_is_kept_without_secrets(tmp_path: Path) -> None:
    file = tmp_path / "wire.jsonl"
    server = open_emulator(EmulatorPlan(ticks=2, record=str(file)))
    rest, url = server.start()
    held = server.credentials
    body = {"grant_type": "client_credentials", "appkey": held.app_key}
    token = requests.post(f"{rest}/oauth2/tokenP", json=body | {"appsecret": held.app_secret}, timeout=PATIENCE).json()
    approval = requests.post(
        f"{rest}/oauth2/Approval", json=body | {"secretkey": held.app_secret}, timeout=PATIENCE
    ).json()
    headers = {"authorization": f"Bearer {token['access_token']}", "appkey": held.app_key, "appsecret": held.app_secret}
    requests.post(f"{rest}/uapi/hashkey", json={"CANO": "1"}, headers=headers, timeout=PATIENCE)
    stream = websocket.create_connection(url, timeout=PATIENCE)
    header = {"approval_key": approval["approval_key"], "custtype": "P", "tr_type": "1", "content-type": "utf-8"}
    stream.send(json.dumps({"header": header, "body": {"input": {"tr_id": "H0STCNI0", "tr_key": "emulator"}}}))
    output = json.loads(str(stream.recv()))["body"]["output"]
    stream.close()
    server.stop()
    text = file.read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    assert {row["what"] for row in rows} == {"request", "answer", "received", "sent"}
    secrets = (held.app_key, held.app_secret, token["access_token"], approval["approval_key"], *output.values())
    assert [secret for secret in secrets if secret in text] == []


@pytest.mark.parametrize(
    "sent",
    [b"\r\n\r\n", b"GET\r\n\r\n", b"POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n", b"\xff\xfe\r\n\r\n", b"half a head"],
)
def test_bytes_that_are_no_request_end_their_connection_alone(sent: bytes) -> None:
    server = open_emulator(EmulatorPlan(ticks=2))
    rest, _stream = server.start()
    with socket.create_connection(("127.0.0.1", int(rest.rpartition(":")[2])), timeout=PATIENCE) as raw:
        raw.sendall(sent)
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(100) == b""
    assert requests.get(f"{rest}/emulator/clock", timeout=PATIENCE).status_code == 200
    assert requests.get(f"{rest}/nowhere", timeout=PATIENCE).status_code == 404
    server.stop()


def test_a_market_that_breaks_down_takes_its_server_along() -> None:
    def events() -> Iterator[Event]:
        raise RuntimeError("no more prices")
        yield

    plan = EmulatorPlan(ticks=2, speed=10)
    server = EmulatorServer(plan, msgspec.structs.replace(open_stage(plan), events=events()))
    with pytest.raises(RuntimeError, match="no more prices"):
        server.start()
    server = EmulatorServer(plan, msgspec.structs.replace(open_stage(plan), events=late(events())))
    server.start()
    watch = Stopwatch()
    while server.is_running and watch.seconds() < PATIENCE:
        sleep(0.01)
    assert (server.is_running, str(server.failure)) == (False, "no more prices")


def late(events: Iterator[Event]) -> Iterator[Event]:
    yield Trade(kst_ns(date(2026, 11, 2), time(8, 50, 5)), "005930", 75_000, 1)
    yield from events
