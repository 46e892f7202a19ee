"""The encoder as it is trained: its parameters and its loss on a batch of split histories."""

from typing import Final

import numpy as np
import torch
from foldin_model.fold_in.head import RatingRule
from foldin_model.fold_in.linear_encoder import EncoderRule
from torch import nn
from torch.nn.functional import embedding_bag

from foldin_trainer.learning.ranking_heads.encoder.batches import Batch, Histories
from foldin_trainer.learning.ranking_heads.encoder.result import EncoderResult
from foldin_trainer.learning.ranking_heads.encoder.settings import EncoderSettings
from foldin_trainer.learning.ranking_heads.encoder.start import Start

EXPONENT: Final = 0.5  # γ before it is learned


class Encoder(nn.Module):
    """x_u = prior + n^-γ Σ_j ρ(r_j) inputs[j] and the logits items·x_u, trained from a start."""

    def __init__(
        self, histories: Histories, initial: Start, settings: EncoderSettings, rule: RatingRule
    ) -> None:
        """`rule` has the knots of the functions of a rating's value."""
        super().__init__()
        self.items = nn.Parameter(torch.tensor(initial.items, dtype=torch.float32))
        self.inputs = nn.Parameter(torch.tensor(initial.inputs, dtype=torch.float32))
        self.prior = nn.Parameter(torch.tensor(initial.prior, dtype=torch.float32))
        self.factors = nn.Parameter(torch.tensor(settings.start_factors))
        self.exponent = nn.Parameter(torch.tensor(EXPONENT))
        self.knots = rule.knots
        hats = [np.interp(histories.values, rule.knots, hat) for hat in np.eye(len(rule.knots))]
        wanted = np.interp(histories.values, rule.knots, settings.target_weights)
        self._columns = torch.tensor(histories.items)
        self._hats = torch.tensor(np.array(hats).T, dtype=torch.float32)
        self._target_weights = torch.tensor(wanted, dtype=torch.float32)
        self._items_before = self.items.detach().clone()
        self._inputs_before = self.inputs.detach().clone()
        self._anchor = settings.anchor

    def forward(self, batch: Batch) -> torch.Tensor:
        """Returns the mean negative log-likelihood of wanted items, plus the pull to the start.

        A user weighs the square root of the number of their wanted items: between equal weights of
        users and equal weights of ratings.
        """
        logits = self.vectors(batch) @ self.items.T
        logits = logits.index_put(
            (torch.tensor(batch.given_users), self._columns[batch.given]),
            torch.tensor(-torch.inf),
        )
        owners = torch.tensor(batch.wanted_users)
        counts = torch.bincount(owners, minlength=batch.users).clamp(min=1)
        weights = self._target_weights[batch.wanted] / counts[owners].sqrt()
        misses = logits.logsumexp(1)[owners] - logits[owners, self._columns[batch.wanted]]
        pull = (self.items - self._items_before).square().sum()
        pull += (self.inputs - self._inputs_before).square().sum()
        return (weights * misses).sum() / weights.sum().clamp(min=1e-6) + self._anchor / 2 * pull

    def vectors(self, batch: Batch) -> torch.Tensor:
        """Returns the users' vectors (users, d) by their given ratings."""
        return self.prior + self.encoded(batch)

    def encoded(self, batch: Batch) -> torch.Tensor:
        """Returns what the given ratings add to the prior, (users, d)."""
        sizes = np.bincount(batch.given_users, minlength=batch.users)
        sums = embedding_bag(
            self._columns[batch.given],
            self.inputs,
            torch.tensor(np.concatenate(([0], np.cumsum(sizes)))),
            mode="sum",
            per_sample_weights=self._hats[batch.given] @ self.factors,
            include_last_offset=True,
        )
        lengths = torch.tensor(sizes, dtype=torch.float32).clamp(min=1.0)
        moved: torch.Tensor = sums * lengths[:, None] ** -self.exponent
        return moved

    def result(self, epoch: int) -> EncoderResult:
        """Returns a copy of the present parameters."""
        return EncoderResult(
            items=self.items.detach().numpy().copy(),
            inputs=self.inputs.detach().numpy().copy(),
            prior=self.prior.detach().numpy().astype(np.float64),
            rule=EncoderRule(self.knots, tuple(self.factors.detach().tolist())),
            exponent=float(self.exponent.detach()),
            best_epoch=epoch,
            epochs=(),
        )

    @torch.no_grad()
    def clamp(self) -> None:
        """Clamps ρ at the minimum of the scale to 0 at most, and γ to [0, 1]."""
        self.factors[0].clamp_(max=0.0)
        self.exponent.clamp_(0.0, 1.0)
