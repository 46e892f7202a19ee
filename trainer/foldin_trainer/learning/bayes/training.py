"""Trains the rating head `bayes` on ratings and what else is known of users and items.

The sampling itself is `run`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.bayes.features import Words, item_features, user_features
from foldin_trainer.learning.bayes.result import BayesResult, Sweep
from foldin_trainer.learning.bayes.run import Run
from foldin_trainer.learning.bayes.settings import BayesSettings

Progress = Callable[[Sweep], None]


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is known of users and items beyond ratings and catalogue: named groups of words.

    Each group is aligned to the ratings' `user_ids` or `item_ids`.
    """

    users: Mapping[str, Words]
    items: Mapping[str, Words]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file to resume from and to write every so many sweeps; it is left when training ends."""

    path: Path
    every: int = 50


def train_bayes(
    ratings: Ratings,
    items: ItemTable,
    settings: BayesSettings,
    *,
    attributes: Attributes | None = None,
    validation: Ratings | None = None,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> BayesResult:
    """The posterior mean on `ratings`; the same input gives the same bits on one machine.

    Block Gibbs sampling of matrix factorization (Salakhutdinov & Mnih 2008) with side information
    (Simm et al. 2017). `validation`, of the same vocabularies, is only watched: `progress` hears
    of every sweep. With a `checkpoint` an interrupted training goes on to the same bits. Raises
    FoldinError where the checkpoint is of other ratings or settings.
    """
    known = attributes or Attributes({}, {})
    users = user_features(ratings, known.users)
    about_items = item_features(ratings, items, known.items)
    run = Run(ratings, users, about_items, settings, validation)
    if checkpoint is not None:
        run.restore(checkpoint.path)
    while not run.done:
        sweep = run.sweep()
        if progress is not None:
            progress(sweep)
        if checkpoint is not None and len(run.sweeps) % checkpoint.every == 0:
            run.save(checkpoint.path)
    return run.result()
