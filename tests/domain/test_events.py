from enum import Enum
from functools import reduce
from operator import or_
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.domain.events import type_of
from qbtrade.domain.message import Event, EventType

PLAIN: dict[object, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**63), 2**63 - 1),
    str: st.text(),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    NoneType: st.none(),
}


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """Anything that a field with this annotation may hold."""
    if annotation in PLAIN:
        return PLAIN[annotation]
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is UnionType:
        return st.one_of(*map(values, args))
    if origin is dict:
        return st.dictionaries(values(args[0]), values(args[1]), max_size=3)
    if origin is tuple:
        return st.lists(values(args[0]), max_size=3).map(tuple)
    if issubclass(annotation, Enum):
        return st.sampled_from(annotation)
    hints = get_type_hints(annotation)
    return st.builds(annotation, **{name: values(hints[name]) for name in annotation.__struct_fields__})


EVENTS = st.sampled_from(sorted(type_of.items())).flatmap(lambda item: values(item[1]))


def test_every_event_type_has_its_event() -> None:
    assert {str(name) for name in type_of} == {event_type.value for event_type in EventType}
    ours = {cls for cls in Event.__subclasses__() if cls.__module__.startswith("qbtrade.domain.")}
    assert set(type_of.values()) == ours


@pytest.mark.parametrize("event_type", EventType)
@given(data=st.data())
def test_every_event_survives_encoding_and_decoding(event_type: EventType, data: st.DataObject) -> None:
    event = data.draw(values(type_of[event_type.value]))
    text = msgspec.json.encode(event)
    plain = msgspec.json.decode(text)
    assert plain["type"] == event_type.value
    assert msgspec.convert(plain, type_of[plain["type"]]) == event
    assert msgspec.json.decode(text, type=type_of[event_type.value]) == event
    assert msgspec.json.encode(msgspec.convert(plain, type_of[plain["type"]])) == text


@given(EVENTS)
def test_an_event_is_told_by_its_tag_alone(event: Event) -> None:
    anything = reduce(or_, type_of.values())
    assert msgspec.json.decode(msgspec.json.encode(event), type=anything) == event


@given(EVENTS)
def test_an_event_cannot_be_changed(event: Event) -> None:
    with pytest.raises(AttributeError):
        event.ts = 0  # type: ignore[misc]
