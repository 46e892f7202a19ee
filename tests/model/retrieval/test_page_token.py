"""Page tokens: they survive encoding, and only signed tokens are accepted."""

import string

import numpy as np
import pytest
from foldin_model.arrays import Rows
from foldin_model.errors import PageTokenInvalid, PageTokenMismatch
from foldin_model.fold_in.fold_in import rounded
from foldin_model.ids import Version
from foldin_model.records.folded_users import FoldedUser
from foldin_model.records.personalization import Personalization
from foldin_model.retrieval.page_token import PageToken
from foldin_model.retrieval.search import Cursor
from hypothesis import assume, given
from hypothesis import strategies as st

KEY = bytes(range(32))
ARGUMENTS = bytes(range(16))
ALPHABET = string.ascii_letters + string.digits + "-_"

positions: st.SearchStrategy[Cursor | int | Rows] = st.one_of(
    st.builds(Cursor, st.floats(allow_nan=False), st.integers(0, 2**31 - 1)),
    st.integers(0, 2**40),
    st.lists(st.integers(0, 2**31 - 1), max_size=500).map(lambda rows: np.array(rows, np.int32)),
)


@st.composite
def users(draw: st.DrawFn) -> FoldedUser:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return FoldedUser(
        "v1",
        draw(st.integers(0, 2**62)),
        draw(st.integers(0, 10_000)),
        draw(st.sampled_from(Personalization)),
        rounded(rng.normal(size=draw(st.integers(0, 200)))),
        rounded(rng.normal(size=draw(st.integers(0, 200)))),
        np.arange(3, dtype=np.int32),
    )


tokens = st.builds(
    PageToken,
    st.text(min_size=1, max_size=40).map(Version),
    st.binary(min_size=16, max_size=16),
    positions,
    st.none() | users(),
)


@given(tokens)
def test_a_token_survives_encoding(token: PageToken) -> None:
    back = PageToken.decode(token.encode(KEY), KEY)
    assert (back.version, back.arguments) == (token.version, token.arguments)
    assert type(back.position) is type(token.position)
    np.testing.assert_array_equal(np.asarray(back.position), np.asarray(token.position))
    if token.user is None or back.user is None:
        assert back.user is token.user
        return
    np.testing.assert_array_equal(back.user.ranking_vector, token.user.ranking_vector)
    np.testing.assert_array_equal(back.user.rating_vector, token.user.rating_vector)
    assert (back.user.revision, back.user.rating_count, back.user.personalization) == (
        token.user.revision,
        token.user.rating_count,
        token.user.personalization,
    )
    assert back.user.version == token.version


@given(tokens, st.data())
def test_a_changed_letter_is_refused(token: PageToken, data: st.DataObject) -> None:
    text = token.encode(KEY)
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from(ALPHABET))
    assume(letter != text[place])
    with pytest.raises(PageTokenInvalid):
        PageToken.decode(text[:place] + letter + text[place + 1 :], KEY)


@given(tokens, st.data())
def test_a_shortened_or_lengthened_token_is_refused(token: PageToken, data: st.DataObject) -> None:
    text = token.encode(KEY)
    cut = data.draw(st.integers(0, len(text) - 1))
    for damaged in (text[:cut], text + "A", text + "=", " " + text, text + "\n"):
        with pytest.raises(PageTokenInvalid):
            PageToken.decode(damaged, KEY)


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(PageTokenInvalid):
        PageToken.decode(text, KEY)


@given(tokens)
def test_a_token_of_another_namespace_is_refused(token: PageToken) -> None:
    with pytest.raises(PageTokenInvalid):
        PageToken.decode(token.encode(bytes(32)), KEY)


def test_other_arguments_are_a_mismatch() -> None:
    token = PageToken(Version("v1"), ARGUMENTS, 10)
    token.check(ARGUMENTS)
    with pytest.raises(PageTokenMismatch, match="other arguments"):
        token.check(bytes(16))


def test_the_largest_token_stays_under_eight_kilobytes() -> None:
    user = FoldedUser(
        "v" * 40, 1, 1, Personalization.TRAINED, np.ones(128), np.ones(128), np.zeros(0, np.int32)
    )
    rows = np.arange(500, dtype=np.int32)
    assert len(PageToken(Version("v" * 40), ARGUMENTS, rows, user).encode(KEY)) < 8_192


def test_a_token_carries_none_of_the_rows_that_the_user_has_seen() -> None:
    user = FoldedUser(
        "v1", 5, 2, Personalization.FOLDED_IN, np.ones(3), np.zeros(2), np.array([1, 4], np.int32)
    )
    text = PageToken(Version("v1"), ARGUMENTS, Cursor(1.25, 42), user).encode(KEY)
    again = PageToken.decode(text, KEY).user
    assert again is not None
    np.testing.assert_array_equal(again.ranking_vector, user.ranking_vector)
    assert again.revision == 5
    assert len(again.seen) == 0


def test_golden_page_token() -> None:
    """A rolling deployment reads tokens of the other release."""
    user = FoldedUser(
        "v1",
        7,
        3,
        Personalization.FOLDED_IN,
        np.array([1.0, -2.0]),
        np.array([0.5]),
        np.array([1, 4], np.int32),
    )
    text = PageToken(Version("v1"), ARGUMENTS, Cursor(1.25, 42), user).encode(KEY)
    assert text == (
        "i-djczNRqIXaIj84FsbLXwEAAAECAwQFBgcICQoLDA0ODwcAAAAAAAAAAwAAAAAAAAACAgACAAEAdjEAAIA_AAAAwAAA"
        "AD8AAAAAAAD0PyoAAAAAAAAA"
    )
