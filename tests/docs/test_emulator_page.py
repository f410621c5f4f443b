from qbtrade.adapters.emulator.faults import FAULTS
from tests.architecture.tree import ROOT


def test_every_fault_stands_in_the_page_as_the_program_tells_it() -> None:
    page = (ROOT / "docs" / "emulator.md").read_text(encoding="utf-8")
    assert [name for name, text in FAULTS.items() if f"| `{name}` | {text} |" not in page] == []
    assert page.count("\n| `") == len(FAULTS)
