"""A KIS to talk to, word by word: environments, replies, and a desk that holds what the REST client put out."""

import json
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.auth import Auth, OwnToken, TokenStore
from qbtrade.adapters.kis.call import Call
from qbtrade.adapters.kis.environment import CAPABILITIES, LIMITS, NS, Environment, EnvKind, KisLimits, Secret, check
from qbtrade.adapters.kis.http import HttpOutcome, HttpReply, HttpRequest
from qbtrade.adapters.kis.limiter import GrantStore, Limiter, OwnGrants
from qbtrade.adapters.kis.outcomes import Alarm, Answer, Output, Send, WakeAt
from qbtrade.adapters.kis.rest import Rest
from qbtrade.adapters.kis_fields import Dialect
from tests.builders import at

APP_KEY = "PSabcdefghijklmnopqrstuvwxyz01234567"
APP_SECRET = "s3cr3t" * 30
ACCOUNT = "12345678-01"
TOKEN = "eyJ0eXAi.first.token"  # noqa: S105 (made up)
NOW = at("09:30")
TAKEN = {"rt_cd": "0", "msg_cd": "APBK0013", "msg1": "taken".ljust(80)}


def an_environment(speaks: Dialect = "real", limits: KisLimits | None = None, **changes: Any) -> Environment:
    """An emulator on this machine."""
    fields: dict[str, Any] = {
        "kind": EnvKind.EMULATOR,
        "rest_url": "http://127.0.0.1:9443",
        "ws_url": "ws://127.0.0.1:21000",
        "app_key": Secret(APP_KEY),
        "app_secret": Secret(APP_SECRET),
        "account": ACCOUNT,
        "hts_id": "trader",
        "speaks": speaks,
        "limits": limits or LIMITS[speaks],
        "capabilities": CAPABILITIES[speaks],
    }
    return check(Environment(**(fields | changes)))


def a_reply(body: object, status: int = 200, **headers: str) -> HttpReply:
    """An answer in JSON. headers: `tr_cont` and the like."""
    return HttpReply(status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


def an_error(code: str, status: int = 500, rt_cd: str = "1", text: str = "no") -> HttpReply:
    """A refusal as the gateway and the order desk write it."""
    return a_reply({"rt_cd": rt_cd, "msg_cd": code, "msg1": text.ljust(80)}, status)


def a_token(token: str = TOKEN, lasts: int = 86_400) -> HttpReply:
    """A newly issued access token."""
    return a_reply({"access_token": token, "token_type": "Bearer", "expires_in": lasts})


def a_token_error(code: str = "EGW00133", status: int = 403) -> HttpReply:
    """A refusal of the token desk, which has keys of its own."""
    return a_reply({"error_code": code, "error_description": "wait"}, status)


class Desk:
    """A REST client and everything it put out."""

    def __init__(
        self, env: Environment, *, tokens: TokenStore | None = None, grants: GrantStore | None = None, now: int = NOW,
        speed: int = 1,
    ) -> None:  # fmt: skip
        self.env = env
        self.now = now
        self.auth = Auth(env, tokens or OwnToken())
        self.rest = Rest(env, self.auth, Limiter(env.limits, grants or OwnGrants()), Random(7), speed=speed)
        self.open: list[HttpRequest] = []
        self.sent: list[HttpRequest] = []
        self.sent_at: list[int] = []
        self.answers: dict[str, Any] = {}
        self.alarms: list[Alarm] = []
        self.wake: int | None = None

    def ask(self, call_id: str, call: Call[Any]) -> None:
        """Hand in a call."""
        self._note(self.rest.ask(self.now, call_id, call))

    def reply(self, outcome: HttpOutcome, request: HttpRequest | None = None) -> None:
        """Answer a request, the oldest unless named."""
        answered = request or self.open[0]
        self.open.remove(answered)
        self._note(self.rest.on_reply(self.now, answered.request_id, outcome))

    def hold(self, why: str) -> None:
        """Hold back what a halt stops, or nothing any more."""
        self._note(self.rest.hold(self.now, why))

    def wait(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        until = self.now + int(seconds * NS)
        while self.wake is not None and self.wake <= until:
            self.now = max(self.now, self.wake)
            self._note(self.rest.on_timer(self.now))
        self.now = until

    def logged_in(self) -> "Desk":
        """The desk with a token, by way of a question that was answered, and a quiet window behind it."""
        self.ask("login", calls.price(self.env, "005930"))
        self.reply(a_token())
        self.reply(an_error("OPSQ2001", 200))
        self.answers.clear()
        self.sent.clear()
        self.sent_at.clear()
        self.wait(10)
        return self

    def _note(self, outputs: list[Output]) -> None:
        self.wake = None
        for output in outputs:
            match output:
                case Send(request=request):
                    self.open.append(request)
                    self.sent.append(request)
                    self.sent_at.append(self.now)
                case Answer(call_id=call_id, result=result):
                    assert call_id not in self.answers, "a call is answered once"
                    self.answers[call_id] = result
                case Alarm():
                    self.alarms.append(output)
                case WakeAt(ts=ts):
                    assert ts > self.now
                    self.wake = ts


def path(request: HttpRequest) -> str:
    """Last part of the request's path."""
    return urlsplit(request.url).path.rpartition("/")[2]


def query(request: HttpRequest) -> dict[str, str]:
    """The parameters of a GET."""
    return dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))


def body(request: HttpRequest) -> dict[str, str]:
    """The parameters of a POST."""
    found = json.loads(request.body)
    assert isinstance(found, dict)
    return found
