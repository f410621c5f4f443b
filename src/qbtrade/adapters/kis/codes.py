"""KIS's error codes: what each means, what to do about it, and what it proves about an order.

Source: PROTOCOL 3.4. The meanings of order codes conflict between sources: show KIS's own text beside them.
"""

from enum import StrEnum
from typing import Final, Literal

import msgspec

Sure = Literal["official", "measured", "unverified"]


class Verdict(StrEnum):
    """What a code says about the request that met it.

    TAKEN: not an error. REFUSED: an order was refused, for certain. LIMIT: too many calls. AGAIN: KIS is in trouble,
    a question may be repeated. TOKEN: the access token is dead. WAIT: a token was asked for too soon.
    SETTINGS: keys, account or server do not fit. REQUEST: KIS did not understand what was asked.
    """

    TAKEN = "TAKEN"
    REFUSED = "REFUSED"
    LIMIT = "LIMIT"
    AGAIN = "AGAIN"
    TOKEN = "TOKEN"  # noqa: S105 (a word, no password)
    WAIT = "WAIT"
    SETTINGS = "SETTINGS"
    REQUEST = "REQUEST"


class Advice(msgspec.Struct, frozen=True):
    """One code. sure: whether KIS says so, somebody measured it, or it is hearsay."""

    code: str
    verdict: Verdict
    meaning: str
    advice: str
    sure: Sure = "official"


_KEYS: Final = "Check QB_KIS_APP_KEY and QB_KIS_APP_SECRET, or get new keys from the KIS portal"
_OURS: Final = "This is a fault of qb; report it with the log of the session"
_LOOK_UP: Final = "A question is repeated; an order may exist all the same: qb looks it up and never sends it again"
_V = Verdict

