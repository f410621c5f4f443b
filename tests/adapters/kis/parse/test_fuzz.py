"""Whatever the bytes: a parser returns or raises WireError, nothing else."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qbtrade.adapters.kis.http import HttpReply
from qbtrade.adapters.kis.parse import orders
from qbtrade.adapters.kis.parse.envelope import Page, read
from qbtrade.errors import WireError
from tests.adapters.kis.captured import CAPTURES
from tests.adapters.kis.parsers import PARSERS

EXAMPLES: Final = 60
"""Per parser and kind of damage."""
NASTY: Final = (
    "", " ", "0", "-1", "+5", "1.5", "00000000", "20261131", "99999999", "240000", "250000", "1_000", "1e9", "NaN", "٣",
    "9" * 30, "Y", "01", "03", "\x00", "\u202e", "2026-13-01 00:00:00", "0001-01-01 00:00:00",
    "9999-12-31T23:59:59+14:00",
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(NASTY),
    st.text(max_size=12),
    st.integers(-(10**20), 10**20),
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)
BODIES: Final = [json.loads(path.read_text()) for path in sorted(CAPTURES.glob("*.json"))]


def returns_or_raises_wire_error(parse: Callable[[Sequence[Page]], object], content: bytes, *, bare: bool) -> None:
    try:
        page = read(
            "a call", HttpReply(200, {"tr_cont": "M"}, content), ("CTX_AREA_FK100", "CTX_AREA_NK100"), bare=bare
        )
        parse([page, page])
    except WireError:
        pass
    try:
        page = read("a call", HttpReply(200, {}, content), bare=bare)
        parse([page])
    except WireError:
        pass


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=EXAMPLES)
@given(content=st.binary(max_size=200), bare=st.booleans())
def test_any_bytes(name: str, content: bytes, bare: bool) -> None:  # noqa: FBT001 (hypothesis)
    returns_or_raises_wire_error(PARSERS[name], content, bare=bare)


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=EXAMPLES)
@given(body=st.recursive(VALUES, lambda inner: st.dictionaries(st.sampled_from(("output", "output1", "output2", "rt_cd", "msg1")), inner)))  # fmt: skip  # noqa: E501
def test_any_json(name: str, body: object) -> None:
    returns_or_raises_wire_error(PARSERS[name], json.dumps(body).encode(), bare=True)


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_any_damage_to_a_real_answer(name: str, data: st.DataObject) -> None:
    body = json.loads(json.dumps(data.draw(st.sampled_from(BODIES))))
    for _ in range(data.draw(st.integers(1, 4))):
        damage(body, data)
    content = json.dumps(body).encode()
    cut = data.draw(st.integers(0, len(content)))
    returns_or_raises_wire_error(PARSERS[name], content if data.draw(st.booleans()) else content[:cut], bare=False)


def damage(part: Any, data: st.DataObject) -> None:
    """Put something else into one place, or take it away."""
    if not isinstance(part, dict | list) or not part:
        return
    place = data.draw(st.sampled_from(list(part) if isinstance(part, dict) else list(range(len(part)))))
    deeper = isinstance(part[place], dict | list) and data.draw(st.booleans())
    if deeper:
        damage(part[place], data)
    elif data.draw(st.booleans()):
        part[place] = data.draw(VALUES)
    else:
        del part[place]


def test_deep_nesting_is_refused() -> None:
    returns_or_raises_wire_error(orders.order_ack, b'{"a":' * 100_000, bare=False)
    returns_or_raises_wire_error(orders.order_ack, b"[" * 100_000 + b"]" * 100_000, bare=False)


@pytest.mark.parametrize("name", PARSERS)
def test_a_message_of_an_error_never_quotes_the_answer(name: str) -> None:
    account_number = "87654321"
    body = {
        "rt_cd": "0",
        "output": [{"odno": account_number}] * 2,
        "output1": account_number,
        "output2": account_number,
    }
    with pytest.raises(WireError) as caught:
        PARSERS[name]([read("a call", HttpReply(200, {}, json.dumps(body).encode()))])
    assert account_number not in str(caught.value)
