"""The Prometheus metrics of a server, and the HTTP endpoint that serves them.

Every name ends in its unit, counters in `_total`. No label holds a user or an item.
"""

import logging
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from operator import add
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import start_http_server
from prometheus_client.gc_collector import GCCollector
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from foldin_server.settings import SettingsError, split_address

log = logging.getLogger(__name__)
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


@dataclass(slots=True)
class _Tally:
    """Calls of one outcome: their counts by the bounds in SECONDS, and the sum of their seconds."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    seconds: float = 0.0


class CallCounts(Collector):
    """The metrics `foldin_rpc_seconds` and `foldin_answers_total`.

    One thread counts, any thread may collect. The histogram of prometheus_client is not used, since
    it takes a lock for each of three numbers at every call.
    """

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str, str, bool], _Tally] = {}

    def count(
        self,
        method: str,
        code: str,
        seconds: float,
        personalization: str = "",
        *,
        degraded: bool = False,
    ) -> None:
        """Counts a call by method, status code, time and how its answer was made.

        `personalization` is empty for an answer that concerns no user.
        """
        outcome = method, code, personalization, degraded
        tally = self._tallies.get(outcome)
        if tally is None:
            tally = self._tallies[outcome] = _Tally()
        tally.buckets[bisect_left(SECONDS, seconds)] += 1
        tally.seconds += seconds

    def collect(self) -> Iterable[Metric]:
        """Yields both metrics with all calls so far."""
        calls: defaultdict[tuple[str, str], _Tally] = defaultdict(_Tally)
        answers: defaultdict[tuple[str, str], int] = defaultdict(int)
        for (method, code, personalization, degraded), tally in tuple(self._tallies.items()):
            ended = calls[method, code]
            ended.buckets = [*map(add, ended.buckets, tally.buckets)]
            ended.seconds += tally.seconds
            if personalization:
                answers[personalization, "yes" if degraded else "no"] += sum(tally.buckets)
        yield _seconds(calls)
        yield _answers(answers)


def _seconds(calls: Mapping[tuple[str, str], _Tally]) -> Metric:
    family = HistogramMetricFamily(
        "foldin_rpc_seconds", "Calls by outcome.", labels=("method", "code")
    )
    bounds = [*map(floatToGoString, SECONDS), "+Inf"]
    for outcome, tally in calls.items():
        buckets = zip(bounds, accumulate(tally.buckets), strict=True)
        family.add_metric(outcome, [*buckets], tally.seconds)
    return family


def _answers(counts: Mapping[tuple[str, str], int]) -> Metric:
    family = CounterMetricFamily(
        "foldin_answers", "Answers by how they were made.", labels=("personalization", "degraded")
    )
    for made, count in counts.items():
        family.add_metric(made, count)
    return family


class Metrics:
    """The metrics of one server, in a registry of their own."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.registry = registry
        self.calls = CallCounts()
        registry.register(self.calls)
        self.in_flight = Gauge("foldin_in_flight_calls", "Calls in flight.", registry=registry)
        self.background_failures = Counter(
            "foldin_background_failures_total",
            "Failures of background tasks.",
            ("task",),
            registry=registry,
        )
        self.store_outages = Counter(
            "foldin_store_outages_total",
            "Times that the store became unreachable.",
            registry=registry,
        )
        self.store_reachable = Gauge(
            "foldin_store_reachable_ratio",
            "1 while the store answers, otherwise 0.",
            registry=registry,
        )
        self.store_reachable.set(1)
        self.tracking = Gauge(
            "foldin_tracking_ratio",
            "1 while the store reports every change, so that calls need not ask it; otherwise 0.",
            registry=registry,
        )
        self.load_failures = Counter(
            "foldin_model_load_failures_total",
            "Models that could not be loaded.",
            registry=registry,
        )
        self.load_seconds = Gauge(
            "foldin_model_load_seconds",
            "Time that the last load of a model took.",
            registry=registry,
        )
        self.model_created = Gauge(
            "foldin_model_created_timestamp_seconds",
            "Time when the served model was published.",
            registry=registry,
        )
        self.model_current = Gauge(
            "foldin_model_current_ratio",
            "1 while the store's current model is served, otherwise 0.",
            registry=registry,
        )
        self.overlay_new_items = Gauge(
            "foldin_overlay_new_items",
            "Items in the overlay that are not in the model.",
            registry=registry,
        )
        self.overlay_hidden_items = Gauge(
            "foldin_overlay_hidden_items", "Items hidden from every list.", registry=registry
        )
        self.overlay_damaged_entries = Gauge(
            "foldin_overlay_damaged_entries",
            "Entries of the overlay that cannot be read; they are left out.",
            registry=registry,
        )
        self.overlay_failures = Counter(
            "foldin_overlay_failures_total",
            "Times that a changed overlay could not be served.",
            registry=registry,
        )
        self.overlay_seconds = Gauge(
            "foldin_overlay_seconds",
            "Time that it took to serve the last change of the overlay.",
            registry=registry,
        )
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)

    def listen(self, address: str) -> "MetricsEndpoint":
        """Serves the metrics over HTTP at host:port from a thread. Raises SettingsError."""
        host, port = split_address(address)
        try:
            server, thread = start_http_server(port, host, self.registry)
        except OSError as error:
            raise SettingsError(f"cannot serve metrics on {address}: {error.strerror}") from error
        log.info("metrics", extra={"address": f"{host}:{server.server_port}"})
        return MetricsEndpoint(server, thread)


@dataclass(frozen=True, slots=True)
class MetricsEndpoint:
    """The HTTP server of the metrics."""

    server: WSGIServer
    thread: Thread

    def close(self) -> None:
        """Stops the endpoint and frees its port."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
