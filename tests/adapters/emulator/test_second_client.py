"""An independent client: the requests of KIS's own samples, with plain requests and websocket-client."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import websocket

from qbtrade.adapters.emulator.plan import EmulatorPlan
from qbtrade.adapters.emulator.server import EmulatorServer
from qbtrade.app.emulator import open_emulator
from tests.adapters.emulator.driver import decrypted
from tests.program import PATIENCE

Ends = tuple[EmulatorServer, str, str]


@pytest.fixture(params=["real", "paper"])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    server = open_emulator(EmulatorPlan(side=request.param, speed=300, ticks=2000, day="2026-11-02"))
    rest, stream = server.start()
    yield server, rest, stream
    server.stop()


class Sample:
    """The calls of the official sample: token, headers, GET and POST."""

    def __init__(self, server: EmulatorServer, rest: str) -> None:
        self.held, self.rest = server.credentials, rest
        body = {"grant_type": "client_credentials", "appkey": self.held.app_key, "appsecret": self.held.app_secret}
        token = requests.post(f"{rest}/oauth2/tokenP", data=json.dumps(body), timeout=PATIENCE).json()["access_token"]
        self.headers = {
            "Content-Type": "application/json", "Accept": "text/plain", "charset": "UTF-8",
            "User-Agent": "Mozilla/5.0", "authorization": f"Bearer {token}", "appkey": self.held.app_key,
            "appsecret": self.held.app_secret, "custtype": "P", "tr_cont": "",
        }  # fmt: skip

    def approval(self) -> str:
        body = {"grant_type": "client_credentials", "appkey": self.held.app_key, "secretkey": self.held.app_secret}
        answer = requests.post(f"{self.rest}/oauth2/Approval", data=json.dumps(body), timeout=PATIENCE)
        return str(answer.json()["approval_key"])

    def get(self, path: str, tr_id: str, params: dict[str, str]) -> Any:
        headers = {**self.headers, "tr_id": tr_id}
        return requests.get(f"{self.rest}{path}", headers=headers, params=params, timeout=PATIENCE).json()

    def post(self, path: str, tr_id: str, params: dict[str, str]) -> Any:
        headers = {**self.headers, "tr_id": tr_id}
        return requests.post(f"{self.rest}{path}", headers=headers, data=json.dumps(params), timeout=PATIENCE).json()


def registered(stream: websocket.WebSocket, approval: str, tr_id: str, tr_key: str) -> Any:
    header = {"approval_key": approval, "custtype": "P", "tr_type": "1", "content-type": "utf-8"}
    stream.send(json.dumps({"header": header, "body": {"input": {"tr_id": tr_id, "tr_key": tr_key}}}))
    while not (text := str(stream.recv())).startswith("{") or "PINGPONG" in text:
        pass
    return json.loads(text)["body"]


def test_the_requests_of_the_official_sample_obtain_a_price_a_trade_an_order_and_its_fill_notice(ends: Ends) -> None:
    server, rest, url = ends
    sample, is_real = Sample(server, rest), server.plan.side == "real"
    quotations = "/uapi/domestic-stock/v1/quotations"
    params = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": "005930"}
    price = sample.get(f"{quotations}/inquire-price", "FHKST01010100", params)
    assert price["rt_cd"] == "0"
    assert 70_000 < int(price["output"]["stck_prpr"]) < 80_000

    approval = sample.approval()
    stream = websocket.create_connection(f"{url}/tryitout", timeout=PATIENCE)
    assert registered(stream, approval, "H0STCNT0", "005930")["msg_cd"] == "OPSP0000"
    notice_id = "H0STCNI0" if is_real else "H0STCNI9"
    keys = registered(stream, approval, notice_id, sample.held.hts_id)["output"]

    number, product = sample.held.account.split("-")
    order = {
        "CANO": number, "ACNT_PRDT_CD": product, "PDNO": "005930", "ORD_DVSN": "01", "ORD_QTY": "1", "ORD_UNPR": "0",
        "EXCG_ID_DVSN_CD": "KRX", "SLL_TYPE": "", "CNDT_PRIC": "",
    }  # fmt: skip
    tr_id = "TTTC0012U" if is_real else "VTTC0012U"
    ordered = sample.post("/uapi/domestic-stock/v1/trading/order-cash", tr_id, order)
    assert (ordered["rt_cd"], ordered["msg_cd"]) == ("0", "APBK0013" if is_real else "40600000")

    trades, notices = 0, list[list[str]]()
    while not trades or not notices or notices[-1][13] != "2":
        text = str(stream.recv())
        if text.startswith("0|H0STCNT0|"):
            trades += int(text.split("|")[2])
            assert len(text.split("|", 3)[3].split("^")) == 47 * int(text.split("|")[2])
        elif text.startswith(f"1|{notice_id}|"):
            notices.append(decrypted(text.split("|", 3)[3], keys["key"], keys["iv"]).split("^"))
        elif "PINGPONG" in text:
            stream.pong(text)
    stream.close()
    assert {len(notice) for notice in notices} == {26 if is_real else 23}
    assert [notice[13] for notice in notices] == ["1", "2"]
    assert int(notices[-1][2]) == int(ordered["output"]["ODNO"])
    assert (notices[-1][1], int(notices[-1][9])) == (number + product, 1)


def test_pong_frames_keep_a_stream_alive_and_silence_ends_it(ends: Ends) -> None:
    server, rest, url = ends
    approval = Sample(server, rest).approval()
    answering = websocket.create_connection(url, timeout=PATIENCE)
    registered(answering, approval, "H0STCNT0", "005930")
    pings = 0
    while pings < 12:
        if "PINGPONG" in (text := str(answering.recv())):
            pings += 1
            answering.pong(text)
    answering.close()
    silent = websocket.create_connection(url, timeout=PATIENCE)
    with pytest.raises((websocket.WebSocketException, ConnectionError)):
        listen_for_ever(silent)


def listen_for_ever(stream: websocket.WebSocket) -> None:
    while True:
        stream.recv()
