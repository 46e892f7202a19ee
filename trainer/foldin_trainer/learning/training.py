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
from foldin_model.fold_in.head import Head
from foldin_model.trained.model import Model
from foldin_model.trained.trained_users import TrainedUsers

from foldin_trainer.data.dataset import Dataset
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.data.splits import HeldOutFold, held_out_users, random_split
from foldin_trainer.learning.devices import threads_for
from foldin_trainer.learning.fold_in.calibration import Validation
from foldin_trainer.learning.fold_in.constants import HISTORY_RIDGES, tune
from foldin_trainer.learning.fold_in.served_rating_head import (
    Constants,
    Learned,
    trained_rating_vectors,
    user_prior,
)
from foldin_trainer.learning.head_choice import Attempt, choose_ranking
from foldin_trainer.learning.heads import RANKING_HEADS, RATING_HEADS
from foldin_trainer.learning.model_assembly import assemble, trained_users
from foldin_trainer.learning.ranking_heads.ranking_head import HeldOutUsers, Look
from foldin_trainer.learning.rating_heads.factors import Epoch, RatingFactors
from foldin_trainer.learning.rating_heads.rating_head import RatingTask
from foldin_trainer.learning.registry.registration import Registration
from foldin_trainer.learning.train_settings import TrainSettings

FEWEST_USERS: Final = 10
USERS_HELD_OUT: Final = 1000  # at most about so many, and at most a fifth


def _ignore(_: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Listener:
    """Called during a training: with stages by name, with passes or sweeps, and with looks."""

    stage: Callable[[str], None] = _ignore
    epoch: Callable[[Epoch], None] = _ignore
    look: Callable[[Look], None] = _ignore


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A model with its users.

    `metrics` were measured in the first training, on the users and ratings that it did not see and
    that the constants were chosen on; those of the rating head itself, such as R-hat, are from the
    last one. `history` are the epochs of the rating head in the first training, `attempts` the
    plans that were tried for the ranking head, best first.
    """

    model: Model
    users: TrainedUsers
    constants: Constants
    settings: TrainSettings
    metrics: Mapping[str, float]
    history: tuple[Epoch, ...]
    attempts: tuple[Attempt, ...] = ()


def train(
    dataset: Dataset,
    settings: TrainSettings | None = None,
    listener: Listener | None = None,
    checkpoints: Path | None = None,
) -> Trained:
    """Returns a model of all ratings, its constants chosen on users held out before.

    Equal input gives equal bits on one machine. `checkpoints` is a folder in which a rating head
    that samples keeps the state of its two trainings, and from which it resumes them. Raises
    FoldinError where there are too few users to hold some out, and where a checkpoint belongs to
    another training.
    """
    settings = settings or TrainSettings()
    listener = listener or Listener()
    with threads_for(len(dataset.ratings)):
        return _train(dataset, settings, listener, checkpoints)


def _train(
    dataset: Dataset, settings: TrainSettings, listener: Listener, checkpoints: Path | None
) -> Trained:
    ratings, rating_head = dataset.ratings, RATING_HEADS[settings.rating_head]
    fold = _held_out(ratings, settings.seed)
    listener.stage("learning from part of the users")
    known = ratings.take(fold.train_index)
    kept, held = random_split(known, settings.validation_share, settings.seed)
    validation = Validation(known.take(kept), known.take(held))
    sides = dataset.items, dataset.users
    part = rating_head.learn_part(
        RatingTask(
            validation.kept,
            *sides,
            validation=validation.held,
            progress=listener.epoch,
            checkpoint=_checkpoint(checkpoints, "part.pt"),
        ),
        settings.heads,
    )
    chosen = choose_ranking(
        HeldOutUsers(known, dataset.items, ratings, fold.cases),
        settings.ranking_head,
        settings.heads,
        time_budget_s=settings.time_budget_s,
        tried=lambda attempt: listener.stage(f"tried {attempt}"),
        look=listener.look,
    )
    learned = Learned(known, part, chosen.ranking)
    listener.stage("choosing constants on the others")
    ridges = HISTORY_RIDGES if rating_head.kind.encodes else (None,)
    tuned = tune(learned, ratings, fold.cases, ridges, validation)
    listener.stage("learning from everyone")
    factors, own_metrics = rating_head.learn_all(
        RatingTask(
            ratings,
            *sides,
            progress=listener.epoch,
            checkpoint=_checkpoint(checkpoints, "everyone.pt"),
        ),
        settings.heads,
        part,
    )
    learned = Learned(ratings, factors, chosen.plan.learn(ratings, dataset.items))
    listener.stage("putting the model together")
    prior = user_prior(factors, ratings, tuned.constants.history_ridge)
    model = assemble(
        learned,
        dataset.items,
        tuned.constants,
        seed=settings.seed,
        prior=prior,
        rating_from_content=not rating_head.knows_content,
    )
    _check_kind(rating_head, model.rating)
    _check_kind(RANKING_HEADS[chosen.plan.head], model.ranking)
    vectors: Doubles | None = None
    if rating_head.keeps_user_vectors:
        vectors = trained_rating_vectors(factors, prior, tuned.constants.noise_variance)
    return Trained(
        model=model,
        users=trained_users(model, ratings, vectors),
        constants=tuned.constants,
        settings=settings.settled(chosen.plan),
        metrics={
            "held_out_users_rmse": tuned.rmse,
            "held_out_users_ndcg_at_10": tuned.ndcg,
            "validation_rmse": _validation_rmse(part),
            "best_epoch": float(part.best_epoch),
            **own_metrics,
        },
        history=part.epochs,
        attempts=chosen.attempts,
    )


def _checkpoint(folder: Path | None, name: str) -> Path | None:
    return None if folder is None else folder / name


def _validation_rmse(part: RatingFactors) -> float:
    """Returns the RMSE of the epoch whose parameters are kept; for sampling, of all samples."""
    reached = part.epochs[part.best_epoch - 1].rmse
    if reached is None:
        raise ValueError("the head was trained without a validation part")
    return reached


def _check_kind(registered: Registration, head: Head) -> None:
    """Raises ValueError where a head is not served as its registration says."""
    if head.kind is not registered.kind:
        raise ValueError(
            f"{registered.name} is registered as {registered.kind.name} and would be served as "
            f"{head.kind.name}"
        )


def _held_out(ratings: Ratings, seed: int) -> HeldOutFold:
    users = len(np.unique(ratings.users))
    if users < FEWEST_USERS:
        raise FoldinError(
            f"{users} users rated, at least {FEWEST_USERS} are needed to hold some out"
        )
    return next(held_out_users(ratings, max(5, users // USERS_HELD_OUT), seed))
