"""User encoders as methods: the same lists from the linear and from the neural one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from foldin_model.arrays import Rows

from foldin_trainer.evaluation.methods import BATCH, Case, best
from foldin_trainer.learning.encoder.stopping import Scorer


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """What an encoder recommends; it predicts no ratings."""

    name: str
    encoder: Scorer

    def recommend(self, cases: Sequence[Case], count: int) -> Rows:
        """The best items neither given nor masked, by items·x_u."""
        lists = [np.zeros((0, count), np.int32)]
        for start in range(0, len(cases), BATCH):
            batch = cases[start : start + BATCH]
            scores = self.encoder.scores(self.encoder.vectors(batch))
            left_out = np.zeros(scores.shape, np.bool_)
            for place, case in enumerate(batch):
                left_out[place, case.given_rows] = True
                left_out[place, case.masked_rows] = True
            lists.append(best(scores, left_out, count))
        return np.concatenate(lists)

    def predict(self, cases: Sequence[Case]) -> None:
        """Nothing: its scores are logarithms of probabilities."""
