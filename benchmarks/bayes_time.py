"""Compares the time of a sweep of `bayes` with that of the library myFM.

`python -m benchmarks.bayes_time` prints it. Processor time of one thread, with the same ratings,
features and number of factors for both; the setup before the first sweep is not counted.
"""

from collections.abc import Callable
from time import process_time

import click
import numpy as np
from foldin_trainer.data import Dataset, load_dataset
from foldin_trainer.learning.devices import threads_for
from foldin_trainer.learning.rating_heads.bayes.run import Run
from foldin_trainer.learning.rating_heads.bayes.settings import BayesSettings
from foldin_trainer.learning.rating_heads.bayes.side_information.features import Features
from foldin_trainer.learning.rating_heads.bayes.trainer import side_information
from myfm.gibbs import MyFMGibbsRegressor
from scipy import sparse
from threadpoolctl import threadpool_limits

from benchmarks.accuracy.peers import blocks, group_shapes

FACTORS = 16
WARM = 10  # sweeps until the solves take about as many steps as they do later
SWEEPS = 10
ROUNDS = 3


def measure(dataset: Dataset) -> tuple[float, float]:
    """Returns the seconds of processor time of a sweep over all ratings: of `bayes`, of myFM.

    Each is the shortest of the rounds, which alternate between the two.
    """
    of_users, of_items = side_information(dataset.ratings, dataset.items, dataset.users)
    settings = BayesSettings(factors=FACTORS, device="cpu", sweeps=1000)
    with threads_for(0), threadpool_limits(1):
        run = Run(dataset.ratings, of_users, of_items, settings, None)
        for _ in range(WARM):
            run.sweep()
        rounds = [(_ours(run), _theirs(dataset, of_users, of_items)) for _ in range(ROUNDS)]
    ours, theirs = np.min(rounds, axis=0)
    return float(ours), float(theirs)


def _ours(run: Run) -> float:
    started = process_time()
    for _ in range(SWEEPS):
        run.sweep()
    return (process_time() - started) / SWEEPS


def _theirs(dataset: Dataset, of_users: Features, of_items: Features) -> float:
    """Returns the mean seconds of the sweeps after the first; a callback records when each ends."""
    ratings = dataset.ratings
    ends: list[float] = []
    MyFMGibbsRegressor(rank=FACTORS, random_seed=0).fit(
        sparse.csr_matrix((len(ratings), 0), dtype=np.float64),
        ratings.values,
        X_rel=blocks(of_users, of_items, ratings),
        group_shapes=[*group_shapes(of_users), *group_shapes(of_items)],
        n_iter=SWEEPS + 1,
        n_kept_samples=SWEEPS + 1,
        callback=_noting(ends),
    )
    return (ends[-1] - ends[0]) / SWEEPS


def _noting(ends: list[float]) -> Callable[..., tuple[bool, str]]:
    def note(*_: object) -> tuple[bool, str]:
        ends.append(process_time())
        return False, ""

    return note


@click.command()
@click.argument("name", default="ml-100k")
def main(name: str) -> None:
    """Print the milliseconds of a sweep of both and the ratio."""
    ours, theirs = measure(load_dataset(name))
    print(
        f"{name}, {FACTORS} factors: ours {1e3 * ours:.1f} ms a sweep, "
        f"myFM {1e3 * theirs:.1f} ms, ratio {ours / theirs:.2f}"
    )


if __name__ == "__main__":
    main()
