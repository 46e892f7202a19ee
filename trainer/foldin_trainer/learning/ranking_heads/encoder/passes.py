"""Passes over all users until those that were held out are served no better.

The same for every encoder that is trained on batches of split histories.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import numpy as np
import torch
from foldin_model.arrays import Doubles
from foldin_model.scale import Scale

from foldin_trainer.learning.ranking_heads.encoder.batches import Histories
from foldin_trainer.learning.ranking_heads.encoder.module import Encoder
from foldin_trainer.learning.ranking_heads.ranking_head import Look
from foldin_trainer.metrics.cases import Case, liked_from
from foldin_trainer.metrics.list_quality import list_qualities

EPOCHS_A_LOOK: Final = 5
BETAS: Final = (0.9, 0.99)  # of Adam; passes are few


class Scorer(Protocol):
    """A result of training that can score held-out users."""

    def vectors(self, cases: Sequence[Case]) -> Doubles:
        """Returns the vectors (n, d) of users by their given ratings."""
        ...

    def scores(self, vectors: Doubles) -> Doubles:
        """Returns scores (n, n_items) of users at (n, d)."""
        ...


R = TypeVar("R", bound=Scorer)


@dataclass(frozen=True, slots=True)
class PassSettings:
    """Users of a step, the range of the share of a history that is given, and the seed."""

    batch_users: int
    kept: tuple[float, float]
    seed: int


def passes(
    encoder: Encoder,
    histories: Histories,
    optimizer: torch.optim.Optimizer,
    pass_settings: PassSettings,
) -> Iterator[None]:
    """Makes one pass over all users for each `next`, without end."""
    rng = np.random.default_rng(pass_settings.seed)
    while True:
        encoder.train()
        for batch in histories.batches(rng, pass_settings.batch_users, pass_settings.kept):
            optimizer.zero_grad()
            encoder(batch).backward()
            optimizer.step()
            encoder.clamp()
        encoder.eval()
        yield


def best_pass(
    running: Iterator[None],
    result: Callable[[int], R],
    *,
    epochs: int,
    cases: Sequence[Case],
    scale: Scale,
    progress: Callable[[Look], None] | None,
    untouched: bool = True,
) -> tuple[R, tuple[Look, ...]]:
    """Returns the result of the pass that served `cases` best, and every look at them.

    Pass 0 is the start of the training; with `untouched` it may be the best one too. `progress` is
    called with every look but that of pass 0.
    """
    found = result(0)
    looks = [look(0, found, cases, scale)]
    most = looks[0].quality if untouched else -1.0
    for epoch in range(EPOCHS_A_LOOK, epochs + 1, EPOCHS_A_LOOK):
        for _ in range(EPOCHS_A_LOOK):
            next(running)
        now = result(epoch)
        looks.append(look(epoch, now, cases, scale))
        if progress is not None:
            progress(looks[-1])
        if looks[-1].quality > most:
            found, most = now, looks[-1].quality
    return found, tuple(looks)


def look(epoch: int, found: Scorer, cases: Sequence[Case], scale: Scale) -> Look:
    """Returns the NDCG@10 of held-out users."""
    vectors = found.vectors(cases)
    ((everything, liked),) = list_qualities(
        lambda part: [found.scores(vectors[part])],
        [case.given_rows for case in cases],
        [case.hidden_rows for case in cases],
        [case.hidden_rows[case.hidden_values >= liked_from(scale)] for case in cases],
    )
    return Look(epoch, float(everything), float(liked))
