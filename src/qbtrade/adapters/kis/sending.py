"""Calls as HTTP requests: the only place where keys and tokens go into headers and bodies.

Source: PROTOCOL 2 and 3.1.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from qbtrade.adapters.kis.call import Call, CallKind, Priority
from qbtrade.adapters.kis.environment import Environment, Secret
from qbtrade.adapters.kis.http import Heeds, HttpRequest

TOKEN_PATH: Final = "/oauth2/tokenP"  # noqa: S105 (a path)
JSON: Final = {"content-type": "application/json; charset=utf-8"}
PRIVATE: Final = "P"
NEXT: Final = "N"
HEEDS: Final[Mapping[Priority, Heeds]] = {Priority.ORDER: "halt", Priority.PROTECT: "takeover"}


def token_request(environment: Environment, request_id: int) -> HttpRequest:
    """Ask for an access token."""
    body = {
        "grant_type": "client_credentials",
        "appkey": environment.app_key.reveal(),
        "appsecret": environment.app_secret.reveal(),
    }
    return HttpRequest(
        request_id=request_id, method="POST", url=_url(environment, TOKEN_PATH), headers=JSON,
        body=msgspec.json.encode(body), timeout_ns=environment.limits.read_timeout_ns,
    )  # fmt: skip


def request_for(
    environment: Environment, request_id: int, call: Call[Any], token: Secret | None,
    ctx: tuple[str, str] | None = None, *, wait_ns: int = 0,
) -> HttpRequest:  # fmt: skip
    """The call on its way. ctx: the paging values of the page before, None for the first. wait_ns: of an order."""
    params = {**call.params, **(dict(zip(call.ctx, ctx, strict=True)) if ctx else {})}
    limits = environment.limits
    url, body = _url(environment, call.path), b""
    if call.kind is CallKind.KEY:
        headers: Mapping[str, str] = JSON
        body = msgspec.json.encode(_secrets(environment))
    else:
        headers = _headers(environment, call.tr_id, token, NEXT if ctx else "")
        if call.method == "GET":
            url = f"{url}?{_query(tuple(params.items()))}"
        else:
            body = msgspec.json.encode(params)
    once = call.kind is CallKind.ORDER
    return HttpRequest(
        request_id=request_id, method=call.method, url=url, headers=headers, body=body,
        timeout_ns=limits.order_timeout_ns if once else limits.read_timeout_ns, once=once,
        heeds=HEEDS.get(call.priority, "nothing") if once else "nothing", wait_ns=wait_ns if once else 0,
    )  # fmt: skip


def _headers(environment: Environment, tr_id: str, token: Secret | None, tr_cont: str) -> dict[str, str]:
    return {
        **JSON,
        "authorization": f"Bearer {token.reveal() if token else ''}",
        "appkey": environment.app_key.reveal(),
        "appsecret": environment.app_secret.reveal(),
        "tr_id": tr_id,
        "custtype": PRIVATE,
        "tr_cont": tr_cont,
    }


def _secrets(environment: Environment) -> dict[str, str]:
    return {
        "grant_type": "client_credentials",
        "appkey": environment.app_key.reveal(),
        "secretkey": environment.app_secret.reveal(),
    }


@lru_cache(maxsize=256)
def _query(params: tuple[tuple[str, str], ...]) -> str:
    """Most questions are asked again and again."""
    return urlencode(params)


def _url(environment: Environment, path: str) -> str:
    return environment.rest_url.rstrip("/") + path
