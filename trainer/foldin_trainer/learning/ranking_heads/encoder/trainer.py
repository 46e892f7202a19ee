"""Trains a linear encoder: part of a user's ratings predicts the rest of them.

The loss is the multinomial likelihood over all items that were not given (the objective of
Mult-VAE, Liang et al. 2018, for a linear model). Training starts near EASE.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.devices import threads_for
from foldin_trainer.learning.ranking_heads.encoder.batches import Histories
from foldin_trainer.learning.ranking_heads.encoder.module import Encoder
from foldin_trainer.learning.ranking_heads.encoder.passes import (
    BETAS,
    PassSettings,
    best_pass,
    passes,
)
from foldin_trainer.learning.ranking_heads.encoder.result import EncoderResult
from foldin_trainer.learning.ranking_heads.encoder.settings import EncoderSettings
from foldin_trainer.learning.ranking_heads.encoder.start import start
from foldin_trainer.learning.ranking_heads.ranking_head import Look
from foldin_trainer.learning.ranking_heads.rating_weights import rule_for
from foldin_trainer.metrics.cases import Case


def train_encoder(
    ratings: Ratings,
    settings: EncoderSettings,
    validation: Sequence[Case] = (),
    *,
    stop_after: int | None = None,
    progress: Callable[[Look], None] | None = None,
) -> EncoderResult:
    """Returns the encoder after the pass that served the `validation` cases best.

    Their users must have no ratings in `ratings`. Without cases it returns the encoder after
    `stop_after` passes, or after all passes of `settings`. `progress` is called with every look at
    the cases. Equal input gives equal bits on one machine.
    """
    with threads_for(len(ratings)):
        encoder, histories = _begin(ratings, settings)
        optimizer = torch.optim.Adam(encoder.parameters(), settings.learning_rate, BETAS)
        pass_settings = PassSettings(settings.batch_users, settings.kept, settings.seed)
        running = passes(encoder, histories, optimizer, pass_settings)
        epochs = settings.epochs if stop_after is None else stop_after
        if validation and stop_after is None:
            found, looks = best_pass(
                running,
                encoder.result,
                epochs=epochs,
                cases=validation,
                scale=ratings.scale,
                progress=progress,
            )
            return replace(found, epochs=looks)
        for _ in range(epochs):
            next(running)
        return encoder.result(epochs)


def _begin(ratings: Ratings, settings: EncoderSettings) -> tuple[Encoder, Histories]:
    histories = Histories.of(ratings)
    initial = start(
        histories.interactions,
        settings.dimension,
        l2=settings.start_l2,
        sharpness=settings.start_sharpness,
        seed=settings.seed,
    )
    return Encoder(histories, initial, settings, rule_for(ratings.scale)), histories
