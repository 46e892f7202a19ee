"""Trains twice: without some users, to choose what can be chosen, and then on every rating.

This is what `foldin train` does between reading ratings and publishing; it writes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles
from foldin_model.errors import FoldinError
from foldin_model.trained.model import Model
from foldin_model.trained.trained_users import TrainedUsers

from foldin_trainer.data.dataset import Dataset
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.data.splits import HeldOutFold, held_out_users, random_split
from foldin_trainer.learning.devices import threads_for
from foldin_trainer.learning.fold_in.calibration import Validation
from foldin_trainer.learning.fold_in.constants import HISTORY_RIDGES, Tuned, tune
from foldin_trainer.learning.fold_in.quadratic_heads import (
    Constants,
    Learned,
    trained_rating_vectors,
    user_prior,
)
from foldin_trainer.learning.fold_in.user_prior import UserPrior
from foldin_trainer.learning.head_choice import (
    Attempt,
    Held,
    choose_ranking,
)
from foldin_trainer.learning.model_assembly import assemble, trained_users
from foldin_trainer.learning.ranking_heads.encoder.result import EncoderEpoch
from foldin_trainer.learning.rating_heads.bayes.training import Checkpoint, train_bayes
from foldin_trainer.learning.rating_heads.factors import Epoch, RatingFactors
from foldin_trainer.learning.rating_heads.mf import train_mf
from foldin_trainer.learning.train_settings import TrainSettings

FEWEST_USERS: Final = 10
USERS_HELD_OUT: Final = 1000  # at most about so many, and at most a fifth


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears of a training: of stages by name, passes or sweeps, and looks at the encoder."""

    stage: Callable[[str], None]
    epoch: Callable[[Epoch], None]
    look: Callable[[EncoderEpoch], None] = lambda _: None


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """Ratings that a head is watched on while it learns, who hears of it, and what it resumes."""

    validation: Ratings
    progress: Callable[[Epoch], None]
    checkpoints: Path | None


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A model with its users.

    `metrics` were reached on the users and ratings that the first training did not see, which the
    constants were chosen on, but for R-hat and effective samples of `bayes`, which are of the last
    one; `history` are the passes of `mf` in the first.
    """

    model: Model
    users: TrainedUsers
    constants: Constants
    settings: TrainSettings
    metrics: Mapping[str, float]
    history: tuple[Epoch, ...]
    attempts: tuple[Attempt, ...] = ()
    """What was tried of the ranking head, the best first."""


def train(
    dataset: Dataset,
    settings: TrainSettings | None = None,
    listener: Listener | None = None,
    checkpoints: Path | None = None,
) -> Trained:
    """A model of all ratings of `dataset`, its constants chosen on users held out before.

    The same input gives the same bits on one machine. `checkpoints` is a folder that `bayes` keeps
    its two samplings in and resumes them from. Raises FoldinError where there are too few users to
    hold some out, and where a checkpoint is of another training.
    """
    settings = settings or TrainSettings()
    listener = listener or Listener(stage=_ignore, epoch=_ignore)
    with threads_for(len(dataset.ratings)):
        return _train(dataset, settings, listener, checkpoints)


def _train(
    dataset: Dataset, settings: TrainSettings, listener: Listener, checkpoints: Path | None
) -> Trained:
    ratings = dataset.ratings
    fold = _held_out(ratings, settings.seed)
    listener.stage("learning from part of the users")
    known = ratings.take(fold.train_index)
    kept, held = random_split(known, settings.validation_share, settings.seed)
    watched = Watched(known.take(held), listener.epoch, checkpoints)
    first = _learn_ratings(dataset, known.take(kept), settings, watched)
    held_out = Held(known, dataset.items, ratings, fold.cases)
    chosen = choose_ranking(
        held_out, settings.ranking, lambda one: listener.stage(f"tried {one}"), listener.look
    )
    learned = Learned(known, first, chosen.ranking)
    listener.stage("choosing constants on the others")
    ridges = (None,) if settings.rating_head == "mf" else HISTORY_RIDGES
    validation = Validation(known.take(kept), watched.validation)
    tuned = tune(learned, ratings, fold.cases, ridges, validation)
    listener.stage("learning from everyone")
    last, sampling = _learn_again(dataset, settings, first, listener.epoch, checkpoints)
    learned = Learned(ratings, last, chosen.plan.learn(ratings, dataset.items))
    listener.stage("putting the model together")
    prior = user_prior(last, ratings, tuned.constants.history_ridge)
    model = assemble(
        learned,
        dataset.items,
        tuned.constants,
        seed=settings.seed,
        prior=prior,
        rating_from_content=settings.rating_head == "mf",
    )
    return Trained(
        model=model,
        users=trained_users(model, ratings, _posterior_vectors(last, prior, tuned, settings)),
        constants=tuned.constants,
        settings=settings.settled(chosen.plan),
        metrics={
            "held_out_users_rmse": tuned.rmse,
            "held_out_users_ndcg_at_10": tuned.ndcg,
            "validation_rmse": _validation_rmse(first),
            "best_epoch": float(first.best_epoch),
            **sampling,
        },
        history=first.epochs,
        attempts=chosen.attempts,
    )


def _learn_ratings(
    dataset: Dataset, ratings: Ratings, settings: TrainSettings, watched: Watched
) -> RatingFactors:
    """The rating head on part of the ratings, watched on another part.

    It is there to choose constants by, for which a shorter sampling will do.
    """
    if settings.rating_head == "mf":
        return train_mf(ratings, settings.mf, watched.validation, progress=watched.progress)
    return train_bayes(
        ratings,
        dataset.items,
        settings.bayes.shortened(),
        people=dataset.users,
        validation=watched.validation,
        progress=lambda sweep: watched.progress(sweep.epoch),
        checkpoint=_checkpoint(watched.checkpoints, "part.pt"),
    ).factors


def _learn_again(
    dataset: Dataset,
    settings: TrainSettings,
    first: RatingFactors,
    progress: Callable[[Epoch], None],
    checkpoints: Path | None,
) -> tuple[RatingFactors, Mapping[str, float]]:
    """The rating head on every rating, as long as was best the first time; how sampling went."""
    if settings.rating_head == "mf":
        return train_mf(dataset.ratings, settings.mf, stop_after=first.best_epoch), {}
    sampled = train_bayes(
        dataset.ratings,
        dataset.items,
        settings.bayes,
        people=dataset.users,
        progress=lambda sweep: progress(sweep.epoch),
        checkpoint=_checkpoint(checkpoints, "everyone.pt"),
    )
    return sampled.factors, sampled.metrics()


def _checkpoint(folder: Path | None, name: str) -> Checkpoint | None:
    return None if folder is None else Checkpoint(folder / name)


def _validation_rmse(result: RatingFactors) -> float:
    """That of the pass whose parameters are kept: for sampling, the mean of all samples."""
    reached = result.epochs[result.best_epoch - 1].rmse
    if reached is None:
        raise ValueError("the head was trained without a validation part")
    return reached


def _posterior_vectors(
    mf: RatingFactors, prior: UserPrior, tuned: Tuned, settings: TrainSettings
) -> Doubles | None:
    """The users' vectors that sampling found, which know more than folding would; `mf` has none."""
    if settings.rating_head == "mf":
        return None
    return trained_rating_vectors(mf, prior, tuned.constants.noise_variance)


def _held_out(ratings: Ratings, seed: int) -> HeldOutFold:
    users = len(np.unique(ratings.users))
    if users < FEWEST_USERS:
        raise FoldinError(
            f"{users} users rated, at least {FEWEST_USERS} are needed to hold some out"
        )
    return next(held_out_users(ratings, max(5, users // USERS_HELD_OUT), seed))


def _ignore(_: object) -> None:
    pass
