from io import StringIO

import pytest
from msgspec.structs import replace
from rich.console import Console

from qbtrade.app.status import AlertStatus, LimitUse, Status, SymbolStatus, WireStatus
from qbtrade.cli import panel
from qbtrade.cli.pages import cells
from tests.builders import SAMSUNG, SECOND, at

ALERT = AlertStatus(
    at("09:31:12"),
    "CRITICAL",
    "the day's loss of 1 won reached the limit of 1: trading is halted",
    "look at the KIS app",
)


def a_symbol(symbol: str = SAMSUNG, *, qty: int = 1, halted: str = "") -> SymbolStatus:
    return SymbolStatus(
        symbol, 75_400, 400, 5_330_000, 12_345, 4 * SECOND // 10, qty, 75_100 * qty, 300 * qty, "ACTIVE", halted
    )


def a_status(*symbols: SymbolStatus) -> Status:
    return Status(
        ts=at("09:31:30"), phase="CONTINUOUS", mode="simulation", symbols=symbols or (a_symbol(),), trades=12_345,
        trades_per_second=12.31, bars=31, quarantined=1, late=0, signals=4, orders=5, working=0, fills=4, denied=1,
        rejected=0, canceled=0, cash=109_924_900, equity=110_000_123, realized=1_201_200, unrealized=300,
        commission=12_345, tax=3_412, risk_state="ACTIVE", risk_reason="",
        limits=(LimitUse("budget", 75_100, 100_000, "KRW"), LimitUse("daily-loss", -5, 50_000, "KRW")),
        events=1_234_567, events_per_second=412_345.6, latency=420.0, memory=84 * 10**6,
        alerts=(ALERT,),
    )  # fmt: skip


def drawn(status: Status, width: int) -> list[str]:
    console = Console(file=StringIO(), width=width, force_terminal=False)
    with console.capture() as capture:
        console.print(panel.panel(status))
    return capture.get().splitlines()


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("width", [80, 100])
def test_the_panel_fits_the_terminal_and_hides_no_figure(
    width: int, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QB_LANG", language)
    lines = drawn(a_status(a_symbol(), a_symbol("000660", qty=0, halted="circuit-breaker")), width)
    assert max(map(cells, lines)) <= width
    text = "\n".join(lines)
    assert "…" not in text
    for figure in (
        "2026-11-20 09:31:30 KST", "005930", "75,400", "▲ 400", "+0.53%", "0.4s", "75,100", "+300", "12,345", "12.3",
        "110,000,123", "109,924,900", "+1,201,200", "15,757", "+1,185,443", "1,234,567", "412K", "0.42 µs", "84 MB",
        "75%", "75,100 / 100,000", "000660",
    ):  # fmt: skip
        assert figure in text


def test_labels_and_values_stand_in_columns() -> None:
    lines = drawn(a_status(), 80)
    rows = [line for line in lines if any(label in line for label in ("Trades", "Equity", "Denied"))]
    ends = {line.index(value) + len(value) for line, value in zip(rows, ("12,345", " 1", "110,000,123"), strict=True)}
    assert len(ends) == 1


def test_a_loss_that_is_a_gain_uses_nothing_of_its_limit() -> None:
    (line,) = [line for line in drawn(a_status(), 80) if "loss of the day" in line]
    assert "▁" * panel.GAUGE in line
    assert "0 / 50,000 won" in line


def test_many_symbols_are_counted_and_held_ones_stay_in_sight() -> None:
    symbols = [a_symbol(f"00000{number}", qty=0) for number in range(9)]
    text = "\n".join(drawn(a_status(*symbols, a_symbol("999999")), 80))
    assert "999999" in text
    assert "000008" not in text
    assert "and 2 more" in text


def test_an_alert_says_when_it_was_and_what_to_do_above_the_figures() -> None:
    lines = [line.strip() for line in drawn(a_status(), 100)]
    when = lines.index(f"09:31:12  {ALERT.text}")
    assert lines[when + 1] == "-> look at the KIS app"
    assert when < next(number for number, line in enumerate(lines) if line.startswith("Market"))


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("width", [80, 100, 140])
def test_the_account_and_how_it_is_joined_are_told_in_full(
    width: int, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QB_LANG", language)
    wire = WireStatus("emulator", "******01-01", "connecting", at("15:30"), 17, 18, 600 * SECOND, 1, 22_500_000, -1)
    text = "\n".join(drawn(replace(a_status(), mode="emulator", wire=wire), width))
    assert "…" not in text
    for figure in ("******01-01", "17 / 18", "22.5 ms", "10m 00s"):
        assert figure in text


def test_a_dry_run_says_whose_data_it_trades_on() -> None:
    wire = WireStatus("real", "******01-01", "open", 0, 0, 18, 0, -1, -1, -1)
    assert drawn(replace(a_status(), mode="dry-run", wire=wire), 80)[1].strip().startswith("Dry run (Real)  2026")


def test_a_session_that_has_ended_is_not_called_halted() -> None:
    status = replace(a_status(), risk_state="HALTED", risk_reason="session-stopped")
    assert drawn(status, 80)[1].rstrip().endswith(" ended")
    assert "| ended (" in panel.line(status)


def test_a_halt_says_its_reason() -> None:
    status = replace(a_status(), risk_state="HALTED", risk_reason="daily-loss")
    assert drawn(status, 80)[1].rstrip().endswith("halted: loss of the day")


def test_the_line_says_the_same_in_one_line_without_control_codes() -> None:
    line = panel.line(a_status())
    assert line == (
        "2026-11-20 09:31:30 | 005930 75,400 (+0.53%), 1 held +300 | signals 4, orders 5, fills 4, denied 1, rejected 0"
        " | equity 110,000,123, profit +1,185,743 | active (money at work 75%, loss of the day 0%)"
        " | 412K/s, 0.42 µs, 84 MB"
    )
