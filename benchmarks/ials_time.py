"""Compares the time of a sweep of foldin's iALS with that of the library `implicit`.

`python benchmarks/ials_time.py` prints it for the public data sets and a planted matrix of a
million ratings. Processor time of one thread, both at the same dimension on the same ratings.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from time import process_time

import click
import numpy as np
from foldin_model.scale import Scale
from foldin_trainer.data import Dataset, Ratings, load_dataset
from foldin_trainer.learning.devices import threads_for
from foldin_trainer.learning.ranking_heads.ials.trainer import IalsSettings, train_ials
from foldin_trainer.learning.ranking_heads.rating_weights import rule_for
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

DATA = ("ml-latest-small", "ml-100k")
DIMENSION = 64
DIMENSIONS = (64, 256, 512, 1024)
SWEEPS = (2, 8)
ROUNDS = 3


def measure(dataset: Dataset, *, use_cg: bool = True) -> tuple[float, float]:
    """Returns the seconds of processor time of a sweep: of foldin, of `implicit`.

    `use_cg` is the library's choice between three conjugate gradient steps, its default, and an
    exact solve. Each is the shortest of the rounds, which alternate between the two.
    """
    return measure_ratings(dataset.ratings, use_cg=use_cg)


def measure_ratings(
    ratings: Ratings, *, use_cg: bool = True, settings: IalsSettings | None = None
) -> tuple[float, float]:
    """Measures on ratings alone, with these settings of iALS or the defaults."""
    settings = settings or IalsSettings(dimension=DIMENSION, device="cpu")
    rule = rule_for(ratings.scale)
    shape = (len(ratings.user_ids), len(ratings.item_ids))
    ones = np.ones(len(ratings), np.float32)
    matrix = csr_matrix((ones, (ratings.users, ratings.items)), shape=shape)

    def ours(sweeps: int) -> None:
        train_ials(ratings, replace(settings, iterations=sweeps), rule)

    def theirs(sweeps: int) -> None:
        AlternatingLeastSquares(
            factors=settings.dimension,
            iterations=sweeps,
            use_cg=use_cg,
            num_threads=1,
            random_state=0,
        ).fit(matrix, show_progress=False)

    with threads_for(0), threadpool_limits(1):
        ours(1)
        theirs(1)
        rounds = [(_seconds_a_sweep(ours), _seconds_a_sweep(theirs)) for _ in range(ROUNDS)]
    first, second = np.min(rounds, axis=0)
    return float(first), float(second)


def million(seed: int = 0) -> Ratings:
    """Returns a million ratings of 20,000 users and 8,000 items, popularity like 1 / rank^0.8."""
    users, items, wanted = 20_000, 8_000, 1_000_000
    rng = np.random.default_rng(seed)
    popularity = 1.0 / np.arange(1, items + 1) ** 0.8
    activity = rng.pareto(1.5, users) + 0.3
    rows = rng.choice(users, 2 * wanted, p=activity / activity.sum())
    columns = rng.choice(items, 2 * wanted, p=popularity / popularity.sum())
    pairs = rng.permutation(np.unique(rows.astype(np.int64) * items + columns))[:wanted]
    return Ratings(
        user_ids=tuple(map(str, range(users))),
        item_ids=tuple(map(str, range(items))),
        users=(pairs // items).astype(np.int32),
        items=(pairs % items).astype(np.int32),
        values=rng.integers(1, 6, len(pairs)).astype(np.float64),
        timestamps=None,
        scale=Scale(1.0, 5.0),
    )


def _seconds_a_sweep(train: Callable[[int], None]) -> float:
    """Returns the seconds of one more sweep, so that the setup does not count."""
    few, many = SWEEPS
    started = process_time()
    train(few)
    between = process_time()
    train(many)
    return (process_time() - between - (between - started)) / (many - few)


@click.command()
@click.option(
    "--dimension",
    "dimensions",
    type=click.IntRange(1),
    multiple=True,
    default=DIMENSIONS,
    show_default=True,
)
def main(dimensions: tuple[int, ...]) -> None:
    """Print the seconds of a sweep of both and the ratio."""
    data = {name: load_dataset(name).ratings for name in DATA} | {"a million, planted": million()}
    print(f"{'ratings':<20} {'d':>5} {'implicit':<9} {'ours s':>8} {'theirs s':>9} {'ratio':>6}")
    for name, ratings in data.items():
        for dimension, use_cg in product(dimensions, (True, False)):
            settings = IalsSettings(dimension=dimension, device="cpu")
            ours, theirs = measure_ratings(ratings, use_cg=use_cg, settings=settings)
            way = "cg" if use_cg else "exact"
            figures = f"{ours:>8.4f} {theirs:>9.4f} {ours / theirs:>6.2f}"
            print(f"{name:<20} {dimension:>5} {way:<9} {figures}")


if __name__ == "__main__":
    main()
