"""A history encoder with a hidden layer: x_u = prior + lead + W·tanh(V·s + b), W zero at first.

The lead is the linear encoder's, s the direction of the lead with a column for its length and one
for the length of the history, so that training starts at the linear encoder exactly and what it
gains is the network's. Ratings have no time here: what evaluation gives is in no order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from foldin_model.arrays import Doubles, Floats
from torch import nn

from foldin_trainer.evaluation.methods import Case
from foldin_trainer.learning.encoder.batches import Batch
from foldin_trainer.learning.encoder.module import Encoder
from foldin_trainer.learning.encoder.result import EncoderResult

EXTRAS = 2  # columns beside the direction: log of both lengths


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """`inward` (hidden, d + EXTRAS), `bias` (hidden,), `outward` (d, hidden), all float32."""

    inward: Floats
    bias: Floats
    outward: Floats


@dataclass(frozen=True, slots=True, eq=False)
class DeepResult:
    """The linear part and the layers on top of it; scores are the linear part's items·x_u."""

    linear: EncoderResult
    layers: Layers
    best_epoch: int

    def vectors(self, cases: Sequence[Case]) -> Doubles:
        """The vectors (n, dimension) of users by what they are given."""
        led = self.linear.vectors(cases) - self.linear.prior
        sizes = np.array([len(case.given_rows) for case in cases], np.float64)
        lengths = np.linalg.norm(led, axis=1, keepdims=True).clip(min=1e-6)
        extras = np.column_stack((np.log(lengths), np.log(sizes.clip(min=1.0))))
        inside = np.hstack((led / lengths * led.shape[1] ** 0.5, extras))
        hidden = np.tanh(inside @ self.layers.inward.T + self.layers.bias)
        return np.asarray(self.linear.prior + led + hidden @ self.layers.outward.T, np.float64)

    def scores(self, vectors: Doubles) -> Doubles:
        """Scores (n, n_items) of users at (n, dimension)."""
        return self.linear.scores(vectors)


class DeepEncoder(Encoder):
    """The linear encoder with the layers in its users' vectors."""

    def add_layers(self, hidden: int, dropout: float) -> None:
        """Layers that change nothing yet."""
        dimension = len(self.prior)
        self.inward = nn.Linear(dimension + EXTRAS, hidden)
        self.outward = nn.Linear(hidden, dimension, bias=False)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.outward.weight)

    def vectors(self, batch: Batch) -> torch.Tensor:
        """The users' vectors (users, d) by what is given of them."""
        led = self.led(batch)
        sizes = torch.bincount(torch.tensor(batch.given_users), minlength=batch.users).clamp(min=1)
        lengths = led.norm(dim=1, keepdim=True).clamp(min=1e-6)
        extras = torch.cat((lengths.log(), sizes.to(led)[:, None].log()), 1)
        inside = torch.cat((led / lengths * led.shape[1] ** 0.5, extras), 1)
        hidden = self.dropout(torch.tanh(self.inward(inside)))
        moved: torch.Tensor = self.prior + led + self.outward(hidden)
        return moved

    def deep_result(self, epoch: int) -> DeepResult:
        """The parameters as they are now, copied."""
        tensors = (self.inward.weight, self.inward.bias, self.outward.weight)
        inward, bias, outward = (tensor.detach().numpy().copy() for tensor in tensors)
        return DeepResult(self.result(epoch), Layers(inward, bias, outward), epoch)
