"""Configuration and secrets: can it be read, by whom, is it whole, does it belong together."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from qbtrade.adapters.kis.environment import account_problem, hts_id_problem, key_problem
from qbtrade.app import devlp
from qbtrade.app.config import DEFAULT, exposed_files, readable_by_others
from qbtrade.app.kis_account import customer_of
from qbtrade.app.preflight.case import Case
from qbtrade.app.preflight.rows import Finding, fail, ok, skip, warn

OWN: Final = "the emulator brings its own"
INIT: Final = "Start `qb init`"


def settings(case: Case) -> Finding:
    """Everything that was said can be read."""
    if case.trouble is not None and not case.has_settings:
        return fail(case.trouble.message, case.trouble.hint)
    count = len([key for key in case.settings.keys() if case.settings.origin(key) != DEFAULT])  # noqa: SIM118 (no dict)
    return ok(f"{count} values are said")


def file_modes(case: Case) -> Finding:
    """Files with secrets are for their owner alone."""
    exposed = exposed_files(case.folder, case.variables)
    if exposed:
        names = ", ".join(exposed)
        return fail(f"others may read {names}, which holds secrets", f"chmod 600 {names}")
    chosen = case.settings.value("kis.devlp")
    path = Path(chosen).expanduser() if chosen else devlp.usual_place(case.variables)
    if path and readable_by_others(path):
        return warn(f"others may read {path}", f"chmod 600 {path}")
    return ok("nobody else may read the files with secrets")


def keys(case: Case) -> Finding:
    """App key and secret are there, and are no placeholders."""
    if case.local:
        return ok(OWN)
    held = customer_of(case.settings, case.kind)
    for name in ("app_key", "app_secret"):
        if problem := key_problem(name.replace("_", " "), held[name].reveal()):
            return fail(problem, INIT)
    return ok("app key and app secret are there")


def account(case: Case) -> Finding:
    """The account is written as KIS writes it."""
    if case.local:
        return ok(OWN)
    text: str = customer_of(case.settings, case.kind)["account"]
    if not text:
        return fail("the account is missing", INIT)
    if problem := account_problem(text):
        return fail(problem, "Eight digits, a dash, two digits: QB_KIS_ACCOUNT")
    if not text.endswith("-01"):
        product = text[-2:]
        return warn(f"the account ends with {product}, which is no brokerage account", "Stocks trade on one with 01")
    return ok(f"******{text[6:]}")


def hts_id(case: Case) -> Finding:
    """Without the HTS id no notice of an order comes."""
    if case.local:
        return ok(OWN)
    text: str = customer_of(case.settings, case.kind)["hts_id"]
    if not text:
        return warn("the HTS id is missing: fills are seen only when they are asked for", "Set QB_KIS_HTS_ID")
    if problem := hts_id_problem(text):
        return fail(problem, INIT)
    return ok("it is there")


def environment(case: Case) -> Finding:
    """Nothing of one environment is mixed into another."""
    if case.has_environment:
        here = case.environment
        return ok(f"{here.kind} at {here.rest_url}, in the dialect of {here.speaks}")
    if case.trouble is None or not case.has_settings:
        return skip("the configuration cannot be read")
    return fail(case.trouble.message, case.trouble.hint)


CHECKS: Final[Mapping[str, Callable[[Case], Finding]]] = {
    "settings": settings,
    "file-modes": file_modes,
    "keys": keys,
    "account": account,
    "hts-id": hts_id,
    "environment": environment,
}
