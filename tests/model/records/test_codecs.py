"""Stored records: they are read back, and their bytes are the same in every release."""

from itertools import chain

import numpy as np
import pytest
from foldin_model.errors import ArtifactCorrupt
from foldin_model.ids import ItemId, UserId
from foldin_model.records.folded_users import FoldedUser, FoldedUsers, PackedUser, folded_stamp
from foldin_model.records.personalization import Personalization
from foldin_model.records.rating_history import History, RatingRecord
from foldin_model.trained.trained_users import TrainedUsers, pack_trained, unpack_trained
from hypothesis import given
from hypothesis import strategies as st
from planted import Planted

INT64 = st.integers(-(2**63), 2**63 - 1)
FINITE = st.floats(allow_nan=False)
RECORDS = st.builds(
    RatingRecord,
    value=FINITE,
    event_time_us=INT64,
    revision=INT64,
    request_id=st.binary(min_size=16, max_size=16),
    deleted=st.booleans(),
)


def test_golden_rating_record() -> None:
    record = RatingRecord(4.5, 1_700_000_000_123_456, 1_700_000_000_123_457, bytes(range(16)))
    assert record.pack() == bytes.fromhex(
        """01 00 0000000000001240 40222018240a0600
        000102030405060708090a0b0c0d0e0f 41222018240a0600"""
    )


def test_golden_tombstone() -> None:
    assert RatingRecord(0.0, 1, 2, deleted=True).pack() == bytes.fromhex(
        """01 01 0000000000000000 0100000000000000
        00000000000000000000000000000000 0200000000000000"""
    )


def test_golden_trained_user() -> None:
    numbers = [[[1.0, 2.0]], [[3.0, 4.0]], [[0.5]], [[-0.5]]]
    vectors = [np.array(each, np.float32) for each in numbers]
    ranking, ranking_base, rating, rating_base = vectors
    users = TrainedUsers(
        user_ids=(UserId("u"),),
        ranking_vectors=ranking,
        ranking_bases=ranking_base,
        rating_vectors=rating,
        rating_bases=rating_base,
        digests=np.array([7], np.uint64),
        rating_counts=np.array([3]),
    )
    ((_, packed),) = pack_trained(users)
    assert packed == bytes.fromhex(
        "01 0700000000000000 0000803f00000040 0000404000008040 0000003f 000000bf"
    )


def test_golden_folded_user() -> None:
    assert _folded().pack() == bytes.fromhex(
        """01 0500000000000000 0200 7631 02 03000000 02000000
        000000000000f03f0000000000000040 000000000000e03f 0100000009000000"""
    )


@given(RECORDS)
def test_a_rating_record_survives_its_bytes(record: RatingRecord) -> None:
    assert len(record.pack()) == 42
    assert RatingRecord.unpack(record.pack()) == record


@given(st.lists(RECORDS, max_size=8))
def test_a_history_holds_the_live_ratings_in_stored_order(records: list[RatingRecord]) -> None:
    names = [f"item {i}".encode() for i in range(len(records))]
    fields = zip(names, (record.pack() for record in records), strict=True)
    history = History.unpack([*chain.from_iterable(fields)])
    live = [
        (ItemId(name.decode()), record)
        for name, record in zip(names, records, strict=True)
        if not record.deleted
    ]
    assert history.item_ids == tuple(name for name, _ in live)
    assert history.values.tolist() == [record.value for _, record in live]
    assert history.event_times_us.tolist() == [record.event_time_us for _, record in live]
    assert history.revisions.tolist() == [record.revision for _, record in live]


@pytest.mark.parametrize("packed", [b"", bytes(42), RatingRecord(1, 2, 3).pack() + b"!"])
def test_a_damaged_rating_record_is_refused(packed: bytes) -> None:
    with pytest.raises(ArtifactCorrupt):
        RatingRecord.unpack(packed)
    with pytest.raises(ArtifactCorrupt):
        History.unpack([b"a", packed])


def test_a_published_user_is_read_back_as_float32_vectors(small: Planted) -> None:
    users = small.users
    packed = dict(pack_trained(users))
    assert tuple(packed) == users.user_ids
    trained = unpack_trained([*packed.values()], 8, 8)
    np.testing.assert_array_equal(trained["digest"], users.digests)
    np.testing.assert_array_equal(trained["ranking_vector"], users.ranking_vectors)
    np.testing.assert_array_equal(trained["ranking_base"], users.ranking_bases)
    np.testing.assert_array_equal(trained["rating_vector"], users.rating_vectors)
    np.testing.assert_array_equal(trained["rating_base"], users.rating_bases)


def test_a_trained_user_of_another_shape_or_format_is_refused(small: Planted) -> None:
    packed = next(pack_trained(small.users))[1]
    for damaged in (packed[:-1], packed + b"\0", b"\2" + packed[1:], b""):
        with pytest.raises(ArtifactCorrupt):
            unpack_trained([damaged], 8, 8)
        with pytest.raises(ArtifactCorrupt):
            unpack_trained([packed, damaged], 8, 8)


def _folded() -> FoldedUser:
    return FoldedUser(
        version="v1",
        revision=5,
        rating_count=3,
        personalization=Personalization.FOLDED_IN,
        ranking_vector=np.array([1.0, 2.0]),
        rating_vector=np.array([0.5]),
        seen=np.array([1, 9], np.int32),
    )


finite = st.lists(FINITE, min_size=2, max_size=2).map(np.array)
folded = st.builds(
    FoldedUser,
    version=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    revision=INT64,
    rating_count=st.integers(0, 2**32 - 1),
    personalization=st.sampled_from(Personalization),
    lasting=st.sampled_from([True]),  # others are not kept
    ranking_vector=finite,
    rating_vector=finite,
    seen=st.lists(st.integers(0, 2**31 - 1), max_size=5).map(lambda rows: np.array(rows, np.int32)),
)


@given(st.lists(folded, min_size=1, max_size=4))
def test_folded_users_survive_their_bytes(users: list[FoldedUser]) -> None:
    users = [user._replace(version=users[0].version) for user in users]
    packed = [user.pack() for user in users]
    again = FoldedUsers.unpack(packed, 2, 2)
    assert again.packed == packed
    assert again.kinds == [user.personalization for user in users]
    for place, user in enumerate(users):
        assert packed[place].startswith(folded_stamp(user.version, user.revision))
        assert PackedUser(user.version, user.revision, packed[place]).is_known == (
            user.rating_count > 0 or user.personalization is not Personalization.POPULAR
        )
        for one, other in zip(again.user(place), user, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("cut", range(0, 50, 3))
def test_a_truncated_folded_user_is_refused(cut: int) -> None:
    whole = _folded().pack()
    for packed in ([whole[:cut]], [whole, whole[:cut]], [whole[:cut], whole[cut:] + whole]):
        with pytest.raises(ArtifactCorrupt):
            FoldedUsers.unpack(packed, 2, 1)


def test_a_folded_user_of_another_format_kind_or_version_is_refused() -> None:
    packed = _folded().pack()
    no_text = packed[:11] + b"\xff\xff" + packed[13:]
    others = b"\2" + packed[1:], packed[:13] + b"\x09" + packed[14:], no_text
    for other in (*others, _folded()._replace(version="v2").pack()):
        with pytest.raises(ArtifactCorrupt):
            FoldedUsers.unpack([packed, other], 2, 1)
    for other in others:
        with pytest.raises(ArtifactCorrupt):
            FoldedUsers.unpack([other], 2, 1)
