"""The registration of the rating head `bayes`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from foldin_model.fold_in.kinds import ENCODER_PRIOR

from foldin_trainer.learning.rating_heads.bayes.result import BayesResult
from foldin_trainer.learning.rating_heads.bayes.settings import LIMITS, BayesSettings
from foldin_trainer.learning.rating_heads.bayes.trainer import Checkpoint, train_bayes
from foldin_trainer.learning.rating_heads.factors import RatingFactors
from foldin_trainer.learning.rating_heads.rating_head import RatingHead, RatingTask
from foldin_trainer.learning.registry.head_settings import HeadSettings
from foldin_trainer.learning.registry.search_space import Real, Whole


def _sampled(task: RatingTask, settings: BayesSettings) -> BayesResult:
    return train_bayes(
        task.ratings,
        task.items,
        settings,
        people=task.users,
        validation=task.validation,
        progress=lambda sweep: task.progress(sweep.epoch),
        checkpoint=None if task.checkpoint is None else Checkpoint(task.checkpoint),
    )


def _learn_part(task: RatingTask, heads: HeadSettings) -> RatingFactors:
    return _sampled(task, heads.of(BayesSettings).shortened()).factors


def _learn_all(
    task: RatingTask, heads: HeadSettings, part: RatingFactors
) -> tuple[RatingFactors, Mapping[str, float]]:
    del part  # the number of sweeps is a setting
    sampled = _sampled(task, heads.of(BayesSettings))
    return sampled.factors, sampled.metrics()


def _learn_alone(task: RatingTask, heads: HeadSettings, share: float) -> RatingFactors:
    del share  # nothing has to be watched
    return _sampled(task, heads.of(BayesSettings)).factors


BAYES: Final = RatingHead(
    name="bayes",
    summary="matrix factorization by sampling, slower and more accurate",
    settings=BayesSettings,
    limits=LIMITS,
    kind=ENCODER_PRIOR,
    space=MappingProxyType({"factors": Whole(8, 32), "noise_degrees": Real(2.0, 30.0)}),
    options=MappingProxyType(
        {"sweeps": "Sweeps of every chain of bayes.", "chains": "Chains of bayes."}
    ),
    learn_part=_learn_part,
    learn_all=_learn_all,
    learn_alone=_learn_alone,
    knows_content=True,
    keeps_user_vectors=True,
)
