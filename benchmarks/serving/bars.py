"""The bars of serving: what each compares, the value it must reach and the value it aims at.

Every measured value is the median over the rounds of one run, on the worse of the catalogs.
"""

from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import Final


@dataclass(frozen=True, slots=True)
class Bar:
    """What one bar compares, and its two limits."""

    text: str
    must: float
    aim: float
    better: str = "higher"


BARS: Final = {
    "serve.grpcio": Bar("Recommend on grpcio, Zipf users, against its own echo", 0.60, 0.85),
    "serve.native.folded": Bar(
        "Recommend on native, every call another user, against the grpcio echo", 1.2, 2.5
    ),
    "serve.native.history": Bar("the same, history read and folded", 0.5, 1.0),
    "serve.native.reuse": Bar("Recommend on native, Zipf users, answers reused", 2.0, 4.0),
    "serve.native.bounded": Bar("the same with bounded freshness", 3.0, 6.0),
    "serve.native.p99": Bar("p99 of serve.native.folded against the echo's", 0.7, 0.3, "lower"),
    "serve.peers.grpc": Bar("serve.native.folded against plain grpc and FAISS", 3.0, 8.0),
    "serve.peers.fastapi": Bar("serve.native.folded against FastAPI, 2 workers", 1.6, 4.0),
    "serve.submit.everysec": Bar("SubmitRating on native, log synced every second", 0.8, 2.0),
    "serve.submit.always": Bar("SubmitRating on native, log synced every write", 0.5, 1.5),
    "serve.stale": Bar("stale answers in 100,000 pairs over four processes", 0, 0, "lower"),
    "serve.visible": Bar("bounded: rating until visible elsewhere, p99, ms", 5.0, 1.0, "lower"),
    "serve.processes": Bar("2 processes against 1, grpcio", 1.3, 1.4),
}


class Samples:
    """The values measured for the bars so far, by catalog."""

    def __init__(self) -> None:
        self._values: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(
            lambda: defaultdict(list)
        )

    def add(self, bar: str, catalog: str, value: float) -> None:
        """Adds the value of one round."""
        self._values[bar][catalog].append(value)

    def measured(self) -> list[dict[str, object]]:
        """Returns the bars that have values, as the results file has them."""
        return [
            {
                "id": name,
                "bar": bar.text,
                "must": bar.must,
                "aim": bar.aim,
                "measured": round(self._worse(name, bar), 3),
                "better": bar.better,
            }
            for name, bar in BARS.items()
            if name in self._values
        ]

    def missing(self) -> list[str]:
        """Returns the names of the bars without a value."""
        return [name for name in BARS if name not in self._values]

    def _worse(self, name: str, bar: Bar) -> float:
        medians = [median(values) for values in self._values[name].values()]
        return min(medians) if bar.better == "higher" else max(medians)
