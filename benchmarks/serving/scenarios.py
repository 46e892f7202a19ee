"""The measurements: which server gets which load, and what is compared with what.

A bar is left out if the server or the machine lacks what it needs; `why_missing` gives the reason.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path
from typing import Final

import numpy as np
from redis import Redis

from benchmarks.serving import freshness, overload, servers
from benchmarks.serving.bars import Samples
from benchmarks.serving.catalog import forget_folded
from benchmarks.serving.missing_bars import REUSE
from benchmarks.serving.servers import Running
from benchmarks.serving.stage import MANY, Stage, json_wires, wires

ONCE: Final = ("submit", "processes", "overload", "matrix", "fresh")  # on one catalog only
CONNECTIONS: Final = (1, 8, MANY)


@dataclass(frozen=True, slots=True)
class Plan:
    """The measurements with one stage; `options` are those that `foldin serve` has."""

    stage: Stage
    samples: Samples
    options: frozenset[str]
    rounds: int

    @property
    def transports(self) -> tuple[str, ...]:
        return ("grpcio", "native") if "--transport" in self.options else ("grpcio",)

    def recommend_bars(self) -> None:
        """Measures Recommend against floors and peers, each turn right after one of the floor."""
        calls = self.stage.calls
        zipf, everyone = wires(calls.zipf()), wires(calls.everyone)
        with ExitStack() as stack:
            ours = {
                transport: stack.enter_context(self._foldin(transport, reuse=False))
                for transport in self.transports
            }
            quick = ours[self.transports[-1]]
            self.stage.warm(quick)
            reply_bytes = self.stage.checked_bytes(ours["grpcio"], calls.everyone)
            echo = stack.enter_context(servers.echo("grpcio", reply_bytes))
            native_echo = stack.enter_context(servers.echo("native", reply_bytes))
            ordinary = stack.enter_context(self._foldin("grpcio"))
            reused = self._optional(stack, REUSE)
            bounded = self._optional(stack, "--freshness", "bounded")
            peers = self._peers(stack)
            floor = partial(self.stage.run, "echo", echo, cycle(zipf))
            run = partial(self.stage.run, reply_bytes=reply_bytes)
            for _ in range(self.rounds):
                self.stage.run("echo", native_echo, cycle(zipf))
                run("Recommend, nothing kept", ours["grpcio"], cycle(zipf))
                least, done = floor(), run("Recommend, Zipf", ordinary, cycle(zipf))
                self._add("serve.grpcio", done.rate / least.rate)
                if "native" in ours:
                    least, done = floor(), run("Recommend, folded", quick, cycle(everyone))
                    self._add("serve.native.folded", done.rate / least.rate)
                    self._add("serve.native.p99", done.p99_ms / least.p99_ms)
                    self._against_peers(done.rate, peers, everyone)
                if reused is not None:
                    least, done = floor(), run("Recommend, reused", reused, cycle(zipf))
                    self._add("serve.native.reuse", done.rate / least.rate)
                if bounded is not None:
                    least, done = floor(), run("Recommend, bounded", bounded, cycle(zipf))
                    self._add("serve.native.bounded", done.rate / least.rate)
                forget_folded(self.stage.url, calls.readers)
                run("Recommend, history", ours["grpcio"], everyone, warm=False)
                if "native" in ours:
                    forget_folded(self.stage.url, calls.readers)
                    least, done = floor(), run("Recommend, history", quick, everyone, warm=False)
                    self._add("serve.native.history", done.rate / least.rate)
                self.stage.warm(quick)

    def submit_bars(self) -> None:
        """Measures SubmitRating against the floor, by when the store's log is synced to disk."""
        submits = wires(self.stage.calls.submits())
        with ExitStack() as stack:
            ours = {
                transport: stack.enter_context(self._foldin(transport))
                for transport in self.transports
            }
            size = self.stage.checked_bytes(ours["grpcio"], self.stage.calls.submits(100))
            echo = stack.enter_context(servers.echo("grpcio", size))
            for _ in range(self.rounds):
                for durability in ("everysec", "always"):
                    scenario = f"SubmitRating, {durability}"
                    with self._synced(durability):
                        self.stage.run(scenario, ours["grpcio"], cycle(submits))
                    if "native" in ours:
                        least = self.stage.run("echo of SubmitRating", echo, cycle(submits))
                        with self._synced(durability):
                            done = self.stage.run(scenario, ours["native"], cycle(submits))
                        self._add(f"serve.submit.{durability}", done.rate / least.rate)

    def processes_bar(self) -> None:
        """Measures two processes against one, neither of which remembers users."""
        if "--workers" not in self.options:
            return
        zipf = wires(self.stage.calls.zipf())
        with (
            self._foldin("grpcio", reuse=False) as one,
            self._foldin("grpcio", reuse=False, workers=2) as two,
        ):
            self.stage.warm(one)
            size = self.stage.checked_bytes(one, self.stage.calls.everyone)
            floor, floors = (servers.echo("grpcio", size, processes=count) for count in (1, 2))
            with floor as echo, floors as echoes:
                for _ in range(self.rounds):
                    self.stage.run("echo", echo, cycle(zipf))
                    self.stage.run("echo", echoes, cycle(zipf), processes=2)
                    single = self.stage.run("Recommend, Zipf", one, cycle(zipf))
                    double = self.stage.run("Recommend, Zipf", two, cycle(zipf), processes=2)
                    self._add("serve.processes", double.rate / single.rate)

    def overload_rows(self) -> None:
        """Measures overload: the latency of callers who do not wait, and the cost of a refusal.

        A server may have as many calls in flight as there were connections at its capacity.
        """
        for transport in self.transports:
            with self._foldin(transport, "--max-in-flight", str(MANY), reuse=False) as server:
                self.stage.warm(server)
                overload.measure(self.stage, server)
            with servers.echo(transport, overload.REPLY_BYTES) as echo:
                overload.refuse(self.stage, echo)

    def matrix(self, seconds: float) -> None:
        """Measures every kind of call on every transport, by connections and processes."""
        calls = self.stage.calls
        stage = replace(self.stage, seconds=seconds)
        kinds = {
            "Recommend, Zipf": calls.zipf(),
            "SimilarItems": calls.similar(),
            "SubmitRating": calls.submits(),
            "mix 90/9/1": calls.mixed(),
        }
        for processes in (1, 2) if "--workers" in self.options else (1,):
            for transport in self.transports:
                with self._foldin(transport, workers=processes) as server:
                    stage.warm(server)
                    for scenario, drawn in kinds.items():
                        size = stage.checked_bytes(server, drawn)
                        _by_connections(stage, scenario, server, (wires(drawn), size), processes)
                    size = stage.checked_bytes(server, calls.everyone)
                with servers.echo(transport, size, processes=processes) as echo:
                    zipf = wires(calls.zipf())
                    _by_connections(stage, "echo", echo, (zipf, size), processes)

    def freshness_bars(self, pairs: int, polls: int) -> None:
        """Ratings on one process, answers of another."""
        items = [str(item) for item in self.stage.served.model.catalog.item_ids]
        with ExitStack() as stack:
            four = [stack.enter_context(self._foldin(self.transports[-1])) for _ in range(4)]
            stale = freshness.stale_answers([one.address for one in four], items, pairs)
            self.stage.rows.append(
                {"scenario": "stale answers", "processes": 4, "pairs": pairs, "stale": stale}
            )
            print(f"{stale} stale answers in {pairs} pairs over {len(four)} processes")
            self._add("serve.stale", stale)
        with ExitStack() as stack:
            if "--freshness" in self.options:
                options = ("--freshness", "bounded")
                two = [
                    stack.enter_context(self._foldin(self.transports[-1], *options))
                    for _ in range(2)
                ]
                taken_ms = freshness.visible_ms([one.address for one in two], items, polls)
                self._add(
                    "serve.visible", self.stage.record_times("rating until visible", two, taken_ms)
                )

    def _foldin(
        self, transport: str, *options: str, reuse: bool = True, workers: int = 1
    ) -> AbstractContextManager[Running]:
        chosen = ("--transport", transport) if "--transport" in self.options else ()
        forgetful = () if reuse else self._forgetful()
        name = " ".join(("foldin", transport, *options))
        return servers.foldin(
            name,
            self.stage.url,
            self.stage.data_dir,
            *chosen,
            *forgetful,
            *options,
            workers=workers,
        )

    def _forgetful(self) -> tuple[str, ...]:
        """Returns the options with which the process remembers no users."""
        reuse = (REUSE, "0") if REUSE in self.options else ()
        return ("--user-cache-size", "1", *reuse)

    def _optional(self, stack: ExitStack, option: str, *values: str) -> Running | None:
        if option not in self.options or "native" not in self.transports:
            return None
        options = (option, *values) if values else ()
        return stack.enter_context(self._foldin("native", *options))

    def _peers(self, stack: ExitStack) -> dict[str, Running]:
        data = self._peer_data()
        peers = {"grpc": stack.enter_context(servers.peer("plain_grpc", data))}
        if find_spec("fastapi") and find_spec("uvicorn"):
            peers["fastapi"] = stack.enter_context(servers.peer("fastapi_app", data, "2"))
        return peers

    def _against_peers(
        self, rate: float, peers: dict[str, Running], everyone: Sequence[bytes]
    ) -> None:
        for name, server in peers.items():
            http = name == "fastapi"
            calls = json_wires(self.stage) if http else everyone
            done = self.stage.run("Recommend, in memory", server, cycle(calls), http=http)
            self._add(f"serve.peers.{name}", rate / done.rate)

    def _peer_data(self) -> Path:
        served = self.stage.served
        path = self.stage.data_dir / "peer.npz"
        np.savez(
            path,
            items=served.model.items,
            item_ids=np.array(served.model.catalog.item_ids),
            titles=np.array(served.model.catalog.titles),
            user_ids=np.array(served.users),
            queries=served.queries,
        )
        return path

    @contextmanager
    def _synced(self, durability: str) -> Iterator[None]:
        with Redis.from_url(self.stage.url) as store:
            store.config_set("appendfsync", durability)
            try:
                yield
            finally:
                store.config_set("appendfsync", "everysec")

    def _add(self, bar: str, value: float) -> None:
        self.samples.add(bar, self.stage.served.name, value)


def _by_connections(
    stage: Stage,
    scenario: str,
    server: Running,
    exchange: tuple[Sequence[bytes], int],
    processes: int,
) -> None:
    calls, reply_bytes = exchange
    for connections in CONNECTIONS:
        stage.run(
            scenario,
            server,
            cycle(calls),
            connections=connections,
            processes=processes,
            reply_bytes=reply_bytes,
        )
