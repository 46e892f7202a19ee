"""Trains the rating head `bayes` on ratings and side information of users and items.

The sampling itself is `run`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.data.users import UserTable
from foldin_trainer.learning.devices import threads_for
from foldin_trainer.learning.rating_heads.bayes.result import BayesResult, Sweep
from foldin_trainer.learning.rating_heads.bayes.run import Run
from foldin_trainer.learning.rating_heads.bayes.settings import BayesSettings
from foldin_trainer.learning.rating_heads.bayes.side_information.context import (
    item_context,
    user_context,
)
from foldin_trainer.learning.rating_heads.bayes.side_information.features import (
    Features,
    item_features,
    user_features,
)

Progress = Callable[[Sweep], None]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file to resume from, written every so many sweeps; it is kept when training ends."""

    path: Path
    every: int = 50


def train_bayes(
    ratings: Ratings,
    items: ItemTable,
    settings: BayesSettings,
    *,
    people: UserTable | None = None,
    validation: Ratings | None = None,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> BayesResult:
    """Returns the posterior mean on `ratings`. Equal input gives equal bits on one machine.

    Block Gibbs sampling of matrix factorization (Salakhutdinov & Mnih 2008) with the features of
    `side_information` (Simm et al. 2017). `validation`, of the same vocabularies, is only measured:
    `progress` is called after every sweep. With a `checkpoint` an interrupted training continues to
    the same bits. Raises FoldinError if the checkpoint belongs to other ratings or settings.
    """
    of_users, of_items = side_information(ratings, items, people, tags=settings.tags)
    with threads_for(len(ratings)):
        run = Run(ratings, of_users, of_items, settings, validation)
        if checkpoint is not None:
            run.restore(checkpoint.path)
        while not run.done:
            sweep = run.sweep()
            if progress is not None:
                progress(sweep)
            if checkpoint is not None and len(run.sweeps) % checkpoint.every == 0:
                run.save(checkpoint.path)
        return run.result()


def side_information(
    ratings: Ratings, items: ItemTable, people: UserTable | None = None, *, tags: bool = False
) -> tuple[Features, Features]:
    """Returns features of users and of items, made without the values of `ratings`.

    They are histories and audiences, their genres, decades and dates; genres, decades and, with
    `tags`, tags of items; attributes of users if they are known.
    """
    attributes = {} if people is None else people.attributes
    of_users = user_features(ratings, attributes, user_context(ratings, items))
    worded = {"tags": items.tags} if tags else {}
    return of_users, item_features(ratings, items, worded, item_context(ratings))
