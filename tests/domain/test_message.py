import pytest

from qbtrade.domain.message import EventType
from qbtrade.errors import UnknownNameError


@pytest.mark.parametrize("event_type", EventType)
def test_a_type_is_found_however_it_is_written(event_type: EventType) -> None:
    for text in (event_type.value, event_type.value.lower(), event_type.value.replace("_", "-"), f" {event_type} "):
        assert EventType.parse(text) is event_type


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("ORDER_FILED", "Did you mean 'ORDER_FILLED'"),
        ("trades", "Did you mean 'TRADE'"),
        ("xyzzy", "Known: ALERT"),
        ("", "Known:"),
    ],
)
def test_an_unknown_type_is_refused_with_the_nearest_one(text: str, hint: str) -> None:
    with pytest.raises(UnknownNameError, match=hint) as caught:
        EventType.parse(text)
    assert repr(text) in str(caught.value)


def test_a_types_name_is_its_value() -> None:
    assert all(event_type.name == event_type.value for event_type in EventType)
