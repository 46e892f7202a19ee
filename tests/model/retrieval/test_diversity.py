"""Diversity: maximal marginal relevance and the cap per cluster."""

from collections import Counter
from dataclasses import replace

import numpy as np
from foldin_model.retrieval.diversity import diversify
from foldin_model.retrieval.search import Hits, search
from hypothesis import given
from hypothesis import strategies as st
from snapshots import planted_snapshot

SNAPSHOT = planted_snapshot()
CLUSTERS = SNAPSHOT.model.catalog.cluster_ids
SIMILARITY = SNAPSHOT.model.similarity.astype(np.float64)


def hits_of(seed: int, count: int) -> Hits:
    rng = np.random.default_rng(seed)
    return search(SNAPSHOT, rng.normal(size=SNAPSHOT.model.dimension), None, count)


def by_the_book(hits: Hits, strength: float) -> list[int]:
    """Returns the list of Carbonell & Goldstein as published, computed anew at each place."""
    low, high = hits.scores.min(), hits.scores.max()
    relevance = {
        row: (score - low) / (high - low) if high > low else 0.0
        for row, score in zip(hits.rows.tolist(), hits.scores.tolist(), strict=True)
    }
    chosen: list[int] = []
    left = hits.rows.tolist()
    while left:
        marginal = [
            (1 - strength) * relevance[row]
            - strength * max((SIMILARITY[row] @ SIMILARITY[c] for c in chosen), default=0.0)
            for row in left
        ]
        chosen.append(left.pop(int(np.argmax(np.round(marginal, 9)))))
    return chosen


seeds = st.integers(0, 2**32 - 1)
strengths = st.floats(0.0, 1.0).map(lambda s: round(s, 3))


@given(seeds, st.integers(1, 25), strengths)
def test_the_order_is_that_of_the_definition(seed: int, count: int, strength: float) -> None:
    hits = hits_of(seed, count)
    assert diversify(SNAPSHOT, hits, strength, 0).tolist() == by_the_book(hits, strength)


@given(seeds, st.integers(1, 120), strengths, st.integers(1, 5))
def test_no_cluster_exceeds_its_cap_and_no_place_is_wasted(
    seed: int, count: int, strength: float, cap: int
) -> None:
    hits = hits_of(seed, count)
    rows = diversify(SNAPSHOT, hits, strength, cap)
    shown, there = Counter(CLUSTERS[rows].tolist()), Counter(CLUSTERS[hits.rows].tolist())
    assert shown == {cluster: min(cap, size) for cluster, size in there.items()}


@given(seeds, strengths, st.integers(1, 5))
def test_items_without_a_cluster_have_no_cap(seed: int, strength: float, cap: int) -> None:
    catalog = SNAPSHOT.model.catalog
    clusters = np.where(CLUSTERS == 2, 0, CLUSTERS)
    model = replace(SNAPSHOT.model, catalog=replace(catalog, cluster_ids=clusters))
    hits = hits_of(seed, 60)
    rows = diversify(replace(SNAPSHOT, model=model), hits, strength, cap)
    shown, there = Counter(clusters[rows].tolist()), Counter(clusters[hits.rows].tolist())
    assert shown == {c: min(cap, size) if c else size for c, size in there.items()}


@given(seeds, st.integers(0, 120))
def test_without_strength_and_cap_the_score_order_stays(seed: int, count: int) -> None:
    hits = hits_of(seed, count)
    assert diversify(SNAPSHOT, hits, 0.0, 0).tolist() == hits.rows.tolist()


@given(seeds, strengths.filter(lambda strength: strength < 1))
def test_the_best_item_stays_first(seed: int, strength: float) -> None:
    hits = hits_of(seed, 40)
    assert diversify(SNAPSHOT, hits, strength, 0)[0] == hits.rows[0]


def test_more_strength_makes_the_first_ten_less_alike() -> None:
    def likeness(strength: float) -> float:
        totals = []
        for seed in range(20):
            top = diversify(SNAPSHOT, hits_of(seed, 60), strength, 0)[:10]
            totals.append((SIMILARITY[top] @ SIMILARITY[top].T).mean())
        return float(np.mean(totals))

    assert likeness(0.0) > likeness(0.3) > likeness(0.8)
