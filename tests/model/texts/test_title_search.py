"""Title search: what a query finds and in which order."""

import numpy as np
import pytest
from foldin_model.texts.title_search import TitleIndex, words

TITLES = (
    "Matrix, The (1999)",
    "Matrix Reloaded, The (2003)",
    "Matrix Revolutions, The (2003)",
    "Amélie (Fabuleux destin d'Amélie Poulain, Le) (2001)",
    "Schindler's List (1993)",
    "Toy Story (1995)",
    "Toy Story 2 (1999)",
    "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
    "Story of Toys (2000)",
    "",
    "2001: A Space Odyssey (1968)",
)
COUNTS = np.array([50, 90, 20, 30, 40, 10, 99, 5, 1, 0, 7])
INDEX = TitleIndex.build(TITLES, COUNTS)


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("the matrix", [0, 1, 2]),
        ("MATRIX", [0, 1, 2]),
        ("matrix the 1999", [0]),
        ("Matrix, The (1999)", [0]),
        ("matrix re", [1, 2]),
        ("amelie", [3]),
        ("AMÉLIE", [3]),
        ("cite des enfants perdus", [7]),
        ("schindlers list", [4]),
        ("schindler", [4]),
        ("toy story", [5, 6]),
        ("story toy", [5, 6, 8]),
        ("sto toy", []),
        ("toy sto", [6, 5]),
        ("2001", [3, 10]),
        ("nothing of the kind", []),
        ("!?", []),
    ],
)
def test_a_query_finds(query: str, rows: list[int]) -> None:
    assert INDEX.find(query).tolist() == rows


def test_whole_titles_come_before_whole_words_before_incomplete_words() -> None:
    index = TitleIndex.build(("Alien Nation", "Alien", "Aliens"), np.array([5, 1, 9]))
    assert index.find("alien").tolist() == [1, 0, 2]


def test_an_empty_query_lists_everything_by_rating_count() -> None:
    assert INDEX.find("").tolist() == np.argsort(-COUNTS, kind="stable").tolist()


def test_every_title_finds_itself_first_among_equals() -> None:
    for row, title in enumerate(TITLES):
        if title:
            assert row == INDEX.find(title)[0]


def test_rows_are_int32() -> None:
    assert INDEX.find("toy").dtype == np.int32


def test_words_fold_case_accents_and_apostrophes() -> None:
    assert words("L'Été d’Ångström") == ("lete", "dangstrom")
