"""The registration of the rating head `mf`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from foldin_model.fold_in.kinds import QUADRATIC

from foldin_trainer.learning.rating_heads.factors import RatingFactors
from foldin_trainer.learning.rating_heads.mf.trainer import (
    LIMITS,
    MfSettings,
    train_mf,
    train_mf_twice,
)
from foldin_trainer.learning.rating_heads.rating_head import RatingHead, RatingTask
from foldin_trainer.learning.registry.head_settings import HeadSettings
from foldin_trainer.learning.registry.search_space import Real, Whole


def _learn_part(task: RatingTask, heads: HeadSettings) -> RatingFactors:
    settings = heads.of(MfSettings)
    return train_mf(task.ratings, settings, task.validation, progress=task.progress)


def _learn_all(
    task: RatingTask, heads: HeadSettings, part: RatingFactors
) -> tuple[RatingFactors, Mapping[str, float]]:
    """Makes as many passes as were best on part of the ratings."""
    return train_mf(task.ratings, heads.of(MfSettings), stop_after=part.best_epoch), {}


def _learn_alone(task: RatingTask, heads: HeadSettings, share: float) -> RatingFactors:
    return train_mf_twice(task.ratings, heads.of(MfSettings), share=share)


MF: Final = RatingHead(
    name="mf",
    summary="matrix factorization, quick",
    settings=MfSettings,
    limits=LIMITS,
    kind=QUADRATIC,
    space=MappingProxyType(
        {
            "dimension": Whole(8, 128),
            "learning_rate": Real(1e-3, 5e-2),
            "l2": Real(1e-2, 1.0),
            "bias_l2": Real(1e-3, 0.3),
            "epochs": Whole(8, 40),
        }
    ),
    options=MappingProxyType({"epochs": "Most passes of mf."}),
    learn_part=_learn_part,
    learn_all=_learn_all,
    learn_alone=_learn_alone,
)
