"""Keys, tokens and approval keys: who may call, and for how long."""

import hashlib
from collections.abc import Mapping
from random import Random
from typing import Any, Final
from uuid import UUID

import msgspec

from qbtrade.adapters.emulator.answers import Body, OAuthRefusal, Refusal
from qbtrade.adapters.emulator.faults import Faults
from qbtrade.adapters.emulator.limiter import SlidingLimit
from qbtrade.adapters.emulator.plan import CREDENTIALS, Credentials
from qbtrade.adapters.kis_fields import Dialect
from qbtrade.domain.calendar import DAY, MINUTE, NS, iso_kst

SAME_TOKEN: Final = 6 * 60 * MINUTE
"""Asking again within this time gives the same token."""
_GRANT: Final = "client_credentials"
_TOKEN_BYTES: Final = 120


class Token(msgspec.Struct):
    """One access token. issued, expires: UTC ns. is_dead: ended before its time."""

    text: str
    issued: int
    expires: int
    is_dead: bool = False


class Access:
    """Issues and checks the keys of both sides; which side a server is decides what they open.

    ahead: ns by which expiries are told later than they are.
    """

    def __init__(self, rng: Random, faults: Faults, ahead: int = 0) -> None:
        self._rng, self._faults, self._ahead = rng, faults, ahead
        self._sides: Mapping[str, tuple[Dialect, Credentials]] = {
            held.app_key: (side, held) for side, held in CREDENTIALS.items()
        }
        self._newest: dict[str, Token] = {}
        self._tokens: dict[str, tuple[str, Token]] = {}
        self._approvals: dict[str, tuple[str, int]] = {}
        self._issues = SlidingLimit(1, MINUTE)
        self._approvings = SlidingLimit(1, NS)

    def issue(self, now: int, body: Mapping[str, Any]) -> Body:
        """Answer tokenP. Raises: OAuthRefusal."""
        app_key = self._known(body, "appsecret")
        if not self._issues.allows(now, app_key):
            raise OAuthRefusal("EGW00133")
        token = self._newest.get(app_key)
        is_young = token is not None and now < token.issued + SAME_TOKEN
        if token is None or not is_young or (token.is_dead and not self._faults.hits("token-stays-dead")):
            token = Token(self._jwt(), now, now + DAY)
            self._newest[app_key] = token
            self._tokens[token.text] = (app_key, token)
        return {
            "access_token": token.text,
            "access_token_token_expired": iso_kst(token.expires + self._ahead)[:19].replace("T", " "),
            "token_type": "Bearer",
            "expires_in": (token.expires - now) // NS,
        }

    def approve(self, now: int, body: Mapping[str, Any]) -> Body:
        """Answer Approval. Raises: OAuthRefusal."""
        app_key = self._known(body, "secretkey")
        if not self._approvings.allows(now, app_key) and self._faults.hits("approval-limit"):
            raise OAuthRefusal("EGW00201")
        key = str(UUID(int=self._rng.getrandbits(128), version=4))
        self._approvals[key] = (app_key, now + DAY)
        return {"approval_key": key}

    def revoke(self, body: Mapping[str, Any]) -> Body:
        """Answer revokeP. Raises: OAuthRefusal."""
        app_key = self._known(body, "appsecret")
        owner, token = self._tokens.get(str(body.get("token")), ("", None))
        if token is None or owner != app_key:
            raise OAuthRefusal("EGW00121")
        token.is_dead = True
        return {"code": 200, "message": "OK"}

    def hash_key(self, now: int, headers: Mapping[str, str], body: bytes) -> Body:
        """Answer hashkey. Raises: OAuthRefusal."""
        self._known({"grant_type": _GRANT, **headers}, "appsecret")
        return {
            "BODY": msgspec.json.decode(body or b"{}"),
            "HASH": hashlib.sha256(body + str(now).encode()).hexdigest(),
        }

    def caller(self, now: int, headers: Mapping[str, str], *, is_order: bool) -> tuple[str, Dialect]:
        """The key of a call and its side. Raises: Refusal."""
        known = self._sides.get(headers.get("appkey", ""))
        if known is None:
            raise Refusal("EGW00103", status=500)
        side, held = known
        if headers.get("appsecret") != held.app_secret:
            raise Refusal("EGW00105", status=500)
        scheme, _space, text = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Refusal("EGW00205", status=500)
        owner, token = self._tokens.get(text.strip(), ("", None))
        if token is None or owner != held.app_key:
            raise Refusal("EGW00121", status=500)
        if self._faults.hits("token-death") or (is_order and self._faults.hits("order-token-death")):
            token.is_dead = True
        if token.is_dead or now >= token.expires:
            raise Refusal("EGW00123", status=500)
        return held.app_key, side

    def approved(self, now: int, approval_key: str) -> str:
        """The app key behind an approval key; "" when it is unknown or too old."""
        app_key, expires = self._approvals.get(approval_key, ("", 0))
        return app_key if now < expires else ""

    def side_of(self, app_key: str) -> Dialect:
        """Which side issued an app key."""
        return self._sides[app_key][0]

    def _known(self, body: Mapping[str, Any], secret: str) -> str:
        if body.get("grant_type", _GRANT) != _GRANT:
            raise OAuthRefusal("EGW00112")
        known = self._sides.get(str(body.get("appkey")))
        if known is None:
            raise OAuthRefusal("EGW00103")
        _side, held = known
        if body.get(secret) != held.app_secret:
            raise OAuthRefusal("EGW00105")
        return held.app_key

    def _jwt(self) -> str:
        parts = (self._rng.randbytes(_TOKEN_BYTES // 3).hex(), self._rng.randbytes(_TOKEN_BYTES).hex()[:190])
        return f"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzUxMiJ9.{'.'.join(parts)}"
