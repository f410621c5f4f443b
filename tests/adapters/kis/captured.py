"""Answers of KIS: those that the project made itself, and those that were recorded where they are at hand."""

from pathlib import Path

from qbtrade.adapters.kis.http import HttpReply
from qbtrade.adapters.kis.parse.envelope import Page, read
from tests.shared_data import shared

CAPTURES = Path(__file__).parent / "captures"


def own(name: str) -> list[Page]:
    """An answer from the captures of the project."""
    return [read(name, HttpReply(200, {}, (CAPTURES / f"{name}.json").read_bytes()))]


def recorded(name: str) -> list[Page]:
    """An answer that somebody recorded; skips where the recordings are absent."""
    return [read(name, HttpReply(200, {}, shared(f"kis_samples/rest/{name}.json").read_bytes()))]
