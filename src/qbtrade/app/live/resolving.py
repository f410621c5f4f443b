"""Answers of people to orders whose own answer was lost: kept as files, heeded by the session or by the next one."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from qbtrade.adapters.kis.answer import Answer
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.parse.orders import OrderRow
from qbtrade.adapters.kis.sent import Sent, Trace, traces_of_rows
from qbtrade.app.account_files import account_name, write_private
from qbtrade.app.live.carried import Carried
from qbtrade.domain.events import Leftover, OrderResolved

if TYPE_CHECKING:
    from qbtrade.app.live.session import LiveSession

REFUSED = "answer-refused"


def answers_dir(home: Path, environment: Environment) -> Path:
    """Where the answers for an account lie, one file for each order."""
    return home / "orders" / account_name(environment)


def give(home: Path, environment: Environment, answer: Answer) -> Path:
    """Keep an answer. Raises: FileError."""
    path = _path(home, environment, answer)
    write_private(path, answer)
    return path


def take_back(home: Path, environment: Environment, answer: Answer) -> None:
    """Forget an answer that was not taken, so that no later session honours it. Raises: OSError."""
    _path(home, environment, answer).unlink(missing_ok=True)


def _path(home: Path, environment: Environment, answer: Answer) -> Path:
    return answers_dir(home, environment) / f"{answer.run_id}-{answer.order_id}.json"


def answers(home: Path, environment: Environment) -> tuple[Answer, ...]:
    """Every answer that can be read, oldest first; one that cannot says nothing, so its order stays unknown."""
    found = filter(None, map(_read, answers_dir(home, environment).glob("*.json")))
    return tuple(sorted(found, key=lambda answer: answer.given))


def _read(path: Path) -> Answer | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Answer)
    except (OSError, msgspec.DecodeError):
        return None


def heed_answers(session: "LiveSession") -> None:
    """Take over what people have said since the last time."""
    for answer in session.board.answers():
        refusal = session.kis.resolve(answer) if session.kis else "a dry run has no orders at KIS"
        if refusal:
            session.board.refuse(answer)
            text = f"the answer about order {answer.order_id} is not taken: {refusal}"
            session.say(REFUSED, text, "see `qb orders`")


def honour(found: Carried, given: Iterable[Answer], rows: Iterable[OrderRow]) -> tuple[Answer, ...]:
    """Put into what was left what people have said of it since, and say which answers those are.

    rows: of today. One that looks like an order of which a person said that it does not exist speaks against that.
    """
    said = {answer.order_id: answer for answer in given if answer.run_id == found.run_id}
    traces, left, used = traces_of_rows(rows), list[Leftover](), list[Answer]()
    for each in found.leftovers:
        answer = None if each.number else said.get(each.order_id)
        if answer is None or (not answer.number and _contradicted(each, answer, traces, found.numbers)):
            left.append(each)
            continue
        used.append(answer)
        if answer.number:
            left.append(replace(each, number=answer.number))
    found.leftovers = left
    return tuple(used)


def _contradicted(left: Leftover, answer: Answer, traces: Iterable[Trace], known: Collection[str]) -> bool:
    sent, others = Sent(left.order, left.sent_at), {*known, *answer.aside}
    return any(trace.looks_like(sent) and trace.number not in others for trace in traces)


def tell_answers(session: "LiveSession") -> None:
    """Write down the answers with which this session begins, each with its evidence."""
    for answer in session.live.answers:
        order_id = f"{answer.run_id}/{answer.order_id}"
        event = OrderResolved(session.wire.clock.now(), order_id, answer.number, answer.reason, answer.evidence)
        session.wire.bus.publish(event)
