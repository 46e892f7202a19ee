"""Chooses the ranking head, and some of its settings, on users that training did not see.

Finding what such a user goes on to rate and finding what they go on to like count the same, with
four fifths of their ratings given.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from foldin_trainer.learning.fold_in.constants import folded
from foldin_trainer.learning.fold_in.fold_in_cases import FoldInCase, case_rows, cases_by_length
from foldin_trainer.learning.heads import RANKING_HEADS
from foldin_trainer.learning.ranking_heads.ranking_head import (
    HeldOutUsers,
    Look,
    Plans,
    RankingHead,
    RankingPlan,
)
from foldin_trainer.learning.ranking_heads.trained_head import Ranking
from foldin_trainer.learning.registry.head_settings import HeadSettings
from foldin_trainer.learning.registry.registration import AUTO
from foldin_trainer.metrics.list_quality import list_qualities


@dataclass(frozen=True, slots=True)
class Attempt:
    """A plan that was tried and the NDCG@10 of its lists, for all hidden items and liked ones."""

    plan: RankingPlan
    ndcg: float
    ndcg_liked: float

    @property
    def quality(self) -> float:
        """The mean of both figures."""
        return (self.ndcg + self.ndcg_liked) / 2.0

    def __str__(self) -> str:
        return f"{self.plan.name}: NDCG@10 {self.ndcg:.4f}, of what is liked {self.ndcg_liked:.4f}"


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The best plan, what it learned from the known ratings, and all attempts, best first."""

    plan: RankingPlan
    ranking: Ranking
    attempts: tuple[Attempt, ...]


def _ignore(_: object) -> None:
    pass


def choose_ranking(
    held_out: HeldOutUsers,
    head: str,
    settings: HeadSettings,
    *,
    time_budget_s: float | None = None,
    tried: Callable[[Attempt], None] = _ignore,
    look: Callable[[Look], None] = _ignore,
) -> Chosen:
    """Returns the best plan for the ranking head of that name, or for any with `auto`.

    `tried` is called with every attempt, `look` with every look at the held-out users while a
    plan is made by training. After `time_budget_s` no other plan is tried; the first one always
    is. Raises FoldinError for an unknown head.
    """
    (cases,) = cases_by_length(held_out.ratings, held_out.cases, (None,))
    plans = Plans(held_out, settings, look)
    best: tuple[float, RankingPlan, Ranking] | None = None
    attempts: list[Attempt] = []
    for plan in _in_time(_to_try(head, plans), time_budget_s):
        ranking = plan.learn(held_out.known, held_out.items)
        attempt = Attempt(plan, *quality(ranking, cases))
        attempts.append(attempt)
        tried(attempt)
        if best is None or attempt.quality > best[0]:
            best = attempt.quality, plan, ranking
    if best is None:
        raise ValueError(f"the head {head!r} has no plan")
    order = sorted(attempts, key=lambda one: -one.quality)
    return Chosen(best[1], best[2], tuple(order))


def _to_try(head: str, plans: Plans) -> Iterator[RankingPlan]:
    for one in _automatic(plans.held_out) if head == AUTO else (RANKING_HEADS[head],):
        yield from plans.of(one)


def _automatic(held_out: HeldOutUsers) -> list[RankingHead]:
    """Returns the heads that `auto` tries with so many items."""
    items = len(held_out.ratings.item_ids)
    return [head for head in RANKING_HEADS.values() if head.auto and items <= head.most_items]


def _in_time(plans: Iterator[RankingPlan], budget_s: float | None) -> Iterator[RankingPlan]:
    """Yields the first plan and those begun within the budget: making one may take a training."""
    started = time.monotonic()
    for plan in plans:
        yield plan
        if budget_s is not None and time.monotonic() - started > budget_s:
            return


def quality(ranking: Ranking, cases: Sequence[FoldInCase]) -> tuple[float, float]:
    """Returns NDCG@10 with every hidden item a hit, and with the liked ones only."""
    head = ranking.head(ranking.prior_scales[0])
    users = folded(head, cases)
    ((ndcg, liked),) = list_qualities(
        lambda part: [users[part] @ head.vectors.T], *case_rows(cases)
    )
    return float(ndcg), float(liked)
