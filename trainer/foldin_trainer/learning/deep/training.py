"""Trains the neural user encoder from a trained linear one, on the same likelihood."""

from collections.abc import Callable, Sequence

import torch

from foldin_trainer.data.ratings import Ratings
from foldin_trainer.evaluation.methods import Case
from foldin_trainer.learning.deep.network import DeepEncoder, DeepResult
from foldin_trainer.learning.deep.settings import DeepSettings
from foldin_trainer.learning.devices import threads_for
from foldin_trainer.learning.encoder.batches import Histories
from foldin_trainer.learning.encoder.result import EncoderEpoch, EncoderResult
from foldin_trainer.learning.encoder.settings import EncoderSettings
from foldin_trainer.learning.encoder.starting import Start
from foldin_trainer.learning.encoder.stopping import BETAS, Passing, best_pass, passes
from foldin_trainer.learning.weighting import rule_for


def train_deep(
    ratings: Ratings,
    linear: EncoderResult,
    settings: DeepSettings,
    of_linear: EncoderSettings,
    validation: Sequence[Case] = (),
    *,
    stop_after: int | None = None,
    progress: Callable[[EncoderEpoch], None] | None = None,
) -> DeepResult:
    """The encoder after the pass that served the `validation` cases best, all hits and liked ones.

    After `stop_after` passes, or all of `settings`, where there are no cases. `linear` was trained
    on the same ratings by `of_linear`, and is what pass 0 would be: layers that do nothing.
    """
    with threads_for(len(ratings)), torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        histories = Histories.of(ratings)
        encoder = _begin(histories, linear, of_linear, ratings)
        encoder.add_layers(settings.hidden, settings.dropout)
        passing = Passing(of_linear.batch_users, of_linear.kept, settings.seed)
        running = passes(encoder, histories, _optimizer(encoder, settings), passing)
        epochs = settings.epochs if stop_after is None else stop_after
        if validation and stop_after is None:
            found, _ = best_pass(
                running,
                encoder.deep_result,
                epochs=epochs,
                cases=validation,
                scale=ratings.scale,
                progress=progress,
                untouched=False,
            )
            return found
        for _ in range(epochs):
            next(running)
        return encoder.deep_result(epochs)


def _begin(
    histories: Histories, linear: EncoderResult, settings: EncoderSettings, ratings: Ratings
) -> DeepEncoder:
    begun = Start(linear.items.astype(float), linear.inputs.astype(float), linear.prior)
    encoder = DeepEncoder(histories, begun, settings, rule_for(ratings.scale))
    with torch.no_grad():
        encoder.factors.copy_(torch.tensor(linear.rule.factors))
        encoder.exponent.fill_(linear.exponent)
    return encoder


def _optimizer(encoder: DeepEncoder, settings: DeepSettings) -> torch.optim.Optimizer:
    layers = [*encoder.inward.parameters(), *encoder.outward.parameters()]
    ids = {id(parameter) for parameter in layers}
    before = [parameter for parameter in encoder.parameters() if id(parameter) not in ids]
    slow = {"params": before, "lr": settings.linear_rate, "weight_decay": 0.0}
    return torch.optim.AdamW(
        [{"params": layers, "weight_decay": settings.weight_decay}, slow],
        settings.learning_rate,
        BETAS,
    )
