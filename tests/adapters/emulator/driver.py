"""Talks to the core of the local KIS on virtual time: no sockets, no waiting."""

import json
from base64 import b64decode
from datetime import date, time
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from qbtrade.adapters.emulator.core import Emulator
from qbtrade.adapters.emulator.gateway import TRANSACTIONS
from qbtrade.adapters.emulator.plan import CREDENTIALS, EmulatorPlan
from qbtrade.adapters.emulator.wire import Answer, Frame, Hangup, Reply, Request
from qbtrade.adapters.kis_fields import Dialect
from qbtrade.app.emulator import open_stage
from qbtrade.domain.calendar import kst_ns

SAMSUNG = "005930"
HOUR = 3600 * 10**9
SECOND = 10**9
ALWAYS = 10**9
BLANKS = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": SAMSUNG}


class Driver:
    """One client with its clock in its hand. key: of which side; on: which side the server is."""

    def __init__(self, key: Dialect | None = None, *, on: Dialect = "real", **plan: Any) -> None:
        self.plan = EmulatorPlan(side=on, **plan)
        self.stage = open_stage(self.plan)
        self.core = Emulator(self.plan, self.stage)
        self.held = CREDENTIALS[key or on]
        self.now = self.stage.start
        self.token = ""
        self.frames: dict[int, list[str | bytes]] = {}
        self.hangups: list[int] = []
        self.secrets: dict[int, tuple[str, str]] = {}
        self._replies: dict[int, Answer | None] = {}
        self._number = 0

    def at(self, clock: str, day: date | None = None) -> "Driver":
        """Go to a KST time of the first day, or of another one."""
        self.go(kst_ns(day or self.stage.first, time.fromisoformat(clock)))
        return self

    def go(self, ts: int) -> None:
        """Let time pass in steps short enough to answer every PINGPONG."""
        while self.now < ts:
            self.now = min(self.now + 5 * SECOND, ts)
            self.core.advance(self.now)
            self._collect()

    def wait(self, ns: int) -> None:
        self.go(self.now + ns)

    def ask(self, method: str, path: str, headers: dict[str, str], query: dict[str, str], body: bytes) -> Answer | None:
        self._number += 1
        number = self._number
        self.core.request(self.now, number, Request(method, path, headers, query, body))
        self._collect()
        while number not in self._replies:
            self.go(self.core.clock.next_due)
        return self._replies.pop(number)

    def post(self, path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
        answer = self.ask("POST", path, headers or {}, {}, json.dumps(body).encode())
        assert answer is not None
        return json.loads(answer.body)

    def log_in(self) -> str:
        if not self.token:
            held = self.held
            said = {"grant_type": "client_credentials", "appkey": held.app_key, "appsecret": held.app_secret}
            self.token = str(self.post("/oauth2/tokenP", said)["access_token"])
        return self.token

    def call(
        self, name: str, tr_id: str = "", variant: str = "", tr_cont: str = "", *, token: str = "", **params: str
    ) -> Answer | None:
        """One REST transaction. tr_id: what this side calls it unless another one is named."""
        transaction = TRANSACTIONS[name]
        headers = {
            "authorization": f"Bearer {token or self.log_in()}", "appkey": self.held.app_key,
            "appsecret": self.held.app_secret, "tr_id": tr_id or transaction.tr_id(self.plan.side, variant),
            "tr_cont": tr_cont, "custtype": "P",
        }  # fmt: skip
        given = {name: BLANKS.get(name, "") for name in transaction.request}
        if "CANO" in given:
            given["CANO"], given["ACNT_PRDT_CD"] = CREDENTIALS[self.plan.side].account.split("-")
        given |= params
        self.wait(SECOND)
        if transaction.method == "POST":
            return self.ask("POST", transaction.path, headers, {}, json.dumps(given).encode())
        return self.ask("GET", transaction.path, headers, given, b"")

    def body(self, name: str, variant: str = "", **params: str) -> Any:
        answer = self.call(name, variant=variant, **params)
        assert answer is not None
        return json.loads(answer.body)

    def order(self, side: str, qty: int, price: int = 0, code: str = "00", symbol: str = SAMSUNG) -> Any:
        return self.body(
            "order-cash", side, PDNO=symbol, ORD_DVSN=code, ORD_QTY=str(qty), ORD_UNPR=str(price), EXCG_ID_DVSN_CD="KRX"
        )

    def cancel(self, number: str, qty: int = 0) -> Any:
        return self.body(
            "order-rvsecncl", ORGN_ODNO=number, ORD_DVSN="00", RVSE_CNCL_DVSN_CD="02", ORD_QTY=str(qty), ORD_UNPR="0",
            QTY_ALL_ORD_YN="N" if qty else "Y",
        )  # fmt: skip

    def amend(self, number: str, price: int, qty: int = 0) -> Any:
        return self.body(
            "order-rvsecncl", ORGN_ODNO=number, ORD_DVSN="00", RVSE_CNCL_DVSN_CD="01", ORD_QTY=str(qty),
            ORD_UNPR=str(price), QTY_ALL_ORD_YN="N" if qty else "Y",
        )  # fmt: skip

    def balance(self) -> tuple[list[dict[str, str]], dict[str, str]]:
        body = self.body("inquire-balance")
        return body["output1"], body["output2"][0]

    def orders(self, **params: str) -> Any:
        today = f"{self.stage.first:%Y%m%d}"
        wanted = {"INQR_STRT_DT": today, "INQR_END_DT": today, "CCLD_DVSN": "00", "SLL_BUY_DVSN_CD": "00"} | params
        return self.body("inquire-daily-ccld", "within_3_months", **wanted)

    def approve(self) -> str:
        held = self.held
        said = {"grant_type": "client_credentials", "appkey": held.app_key, "secretkey": held.app_secret}
        return str(self.post("/oauth2/Approval", said)["approval_key"])

    def open_stream(self, session: int = 1) -> None:
        self.frames[session] = []
        self.core.connect(self.now, session)

    def subscribe(
        self, tr_id: str, tr_key: str, approval: str, *, session: int = 1, tr_type: str = "1"
    ) -> dict[str, Any]:
        """Register and give the acknowledgement."""
        header = {"approval_key": approval, "custtype": "P", "tr_type": tr_type, "content-type": "utf-8"}
        text = json.dumps({"header": header, "body": {"input": {"tr_id": tr_id, "tr_key": tr_key}}})
        before = len(self.frames[session])
        self.core.receive(self.now, session, text)
        self._collect()
        frames = [each for each in self.frames[session][before:] if isinstance(each, str) and each.startswith("{")]
        found: dict[str, Any] = json.loads(frames[-1]) if frames else {}
        output = found.get("body", {}).get("output")
        if output and tr_id.startswith("H0STCNI"):
            self.secrets[session] = (output["key"], output["iv"])
        return found

    def listen(self) -> None:
        """Register for the notices of this side."""
        self.open_stream()
        tr_id = "H0STCNI0" if self.plan.side == "real" else "H0STCNI9"
        assert self.subscribe(tr_id, "emulator", self.approve())["body"]["msg_cd"] == "OPSP0000"

    def notices(self, session: int = 1) -> list[list[str]]:
        """Every notice so far, decrypted and split."""
        key, iv = self.secrets[session]
        texts = [each for each in self.frames[session] if isinstance(each, str) and each.startswith("1|")]
        return [decrypted(text.split("|", 3)[3], key, iv).split("^") for text in texts]

    def data(self, tr_id: str, session: int = 1) -> list[str]:
        """Every plain data frame of a channel."""
        return [each for each in self.frames[session] if isinstance(each, str) and each.startswith(f"0|{tr_id}|")]

    def _collect(self) -> None:
        outputs, self.core.outputs[:] = list(self.core.outputs), []
        for output in outputs:
            match output:
                case Reply():
                    self._replies[output.number] = output.answer
                case Frame():
                    self.frames.setdefault(output.session, []).append(output.data)
                    if isinstance(output.data, str) and '"PINGPONG"' in output.data:
                        self.on_ping(output.session, output.data)
                case Hangup():
                    self.hangups.append(output.session)

    def on_ping(self, session: int, text: str) -> None:
        """Echo, as other clients do."""
        self.core.receive(self.now, session, text)


def decrypted(payload: str, key: str, iv: str) -> str:
    """AES-256-CBC, PKCS#7, base64: written here once more, from KIS's description."""
    decryptor = Cipher(algorithms.AES(key.encode()), modes.CBC(iv.encode())).decryptor()
    padded = decryptor.update(b64decode(payload)) + decryptor.finalize()
    return padded[: -padded[-1]].decode()
