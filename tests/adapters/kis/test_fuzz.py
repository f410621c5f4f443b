import pytest

from qbtrade.adapters.kis import frames
from tests.adapters.kis.fuzz import Broken, Fuzzer


def test_malformed_input_of_every_kind_is_read_or_refused() -> None:
    fuzzer = Fuzzer(seed=7)
    fuzzer.run(4_000)
    assert fuzzer.seen.total() == 4_000
    assert min(fuzzer.seen[kind] for kind in ("noise, damaged", "notice sealed, damaged", "body HTML", "body cut")) > 50
    assert min(fuzzer.accepted[kind] for kind in ("frame", "notice sealed", "body with a wrong value")) > 50


def test_a_reader_that_fails_otherwise_is_caught_with_its_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "_COUNTS", {f"{count:03d}": 0 for count in range(1000)})
    with pytest.raises(Broken, match=r"ZeroDivisionError: .* for b"):
        Fuzzer(seed=7).run(4_000)
