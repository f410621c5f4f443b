"""Order and fill notices: the record, and its encryption. Source: KIS realtime H0STCNI0 and H0STCNI9."""

from base64 import b64encode
from datetime import date
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from qbtrade.adapters.emulator.answers import hour_text, word
from qbtrade.adapters.emulator.orders import Action, Notice, Tale, Ticket
from qbtrade.adapters.emulator.plan import Credentials
from qbtrade.adapters.kis_fields import FIELDS, Dialect, width
from qbtrade.domain.order import Side, TimeInForce

NOTICE: Final[dict[Dialect, str]] = {"real": "H0STCNI0", "paper": "H0STCNI9"}
"""The notice stream of each side."""
BRANCH: Final[dict[Dialect, str]] = {"real": "06010", "paper": "00950"}
"""The branch that an order is kept by."""
SIDE: Final = {Side.SELL: "01", Side.BUY: "02"}
_CONDITION: Final = {TimeInForce.DAY: "0", TimeInForce.IOC: "1", TimeInForce.FOK: "2"}
_ACCEPTED: Final = {Tale.ACCEPTED: "1", Tale.REJECTED: "1", Tale.FILLED: "2", Tale.CONFIRMED: "2", Tale.CUT: "3"}
_LEGACY: Final = "H0STCNI9_LEGACY23"


def order_number(number: int, side: Dialect) -> str:
    """ODNO: ten digits on real, unpadded on paper; "" for none."""
    if not number:
        return ""
    return f"{number:010d}" if side == "real" else str(number)


def notice_record(notice: Notice, side: Dialect, held: Credentials, name: str, day: date) -> str:
    """One record of the width that the side has on that day."""
    entry, tr_id = notice.entry, NOTICE[side]
    ticket: Ticket = entry.ticket
    values = {
        "CUST_ID": held.hts_id,
        "ACNT_NO": held.account.replace("-", ""),
        "ODER_NO": f"{entry.number:010d}",
        "OODER_NO": "" if entry.action is Action.NEW else f"{entry.original:010d}",
        "SELN_BYOV_CLS": SIDE[ticket.side],
        "RCTF_CLS": entry.action.value,
        "ODER_KIND": ticket.code,
        "ODER_COND": _CONDITION[ticket.tif],
        "STCK_SHRN_ISCD": ticket.symbol,
        "CNTG_QTY": f"{notice.qty:010d}",
        "CNTG_UNPR": f"{notice.price:09d}",
        "STCK_CNTG_HOUR": hour_text(notice.ts),
        "RFUS_YN": "1" if notice.tale is Tale.REJECTED else "0",
        "CNTG_YN": "2" if notice.tale is Tale.FILLED else "1",
        "ACPT_YN": _ACCEPTED[notice.tale],
        "BRNC_NO": BRANCH[side],
        "ODER_QTY": f"{ticket.qty:09d}",
        "ACNT_NAME": word("holder"),
        "ORD_COND_PRC": "000000000",
        "ORD_EXG_GB": "1",
        "POPUP_YN": "Y",
        "FILLER": "",
        "EXG_GB_AND_POPUP": "1Y",
        "CRDT_CLS": "10",
        "CRDT_LOAN_DATE": "",
        "CNTG_ISNM40": name,
        "ODER_PRC": f"{ticket.price:09d}",
    }
    wide = FIELDS[tr_id]
    fields = wide if width(tr_id, day) == len(wide) else FIELDS[_LEGACY]
    return "^".join([values[field] for field in fields])


def encrypted(text: str, key: str, iv: str) -> str:
    """AES-256-CBC with PKCS#7, in base64."""
    padder = PKCS7(AES.block_size).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    encryptor = Cipher(AES(key.encode()), CBC(iv.encode())).encryptor()
    return b64encode(encryptor.update(padded) + encryptor.finalize()).decode()
