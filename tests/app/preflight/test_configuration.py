from pathlib import Path

import pytest

from qbtrade.app.preflight import Status
from tests.app.preflight.stand import row, rows

KEY, SECRET = "PS" + "k" * 34, "s" * 40 + "/+=="
GOOD = {
    "QB_KIS_APP_KEY": KEY, "QB_KIS_APP_SECRET": SECRET, "QB_KIS_ACCOUNT": "12345678-01", "QB_KIS_HTS_ID": "holder",
}  # fmt: skip
CHECKS = ("settings", "file-modes", "keys", "account", "hts-id", "environment")


def test_a_whole_configuration_has_nothing_but_good_rows(tmp_path: Path) -> None:
    found = rows(tmp_path, GOOD, *CHECKS)

    assert {each.status for each in found.values()} == {Status.OK}
    assert found["account"].seen == "******78-01"
    assert found["environment"].seen == (
        "paper at https://openapivts.koreainvestment.com:29443, in the dialect of paper"
    )


@pytest.mark.parametrize(
    ("changed", "check", "seen"),
    [
        ({"QB_KIS_APP_KEY": ""}, "keys", "the app key is missing"),
        ({"QB_KIS_APP_SECRET": "your_app_secret_goes_here"}, "keys", "the app secret is a placeholder"),
        ({"QB_KIS_APP_KEY": "short"}, "keys", "the app key is too short: 5 characters"),
        ({"QB_KIS_ACCOUNT": ""}, "account", "the account is missing"),
        ({"QB_KIS_ACCOUNT": "1234567801"}, "account", "the account is not written as 12345678-01"),
        ({"QB_KIS_HTS_ID": "your_hts_id"}, "hts-id", "the HTS id is a placeholder"),
        ({"QB_KIS_REST_URL": "https://x"}, "environment", "KIS paper: kis.rest_url and kis.ws_url go together"),
        (
            {"QB_KIS_REST_URL": "https://openapi.koreainvestment.com:9443", "QB_KIS_WS_URL": "ws://localhost:1"},
            "environment",
            "KIS paper: openapi.koreainvestment.com:9443 is not its address",
        ),
        ({"QB_KIS_REAL_APP_KEY": KEY}, "environment", "KIS paper: its app key is also that of real"),
    ],
)
def test_what_is_missing_or_mixed_fails_its_row(changed: dict[str, str], check: str, seen: str, tmp_path: Path) -> None:
    found = row(tmp_path, {**GOOD, **changed}, check)

    assert (found.status, found.seen) == (Status.FAIL, seen)
    assert found.mend


def test_without_an_hts_id_one_is_warned(tmp_path: Path) -> None:
    assert row(tmp_path, {**GOOD, "QB_KIS_HTS_ID": ""}, "hts-id").status is Status.WARN


def test_an_account_of_another_product_is_warned_of(tmp_path: Path) -> None:
    assert row(tmp_path, {**GOOD, "QB_KIS_ACCOUNT": "12345678-22"}, "account").status is Status.WARN


def test_a_file_with_keys_that_others_may_read_fails_and_nothing_else_is_guessed(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"QB_KIS_APP_KEY={KEY}\n", encoding="utf-8")
    (tmp_path / ".env").chmod(0o644)

    found = rows(tmp_path, {}, *CHECKS, "disk", "token")

    assert found["file-modes"].status is Status.FAIL
    assert found["file-modes"].mend == "chmod 600 .env"
    assert found["settings"].status is Status.FAIL
    assert {found[name].status for name in ("keys", "account", "environment", "token")} == {Status.SKIP}
    assert found["disk"].status is not Status.SKIP


def test_a_kis_file_that_others_may_read_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "kis.yaml").write_text("", encoding="utf-8")
    (tmp_path / "kis.yaml").chmod(0o644)

    found = row(tmp_path, {**GOOD, "QB_KIS_DEVLP": str(tmp_path / "kis.yaml")}, "file-modes")

    assert (found.status, found.mend) == (Status.WARN, f"chmod 600 {tmp_path / 'kis.yaml'}")


def test_an_unknown_key_fails_the_settings(tmp_path: Path) -> None:
    found = row(tmp_path, {**GOOD, "QB_KIS_APPKEY": KEY}, "settings")

    assert (found.status, found.seen) == (Status.FAIL, "environment: unknown key 'QB_KIS_APPKEY'")
    assert "QB_KIS_APP_KEY" in found.mend
