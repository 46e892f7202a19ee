"""The sampler's features: histories, audiences, content, attributes and tags."""

from dataclasses import replace

import numpy as np
import pytest
from foldin_model.scale import Scale
from foldin_trainer.data import Dataset, ItemTable, Ratings, UserTable
from foldin_trainer.learning.rating_heads.bayes.settings import BayesSettings
from foldin_trainer.learning.rating_heads.bayes.side_information.context import (
    item_context,
    user_context,
)
from foldin_trainer.learning.rating_heads.bayes.side_information.features import Block
from foldin_trainer.learning.rating_heads.bayes.trainer import side_information, train_bayes

YEAR = 31_557_600
RATINGS = Ratings(
    user_ids=("a", "b", "none"),
    item_ids=("x", "y", "z", "unrated"),
    users=np.array([0, 0, 0, 1], np.int32),
    items=np.array([0, 1, 2, 0], np.int32),
    values=np.array([5.0, 1.0, 3.0, 4.0]),
    timestamps=np.array([0, 0, 5 * YEAR, YEAR]),
    scale=Scale(1.0, 5.0),
)
ITEMS = ItemTable(
    titles=("X", "Y", "Z", "U"),
    genres=(("Crime",), ("Crime", "War"), (), ("War",)),
    years=(1995, 1988, None, 1990),
    tags=(("dark",), (), ("dark",), ()),
)


def table(block: Block, rows: int) -> list[list[float]]:
    dense = np.zeros((rows, block[3]))
    dense[block[0], block[1]] = block[2]
    return dense.round(4).tolist()


def test_histories_are_summarized_by_genre_popularity_and_date() -> None:
    context = user_context(RATINGS, ITEMS)
    # a: two of three are crime, one is war; b: all crime; without ratings: the average.
    assert table(context["history genres"], 3) == [[-0.3, 0.3], [0.3, -0.3], [0, 0]]
    assert table(context["history popularity"], 3) == [[-1], [1], [0]]
    dates = table(context["user dates"], 3)
    assert dates[0] == pytest.approx([2 / 3, 0, 0, 0, 0, 1 / 3], abs=1e-4)
    assert dates[1:] == [[0, 1, 0, 0, 0, 0], [0] * 6]


def test_audiences_are_summarized_by_activity_and_date() -> None:
    context = item_context(RATINGS)
    activity = np.array(table(context["audience activity"], 4))[:, 0]
    assert activity[1] == activity[2] > 0.0 > activity[0]
    assert activity[3] == 0.0
    assert table(context["item dates"], 4)[0] == pytest.approx([0.7071, 0.7071, 0, 0, 0, 0])


def test_ratings_without_times_have_no_dates() -> None:
    timeless = replace(RATINGS, timestamps=None)
    assert "user dates" not in user_context(timeless, ITEMS)
    assert "item dates" not in item_context(timeless)


def test_no_value_of_a_rating_is_side_information() -> None:
    other = replace(RATINGS, values=RATINGS.values[::-1].copy())
    for one, two in zip(
        side_information(RATINGS, ITEMS), side_information(other, ITEMS), strict=True
    ):
        assert np.array_equal(one.matrix.toarray(), two.matrix.toarray())


def test_attributes_are_used_if_known_and_tags_if_wanted() -> None:
    people = UserTable({"town": (("Bonn",), ("Bonn",), ("Rome",))})
    users, items = side_information(RATINGS, ITEMS, people, tags=True)
    assert {"town"} == set(users.names) - set(side_information(RATINGS, ITEMS)[0].names)
    assert {"tags"} == set(items.names) - set(side_information(RATINGS, ITEMS)[1].names)
    assert users.matrix.shape == (3, len(users.groups))
    assert items.matrix.shape == (4, len(items.groups))


def test_the_effect_of_an_attribute_is_learned(tiny: Dataset) -> None:
    """Half of the users, known by an attribute, rate everything a star lower."""
    ratings = tiny.ratings
    low = np.arange(len(ratings.user_ids)) % 2 == 0
    values = np.where(low[ratings.users], ratings.values, np.minimum(ratings.values + 2.0, 5.0))
    shifted = replace(ratings, values=values)
    few = shifted.take(np.arange(0, len(ratings), 20))
    people = UserTable({"half": tuple(("low",) if is_low else ("high",) for is_low in low)})
    settings = BayesSettings(factors=2, dimension=4, sweeps=40, burn_in=16, thin=2, device="cpu")

    def error(known: UserTable | None) -> float:
        factors = train_bayes(few, tiny.items, settings, people=known).factors
        return float(np.mean((factors.predict(shifted) - values) ** 2))

    assert error(people) < 0.9 * error(None)
