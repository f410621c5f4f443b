"""Order notices: opened with the session's key, read, and told apart.

Source: PROTOCOL sections 6.5 and 6.6 (KIS workbook, H0STCNI0 and H0STCNI9). Of each record only the first 17 fields
are used, which are the same in every width seen.
"""

import base64
import binascii
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from qbtrade.adapters.kis.events import Action, Notice, Stage
from qbtrade.adapters.kis.frames import Frame, moment, number, records, symbol_of
from qbtrade.adapters.kis_fields import position
from qbtrade.domain.order import Side
from qbtrade.errors import WireError

NOTICES: Final = frozenset({"H0STCNI0", "H0STCNI9"})
"""Real and paper."""

_ACCOUNT, _ORDER, _ORIGINAL, _SIDE, _ACTION, _SYMBOL, _QTY, _PRICE, _TIME, _REFUSED, _FILLED, _STAGE, _ORDER_QTY = (
    position("H0STCNI0", name)
    for name in (
        "ACNT_NO", "ODER_NO", "OODER_NO", "SELN_BYOV_CLS", "RCTF_CLS", "STCK_SHRN_ISCD", "CNTG_QTY", "CNTG_UNPR",
        "STCK_CNTG_HOUR", "RFUS_YN", "CNTG_YN", "ACPT_YN", "ODER_QTY",
    )
)  # fmt: skip
_SIDES: Final = {"01": Side.SELL, "02": Side.BUY}
_ACTIONS: Final = {"0": Action.NEW, "1": Action.AMEND, "2": Action.CANCEL, "": Action.NEW}
_STAGES: Final = {"1": Stage.ACCEPTED, "2": Stage.CONFIRMED, "3": Stage.LAPSED}
_AES_BITS: Final = 128


class Seal:
    """The key and iv that one subscription answered with. Never printed."""

    __slots__ = ("_cipher",)

    def __init__(self, key: str, iv: str) -> None:
        """Raises: WireError when they are no AES-256 key and iv."""
        try:
            self._cipher = Cipher(algorithms.AES256(key.encode()), modes.CBC(iv.encode()))
        except ValueError as error:
            raise WireError("notice key", "not 32 characters and an iv of 16") from error

    def open(self, payload: str) -> str:
        """The text inside a sealed payload; bytes that are no UTF-8 are replaced. Raises: WireError."""
        try:
            sealed = base64.b64decode(payload.strip().encode(), validate=True)
            opener, unpadder = self._cipher.decryptor(), PKCS7(_AES_BITS).unpadder()
            padded = opener.update(sealed) + opener.finalize()
            return (unpadder.update(padded) + unpadder.finalize()).decode("utf-8", "replace")
        except (binascii.Error, ValueError) as error:
            raise WireError("notice", "not sealed with this session's key") from error


def read_notices(frame: Frame, seal: Seal | None, now: int, today: str) -> list[Notice | WireError]:
    """Every notice of a frame, or why it cannot be read. today: KST `YYYYMMDD` of `now`.

    Raises: WireError for a frame of something else, or one that cannot be opened or cut into records.
    """
    if frame.tr_id not in NOTICES:
        raise WireError(frame.tr_id, "no notices")
    if frame.sealed and seal is None:
        raise WireError(frame.tr_id, "came before its key")
    payload = frame.payload if seal is None or not frame.sealed else seal.open(frame.payload)
    values, width = records(frame.tr_id, frame.count, payload)
    cuts = (values[at : at + width] for at in range(0, len(values), width))
    return [_notice(frame.tr_id, record, now, today) for record in cuts]


def order_number(text: str) -> str:
    """An order number as we compare it: real pads it with zeros, paper may not. Raises: ValueError."""
    digits = text.strip()
    return str(number(digits)) if digits.strip("0") else ""


def _notice(tr_id: str, values: list[str], now: int, today: str) -> Notice | WireError:
    fields = [value.strip() for value in values[: _ORDER_QTY + 1]]
    clock = fields[_TIME]
    try:
        notice = Notice(
            moment(today, clock) if clock else now,
            fields[_ACCOUNT], order_number(fields[_ORDER]), order_number(fields[_ORIGINAL]),
            symbol_of(fields[_SYMBOL]), _SIDES[fields[_SIDE]], _ACTIONS[fields[_ACTION]], _stage(fields),
            number(fields[_QTY] or "0"), number(fields[_PRICE] or "0"), number(fields[_ORDER_QTY] or "0"),
        )  # fmt: skip
    except (ValueError, KeyError):
        return WireError(tr_id, "a notice with a field that means nothing")
    if not notice.order_no or (notice.stage is Stage.FILLED and not (notice.qty and notice.price)):
        return WireError(tr_id, "a notice without order number, or a fill without quantity or price")
    return notice


def _stage(fields: list[str]) -> Stage:
    """Raises: KeyError for a combination that means nothing."""
    if fields[_REFUSED] == "1":
        return Stage.REJECTED
    return Stage.FILLED if fields[_FILLED] == "2" else _STAGES[fields[_STAGE]]
