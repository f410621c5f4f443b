import copy
import pickle
from typing import Any

import msgspec
import pytest

from qbtrade.adapters.kis.environment import HOSTS, EnvKind, Secret, check, kis
from qbtrade.adapters.kis_fields import REST
from qbtrade.errors import ConfigError
from tests.adapters.kis.desk import ACCOUNT, APP_KEY, APP_SECRET, an_environment

REAL_REST, REAL_WS = HOSTS[EnvKind.REAL]
PAPER_REST, PAPER_WS = HOSTS[EnvKind.PAPER]
KEYS = (Secret(APP_KEY), Secret(APP_SECRET), ACCOUNT, "trader")


def test_real_and_paper_differ_in_host_dialect_limits_and_abilities() -> None:
    real, paper = kis(EnvKind.REAL, *KEYS), kis(EnvKind.PAPER, *KEYS)
    assert (real.speaks, paper.speaks) == ("real", "paper")
    assert (real.limits.calls_per_second_milli, paper.limits.calls_per_second_milli) == (18_000, 1_000)
    assert (real.capabilities.amendable_orders, paper.capabilities.amendable_orders) == (True, False)
    assert (real.rest_url, paper.ws_url) == (REAL_REST, PAPER_WS)
    assert real.key_id != paper.key_id


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"app_key": Secret("")}, "the app key is missing"),
        ({"app_secret": Secret("")}, "the app secret is missing"),
        ({"app_key": Secret("your_app_key_goes_here_please")}, "placeholder"),
        ({"app_key": Secret("<app key of thirty-six characters>")}, "placeholder"),
        ({"app_secret": Secret("x" * 180)}, "placeholder"),
        ({"app_secret": Secret("too short")}, "placeholder"),
        ({"account": "1234567801"}, "12345678-01"),
        ({"account": "1234567-01"}, "12345678-01"),
        ({"rest_url": "openapi.example"}, "REST address"),
        ({"ws_url": "http://127.0.0.1"}, "stream address"),
        ({"kind": EnvKind.PAPER}, "paper settings in the real dialect"),
        ({"kind": EnvKind.REAL, "speaks": "paper"}, "real settings in the paper dialect"),
        ({"kind": EnvKind.REAL, "rest_url": PAPER_REST}, "real settings lead to"),
        ({"kind": EnvKind.REAL, "ws_url": PAPER_WS}, "real settings lead to"),
        ({"kind": EnvKind.PAPER, "speaks": "paper", "rest_url": REAL_REST}, "paper settings lead to"),
        ({"kind": EnvKind.PAPER, "speaks": "paper", "ws_url": REAL_WS.upper().replace("WS", "ws")}, "lead to"),
        ({"rest_url": REAL_REST}, "emulator settings lead to"),
        ({"ws_url": PAPER_WS}, "emulator settings lead to"),
    ],
)
def test_what_is_missing_or_mixed_is_refused_before_any_request(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        an_environment(**changes)
    assert APP_SECRET not in str(caught.value)


def test_one_key_in_two_environments_is_a_mix() -> None:
    real, paper = kis(EnvKind.REAL, *KEYS), kis(EnvKind.PAPER, *KEYS)
    with pytest.raises(ConfigError, match="also that of paper"):
        check(real, [real, paper])


def test_an_emulator_may_speak_either_dialect() -> None:
    assert [an_environment(speaks).speaks for speaks in ("real", "paper")] == ["real", "paper"]


def test_orders_of_one_environment_are_objected_to_in_the_other() -> None:
    real, paper = an_environment("real"), an_environment("paper")
    for name in ("order-cash", "order-rvsecncl"):
        for theirs in REST[name].paper.values():
            assert real.objection(theirs)
            assert paper.objection(theirs) == ""
        for ours in REST[name].real.values():
            assert paper.objection(ours)
            assert real.objection(ours) == ""


def test_questions_about_prices_have_one_id_everywhere() -> None:
    assert [an_environment(speaks).objection("FHKST01010100") for speaks in ("real", "paper")] == ["", ""]


def test_a_secret_shows_itself_to_nobody_who_does_not_ask() -> None:
    secret = Secret("the very secret")
    assert {str(secret), repr(secret), f"{secret}", f"{secret!r:>3}", "%s" % secret} == {"***"}  # noqa: UP031
    assert secret.reveal() == "the very secret"
    assert bool(secret)
    assert not Secret("")
    assert {secret: 1}[Secret("the very secret")] == 1


def test_a_secret_is_never_encoded() -> None:
    secret = Secret("the very secret")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.deepcopy([secret])
    with pytest.raises(TypeError):
        msgspec.json.encode({"key": secret})
    with pytest.raises(TypeError):
        msgspec.to_builtins(an_environment())


def test_an_environment_prints_neither_keys_nor_the_whole_account() -> None:
    text = repr(an_environment())
    assert [secret for secret in (APP_KEY, APP_SECRET, ACCOUNT, "12345678") if secret in text] == []
    assert "78-01" in text
