"""Trains r̂(u, i) = μ + b_u + c_i + p_u·q_i by mini-batch Adam on the squared error."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np
import torch
from foldin_model.arrays import Floats, Mask, Rows
from torch.nn.functional import embedding

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.data.splits import random_split
from foldin_trainer.learning.devices import DeviceName, choose_device, seeded, threads_for
from foldin_trainer.learning.rating_heads.factors import Epoch, RatingFactors
from foldin_trainer.learning.registry.limits import (
    COUNT,
    DEVICE,
    DIMENSIONS,
    NOT_NEGATIVE,
    POSITIVE,
    RATE,
    SEED,
    Limits,
    check,
)

LIMITS: Final[Limits] = MappingProxyType(
    {
        "dimension": DIMENSIONS,
        "learning_rate": RATE,
        "l2": NOT_NEGATIVE,
        "bias_l2": NOT_NEGATIVE,
        "epochs": COUNT,
        "patience": COUNT,
        "batch_size": COUNT,
        "spread": POSITIVE,
        "device": DEVICE,
        "seed": SEED,
    }
)


@dataclass(frozen=True, slots=True)
class MfSettings:
    """How matrix factorization is trained. With weak L2 it overfits at once."""

    dimension: int = 32
    """Length of p_u and q_i."""
    learning_rate: float = 0.01
    """Of Adam; it falls to zero along half a cosine over `epochs`."""
    l2: float = 0.11
    """Adds l2·(|p_u|² + |q_i|²) for every rating: frequent users and items weigh more."""
    bias_l2: float = 0.02
    """The same for b_u² + c_i²."""
    epochs: int = 15
    """Most passes over the ratings."""
    patience: int = 3
    """Passes without a better validation RMSE before training stops."""
    batch_size: int | None = None
    """Ratings of a step; if unset, 1% of them, but 1,024 to 65,536."""
    spread: float = 0.3
    """Expected length of a vector before training."""
    device: DeviceName = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        check("mf", self, LIMITS)


Progress = Callable[[Epoch], None]


def train_mf(
    ratings: Ratings,
    settings: MfSettings,
    validation: Ratings | None = None,
    *,
    stop_after: int | None = None,
    progress: Progress | None = None,
) -> RatingFactors:
    """Returns factors learned from `ratings`. Equal input gives equal bits on one machine.

    With `validation` (of the same vocabularies) training stops early, and the parameters are those
    of the best pass. Without, it ends after `stop_after` of the `epochs`. `progress` is called
    after every pass.
    """
    device = choose_device(settings.device)
    run = _Run(ratings, settings, device)
    epochs: list[Epoch] = []
    best, best_result = math.inf, None
    with threads_for(len(ratings)):
        for number in range(1, (stop_after or settings.epochs) + 1):
            loss = run.train_one_pass()
            rmse = None if validation is None else _rmse(run.result(), validation)
            epochs.append(Epoch(number, settings.epochs, loss, rmse))
            if progress is not None:
                progress(epochs[-1])
            if rmse is None:
                continue
            if rmse < best:
                best, best_result = rmse, replace(run.result(), best_epoch=number)
            elif best_result is not None and number - best_result.best_epoch >= settings.patience:
                break
    result = best_result or replace(run.result(), best_epoch=len(epochs))
    return replace(result, epochs=tuple(epochs))


def train_mf_twice(
    ratings: Ratings,
    settings: MfSettings,
    *,
    share: float = 0.1,
    progress: Progress | None = None,
) -> RatingFactors:
    """Returns factors of all ratings, with the number of passes chosen on a random `share` of them.

    `epochs` are those of the first training, which have a validation RMSE.
    """
    kept, held = random_split(ratings, share, settings.seed)
    validation = ratings.take(held) if len(held) else None
    first = train_mf(ratings.take(kept), settings, validation, progress=progress)
    last = train_mf(ratings, settings, stop_after=first.best_epoch)
    return replace(last, epochs=first.epochs)


class _Run:
    """Parameters, optimizer and random numbers of one training; column 0 holds the biases."""

    def __init__(self, ratings: Ratings, settings: MfSettings, device: torch.device) -> None:
        self.settings = settings
        self.device = device
        self.generator = seeded(settings.seed)
        self.mean = float(ratings.values.mean())
        self.users = torch.tensor(ratings.users, dtype=torch.int64, device=device)
        self.items = torch.tensor(ratings.items, dtype=torch.int64, device=device)
        self.values = torch.tensor(ratings.values - self.mean, dtype=torch.float32, device=device)
        self.batch_size = settings.batch_size or min(max(len(ratings) // 100, 1024), 65_536)
        self.user_table = self._table(len(ratings.user_ids))
        self.item_table = self._table(len(ratings.item_ids))
        self.absent_users = _absent(ratings.users, len(ratings.user_ids))
        self.absent_items = _absent(ratings.items, len(ratings.item_ids))
        penalty = torch.full((1, settings.dimension + 1), settings.l2)
        penalty[0, 0] = settings.bias_l2
        self.penalty = penalty.to(device)
        self.optimizer = torch.optim.Adam(
            [self.user_table, self.item_table], lr=settings.learning_rate, fused=True
        )
        steps = math.ceil(len(ratings) / self.batch_size) * settings.epochs
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, steps)

    def train_one_pass(self) -> float:
        """Trains on every rating once, in random order, and returns the mean loss."""
        total = torch.zeros((), device=self.device)
        for batch in self._batches():
            users = embedding(self.users[batch], self.user_table)
            items = embedding(self.items[batch], self.item_table)
            products = (users[:, 1:] * items[:, 1:]).sum(1)
            errors = self.values[batch] - users[:, 0] - items[:, 0] - products
            squares = (users.square() + items.square()) * self.penalty
            loss = errors.square().mean() + squares.sum(1).mean()
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            self.schedule.step()
            total += loss.detach() * len(batch)
        return float(total) / len(self.values)

    def result(self) -> RatingFactors:
        """Returns a copy of the present parameters."""
        users = _with_means(self.user_table, self.absent_users)
        items = _with_means(self.item_table, self.absent_items)
        return RatingFactors(
            mean=self.mean,
            user_biases=users[:, 0].copy(),
            user_vectors=users[:, 1:].copy(),
            item_biases=items[:, 0].copy(),
            item_vectors=items[:, 1:].copy(),
            epochs=(),
            best_epoch=0,
        )

    def _batches(self) -> Iterator[torch.Tensor]:
        order = torch.randperm(len(self.values), generator=self.generator)
        yield from torch.split(order.to(self.device), self.batch_size)

    def _table(self, rows: int) -> torch.Tensor:
        dimension = self.settings.dimension
        table = torch.randn(rows, dimension + 1, generator=self.generator)
        table *= self.settings.spread / math.sqrt(dimension)
        table[:, 0] = 0.0
        return table.to(self.device).requires_grad_()


def _absent(present: Rows, size: int) -> Mask:
    return np.asarray(np.bincount(present, minlength=size) == 0, np.bool_)


def _with_means(table: torch.Tensor, absent: Mask) -> Floats:
    values = table.detach().cpu().numpy().copy()
    values[absent] = values[~absent].mean(axis=0)
    return np.asarray(values, np.float32)


def _rmse(result: RatingFactors, ratings: Ratings) -> float:
    return float(np.sqrt(np.mean((result.predict(ratings) - ratings.values) ** 2)))
