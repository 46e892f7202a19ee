"""The NDCG of lists does not depend on how many users are scored at a time."""

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from foldin_model.arrays import Doubles
from foldin_trainer.learning.fold_in.fold_in_cases import FoldInCase, case_rows
from foldin_trainer.metrics import list_quality
from foldin_trainer.metrics.list_quality import list_qualities
from foldin_trainer.metrics.lists import best
from foldin_trainer.metrics.ranking_metrics import hit_matrix, ndcg

USERS, ITEMS = 300, 40


def _group(users: int, items: int) -> list[FoldInCase]:
    rng = np.random.default_rng(0)
    drawn = [rng.permutation(items)[:12].astype(np.int32) for _ in range(users)]
    stars = np.ones(6)
    return [FoldInCase(np.sort(r[:6]), stars, r[6:], stars, r[6:8]) for r in drawn]


@pytest.mark.parametrize("at_a_time", [1, 7, 1_000])
def test_every_way_of_scoring_has_the_ndcg_of_its_lists(
    monkeypatch: pytest.MonkeyPatch, at_a_time: int
) -> None:
    monkeypatch.setattr(list_quality, "USERS_AT_A_TIME", at_a_time)
    group = _group(USERS, ITEMS)
    ways = np.random.default_rng(1).normal(size=(2, USERS, ITEMS))
    found = list_qualities(lambda part: (way[part] for way in ways), *case_rows(group))
    given = np.zeros((USERS, ITEMS), np.bool_)
    for row, case in enumerate(group):
        given[row, case.rows] = True
    for way, (everything, liked) in zip(ways, found.tolist(), strict=True):
        lists = best(way, given, 10)
        hits = hit_matrix(lists, [case.hidden_rows for case in group])
        assert everything == pytest.approx(ndcg(hits, np.full(USERS, 6)).mean())
        hits = hit_matrix(lists, [case.liked_rows for case in group])
        assert liked == pytest.approx(ndcg(hits, np.full(USERS, 2)).mean())


def test_memory_holds_the_scores_of_a_few_users_at_a_time() -> None:
    group = _group(2_000, 3_000)
    rng = np.random.default_rng(1)

    def scored(part: slice) -> Iterator[Doubles]:
        yield rng.normal(size=(part.stop - part.start, 3_000))[: len(group[part])]

    tracemalloc.start()
    try:
        list_qualities(scored, *case_rows(group))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * 2_000 * 3_000
