"""Names that come out of the engines (states, phases, reasons, limits), as words for the screen."""

from typing import Final

from qbtrade.cli.text import N_, _

WORDS: Final = {
    # how a session runs and ends
    "simulate": N_("simulation"),
    "mock": N_("made market"),
    "replay": N_("replay"),
    "DONE": N_("done"),
    "INTERRUPTED": N_("interrupted"),
    "FAULT": N_("ended by a fault of the program"),
    "UNFINISHED": N_("unfinished"),
    # risk states
    "ACTIVE": N_("active"),
    "REDUCING": N_("reducing only"),
    "HALTED": N_("halted"),
    # phases
    "CLOSED": N_("closed"),
    "OPENING_AUCTION": N_("opening auction"),
    "CONTINUOUS": N_("continuous session"),
    "CLOSING_AUCTION": N_("closing auction"),
    "AFTER_MARKET": N_("after-market"),
    # sides
    "BUY": N_("buy"),
    "SELL": N_("sell"),
}
LIMITS: Final[dict[str, str]] = {}
UNITS: Final = (N_("won"), N_("orders"), N_("shares"), N_("KRW"))


def word(name: str) -> str:
    """The user's words for a name; an unknown one is shown as it is, without dashes."""
    return _(WORDS[name]) if name in WORDS else name.replace("-", " ").replace("_", " ").lower()


def limit_name(name: str) -> str:
    """The user's words for a limit."""
    return _(LIMITS[name]) if name in LIMITS else word(name)
