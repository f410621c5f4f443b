"""Frames and answers as the stream sends them, made by place, so that a wrong place in the client shows."""

import base64
import json
from collections.abc import Sequence
from random import Random
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from qbtrade.adapters.kis.registrations import Channel
from qbtrade.adapters.kis.stream import Stream
from qbtrade.adapters.kis.stream_terms import Output, SendText, StreamLimits
from tests.builders import at

KEY, IV = "abcdefghijklmnopqrstuvwxyz012345", "0123456789abcdef"
ACCOUNT: Final = "1234567801"
START: Final = at("10:00:00")
TRADES = Channel("H0STCNT0", "005930")
QUOTES = Channel("H0STASP0", "005930")
NOTICES = Channel("H0STCNI0", "trader1")
_TRADE: Final = (
    "005930^100000^75000^2^500^0.67^74900.50^74500^75200^74300^75100^75000^3^1000^75000000^10^12^2^104.11^480^520^1"
    "^0.52^98.10^090003^2^500^094501^5^-200^090010^2^700^20261120^20^N^120^340^9000^8800^0.02^990^101.01^0^^74500^2"
)
_BOOK: Final = (
    "005930^100000^0^75100^75200^75300^75400^75500^75600^75700^75800^75900^76000"
    "^75000^74900^74800^74700^74600^74500^74400^74300^74200^74100"
    "^120^121^122^123^124^125^126^127^128^129^340^341^342^343^344^345^346^347^348^349"
    "^1245^3445^0^0^0^0^10^-74500^5^-100.00^1000^-1^2^0^0^0^75050^7^1^2"
)
_NOTICE: Final = (
    "TRADER1^1234567801^0000117057^^02^0^00^0^005930^0000000003^000075000^100001^0^2^2^00950^000000010^Tester^000000000"
    "^1^N^^10^^SamsungElec^000075000"
)
_OPERATION: Final = "005930^N^(null)^^112^^00^55^N^N^1"


def cut(values: list[str], width: int) -> list[str]:
    """So many fields; more than are known are made up."""
    return (values + ["?"] * width)[:width]


def trade_record(
    price: int | str = 75_000, qty: int | str = 3, volume: int | str = 1000, *, clock: str = "100000", width: int = 47,
    symbol: str = "005930", over: dict[int, str] | None = None,
) -> str:  # fmt: skip
    values = _TRADE.split("^")
    for place, value in {0: symbol, 1: clock, 2: str(price), 12: str(qty), 13: str(volume), **(over or {})}.items():
        values[place] = value
    return "^".join(cut(values, width))


def book_record(*, width: int = 63, clock: str = "100000", over: dict[int, str] | None = None) -> str:
    values = _BOOK.split("^")
    for place, value in {1: clock, **(over or {})}.items():
        values[place] = value
    return "^".join(cut(values, width))


def notice_record(*, width: int = 26, over: dict[int, str] | None = None) -> str:
    values = _NOTICE.split("^")
    for place, value in (over or {}).items():
        values[place] = value
    if width == 23:  # the short layout mixes fields 18 to 21 into one
        values = [*values[:18], "1Y", *values[22:]]
    return "^".join(cut(values, width))


def operation_record(event: str = "", *, vi: str = "N", width: int = 11, over: dict[int, str] | None = None) -> str:
    values = _OPERATION.split("^")
    for place, value in {3: event, 8: vi, **(over or {})}.items():
        values[place] = value
    return "^".join(cut(values, width))


def frame(tr_id: str, *records: str, sealed: bool = False) -> str:
    return f"{int(sealed)}|{tr_id}|{len(records):03d}|{'^'.join(records)}"


def trade_frame(*records: str) -> str:
    return frame("H0STCNT0", *records)


def seal(text: str | bytes, key: str = KEY, iv: str = IV) -> str:
    """AES-256-CBC and base64, as KIS does it."""
    padder, closer = PKCS7(128).padder(), Cipher(algorithms.AES256(key.encode()), modes.CBC(iv.encode())).encryptor()
    padded = padder.update(text.encode() if isinstance(text, str) else text) + padder.finalize()
    return base64.b64encode(closer.update(padded) + closer.finalize()).decode()


def sealed_frame(*records: str, tr_id: str = "H0STCNI0", key: str = KEY) -> str:
    return f"1|{tr_id}|{len(records):03d}|{seal('^'.join(records), key)}"


def answer(
    channel: Channel, code: str = "OPSP0000", rt_cd: str = "0", text: str = "SUBSCRIBE SUCCESS", *, key: str = KEY,
    iv: str = IV,
) -> str:  # fmt: skip
    header = {"tr_id": channel.tr_id, "tr_key": channel.tr_key, "encrypt": "N"}
    body = {"rt_cd": rt_cd, "msg_cd": code, "msg1": text, "output": {"iv": iv, "key": key}}
    return json.dumps({"header": header, "body": body})


def a_stream(limits: StreamLimits | None = None, seed: int = 1) -> Stream:
    return Stream(ACCOUNT, Random(seed), limits)


def open_stream(*channels: Channel, limits: StreamLimits | None = None) -> Stream:
    """A stream that is connected, with these channels answered."""
    stream = a_stream(limits)
    stream.start(START)
    stream.use_key(START, "approval-key")
    stream.on_open(START)
    for channel in channels:
        stream.register(START, channel)
        stream.on_text(START, answer(channel))
    return stream


def asked(outputs: Sequence[Output]) -> list[tuple[str, str, str]]:
    """What was sent, as (tr_type, TR id, key)."""
    sent = [json.loads(output.text) for output in outputs if isinstance(output, SendText)]
    return [(each["header"]["tr_type"], *each["body"]["input"].values()) for each in sent]
