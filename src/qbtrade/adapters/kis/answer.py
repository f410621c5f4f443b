"""What a person says of an order whose answer was lost."""

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """It is the order of this number at the broker, or with number "" it does not exist.

    run_id, order_id: whose order. branch: goes with the number. aside: numbers that look like it and are known to be
    of others. reason: the person's words; evidence: what the broker showed. given: machine time, UTC ns.
    """

    run_id: str
    order_id: str
    number: str
    branch: str
    aside: tuple[str, ...]
    reason: str
    evidence: str
    given: int
