"""Implicit ALS whose weights and targets depend on the value of a rating.

The library `implicit` has confidences of ones and zeros only. Here a low rating has a target at or
below zero, and the regularization of users must not depend on their counts, so that one prior
serves all of fold-in.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import torch
from foldin_model.arrays import Doubles, Floats, Integers
from foldin_model.fold_in.head import RatingRule

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.devices import DeviceName, choose_device, seeded, threads_for
from foldin_trainer.learning.ranking_heads.ials.conjugate_gradient import approach_side
from foldin_trainer.learning.ranking_heads.ials.half_step import Side, solve_side
from foldin_trainer.learning.registry.limits import (
    COUNT,
    DEVICE,
    DIMENSIONS,
    POSITIVE,
    SEED,
    Limits,
    Within,
    check,
)

LIMITS: Final[Limits] = MappingProxyType(
    {
        "dimension": DIMENSIONS,
        "served": DIMENSIONS,
        "unobserved_weight": POSITIVE,
        "user_l2": POSITIVE,
        "item_l2": POSITIVE,
        "item_l2_exponent": Within(-1.0, 2.0),
        "iterations": COUNT,
        "steps": COUNT,
        "device": DEVICE,
        "seed": SEED,
    }
)


@dataclass(frozen=True, slots=True)
class IalsSettings:
    """How implicit ALS is trained. Weights are relative to those of the rating rule."""

    dimension: int = 64
    served: int = 94
    """Dimensions that are served; more are reduced to this number after training."""
    unobserved_weight: float = 1.0
    """α, the weight of the target 0 of every pair, rated or not."""
    user_l2: float = 2.0
    """λ of every user, whatever the number of their ratings."""
    item_l2: float = 2.0
    """Mean λ of the items."""
    item_l2_exponent: float = 1.0
    """ν: an item's λ grows with (ratings + α·users)^ν (Rendle et al. 2021)."""
    iterations: int = 12
    """Sweeps over users and items."""
    steps: int | None = 1
    """Conjugate gradient steps of a half sweep; if unset, or not on the CPU, it is solved exactly.

    One step reaches the loss of exact sweeps if rated pairs weigh about as much as unrated ones;
    take two or three if α is far smaller.
    """
    device: DeviceName = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        check("ials", self, LIMITS)


@dataclass(frozen=True, slots=True, eq=False)
class IalsResult:
    """Trained vectors (n, dimension) float32; zero where there was no rating.

    User vectors are those of the last half step before the items'.
    """

    user_vectors: Floats
    item_vectors: Floats
    unobserved_weight: float
    user_l2: float

    def precision(self) -> Doubles:
        """Returns P = λI + α·YᵀY, (dimension, dimension), of the user problem."""
        items = self.item_vectors.astype(np.float64)
        gram = self.unobserved_weight * items.T @ items
        return np.asarray(gram + self.user_l2 * np.eye(items.shape[1]), np.float64)


def train_ials(
    ratings: Ratings,
    settings: IalsSettings,
    rule: RatingRule,
    *,
    progress: Callable[[int], None] | None = None,
) -> IalsResult:
    """Minimizes Σ_rated w (t − x·y)² + α Σ_all (x·y)² + L2 by alternating least squares.

    Weighted implicit feedback after Hu, Koren & Volinsky (2008), regularized after Rendle et al.
    (2021). Equal input gives equal bits on one machine. `progress` is called after every sweep.
    """
    device = choose_device(settings.device)
    weights, targets = rule.weight(ratings.values), rule.target(ratings.values)
    users, items = len(ratings.user_ids), len(ratings.item_ids)
    of_users = Side.gather(
        ratings.users, ratings.items, weights, targets, size=users, device=device
    )
    of_items = Side.gather(
        ratings.items, ratings.users, weights, targets, size=items, device=device
    )
    user_l2 = np.full(users, settings.user_l2, np.float32)
    item_l2 = _item_l2(of_items.counts, int((of_users.counts > 0).sum()), settings)
    item_vectors = torch.randn(items, settings.dimension, generator=seeded(settings.seed))
    item_vectors = (item_vectors * (0.1 / math.sqrt(settings.dimension))).to(device)
    user_vectors = torch.zeros(users, settings.dimension, device=device)
    half_sweep = _half_sweep(settings, device)
    with threads_for(len(ratings)):
        for sweep in range(1, settings.iterations + 1):
            user_vectors = half_sweep(of_users, item_vectors, user_l2, user_vectors)
            item_vectors = half_sweep(of_items, user_vectors, item_l2, item_vectors)
            if progress is not None:
                progress(sweep)
    return IalsResult(
        user_vectors=np.asarray(user_vectors.cpu().numpy(), np.float32),
        item_vectors=np.asarray(item_vectors.cpu().numpy(), np.float32),
        unobserved_weight=settings.unobserved_weight,
        user_l2=settings.user_l2,
    )


def _half_sweep(
    settings: IalsSettings, device: torch.device
) -> Callable[[Side, torch.Tensor, Floats, torch.Tensor], torch.Tensor]:
    """Returns how new vectors of a side follow from the other side's, the L2 and the old ones."""
    weight, steps = settings.unobserved_weight, settings.steps
    if steps is None or device.type != "cpu":
        return lambda side, vectors, l2, _: solve_side(side, vectors, weight, l2)
    return lambda side, vectors, l2, start: approach_side(
        side, vectors, weight, l2, start=start, steps=steps
    )


def _item_l2(counts: Integers, users: int, settings: IalsSettings) -> Floats:
    rated = counts > 0
    frequencies = (counts + settings.unobserved_weight * users) ** settings.item_l2_exponent
    return np.asarray(settings.item_l2 * frequencies / frequencies[rated].mean(), np.float32)
