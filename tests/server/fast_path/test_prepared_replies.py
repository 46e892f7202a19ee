"""Prepared answers: the bytes are the message that the plain rendering makes."""

import numpy as np
import pytest
from foldin.v1 import recommendation_pb2 as pb
from foldin_model.ids import Version
from foldin_model.personal.user_vectors import fold_user
from foldin_model.records.personalization import Personalization
from foldin_model.retrieval.page_token import PageToken
from foldin_model.retrieval.search import Cursor, Hits
from foldin_server.fast_path.prepared_replies import PreparedItems
from foldin_server.recommend.page import Recommendation
from foldin_server.recommend.users import Freshness
from foldin_server.replies import renderer
from hypothesis import given
from hypothesis import strategies as st
from snapshots import planted_snapshot, state_of

SNAPSHOT = planted_snapshot()
PREPARED = PreparedItems(SNAPSHOT)
numbers = st.one_of(st.sampled_from([0.0, -0.0, 1e-50, 1e30, -np.inf]), st.floats(-100, 100))
rows = st.integers(0, len(SNAPSHOT) - 1)


@given(
    items=st.lists(st.tuples(rows, numbers, numbers), max_size=20),
    rating=st.sampled_from([None, 1.0, 5.0]),
    revision=st.integers(0, 2**62),
    version=st.none() | st.integers(1, 9).map("v".__mul__),
    freshness=st.sampled_from(Freshness),
)
def test_the_bytes_are_those_of_the_plain_rendering(
    *,
    items: list[tuple[int, float, float]],
    rating: float | None,
    revision: int,
    version: str | None,
    freshness: Freshness,
) -> None:
    ratings = {} if rating is None else {"101": rating}
    user = fold_user(SNAPSHOT, state_of(ratings, revision=revision))
    token = None
    if version is not None:  # of all lengths, as base64 cares for that
        token = PageToken(Version(version), bytes(16), Cursor(1.5, 3), user)
    answer = Recommendation(
        snapshot=SNAPSHOT,
        current=user,
        user=user,
        hits=Hits(
            np.array([row for row, _, _ in items], np.int32),
            np.array([score for _, score, _ in items], np.float64),
        ),
        predictions=np.array([predicted for _, _, predicted in items], np.float64),
        explanations=None,
        next_token=token,
        freshness=freshness,
    )
    expected = renderer.recommendation(answer, b"key")
    response = PREPARED.response(answer, b"key")
    assert pb.RecommendResponse.FromString(response) == expected


def test_there_is_room_for_every_item(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foldin_server.fast_path.prepared_replies._ROOM", 1)
    user, ones = fold_user(SNAPSHOT, state_of({"101": 5.0})), np.ones(len(SNAPSHOT))
    answer = Recommendation(
        *(SNAPSHOT, user, user, Hits(np.arange(len(SNAPSHOT), dtype=np.int32), ones), ones),
        *(None, None),
        freshness=Freshness.STRICT,
    )
    response = PreparedItems(SNAPSHOT).response(answer, b"key")
    expected = renderer.recommendation(answer, b"key")
    assert pb.RecommendResponse.FromString(response) == expected


def test_unknown_and_known_users_have_different_sources() -> None:
    stranger = fold_user(SNAPSHOT, state_of({}))
    friend = fold_user(SNAPSHOT, state_of({"101": 5.0}))
    assert stranger.personalization is Personalization.POPULAR
    assert len({renderer.source_of(user.personalization) for user in (stranger, friend)}) == 2


def test_protobuf_must_keep_the_order_of_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foldin_server.fast_path.prepared_replies._PLACEHOLDER", b"something else")
    user = fold_user(SNAPSHOT, state_of({"101": 5.0}))
    page = Hits(np.array([1], np.int32), np.ones(1))
    answer = Recommendation(
        *(SNAPSHOT, user, user, page, np.ones(1), None, None),
        freshness=Freshness.STRICT,
    )
    with pytest.raises(RuntimeError, match="order of their numbers"):
        PreparedItems(SNAPSHOT).response(answer, b"key")
