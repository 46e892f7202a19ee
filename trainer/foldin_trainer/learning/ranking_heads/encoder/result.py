"""`EncoderResult`: a trained linear encoder, item vectors and the map from history to user."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from foldin_model.arrays import Doubles, Floats
from foldin_model.fold_in.linear_encoder import EncoderRule, LinearEncoder

from foldin_trainer.learning.ranking_heads.ranking_head import Look
from foldin_trainer.metrics.cases import Case


@dataclass(frozen=True, slots=True, eq=False)
class EncoderResult:
    """score(u, i) = items[i]·x_u with x_u = prior + n^-γ Σ_j ρ(r_j) inputs[j].

    `items` and `inputs` are (n_items, dimension) float32, zero in `inputs` where an item was not
    rated; `prior`, the vector of a user without ratings, is (dimension,) float64 and orders like
    popularity. `best_epoch` is the pass that these parameters are from.
    """

    items: Floats
    inputs: Floats
    prior: Doubles
    rule: EncoderRule
    exponent: float
    best_epoch: int
    epochs: tuple[Look, ...]

    @property
    def encoder(self) -> LinearEncoder:
        """The map from ratings to what they add to the prior."""
        return LinearEncoder(self.inputs, self.rule, self.exponent)

    def vectors(self, cases: Sequence[Case]) -> Doubles:
        """Returns the vectors (n, dimension) of users by their given ratings."""
        encoder = self.encoder
        encoded = [encoder.encode(case.given_rows, case.given_values) for case in cases]
        return np.asarray(self.prior + np.array(encoded), np.float64)

    def scores(self, vectors: Doubles) -> Doubles:
        """Returns scores (n, n_items) of users at (n, dimension)."""
        return np.asarray(vectors @ self.items.T.astype(np.float64), np.float64)
