"""One catalog on one store, and measurements of servers on it, each a row of the results.

A run with a failed call, or with an answer that is not complete, is an error and no measurement.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc
import numpy as np

from benchmarks.serving import servers
from benchmarks.serving.catalog import Served, folded_count
from benchmarks.serving.generator.load import Load, load
from benchmarks.serving.generator.requests import REPLIES, SERVICE, Call, Calls, sample
from benchmarks.serving.generator.wire import GrpcWire, HttpWire, http_request

SAMPLED: Final = 32
MANY: Final = 64
WARM_SHARE: Final = 0.15
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Stage:
    """A filled store and the calls to make; `seconds` is the length of a run."""

    served: Served
    calls: Calls
    url: str
    data_dir: Path
    seconds: float
    rows: list[Row] = field(default_factory=list)

    def run(
        self,
        scenario: str,
        server: servers.Running,
        calls: Iterable[bytes],
        *,
        connections: int = MANY,
        processes: int = 1,
        http: bool = False,
        warm: bool = True,
        reply_bytes: int | None = None,
        rate: float = math.inf,
    ) -> Load:
        """Loads the server, adds a row of results and returns the load.

        With a `rate` calls may be refused, else all must be answered. Raises RuntimeError where a
        call failed, or replies are not about `reply_bytes` long.
        """
        store = self.data_dir / "store" / "valkey.pid"
        before = server.cpu_seconds(), servers.cpu_seconds_of(store)
        done = load(
            server.address,
            HttpWire if http else lambda: GrpcWire(server.address),
            iter(calls),
            connections=connections,
            seconds=self.seconds,
            warm_seconds=WARM_SHARE * self.seconds if warm else 0.0,
            rate=rate,
        )
        after = server.cpu_seconds(), servers.cpu_seconds_of(store)
        if done.failed and rate == math.inf:
            raise RuntimeError(f"{done.failed} of {done.calls} calls failed: {scenario}, {server}")
        if reply_bytes is not None and abs(done.reply_bytes - reply_bytes) > reply_bytes / 4:
            raise RuntimeError(f"{done.reply_bytes:.0f} bytes a reply, not {reply_bytes}: {server}")
        self.rows.append(
            {
                "catalog": self.served.name,
                "scenario": scenario,
                "server": server.name,
                "processes": processes,
                "connections": connections,
                "requests_per_second": round(done.rate),
                "refused_per_second": round(done.failed / done.seconds),
                "p50_ms": done.p50_ms,
                "p99_ms": done.p99_ms,
                "p999_ms": done.p999_ms,
                "cpu_us": round(1e6 * (after[0] - before[0]) / done.total),
                "store_cpu_us": round(1e6 * (after[1] - before[1]) / done.total),
                "reply_bytes": round(done.reply_bytes),
            }
        )
        print(_line(self.rows[-1]), flush=True)
        return done

    def record_times(
        self, scenario: str, processes: Sequence[servers.Running], taken_ms: Sequence[float]
    ) -> float:
        """Adds a row of results for some times and returns their 99th percentile."""
        p50, p99, p999 = np.percentile(taken_ms, (50, 99, 99.9)).round(3).tolist()
        figures: Row = {"p50_ms": p50, "p99_ms": p99, "p999_ms": p999, "count": len(taken_ms)}
        self.rows.append(
            {
                "catalog": self.served.name,
                "scenario": scenario,
                "server": processes[0].name,
                "processes": len(processes),
                **figures,
            }
        )
        print(f"{scenario}, {processes[0].name}: {figures}", flush=True)
        return float(p99)

    def warm(self, server: servers.Running) -> None:
        """Makes the server store a folded state for every reader. RuntimeError if it does not."""
        for _ in range(5):
            everyone = (call.wire for call in self.calls.everyone)
            wire = lambda: GrpcWire(server.address)  # noqa: E731
            load(server.address, wire, everyone, connections=MANY, seconds=600)
            if folded_count(self.url, self.calls.readers) == len(self.calls.readers):
                return
        raise RuntimeError("the server does not keep folded states")

    def checked_bytes(self, server: servers.Running, calls: Sequence[Call]) -> int:
        """Returns the mean size of a reply; a real client checks that each is complete."""
        sizes = []
        with grpc.insecure_channel(server.address) as channel:
            for call in sample(calls, SAMPLED):
                ask: Any = channel.unary_unary(SERVICE + call.method)
                answer: bytes = ask(call.message, timeout=10)  # raises on any status but OK
                reply = REPLIES[call.method].FromString(answer)
                if call.method != "SubmitRating" and len(reply.items) != 10:
                    raise RuntimeError(f"{call.method} answered {len(reply.items)} items of 10")
                if reply.serving_info.degraded:
                    raise RuntimeError(f"{call.method} answered without the store")
                sizes.append(len(answer))
        return round(sum(sizes) / len(sizes))


def wires(calls: Iterable[Call]) -> list[bytes]:
    """Returns the calls as bytes of gRPC."""
    return [call.wire for call in calls]


def json_wires(stage: Stage) -> list[bytes]:
    """Returns the call of every reader as bytes for FastAPI."""
    return [
        http_request("/recommend", f'{{"user_id": "{user}", "page_size": 10}}'.encode())
        for user in stage.calls.readers
    ]


HEAD: Final = (
    f"{'catalog':10} {'scenario':24} {'server':26} {'proc':>4} {'conn':>4} {'calls/s':>8} "
    f"{'p50 ms':>8} {'p99 ms':>8} {'p99.9':>8} {'cpu µs':>7} {'store':>6} {'bytes':>6}"
)


def _line(row: Row) -> str:
    return (
        f"{row['catalog']:10} {row['scenario']:24} {row['server']:26} {row['processes']:>4} "
        f"{row['connections']:>4} {row['requests_per_second']:>8} {row['p50_ms']:>8} "
        f"{row['p99_ms']:>8} {row['p999_ms']:>8} {row['cpu_us']:>7} {row['store_cpu_us']:>6} "
        f"{row['reply_bytes']:>6}"
    )
