"""Trains a linear encoder: what a user rated has to make the rest of what she rated probable.

Multinomial likelihood over all items that were not given (the objective of Mult-VAE, Liang et al.
2018, with nothing between history and scores), from a start near EASE.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from foldin_model.heads import Scale

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.evaluation.methods import Case, best
from foldin_trainer.evaluation.ranking_metrics import hit_matrix, ndcg
from foldin_trainer.evaluation.scoring import liked_from
from foldin_trainer.learning.devices import threads_for
from foldin_trainer.learning.encoder.batches import Histories
from foldin_trainer.learning.encoder.module import Encoder
from foldin_trainer.learning.encoder.result import EncoderEpoch, EncoderResult
from foldin_trainer.learning.encoder.settings import EncoderSettings
from foldin_trainer.learning.encoder.starting import start
from foldin_trainer.learning.weighting import rule_for

EPOCHS_A_LOOK: Final = 5
LIST_LENGTH: Final = 10


def train_encoder(
    ratings: Ratings,
    settings: EncoderSettings,
    validation: Sequence[Case] = (),
    *,
    stop_after: int | None = None,
    progress: Callable[[EncoderEpoch], None] | None = None,
) -> EncoderResult:
    """The encoder after the pass that served the `validation` cases best, all hits and liked ones.

    After `stop_after` passes, or all of `settings`, where there are no cases. Their users must
    have no ratings in `ratings`. The same input gives the same bits on one machine. `progress`
    hears of every look at the cases.
    """
    with threads_for(len(ratings)):
        encoder, histories = _begin(ratings, settings)
        passes = _passes(encoder, histories, settings)
        if not validation or stop_after is not None:
            epochs = settings.epochs if stop_after is None else stop_after
            for _ in range(epochs):
                next(passes)
            return encoder.result(epochs, ())
        found = encoder.result(0, ())
        looks = [_look(found, validation, ratings.scale)]
        for epoch in range(EPOCHS_A_LOOK, settings.epochs + 1, EPOCHS_A_LOOK):
            for _ in range(EPOCHS_A_LOOK):
                next(passes)
            now = encoder.result(epoch, ())
            looks.append(_look(now, validation, ratings.scale))
            if progress is not None:
                progress(looks[-1])
            if looks[-1].quality > max(look.quality for look in looks[:-1]):
                found = now
    return replace(found, epochs=tuple(looks))


def _begin(ratings: Ratings, settings: EncoderSettings) -> tuple[Encoder, Histories]:
    histories = Histories.of(ratings)
    begun = start(
        histories.interactions,
        settings.dimension,
        l2=settings.start_l2,
        sharpness=settings.start_sharpness,
        seed=settings.seed,
    )
    return Encoder(histories, begun, settings, rule_for(ratings.scale)), histories


def _passes(encoder: Encoder, histories: Histories, settings: EncoderSettings) -> Iterator[None]:
    """Passes over all users, one each time it is asked for the next, without end."""
    rng = np.random.default_rng(settings.seed)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=settings.learning_rate, betas=(0.9, 0.99))
    while True:
        for batch in histories.batches(rng, settings.batch_users, settings.kept):
            optimizer.zero_grad()
            encoder(batch).backward()
            optimizer.step()
            encoder.keep_signs()
        yield


def _look(found: EncoderResult, cases: Sequence[Case], scale: Scale) -> EncoderEpoch:
    """NDCG@10 of held-out users."""
    scores = found.scores(found.vectors(cases))
    given = np.zeros(scores.shape, np.bool_)
    for place, case in enumerate(cases):
        given[place, case.given_rows] = True
    lists = best(scores, given, LIST_LENGTH)
    limits = (scale.low, liked_from(scale))
    means = []
    for limit in limits:
        hidden = [case.hidden_rows[case.hidden_values >= limit] for case in cases]
        sizes = np.array([len(rows) for rows in hidden], np.int64)
        hits = hit_matrix(lists, hidden)
        means.append(float(ndcg(hits[sizes > 0], sizes[sizes > 0]).mean()))
    return EncoderEpoch(found.best_epoch, *means)
