"""Chooses the ranking head on users that training did not see: which one, and some of its tuning.

Finding what such a user goes on to rate and finding what she goes on to like count the same, with
four fifths of her ratings given.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np

from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.data.splits import HeldOutCase
from foldin_trainer.learning.fold_in.constants import folded
from foldin_trainer.learning.fold_in.questions import Question, asked, questions_of
from foldin_trainer.learning.ranking_heads.ease.training import MOST_ITEMS, EaseSettings
from foldin_trainer.learning.ranking_heads.encoder.result import EncoderEpoch
from foldin_trainer.learning.ranking_heads.encoder.settings import EncoderSettings
from foldin_trainer.learning.ranking_heads.encoder.training import train_encoder
from foldin_trainer.learning.ranking_heads.ials.training import IalsSettings
from foldin_trainer.learning.ranking_heads.plans import (
    EasePlan,
    EncoderPlan,
    EnsemblePlan,
    EnsembleSettings,
    IalsPlan,
    Parts,
    Plan,
)
from foldin_trainer.learning.ranking_heads.ranking import Ranking
from foldin_trainer.metrics.cases import make_cases
from foldin_trainer.metrics.list_quality import list_qualities

RankingHead = Literal["ials", "ease", "encoder", "ensemble", "auto"]
L2_FACTORS: Final = (1.0, 2.0)
"""What λ of `ease` is tried as, times the one of its settings."""
L2_EXPONENTS: Final = (0.0, -0.2)
BLENDS: Final = (
    *((0.5, 0.25, 0.25), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0), (0.25, 0.25, 0.5), (0.75, 0.0, 0.25)),
    *((0.75, 0.25, 0.0), (0.25, 0.0, 0.75)),
)
"""Weights of `ease`, `ials` and `encoder` that an ensemble is tried with."""


@dataclass(frozen=True, slots=True)
class RankingSettings:
    """Which ranking head is wanted, and how each is trained."""

    head: RankingHead = "ease"
    ials: IalsSettings = field(default_factory=IalsSettings)
    ease: EaseSettings = field(default_factory=EaseSettings)
    encoder: EncoderSettings = field(default_factory=EncoderSettings)
    ensemble: EnsembleSettings = field(default_factory=EnsembleSettings)
    time_budget_s: float | None = None
    """No further plan is tried after so many seconds; the first one always is."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A plan that was tried and the NDCG@10 of its lists, for all hidden items and liked ones."""

    plan: Plan
    ndcg: float
    ndcg_liked: float

    @property
    def quality(self) -> float:
        """Both count the same."""
        return (self.ndcg + self.ndcg_liked) / 2.0

    def __str__(self) -> str:
        return f"{self.plan.name}: NDCG@10 {self.ndcg:.4f}, of what is liked {self.ndcg_liked:.4f}"


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The plan, what it made of the ratings known, and all that was tried, best first."""

    plan: Plan
    ranking: Ranking
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Ratings to learn from, what their items are about, and users held out of `ratings`."""

    known: Ratings
    items: ItemTable
    ratings: Ratings
    cases: Sequence[HeldOutCase]


def choose_ranking(
    held: Held,
    settings: RankingSettings,
    tried: Callable[[Attempt], None] = lambda _: None,
    looked: Callable[[EncoderEpoch], None] = lambda _: None,
) -> Chosen:
    """The best plan for the head of `settings`.

    `tried` hears of every attempt, `looked` of every look at the users held out while the encoder
    learns.
    """
    (questions,) = questions_of(held.ratings, held.cases, (None,))
    best: tuple[float, Plan, Ranking] | None = None
    attempts: list[Attempt] = []
    for plan in _in_time(plans(held, settings, looked), settings.time_budget_s):
        ranking = plan.learn(held.known, held.items)
        attempt = Attempt(plan, *quality(ranking, questions))
        attempts.append(attempt)
        tried(attempt)
        if best is None or attempt.quality > best[0]:
            best = attempt.quality, plan, ranking
    if best is None:
        raise ValueError(f"no plan for {settings.head}")
    order = sorted(attempts, key=lambda one: -one.quality)
    return Chosen(best[1], best[2], tuple(order))


def _in_time(tried: Iterator[Plan], budget_s: float | None) -> Iterator[Plan]:
    """The first plan and those begun within the budget: asking for one may train an encoder."""
    started = time.monotonic()
    for plan in tried:
        yield plan
        if budget_s is not None and time.monotonic() - started > budget_s:
            return


def plans(
    held: Held,
    settings: RankingSettings,
    looked: Callable[[EncoderEpoch], None] = lambda _: None,
) -> Iterator[Plan]:
    """What is tried for the head of those settings; `auto` tries every head, the quick ones first.

    A catalogue of more than MOST_ITEMS items has no `ease` there.
    """
    if settings.head in {"ials", "auto"}:
        yield IalsPlan(settings.ials)
    few = len(held.ratings.item_ids) <= MOST_ITEMS
    if settings.head == "ease" or (settings.head == "auto" and few):
        ease = settings.ease
        for factor in L2_FACTORS:
            for exponent in L2_EXPONENTS:
                yield EasePlan(replace(ease, l2=factor * ease.l2, l2_exponent=exponent))
    passes = 0
    if settings.head in {"encoder", "auto"}:
        passes = _passes(held, settings.encoder, looked)
        yield EncoderPlan(settings.encoder, passes)
    if settings.head == "ensemble" or (settings.head == "auto" and few):
        yield from _ensembles(held, settings, passes, looked)


def _ensembles(
    held: Held, settings: RankingSettings, passes: int, looked: Callable[[EncoderEpoch], None]
) -> Iterator[Plan]:
    """Blends by BLENDS, of parts that are learned once for all of them."""
    ensemble = settings.ensemble
    passes = passes or _passes(held, settings.encoder, looked)
    ease = replace(
        settings.ease,
        dimension=ensemble.ease_dimension,
        l2=L2_FACTORS[-1] * settings.ease.l2,
        l2_exponent=L2_EXPONENTS[-1],
    )
    encoder = EncoderPlan(settings.encoder, passes)
    parts = Parts((EasePlan(ease), IalsPlan(settings.ials), encoder))
    for weights in BLENDS:
        yield EnsemblePlan(replace(ensemble, weights=weights), parts)


def quality(ranking: Ranking, questions: Sequence[Question]) -> tuple[float, float]:
    """NDCG@10 with every hidden item a hit, and with the liked ones only."""
    head = ranking.head(ranking.prior_scales[0])
    users = folded(head, questions)
    ((ndcg, liked),) = list_qualities(
        lambda part: [users[part] @ head.vectors.T], *asked(questions)
    )
    return float(ndcg), float(liked)


def _passes(held: Held, settings: EncoderSettings, looked: Callable[[EncoderEpoch], None]) -> int:
    given = np.concatenate([case.given_index for case in held.cases])
    hidden = np.concatenate([case.hidden_index for case in held.cases])
    cases = make_cases(held.ratings.take(given), held.ratings.take(hidden))
    return train_encoder(held.known, settings, cases, progress=looked).best_epoch