_ROWS: Final = (
    Advice("EGW00001", _V.AGAIN, "KIS has a temporary error", _LOOK_UP),
    Advice("EGW00002", _V.AGAIN, "KIS has a server error", _LOOK_UP),
    Advice("EGW00003", _V.SETTINGS, "access is denied", "Renew the Open API service on the KIS portal"),
    Advice("EGW00004", _V.SETTINGS, "the app key has no permission", "Renew the Open API service on the KIS portal"),
    Advice("EGW00101", _V.REQUEST, "the request is not valid", _OURS),
    Advice("EGW00102", _V.SETTINGS, "the app key is missing", _KEYS),
    Advice("EGW00103", _V.SETTINGS, "the app key is not valid", _KEYS),
    Advice("EGW00104", _V.SETTINGS, "the app secret is missing", _KEYS),
    Advice("EGW00105", _V.SETTINGS, "the app secret is not valid", _KEYS),
    *(
        Advice(f"EGW{number:05d}", _V.REQUEST, "the request for a token is not valid", _OURS)
        for number in range(112, 120)
    ),
    Advice("EGW00121", _V.TOKEN, "the access token is not valid", "qb fetches a new one, once"),
    Advice("EGW00122", _V.TOKEN, "the access token is not known", "qb fetches a new one, once"),
    Advice("EGW00123", _V.TOKEN, "the access token has expired", "qb fetches a new one, once"),
    Advice("EGW00131", _V.REQUEST, "the hash key is wrong", _OURS),
    Advice("EGW00132", _V.REQUEST, "the content type is wrong", _OURS),
    Advice("EGW00133", _V.WAIT, "a token was asked for more than once a minute", "Wait a minute; qb does so by itself"),
    Advice("EGW00201", _V.LIMIT, "too many calls per second for this app key", "Lower kis.calls_per_second"),
    Advice("EGW00202", _V.AGAIN, "KIS could not pass the request on", _LOOK_UP),
    Advice("EGW00203", _V.AGAIN, "KIS could not pass the request on", _LOOK_UP),
    Advice("EGW00204", _V.AGAIN, "KIS could not pass the request on", _LOOK_UP),
    Advice("EGW00205", _V.REQUEST, "the word Bearer is missing", _OURS),
    Advice("EGW00206", _V.SETTINGS, "the app key may not use this service", "Apply for the service on the KIS portal"),
    Advice("EGW00207", _V.REQUEST, "the IP address is missing", _OURS),
    Advice("EGW00208", _V.REQUEST, "the customer type is wrong", _OURS),
    Advice("EGW00209", _V.REQUEST, "the sequence number is missing", _OURS),
    Advice("EGW00210", _V.SETTINGS, "companies have no paper trading", "Use the key of a private account"),
    Advice("EGW00213", _V.SETTINGS, "paper trading does not offer this", "Use `--env real` for it", "measured"),
    Advice("EGW00215", _V.LIMIT, "the account system is busy with all customers", "Wait; qb asks again"),
    Advice("EGW00300", _V.AGAIN, "KIS could not pass the request on", _LOOK_UP),
    Advice("EGW00301", _V.AGAIN, "KIS did not connect in time", _LOOK_UP),
    Advice("EGW00302", _V.AGAIN, "KIS did not answer in time", _LOOK_UP),
    Advice("EGW00303", _V.SETTINGS, "the IP address is not registered", "Register it on the KIS portal"),
    Advice("EGW00304", _V.SETTINGS, "the secret does not belong to the key", _KEYS),
    Advice("EGW02004", _V.SETTINGS, "a paper key on the real server", "Choose --env paper, or set real keys"),
    Advice("EGW02006", _V.SETTINGS, "paper trading does not offer this", "Use `--env real` for it"),
    Advice("EGW2004", _V.SETTINGS, "paper trading does not offer this", "Use `--env real` for it", "measured"),
    Advice("EGW02007", _V.SETTINGS, "a real key on the paper server", "Choose --env real, or set paper keys"),
    Advice("OPSQ0002", _V.REQUEST, "there is no such service", _OURS),
    Advice("OPSQ1002", _V.AGAIN, "the session is not there", _LOOK_UP),
    Advice("OPSQ2000", _V.REFUSED, "the account is not one of this app key", "Check QB_KIS_ACCOUNT", "measured"),
    Advice("OPSQ2001", _V.REFUSED, "the market is not known", _OURS),
    Advice("OPSQ2002", _V.REFUSED, "a field has the wrong length", _OURS),
    *(Advice(f"OPSQ{number}", _V.REFUSED, "KIS cannot read the request", _OURS) for number in range(9995, 10000)),
    Advice("IGW00002", _V.REFUSED, "the account number is wrong", "Check QB_KIS_ACCOUNT", "measured"),
    Advice("APBK0013", _V.TAKEN, "the order was taken; this is no error", "Nothing"),
    Advice("APBK0952", _V.REFUSED, "more than can be bought", "Lower --max, or put money in", "measured"),
    Advice("APBK0400", _V.REFUSED, "more than can be sold", "See what is held and waits to be sold", "measured"),
    Advice("APBK0506", _V.REFUSED, "the price is not on the tick", "See `qb rules`", "measured"),
    Advice("APBK0656", _V.REFUSED, "there is no such stock", "Check --symbol", "measured"),
    Advice(
        "APBK0918", _V.REFUSED, "not during operating hours; also said for lack of cash or shares",
        "Compare the hours of `qb rules` with the time, then cash and shares", "measured",
    ),
    Advice(
        "APBK0919", _V.REFUSED, "the market is not open today; some say it for lack of cash",
        "See `qb rules` for the next trading day", "measured",
    ),
    Advice("APBK1943", _V.REFUSED, "no market order for this stock now", "Use limit orders", "measured"),
    Advice("APBK3013", _V.REFUSED, "not this kind of order after hours", "Use limit orders", "measured"),
    Advice("APBK3009", _V.REFUSED, "not tradable through smart routing", "Trade it on KRX", "measured"),
    Advice("APBK1664", _V.REFUSED, "the overseas market is closed", "qb trades Korean stocks only", "measured"),
    Advice("APBK0066", _V.REFUSED, "perhaps the stock is halted", "See the stock in the KIS app", "unverified"),
    Advice("APBK1234", _V.REFUSED, "perhaps too few shares are held", "See what is held", "unverified"),
    Advice("APBK1663", _V.REFUSED, "refused for a reason that is not known", "Read KIS's own text", "unverified"),
    Advice("40600000", _V.TAKEN, "the paper buy was taken; this is no error", "Nothing"),
    Advice("40590000", _V.TAKEN, "the paper sell was taken; this is no error", "Nothing"),
    Advice("40570000", _V.REFUSED, "the paper market is not open yet", "Wait for the open", "measured"),
    Advice("40580000", _V.REFUSED, "the paper market is closed", "See `qb rules` for the next trading day", "measured"),
    Advice("40100000", _V.REFUSED, "the paper market is closed today", "`qb rules` names the next one", "measured"),
    Advice("40240000", _V.REFUSED, "the paper account does not hold it", "See what is held", "measured"),
    Advice("40330000", _V.REFUSED, "nothing is left to amend or cancel", "It was filled or canceled", "measured"),
    Advice("90000000", _V.REFUSED, "paper trading does not offer this", "Use `--env real` for it", "measured"),
)  # fmt: skip
CODES: Final = {row.code: row for row in _ROWS}


def verdict(code: str) -> Verdict | None:
    """What a code proves; None for one that is not in the table or only hearsay, which proves nothing."""
    found = CODES.get(code)
    return found.verdict if found and found.sure != "unverified" else None
