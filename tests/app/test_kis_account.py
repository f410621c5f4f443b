from datetime import date, time
from pathlib import Path

import pytest
from msgspec.structs import replace

from qbtrade.adapters.emulator.plan import CREDENTIALS
from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.environment import CAPABILITIES, NS, Environment, EnvKind
from qbtrade.app.config import load_settings
from qbtrade.app.keys import ABILITIES, KEYS
from qbtrade.app.kis_account import NEEDS, environment_of, is_local, kind_of, local_environment, parse_kind
from qbtrade.errors import ConfigError, UsageError

KEY, SECRET = "PSab" + "7c" * 16, "s3cret/" * 6
OTHER_KEY, OTHER_SECRET = "PSzz" + "9d" * 16, "0ther/" * 7
PLAIN = {"QB_KIS_APP_KEY": KEY, "QB_KIS_APP_SECRET": SECRET, "QB_KIS_ACCOUNT": "12345678-01"}
PAPER = {
    "QB_KIS_PAPER_APP_KEY": OTHER_KEY, "QB_KIS_PAPER_APP_SECRET": OTHER_SECRET, "QB_KIS_PAPER_ACCOUNT": "50001234-01",
}  # fmt: skip


def environment(folder: Path, kind: EnvKind, *said: dict[str, str]) -> Environment:
    merged = {name: text for each in said for name, text in each.items()}
    return environment_of(load_settings(folder, merged), kind)


def test_without_a_word_paper_is_meant(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {})

    assert kind_of(settings) is EnvKind.PAPER
    assert kind_of(settings, "Real") is EnvKind.REAL
    assert kind_of(load_settings(tmp_path, {"QB_KIS_ENV": "emulator"})) is EnvKind.EMULATOR
    with pytest.raises(UsageError, match=r"unknown environment 'papr'\. Did you mean 'paper'"):
        parse_kind("papr")


def test_keys_below_the_name_of_an_environment_are_its_own_and_others_are_for_whichever_is_asked_for(
    tmp_path: Path,
) -> None:
    real = environment(tmp_path, EnvKind.REAL, PLAIN)
    paper = environment(tmp_path, EnvKind.PAPER, PAPER)

    assert (real.app_key.reveal(), real.account, real.rest_url) == (
        KEY, "12345678-01", "https://openapi.koreainvestment.com:9443",
    )  # fmt: skip
    assert (paper.app_key.reveal(), paper.account, paper.ws_url) == (
        OTHER_KEY, "50001234-01", "ws://ops.koreainvestment.com:31000",
    )  # fmt: skip


