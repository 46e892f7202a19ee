"""A load generator: some connections, one call at a time on each, every call timed.

Without a rate a connection begins its next call when the last one is answered. With a rate calls
begin when they are due, whether or not earlier ones are answered, as long as a connection is free.
One thread on epoll takes about 10 µs a call. `h2load` would be the natural choice, but it sends one
body for all calls (-d takes one file), and here every call is for another user; k6 costs 160 to
210 µs a call on two cores that the server needs. The same generator loads floors, peers and foldin.
"""

import gc
import math
import os
import select
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import numpy as np

from benchmarks.serving.generator.wire import Wire

READ_BYTES: Final = 1 << 16
PATIENCE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Load:
    """The outcome of a load: latencies in milliseconds, mean bytes of a reply.

    `calls` are those that count; `total` includes those of the warm-up and the end.
    """

    calls: int
    total: int
    failed: int
    seconds: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    reply_bytes: float

    @property
    def rate(self) -> float:
        """Calls a second that succeeded."""
        return (self.calls - self.failed) / self.seconds


@dataclass(slots=True)
class _Caller:
    connection: socket.socket
    wire: Wire
    began: float = 0.0


def load(
    address: str,
    wire: Callable[[], Wire],
    requests: Iterator[bytes],
    *,
    connections: int,
    seconds: float,
    warm_seconds: float = 0.0,
    rate: float = math.inf,
) -> Load:
    """Sends `requests` to `address` for at most `seconds`, or until they are used up.

    At most `rate` calls begin a second. Times and sizes are those of calls that succeeded.
    Calls answered in the first `warm_seconds` are not counted. Raises ConnectionError where the
    server hangs up, TimeoutError where it no longer answers.
    """
    callers = _connected(address, wire, connections)
    poll = select.epoll()
    for number, caller in callers.items():
        poll.register(number, select.EPOLLIN)
        caller.connection.setblocking(False)  # noqa: FBT003 (not ours)
    gc.disable()
    try:
        return _run(callers, poll, requests, (warm_seconds, seconds), rate)
    finally:
        gc.enable()
        poll.close()
        for caller in callers.values():
            caller.connection.close()


def _connected(address: str, wire: Callable[[], Wire], connections: int) -> dict[int, _Caller]:
    host, _, port = address.rpartition(":")
    callers = {}
    for _ in range(connections):
        connection = socket.create_connection((host, int(port)), PATIENCE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        callers[connection.fileno()] = _Caller(connection, wire())
        connection.sendall(callers[connection.fileno()].wire.hello())
    return callers


def _run(
    callers: dict[int, _Caller],
    poll: select.epoll,
    requests: Iterator[bytes],
    phases: tuple[float, float],
    rate: float,
) -> Load:
    times: list[float] = []
    sizes = failed = total = waiting = 0
    began = perf_counter()
    counted_from = began + phases[0]
    end = counted_from + phases[1]
    last = now = counted_from
    free = deque(callers.items())
    begun, going = 0, True
    while True:
        while going and free and began + begun / rate <= perf_counter():
            number, caller = free.popleft()
            going = _call(number, caller, requests)
            waiting += going
            begun += 1
        if not (going or waiting):
            break
        due_s = began + begun / rate - perf_counter() if going and free else PATIENCE_S
        ready = poll.poll(min(max(due_s, 0.0), PATIENCE_S))
        if not ready and due_s >= PATIENCE_S:
            raise TimeoutError(f"{waiting} calls have no answer after {PATIENCE_S:g} s")
        for number, _ in ready:
            caller = callers[number]
            size = _answered(number, caller)
            if size is None:
                continue
            now = perf_counter()
            total += 1
            waiting -= 1
            if counted_from <= now < end:
                failed += size == 0
                if size:
                    times.append(now - caller.began)
                    sizes += size
                last = now
            going = going and now < end
            if going and rate == math.inf:
                going = _call(number, caller, requests)
                waiting += going
            else:
                free.append((number, caller))
    return _summary(times, total, failed, last - counted_from, sizes)


def _call(number: int, caller: _Caller, requests: Iterator[bytes]) -> bool:
    """Begins the next call; returns whether there was one."""
    request = next(requests, None)
    if request is None:
        return False
    caller.began = perf_counter()
    os.write(number, caller.wire.call(request))
    return True


def _answered(number: int, caller: _Caller) -> int | None:
    """Returns the size of the reply, None until it is complete."""
    data = os.read(number, READ_BYTES)
    if not data:
        raise ConnectionError("the server closed a connection")
    size, answer = caller.wire.received(data)
    if answer:
        os.write(number, answer)
    return size


def _summary(times: Sequence[float], total: int, failed: int, seconds: float, sizes: int) -> Load:
    if not times and not failed:
        raise TimeoutError("no call was answered in the time that counts")
    answered = times or [math.nan]
    p50, p99, p999 = (1e3 * np.percentile(answered, (50, 99, 99.9))).round(3).tolist()
    return Load(len(times) + failed, total, failed, seconds, p50, p99, p999, sizes / len(answered))
