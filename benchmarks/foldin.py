"""Measures one fold-in of both heads by the length of the history: exact and in three steps.

Prints a table and writes benchmarks/results/foldin.json. Histories longer than four times the
dimension are folded exactly in both columns, as they are served. How close the steps come to the
exact solve on a trained model is measured with the accuracy tables.
"""

import json
import os
import platform
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from foldin_model.arrays import Doubles, Floats, Rows
from foldin_model.fold_in.fold_in import fold
from foldin_model.fold_in.head import Head, RatingRule
from foldin_model.fold_in.linear_encoder import EncoderRule, LinearEncoder

ITEMS = 10_000
RANKING, RATING = 94, 33
BAR = {
    "id": "foldin.50",
    "bar": "one fold-in of both heads, 50 ratings, µs",
    "must": 200,
    "aim": 60,
    "better": "lower",
}
LENGTHS = (1, 5, 20, 50, 200, 1_000)
STEPS = 3
RESULTS = Path(__file__).parent / "results" / "foldin.json"


def ranking_head(rng: np.random.Generator) -> Head:
    """Returns a head of the shipped kind: a sum over the ratings; nothing is solved."""
    encoder = LinearEncoder(_vectors(rng, RANKING), EncoderRule((0.5, 5.0), (0.3, 1.1)), 0.0)
    rule = RatingRule(knots=(0.5, 5.0), weights=(0.0, 0.0), targets=(0.0, 0.0))
    prior = rng.normal(size=RANKING)
    return Head(_vectors(rng, RANKING), np.zeros(ITEMS, np.float32), 0.0, prior, rule, encoder)


def rating_head(rng: np.random.Generator) -> Head:
    """Returns a head of the shipped kind: a least-squares problem."""
    rule = RatingRule(knots=(0.5, 5.0), weights=(1.0, 1.0), targets=(0.5, 5.0))
    offsets = np.zeros(ITEMS, np.float32)
    return Head(_vectors(rng, RATING), offsets, 3.5, rng.normal(size=RATING), rule)


def _vectors(rng: np.random.Generator, dimension: int) -> Floats:
    """Returns item vectors about as long as trained ones."""
    return np.asarray(0.05 * rng.normal(size=(ITEMS, dimension)), np.float32)


def median_us(call: Callable[[], object], rounds: int = 5, repeats: int = 200) -> float:
    """Returns the median time of `call` in µs in the quietest round, after a warm-up."""
    medians = []
    for _ in range(rounds):
        times = []
        for _ in range(repeats + 20):
            start = perf_counter()
            call()
            times.append(perf_counter() - start)
        medians.append(np.median(times[20:]) * 1e6)
    return float(min(medians))


def both(heads: tuple[Head, ...], rows: Rows, values: Doubles, steps: int | None) -> None:
    """Folds one history in both heads."""
    for one in heads:
        fold(one, rows, values, one.prior, steps=steps)


def main() -> None:
    """Measures, prints and writes."""
    rng = np.random.default_rng(0)
    heads = (ranking_head(rng), rating_head(rng))
    timings = []
    for n in LENGTHS:
        rows = np.sort(rng.choice(ITEMS, n, replace=False)).astype(np.int32)
        values = rng.uniform(0.5, 5.0, n)
        exact = median_us(partial(both, heads, rows, values, None))
        steps = median_us(partial(both, heads, rows, values, STEPS))
        timings.append({"ratings": n, "exact_us": round(exact, 1), "steps_us": round(steps, 1)})
    print(f"One fold-in of both heads, {RANKING} + {RATING} dimensions, one thread")
    print(f"{'ratings':>8} {'exact µs':>10} {f'{STEPS} steps µs':>12}")
    for timing in timings:
        print(f"{timing['ratings']:>8} {timing['exact_us']:>10} {timing['steps_us']:>12}")
    report = {
        "command": "make bench-foldin",
        "dimensions": [RANKING, RATING],
        "machine": platform.processor() or platform.machine(),
        "numpy": np.__version__,
        "python": sys.version.split()[0],
        "timings": timings,
        "bars": [BAR | {"measured": one["exact_us"]} for one in timings if one["ratings"] == 50],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")
    print(f"written to {RESULTS}")


if __name__ == "__main__":
    main()
