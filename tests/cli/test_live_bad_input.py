import pytest

from qbtrade.adapters.emulator.plan import EmulatorPlan
from qbtrade.errors import ExitCode
from tests.app.preflight.stand import Lies, lying_kis
from tests.cli.terminal import one_line, qb_process

LIVE = ("live", "--symbol", "005930", "--max", "100000", "--quiet")
BARS = "inquire-time-itemchartprice"


@pytest.mark.parametrize(
    "lies",
    [
        Lies(html=(BARS,)),
        Lies(bodies={BARS: b'{"rt_cd":"0","output2":[{"stck_bsop_date":"20261102"'}),
        Lies(bodies={"inquire-balance": b""}),
    ],
    ids=["html", "cut off", "empty"],
)
def test_an_answer_that_says_nothing_ends_the_session_with_one_line_that_names_it(lies: Lies) -> None:
    with lying_kis(lies) as variables:
        ended = qb_process(*LIVE, **{**variables, "QB_KIS_TRIES": "2"})

    assert ended.returncode == ExitCode.BROKER, ended.stderr
    assert "KIS does not answer inquire-" in one_line(ended.stderr)
    assert "no JSON in" in ended.stderr


def test_a_wrong_symbol_on_paper_is_no_go_for_that_reason_alone() -> None:
    with lying_kis(Lies(), EmulatorPlan(side="paper")) as variables:
        del variables["QB_KIS_SPEAKS"]
        said = {**variables, "QB_KIS_ENV": "paper"}
        ended = qb_process("live", "--symbol", "123450", "--market", "KOSPI", "--kind", "STOCK", "--quiet", **said)

    assert ended.returncode == ExitCode.PREFLIGHT
    assert "preflight says no-go: symbol, stream." in one_line(ended.stderr)
