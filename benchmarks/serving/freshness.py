"""Checks that no answer is older than a rating that was confirmed before the request.

Users rate on one server process and ask another; every reply is read. Real clients would be the
bottleneck: they take ten times as long a call.
"""

import select
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from foldin.v1 import recommendation_pb2 as pb
from google.protobuf.message import Message

from benchmarks.serving.generator.requests import SERVICE
from benchmarks.serving.generator.wire import GrpcWire, grpc_request

RATINGS_A_USER: Final = 50
AT_ONCE: Final = 64
PATIENCE_S: Final = 5.0
READ_BYTES: Final = 1 << 16


class Connection:
    """One connection to one server process, one call at a time."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wire = GrpcWire(address)
        self.socket.sendall(self._wire.hello())

    def begin(self, method: str, message: Message) -> None:
        """Sends a request without waiting for its reply."""
        self.socket.sendall(
            self._wire.call(grpc_request(SERVICE + method, message.SerializeToString()))
        )

    def read(self) -> bytes | None:
        """Returns the reply, None until it is complete. ConnectionError for a failed call."""
        data = self.socket.recv(READ_BYTES)
        size, answer = self._wire.received(data)
        if answer:
            self.socket.sendall(answer)
        if size == 0 or not data:
            raise ConnectionError("a call failed")
        return None if size is None else self._wire.message

    def ask(self, method: str, message: Message) -> bytes:
        """Sends a request and returns its reply."""
        self.begin(method, message)
        while (reply := self.read()) is None:
            pass
        return reply


@dataclass(frozen=True, slots=True)
class Pair:
    """A rating on one process, and a Recommend on another."""

    user: str
    item: str
    here: int
    there: int


def stale_answers(addresses: Sequence[str], items: Sequence[str], pairs: int) -> int:
    """Returns how many of the pairs got an answer as if the item were not yet rated."""
    users = iter(range(0, pairs, RATINGS_A_USER))
    stale = 0
    with ExitStack() as stack, select.epoll() as poll:
        everyone: dict[int, Connection] = {}
        steps: dict[int, Iterator[Connection | bool]] = {}
        for _ in range(min(AT_ONCE, pairs)):
            connections = [stack.enter_context(_connection(address)) for address in addresses]
            one = _pairs_of_users(connections, items, users, pairs)
            if isinstance(waited_for := next(one, None), Connection):
                steps[waited_for.socket.fileno()] = one
            for connection in connections:
                everyone[connection.socket.fileno()] = connection
                poll.register(connection.socket.fileno(), select.EPOLLIN)
        while steps:
            ready = poll.poll(PATIENCE_S)
            if not ready:
                raise TimeoutError(f"no answer after {PATIENCE_S:g} s")
            for number, _ in ready:
                if number not in steps:
                    everyone[number].read()  # frames of HTTP/2 between calls
                    continue
                one = steps.pop(number)
                for waited_for in one:
                    if isinstance(waited_for, Connection):
                        steps[waited_for.socket.fileno()] = one
                        break
                    stale += waited_for
    return stale


def _pairs_of_users(
    connections: Sequence[Connection], items: Sequence[str], users: Iterator[int], pairs: int
) -> Iterator[Connection | bool]:
    """Runs the pairs of one user after another.

    Yields the connection that it waits for, or whether an answer was stale.
    """
    for first in users:
        for number in range(first, min(first + RATINGS_A_USER, pairs)):
            here = number % len(connections)
            there = (here + 1 + first % (len(connections) - 1)) % len(connections)
            pair = Pair(f"stale-{first}", items[number % len(items)], here, there)
            yield from _pair(connections, pair)


def _pair(connections: Sequence[Connection], pair: Pair) -> Iterator[Connection | bool]:
    here, there = connections[pair.here], connections[pair.there]
    here.begin("SubmitRating", _rating(pair.user, pair.item))
    yield here
    while (reply := here.read()) is None:
        yield here
    revision = pb.SubmitRatingResponse.FromString(reply).user_revision
    there.begin("Recommend", _question(pair.user))
    yield there
    while (reply := there.read()) is None:
        yield there
    answer = pb.RecommendResponse.FromString(reply)
    shown = any(entry.item_id == pair.item for entry in answer.items)
    yield shown or answer.serving_info.user_revision < revision


def visible_ms(addresses: Sequence[str], items: Sequence[str], pairs: int) -> list[float]:
    """Returns the times from a confirmed rating to an answer of another process with it."""
    taken_ms = []
    with _connection(addresses[0]) as here, _connection(addresses[1]) as there:
        for number in range(pairs):
            user = f"visible-{number // RATINGS_A_USER}"
            there.ask("Recommend", _question(user))  # from here on it may be remembered there
            rated = here.ask("SubmitRating", _rating(user, items[number % len(items)]))
            revision = pb.SubmitRatingResponse.FromString(rated).user_revision
            began = perf_counter()
            while _revision(there.ask("Recommend", _question(user))) < revision:
                if perf_counter() - began > PATIENCE_S:
                    raise TimeoutError(f"a rating is not visible after {PATIENCE_S:g} s")
            taken_ms.append(1e3 * (perf_counter() - began))
    return taken_ms


@contextmanager
def _connection(address: str) -> Iterator[Connection]:
    made = Connection(address)
    try:
        yield made
    finally:
        made.socket.close()


def _rating(user: str, item: str) -> pb.SubmitRatingRequest:
    return pb.SubmitRatingRequest(user_id=user, item_id=item, value=4.0)


def _question(user: str) -> pb.RecommendRequest:
    return pb.RecommendRequest(user_id=user, page_size=10)


def _revision(reply: bytes) -> int:
    return int(pb.RecommendResponse.FromString(reply).serving_info.user_revision)