def test_a_key_pair_is_never_made_of_two_halves(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("".join(f"{name}={text}\n" for name, text in PAPER.items()), encoding="utf-8")
    dotenv.chmod(0o600)

    found = environment(tmp_path, EnvKind.PAPER, PLAIN)  # the environment beats .env

    assert (found.app_key.reveal(), found.app_secret.reveal()) == (KEY, SECRET)
    with pytest.raises(ConfigError, match="the app secret is missing"):
        environment(tmp_path, EnvKind.PAPER, {"QB_KIS_APP_KEY": KEY})


def test_keys_declared_for_one_environment_are_not_used_in_another(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="KIS real: the app key is missing"):
        environment(tmp_path, EnvKind.REAL, PLAIN, {"QB_KIS_ENV": "paper"})
    with pytest.raises(ConfigError, match="KIS real: its app key is also that of paper"):
        environment(tmp_path, EnvKind.REAL, PLAIN, {"QB_KIS_PAPER_APP_KEY": KEY})


@pytest.mark.parametrize(
    ("rest_url", "ws_url", "problem"),
    [
        ("https://openapi.koreainvestment.com:9443", "ws://ops.koreainvestment.com:31000", "is not its address"),
        ("https://openapi.koreainvestment.com", "ws://ops.koreainvestment.com:31000", "is not its address"),
        ("https://openapivts.koreainvestment.com:29443", "ws://ops.koreainvestment.com:21000", "is not its address"),
        ("http://10.0.0.1:80", "ws://10.0.0.1:81", "use https"),
        ("http://127.0.0.1:80", "", "go together"),
        ("http://me:pw@127.0.0.1:80", "ws://127.0.0.1:81", "an address cannot be used"),
        ("http://127.0.0.1:0", "ws://127.0.0.1:81", "an address cannot be used"),
        ("http://[", "ws://127.0.0.1:81", "an address cannot be used"),
        ("ftp://127.0.0.1", "ws://127.0.0.1:81", "http:// or https://"),
        ("http://127.0.0.1", "http://127.0.0.1:81", "ws:// or wss://"),
    ],
)
def test_addresses_that_do_not_belong_to_paper_are_refused(
    rest_url: str, ws_url: str, problem: str, tmp_path: Path
) -> None:
    said = {"QB_KIS_REST_URL": rest_url, "QB_KIS_WS_URL": ws_url}
    with pytest.raises(ConfigError, match=problem) as caught:
        environment(tmp_path, EnvKind.PAPER, PLAIN, said)
    assert KEY not in str(caught.value)


def test_an_emulator_is_in_this_process_unless_an_address_says_where(tmp_path: Path) -> None:
    urls = {"QB_KIS_REST_URL": "http://127.0.0.1:80", "QB_KIS_WS_URL": "ws://127.0.0.1:81", "QB_KIS_SPEAKS": "paper"}
    settings = load_settings(tmp_path, PLAIN)

    assert is_local(settings, EnvKind.EMULATOR)
    assert not is_local(settings, EnvKind.PAPER)
    assert not is_local(load_settings(tmp_path, urls), EnvKind.EMULATOR)
    assert environment(tmp_path, EnvKind.EMULATOR, PLAIN, urls, {"QB_KIS_ENV": "paper"}).speaks == "paper"
    with pytest.raises(ConfigError, match="go together"):
        environment_of(settings, EnvKind.EMULATOR)
    found = local_environment(settings, "real", CREDENTIALS["real"], ("http://127.0.0.1:80", "ws://127.0.0.1:81"))
    assert found.account == CREDENTIALS["real"].account
    with pytest.raises(ConfigError, match="is not its address"):
        environment(
            tmp_path,
            EnvKind.EMULATOR,
            PLAIN,
            {"QB_KIS_REST_URL": "https://openapi.koreainvestment.com:9443", "QB_KIS_WS_URL": "ws://127.0.0.1:1"},
        )


def test_limits_are_the_shipped_ones_but_for_what_is_said(tmp_path: Path) -> None:
    said = {"QB_KIS_CALLS_PER_SECOND": "2.5", "QB_KIS_TOKEN_GAP": "2m", "QB_KIS_REFUSALS": "APBK9999, X1"}
    found = environment(tmp_path, EnvKind.PAPER, PLAIN, said)

    assert (found.limits.calls_per_second_milli, found.limits.token_gap_ns) == (2500, 120 * NS)
    assert found.limits.registrations == 41
    assert found.refusals == {"APBK9999", "X1"}


def test_what_nobody_has_verified_can_be_said(tmp_path: Path) -> None:
    said = {"QB_KIS_ORDER_ROWS": "yes", "QB_KIS_PADDED_NUMBERS": "Yes", "QB_KIS_PAST_MINUTES": "true"}
    found = environment(tmp_path, EnvKind.PAPER, PLAIN, said)
    real = environment(tmp_path, EnvKind.REAL, PLAIN, {"QB_KIS_HOLIDAYS": "no"})

    assert found.capabilities == replace(CAPABILITIES["paper"], order_rows=True, padded_numbers=True, past_minutes=True)
    assert calls.past_minute_bars(found, "005930", date(2026, 1, 2), time(15)).tr_id == "FHKST03010230"
    assert calls.cancel(found, "06010", "17", "00").params["ORGN_ODNO"] == "0000000017"
    assert real.capabilities == replace(CAPABILITIES["real"], holidays=False)
    with pytest.raises(ConfigError, match="'maybe' is neither yes nor no"):
        environment(tmp_path, EnvKind.PAPER, PLAIN, {"QB_KIS_ORDER_ROWS": "maybe"})


def test_every_ability_says_what_holds_by_default() -> None:
    for name in ABILITIES:
        on_real, on_paper = (getattr(CAPABILITIES[side], name) for side in ("real", "paper"))
        said = {(True, True): "yes", (True, False): "yes on real, no on paper"}
        assert KEYS[f"kis.{name}"].unsaid == said[on_real, on_paper]


@pytest.mark.parametrize("name", NEEDS)
def test_a_question_without_a_transaction_cannot_be_switched_on(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"leave out kis.{name}"):
        environment(tmp_path, EnvKind.PAPER, PLAIN, {f"QB_KIS_{name.upper()}": "yes"})


def test_a_placeholder_of_an_hts_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the HTS id is a placeholder"):
        environment(tmp_path, EnvKind.PAPER, PLAIN, {"QB_KIS_HTS_ID": "your_hts_id"})
