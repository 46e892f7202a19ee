"""Overload: calls sent at a fixed rate, at the capacity of a server and at twice its capacity.

Latencies are those of calls that are not refused.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import cycle
from typing import Final

from benchmarks.serving.catalog import forget_folded
from benchmarks.serving.servers import Running
from benchmarks.serving.stage import Stage, wires

CONNECTIONS: Final = 1_024
AT_ONCE: Final = 1e6  # calls a second: each connection calls again as soon as it is answered
LONG: Final = 4  # times the seconds of the others, for calls that take longer
REPLY_BYTES: Final = 1_600  # of a Recommend reply


def measure(stage: Stage, server: Running) -> None:
    """Measures four kinds of calls, from cheap ones to one that takes many milliseconds."""
    calls = stage.calls
    everyone, similar, varied = map(wires, (calls.everyone, calls.similar(), calls.varied()))

    def unfolded() -> Iterable[bytes]:
        forget_folded(stage.url, calls.readers)
        return everyone

    long = replace(stage, seconds=LONG * stage.seconds)
    _twice_full(stage, "Recommend", server, lambda: cycle(everyone))
    _twice_full(stage, "SimilarItems", server, lambda: cycle(similar))
    _twice_full(stage, "History", server, unfolded, warm=False)
    _twice_full(long, "Varied list", server, lambda: cycle(varied))


def refuse(stage: Stage, echo: Running) -> None:
    """Measures a floor that refuses every other call: what a refusal costs the transport."""
    half = wires(stage.calls.half_refused())
    stage.run("echo, half refused", echo, cycle(half), connections=CONNECTIONS, rate=AT_ONCE)


def _twice_full(
    stage: Stage,
    kind: str,
    server: Running,
    calls: Callable[[], Iterable[bytes]],
    *,
    warm: bool = True,
) -> None:
    full = stage.run(f"{kind}, at capacity", server, calls(), warm=warm)
    for times in (1, 2):
        stage.run(
            f"{kind}, {times} x capacity",
            server,
            calls(),
            connections=CONNECTIONS,
            warm=warm,
            rate=times * full.rate,
        )
