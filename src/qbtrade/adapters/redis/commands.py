"""What may be asked for over Redis: a halt, signed with a key that both sides know, and nothing else."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

import msgspec

from qbtrade.domain.calendar import NS

FRESH: Final = 60 * NS
"""How far the clocks of the two machines may be apart."""
LONGEST_REASON: Final = 200


class HaltCommand(msgspec.Struct, frozen=True):
    """Halt this account. account: as files name it; sent: machine time, UTC ns; nonce: different each time."""

    account: str
    reason: str
    sent: int
    nonce: str

    def signed(self, key: str) -> dict[str, str]:
        """The fields of its entry."""
        return {**self._fields(), "mac": _mac(key, self._fields())}

    def _fields(self) -> dict[str, str]:
        return {
            "command": "halt", "account": self.account, "reason": self.reason[:LONGEST_REASON],
            "sent": str(self.sent), "nonce": self.nonce,
        }  # fmt: skip


class Commands:
    """Reads commands for one account. key: "" to obey none."""

    def __init__(self, key: str, account: str) -> None:
        self._key, self._account = key, account
        self._obeyed = dict[str, int]()

    def is_ours(self, fields: Mapping[str, str]) -> bool:
        """Whether it is meant for this account, and was not obeyed already."""
        return fields.get("account") == self._account and fields.get("nonce", "") not in self._obeyed

    def objection(self, fields: Mapping[str, str], now: int) -> str:
        """Why it must not be obeyed, or ""."""
        said = {name: value for name, value in fields.items() if name != "mac"}
        if not self._key:
            return "no redis_halt_key is configured here"
        if not hmac.compare_digest(_mac(self._key, said).encode(), fields.get("mac", "").encode()):
            return "its signature is wrong"
        sent = said.get("sent", "")
        if said.get("command") != "halt" or not sent.isdecimal():
            return "it asks for something other than a halt"
        if abs(now - int(sent)) > FRESH:
            return "it is older than a minute, or the clocks differ"
        return ""

    def obey(self, fields: Mapping[str, str], now: int) -> str:
        """Remember it, so that nobody can write it again; the reason of the halt."""
        self._obeyed = {each: then for each, then in self._obeyed.items() if now - then <= 2 * FRESH}
        self._obeyed[fields["nonce"]] = now
        return fields.get("reason", "")[:LONGEST_REASON] or "a halt over Redis"


def _mac(key: str, fields: Mapping[str, str]) -> str:
    return hmac.new(key.encode(), msgspec.json.encode(sorted(fields.items())), hashlib.sha256).hexdigest()
