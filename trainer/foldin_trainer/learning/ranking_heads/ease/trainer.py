"""Trains a low-rank EASE: a user's vector is a weighted sum over the rated items.

The weights are those of `item_weights.Ease`, with inputs and targets that depend on the value of a
rating and with rows about the items' contents. `compression` reduces them to what is served.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from foldin_model.arrays import Doubles, Integers, Rows
from foldin_model.errors import FoldinError
from foldin_model.fold_in.linear_encoder import EncoderRule, LinearEncoder
from foldin_model.scale import Scale
from scipy.sparse import csr_array, vstack

from foldin_trainer.data.items import ItemTable
from foldin_trainer.data.ratings import Ratings
from foldin_trainer.learning.ranking_heads.ease.compression import Compressed, compress
from foldin_trainer.learning.ranking_heads.ease.content_rows import content_rows
from foldin_trainer.learning.ranking_heads.ease.item_weights import Ease, ItemWeights
from foldin_trainer.learning.ranking_heads.trained_head import Ranking, no_weight
from foldin_trainer.learning.registry.limits import (
    DIMENSIONS,
    FACTOR,
    NOT_NEGATIVE,
    POSITIVE,
    SEED,
    SHARE,
    Limits,
    Within,
    check,
)

MOST_EXAMPLES: Final = 8_000
"""Most users that are learned from if there are more items than this too: 512 MB of kernel."""
MOST_ITEMS: Final = 200_000
PRIOR_SCALES: Final = (0.005, 0.01, 0.02, 0.04)
"""More popularity helps users with few ratings and hurts those with long histories."""


LIMITS: Final[Limits] = MappingProxyType(
    {
        "dimension": DIMENSIONS,
        "l2": POSITIVE,
        "l2_exponent": Within(-1.0, 1.0),
        "relief": SHARE,
        "factors": FACTOR,
        "content_weight": NOT_NEGATIVE,
        "seed": SEED,
    }
)


@dataclass(frozen=True, slots=True)
class EaseSettings:
    """How item-to-item weights are fitted, and to how many dimensions they are compressed."""

    dimension: int = 94
    """One of them is popularity alone, for users without ratings."""
    l2: float = 100.0
    l2_exponent: float = 0.0
    """An item's λ grows with (its ratings + 1) to this; the mean over ratings stays `l2`."""
    relief: float = 0.5
    """The share of an item's explanation by itself that is removed: EASE removes all of it.

    Compressed weights cannot tell an item from similar ones, and do better with part of it.
    """
    factors: tuple[float, float, float] = (0.3, 0.92, 1.1)
    """ρ at the minimum, the middle and the maximum of the scale, for inputs and targets."""
    content_weight: float = 1.0
    """The weight of the rows about genres and years; with 0 there are none."""
    seed: int = 0

    def __post_init__(self) -> None:
        check("ease", self, LIMITS)


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """The examples that item-to-item weights learn from, and the histories of all users.

    `histories` (n_users, n_items) are the values ρ of all users' ratings, `users` their positions
    in the vocabulary, `rows` the examples, those of contents last. Inputs of an item are multiplied
    by its `roots` (n_items,), which divides its λ by the square.
    """

    histories: csr_array
    users: Rows
    rows: csr_array
    roots: Doubles
    rule: EncoderRule

    @property
    def inputs(self) -> csr_array:
        """The examples as inputs."""
        return _sorted(csr_array(self.rows.multiply(self.roots[None, :])))


def train_ease(ratings: Ratings, items: ItemTable, settings: EaseSettings) -> Ranking:
    """Returns the head that approximates EASE best in its number of dimensions.

    Equal input gives equal bits on one machine. Raises FoldinError for more items than
    MOST_ITEMS.
    """
    examples = gather(ratings, items, settings)
    weights = Ease.fit(examples.inputs, examples.rows, settings.l2, settings.relief)
    return encode(ratings, examples, weights, settings)


def gather(ratings: Ratings, items: ItemTable, settings: EaseSettings) -> Examples:
    """Returns the examples of `ratings` and contents. Raises FoldinError for too many items."""
    n_items = len(ratings.item_ids)
    if n_items > MOST_ITEMS:
        raise FoldinError(
            f"{n_items:,} items are more than the {MOST_ITEMS:,} that item-to-item weights are "
            "learned for; --ranking-head ials has no such limit"
        )
    rule = rule_of(settings, ratings.scale)
    users, rows = np.unique(ratings.users, return_inverse=True)
    values = rule.factor(ratings.values)
    histories = csr_array((values, (rows, ratings.items)), shape=(len(users), n_items))
    histories = _sorted(histories)
    examples = histories
    if min(histories.shape) > MOST_EXAMPLES:
        chosen = np.random.default_rng(settings.seed).permutation(len(users))[:MOST_EXAMPLES]
        examples = _sorted(histories[np.sort(chosen)])
    contents = content_rows(items, settings.content_weight)
    counts = np.bincount(ratings.items, minlength=n_items)
    return Examples(
        histories=histories,
        users=users,
        rows=_sorted(csr_array(vstack((examples, contents)))),
        roots=_roots(counts, settings.l2_exponent),
        rule=rule,
    )


def encode(
    ratings: Ratings, examples: Examples, weights: ItemWeights, settings: EaseSettings
) -> Ranking:
    """Returns the head that serves `weights`, whose inputs are multiplied by their roots."""
    scaled = _sorted(csr_array(examples.histories.multiply(examples.roots[None, :])))
    found = compress(weights, scaled, settings.dimension - 1, seed=settings.seed)
    unscaled = Compressed(found.inputs * examples.roots[:, None], found.items)
    return encoder_ranking(
        ratings, examples.users, examples.histories, unscaled, (examples.rule, 0.0)
    )


def encoder_ranking(
    ratings: Ratings,
    users: Rows,
    histories: csr_array,
    found: Compressed,
    encoder: tuple[EncoderRule, float],
) -> Ranking:
    """Returns the head that adds up `found.inputs`, with one more dimension for popularity alone.

    `histories` (n, n_items) are the ratings of `users` (n,) by the rule and exponent of the
    `encoder`.
    """
    counts = np.bincount(ratings.items, minlength=len(ratings.item_ids))
    shares = counts / len(users)
    length = max(float(np.linalg.norm(shares)), 1e-12)
    inputs = np.column_stack((found.inputs, np.zeros(len(shares))))
    popular = np.zeros(inputs.shape[1])
    popular[-1] = length
    user_vectors = np.zeros((len(ratings.user_ids), inputs.shape[1]))
    user_vectors[users] = histories @ inputs
    return Ranking(
        vectors=np.column_stack((found.items, shares / length)).astype(np.float32),
        popular=popular,
        user_vectors=user_vectors,
        rule=no_weight(ratings.scale),
        encoder=LinearEncoder(inputs.astype(np.float32), *encoder),
        prior_scales=PRIOR_SCALES,
    )


def rule_of(settings: EaseSettings, scale: Scale) -> EncoderRule:
    """Returns ρ on that scale."""
    middle = 0.5 * (scale.low + scale.high)
    return EncoderRule((scale.low, middle, scale.high), settings.factors)


def _roots(counts: Integers, exponent: float) -> Doubles:
    roots = (counts + 1.0) ** (-0.5 * exponent)
    level = float(np.average(roots**2, weights=counts)) if counts.any() else 1.0
    return np.asarray(roots / np.sqrt(level), np.float64)


def _sorted(matrix: csr_array) -> csr_array:
    matrix.sort_indices()
    return matrix
