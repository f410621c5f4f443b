"""The REST side of the local KIS: who may call what, how often, page by page, and what goes wrong on the way."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

import msgspec

from qbtrade.adapters.emulator.access import Access
from qbtrade.adapters.emulator.answers import Body, OAuthRefusal, Refusal, html_answer, json_answer
from qbtrade.adapters.emulator.faults import Faults
from qbtrade.adapters.emulator.limiter import SlidingLimit
from qbtrade.adapters.emulator.paging import paged
from qbtrade.adapters.emulator.wire import Answer, Request
from qbtrade.adapters.kis_fields import REST, Dialect, RestTr
from qbtrade.domain.calendar import NS

CALLS: Final[Mapping[Dialect, int]] = {"real": 18, "paper": 1}
"""Per second and key."""
TRANSACTIONS: Final[Mapping[str, RestTr]] = {
    **REST,
    "search-info": RestTr(
        "GET", "/uapi/domestic-stock/v1/quotations/search-info", {"": "CTPF1604R"}, {}, ("PDNO", "PRDT_TYPE_CD")
    ),
    "inquire-daily-price": RestTr(
        "GET",
        "/uapi/domestic-stock/v1/quotations/inquire-daily-price",
        {"": "FHKST01010400"},
        {"": "FHKST01010400"},
        ("FID_COND_MRKT_DIV_CODE", "FID_INPUT_ISCD", "FID_PERIOD_DIV_CODE", "FID_ORG_ADJ_PRC"),
    ),
    "market-time": RestTr("GET", "/uapi/domestic-stock/v1/quotations/market-time", {"": "HHMCM000002C0"}, {}, ()),
    "inquire-account-balance": RestTr(
        "GET",
        "/uapi/domestic-stock/v1/trading/inquire-account-balance",
        {"": "CTRP6548R"},
        {},
        ("CANO", "ACNT_PRDT_CD", "INQR_DVSN_1", "BSPR_BF_DT_APLY_YN"),
    ),
}
"""What is answered: what qb asks, and what other clients ask besides."""
OLD_IDS: Final = {
    "TTTC0801U": "TTTC0011U", "TTTC0802U": "TTTC0012U", "TTTC0803U": "TTTC0013U", "TTTC8001R": "TTTC0081R",
    "CTSC9115R": "CTSC9215R", "TTTC8036R": "TTTC0084R", "VTTC0801U": "VTTC0011U", "VTTC0802U": "VTTC0012U",
    "VTTC0803U": "VTTC0013U", "VTTC8001R": "VTTC0081R", "VTSC9115R": "VTSC9215R",
}  # fmt: skip
"""Ids of before 2025, still understood."""
OPTIONAL: Final = frozenset({
    "SLL_TYPE", "CNDT_PRIC", "EXCG_ID_DVSN_CD", "OFL_YN", "CTX_AREA_FK100", "CTX_AREA_NK100",
})  # fmt: skip
ORDERS: Final = frozenset({"order-cash", "order-rvsecncl"})
LEDGER: Final = frozenset({"inquire-balance", "inquire-account-balance", "inquire-daily-ccld", "inquire-psbl-rvsecncl"})
_HALF_WORKING: Final = "inquire-daily-itemchartprice"
"""What a paper key may ask on real."""
Handler = Callable[[int, Mapping[str, str], str], Body]


class Outcome(msgspec.Struct, frozen=True):
    """How a request ends. answer: None for a connection that closes. after: ns."""

    answer: Answer | None
    after: int


LATENCY: Final = 20_000_000
"""From a request to its answer, ns."""
SHORT: Final = 5
"""Rows of a short page."""
_SLOW: Final = 8 * NS
_OUTRUN: Final = 300_000_000


class Gateway:
    """Answers requests. handlers: by the last part of the path."""

    def __init__(
        self, side: Dialect, access: Access, handlers: Mapping[str, Handler], faults: Faults, rng: Random,
        calls_per_second: int, account: str,
    ) -> None:  # fmt: skip
        self._side, self._access, self._handlers, self._faults, self._rng = side, access, handlers, faults, rng
        self._limit = SlidingLimit(calls_per_second or CALLS[side], NS)
        self._account = account.split("-")
        self._paths = {transaction.path: name for name, transaction in TRANSACTIONS.items()}

    def handle(self, now: int, request: Request) -> Outcome:
        """Answer one request."""
        try:
            if request.path.startswith("/oauth2/") or request.path == "/uapi/hashkey":
                return self._sent(json_answer(now, self._oauth(now, request)))
            return self._call(now, request)
        except Refusal as refusal:
            return self._sent(json_answer(now, refusal.body(), status=refusal.status, tr_id=_tr_id(request)))

    def _oauth(self, now: int, request: Request) -> Body:
        if request.method != "POST":
            raise OAuthRefusal("EGW00101")
        match request.path:
            case "/oauth2/tokenP":
                return self._access.issue(now, _object(request))
            case "/oauth2/Approval":
                return self._access.approve(now, _object(request))
            case "/oauth2/revokeP":
                return self._access.revoke(_object(request))
            case "/uapi/hashkey":
                return self._access.hash_key(now, request.headers, request.body)
            case _unknown:
                raise Refusal("EGW00203", status=404)

    def _call(self, now: int, request: Request) -> Outcome:
        name = self._paths.get(request.path, "")
        if not name or request.method != TRANSACTIONS[name].method:
            raise Refusal("EGW00203", status=404)
        app_key, key_side = self._access.caller(now, request.headers, is_order=name in ORDERS)
        if not self._limit.allows(now, app_key):
            raise Refusal("EGW00201", status=200 if self._faults.hits("limit-as-200") else 500)
        if name in LEDGER and self._faults.hits("ledger-busy"):
            raise Refusal("EGW00215", status=500)
        variant = self._variant(name, _tr_id(request), key_side)
        params = self._params(TRANSACTIONS[name], request)
        if name in ORDERS:
            return self._order(now, request, name, variant, params)
        return self._sent(self._answered(now, request, name, variant, params))

    def _variant(self, name: str, tr_id: str, key_side: Dialect) -> str:
        """Which variant of a TR an id names on this side. Raises: Refusal."""
        newer = OLD_IDS.get(tr_id, tr_id)
        ids = TRANSACTIONS[name].real if self._side == "real" else TRANSACTIONS[name].paper
        found = [variant for variant, known in ids.items() if known == newer]
        is_account = "CANO" in TRANSACTIONS[name].request
        if not found:
            is_elsewhere = newer in (*TRANSACTIONS[name].real.values(), *TRANSACTIONS[name].paper.values())
            known = "EGW02006" if self._side == "paper" else "EGW02004"
            raise Refusal(known if is_elsewhere else "OPSQ0002", status=500, rt_cd="1")
        if key_side != self._side and self._side == "paper" and is_account:
            raise Refusal("EGW02007", status=500)
        if key_side != self._side and self._side == "real" and name != _HALF_WORKING:
            raise Refusal("EGW02004", status=500)
        return found[0]

    def _params(self, transaction: RestTr, request: Request) -> Mapping[str, str]:
        is_body = transaction.method == "POST"
        given = _object(request) if is_body else request.query
        missing = [name for name in transaction.request if name not in given and name not in OPTIONAL]
        if missing:
            raise Refusal("OPSQ2001", rt_cd="2", note=missing[0])
        if is_body and not all(isinstance(value, str) for value in given.values()):
            raise Refusal("OPSQ9995", rt_cd="1")
        if "CANO" in transaction.request and [given["CANO"], given["ACNT_PRDT_CD"]] != self._account:
            raise Refusal("OPSQ2000", rt_cd="2")
        return {**dict.fromkeys(transaction.request, ""), **given}

    def _order(self, now: int, request: Request, name: str, variant: str, params: Mapping[str, str]) -> Outcome:
        """Take an order once; what is told of it may be wrong."""
        hits = self._faults.hits
        if hits("timeout-not-taken"):
            raise Refusal("EGW00301", status=500)
        if hits("server-error"):
            if self._rng.getrandbits(1):
                self._try(now, name, variant, params)
            return self._sent(html_answer(now))
        if hits("answer-lost"):
            self._try(now, name, variant, params)
            return Outcome(None, LATENCY)
        if hits("timeout-taken"):
            self._try(now, name, variant, params)
            raise Refusal("EGW00302", status=500)
        if hits("limit-taken"):
            self._try(now, name, variant, params)
            raise Refusal("EGW00201", status=500)
        answer = self._body_answer(now, request, self._handlers[name](now, params, variant))
        return Outcome(answer, _OUTRUN) if hits("notice-first") else self._sent(answer)

    def _try(self, now: int, name: str, variant: str, params: Mapping[str, str]) -> None:
        """Take an order whose answer nobody will see; a refusal goes the same way."""
        try:
            self._handlers[name](now, params, variant)
        except Refusal:
            return

    def _answered(self, now: int, request: Request, name: str, variant: str, params: Mapping[str, str]) -> Answer:
        if self._faults.hits("server-error"):
            return html_answer(now)
        follows = request.headers.get("tr_cont", "").strip() == "N"
        if follows and self._faults.hits("data-changed"):
            raise Refusal("KIER2570")
        body = self._handlers[name](now, params, variant)
        most = SHORT if self._faults.hits("short-pages") else 0
        page = paged(TRANSACTIONS[name], self._side, body, params, follows=follows, most=most)
        return self._body_answer(now, request, page.body, page.tr_cont)

    def _body_answer(self, now: int, request: Request, body: Body, tr_cont: str = "") -> Answer:
        turned = self._faults.hits("other-case")
        told = {key: _other_case(value) for key, value in body.items()} if turned else body
        uid = f"{self._rng.getrandbits(80):020x}"
        return json_answer(now, told, tr_id=_tr_id(request), tr_cont=tr_cont, uid=uid)

    def _sent(self, answer: Answer) -> Outcome:
        after = _SLOW if self._faults.hits("slow-answer") else LATENCY
        if answer.status == 200 and self._faults.hits("truncated-json"):  # noqa: PLR2004 (HTTP OK)
            half = answer.body[: len(answer.body) // 2]
            answer = Answer(answer.status, answer.headers, half)
        return Outcome(answer, after)


def _tr_id(request: Request) -> str:
    return request.headers.get("tr_id", "").strip()


def _object(request: Request) -> dict[str, Any]:
    try:
        return msgspec.json.decode(request.body or b"{}", type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise Refusal("OPSQ9995", status=500) from None


def _other_case(value: Any) -> Any:
    if isinstance(value, list):
        return [_other_case(each) for each in value]
    if isinstance(value, dict):
        return {(name.lower() if name.isupper() else name.upper()): text for name, text in value.items()}
    return value
