"""Content maps: features of items and the rows made from them."""

from random import Random

import numpy as np
import pytest
from foldin_model.trained.content_map import Content, ContentMap
from hypothesis import given
from hypothesis import strategies as st

MAP = ContentMap(
    names=("genre=comedy", "genre=drama", "word=matrix", "year=1998"),
    weights=np.array([[1, 0], [0, 1], [2, 2], [3, 0]], np.float32),
    embedding_weights=np.array([[0, 1], [1, 0]], np.float32),
    intercept=np.array([0.5, -0.5], np.float32),
)

contents = st.builds(
    Content,
    title=st.text(max_size=20),
    genres=st.lists(st.sampled_from(["Comedy", "Drama", "War"]), max_size=3).map(tuple),
    year=st.none() | st.integers(-50, 2100),
    tags=st.lists(st.text(max_size=5), max_size=3).map(tuple),
)


def test_a_vector_is_the_sum_of_the_weights_of_its_features() -> None:
    (row,) = MAP.rows([Content(title="The Matrix", genres=("Comedy",))])
    assert row.tolist() == [0.5 + 1 + 0.5 * 2, -0.5 + 0.5 * 2]


def test_an_item_without_content_gets_the_intercept() -> None:
    assert MAP.rows([Content()]).tolist() == [[0.5, -0.5]]


def test_unknown_features_add_nothing() -> None:
    assert MAP.rows([Content(genres=("Polka",), tags=("obscure",))]).tolist() == [[0.5, -0.5]]


def test_a_year_counts_for_both_its_knots_by_distance() -> None:
    assert Content(year=1998).features() == {"year=1998": 1.0}
    nearer, farther = Content(year=1999).features().values()
    assert [nearer, farther] == pytest.approx([2 / 3, 1 / 3])


@given(contents)
def test_years_always_sum_to_one(content: Content) -> None:
    years = [size for name, size in content.features().items() if name.startswith("year=")]
    assert sum(years) == pytest.approx(0.0 if content.year is None else 1.0)


@given(contents, st.randoms())
def test_the_order_of_genres_and_tags_and_the_other_items_do_not_matter(
    content: Content, random: Random
) -> None:
    genres, tags = list(content.genres), list(content.tags)
    random.shuffle(genres)
    random.shuffle(tags)
    shuffled = Content(content.title, tuple(genres), content.year, tuple(tags))
    assert np.array_equal(MAP.rows([Content(), shuffled])[1:], MAP.rows([content]))


def test_an_embedding_adds_to_the_features() -> None:
    embedding = np.array([2.0, 3.0], np.float32)
    assert MAP.rows([Content(embedding=embedding)]).tolist() == [[3.5, 1.5]]


def test_an_embedding_of_another_length_is_refused_by_its_length() -> None:
    with pytest.raises(ValueError, match="has 3 numbers; this model was trained with 2"):
        MAP.rows([Content(embedding=np.zeros(3, np.float32))])


def test_no_items_have_no_rows() -> None:
    assert MAP.rows([]).shape == (0, 2)
