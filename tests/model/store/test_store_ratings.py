"""The conformance tests of rating stores, in memory and on a real server."""

import time
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import numpy as np
import pytest
from foldin_model.errors import HistoryFull, InvalidField, RequestIdReused
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.records.folded_users import FoldedUser, PackedUser
from foldin_model.records.personalization import Personalization
from foldin_model.store.memory.models import MemoryModelStore
from foldin_model.store.memory.ratings import MemoryRatingStore
from foldin_model.store.protocols import (
    ImportedRating,
    ImportOutcome,
    ModelStore,
    RatingStore,
    RatingWrite,
    WriteOutcome,
)
from foldin_model.store.redis.models import RedisModelStore
from foldin_model.store.redis.ratings import RedisRatingStore
from foldin_model.store.write_rule import Limits

ANN = UserId("ann")
V1 = Version("v1")
LIMITS = Limits(max_ratings=5)
PAST_US = 1_500_000_000_000_000


@pytest.fixture(params=["memory", "redis"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def models(backend: str, valkey_url: str, namespace: str) -> ModelStore:
    return MemoryModelStore() if backend == "memory" else RedisModelStore(valkey_url, namespace)


@pytest.fixture
async def store(models: ModelStore, valkey_url: str, namespace: str) -> AsyncIterator[RatingStore]:
    made: RatingStore
    if isinstance(models, MemoryModelStore):
        made = MemoryRatingStore(models, limits=LIMITS)
    else:
        made = RedisRatingStore(valkey_url, namespace, limits=LIMITS)
    yield made
    await made.close()
    models.close()


def rating(
    item: str, value: float | None, event_time_us: int | None = None, request: UUID | None = None
) -> RatingWrite:
    return RatingWrite(ANN, ItemId(item), value, event_time_us, request)


async def values(store: RatingStore) -> dict[str, float]:
    history = (await store.read(ANN, V1, history=True)).history
    assert history is not None
    return dict(zip(map(str, history.item_ids), history.values.tolist(), strict=True))


def folded(version: str, revision: int) -> bytes:
    nothing = np.zeros(0)
    return FoldedUser(
        version, revision, 1, Personalization.FOLDED_IN, nothing, nothing, np.zeros(0, np.int32)
    ).pack()


async def test_an_unknown_user_has_revision_zero_and_no_rating(store: RatingStore) -> None:
    state = await store.read(ANN, V1)
    assert (state.revision, state.folded, state.trained) == (0, None, None)
    assert state.history is not None
    assert len(state.history) == 0


async def test_a_write_is_read_back_to_the_last_bit(store: RatingStore) -> None:
    outcome = await store.write(rating("item", 0.1 + 0.2, PAST_US + 1))
    history = (await store.read(ANN, V1)).history
    assert history is not None
    assert history.item_ids == ("item",)
    assert history.values.tolist() == [0.1 + 0.2]
    assert history.event_times_us.tolist() == [PAST_US + 1]
    assert history.revisions.tolist() == [outcome.revision]


async def test_revisions_are_store_time_and_strictly_increase(store: RatingStore) -> None:
    before = time.time_ns() // 1_000
    revisions = [(await store.write(rating("item", 3.0))).revision for _ in range(20)]
    assert before <= revisions[0] <= time.time_ns() // 1_000
    assert revisions == sorted(set(revisions))


async def test_a_write_without_event_time_always_wins(store: RatingStore) -> None:
    ahead = time.time_ns() // 1_000 + 60_000_000
    await store.write(rating("item", 1.0, ahead))
    outcome = await store.write(rating("item", 2.0))
    assert not outcome.superseded
    assert await values(store) == {"item": 2.0}
    history = (await store.read(ANN, V1)).history
    assert history is not None
    assert history.event_times_us.tolist() == [ahead + 1]


async def test_an_older_write_is_superseded_and_changes_nothing(store: RatingStore) -> None:
    first = await store.write(rating("item", 4.0, PAST_US))
    outcome = await store.write(rating("item", 1.0, PAST_US - 1))
    assert outcome == WriteOutcome(first.revision, superseded=True)
    assert await values(store) == {"item": 4.0}


@pytest.mark.parametrize("first", [0, 1])
async def test_of_two_writes_at_one_time_the_higher_request_id_wins(
    store: RatingStore, first: int
) -> None:
    low, high = UUID(int=0xA << 100), UUID(int=0xF << 100)
    writes = [rating("item", 5.0, PAST_US, low), rating("item", 1.0, PAST_US, high)]
    outcomes = [await store.write(writes[i]) for i in (first, 1 - first)]
    assert outcomes[1].superseded == (first == 1)
    assert await values(store) == {"item": 1.0}


@pytest.mark.parametrize("first", [0, 1])
async def test_of_two_ratings_with_equal_stamps_the_higher_value_wins(
    store: RatingStore, first: int
) -> None:
    writes = [rating("item", 5.0, PAST_US), rating("item", 1.0, PAST_US)]
    for i in (first, 1 - first):
        await store.write(writes[i])
    assert await values(store) == {"item": 5.0}


@pytest.mark.parametrize("first", [0, 1])
async def test_of_a_rating_and_a_deletion_with_equal_stamps_the_rating_wins(
    store: RatingStore, first: int
) -> None:
    writes = [rating("item", 1.0, PAST_US), rating("item", None, PAST_US)]
    outcomes = [await store.write(writes[i]) for i in (first, 1 - first)]
    assert outcomes[1].superseded == (first == 0)
    assert await values(store) == {"item": 1.0}


async def test_a_deletion_removes_the_rating_and_leaves_a_tombstone(store: RatingStore) -> None:
    await store.write(rating("item", 4.0, PAST_US))
    await store.write(rating("item", None, PAST_US + 10))
    assert await values(store) == {}
    late = await store.write(rating("item", 2.0, PAST_US + 5))
    assert late.superseded
    assert await values(store) == {}
    await store.write(rating("item", 3.0, PAST_US + 11))
    assert await values(store) == {"item": 3.0}


async def test_a_repeated_request_is_answered_as_the_first_time(store: RatingStore) -> None:
    request = uuid4()
    first = await store.write(rating("item", 4.0, PAST_US, request))
    await store.write(rating("item", 2.0))
    again = await store.write(rating("item", 4.0, PAST_US, request))
    assert again == WriteOutcome(first.revision, replayed=True)
    assert await values(store) == {"item": 2.0}


async def test_a_repeated_request_that_lost_has_the_same_outcome_again(store: RatingStore) -> None:
    request = uuid4()
    first = await store.write(rating("item", 4.0, PAST_US))
    await store.write(rating("item", 1.0, PAST_US - 1, request))
    again = await store.write(rating("item", 1.0, PAST_US - 1, request))
    assert again == WriteOutcome(first.revision, replayed=True, superseded=True)


@pytest.mark.parametrize(
    "other", [("item", 3.5, None), ("other", 4.0, None), ("item", None, None), ("item", 4.0, 9)]
)
async def test_a_request_id_cannot_name_other_content(
    store: RatingStore, other: tuple[str, float | None, int | None]
) -> None:
    request = uuid4()
    await store.write(rating("item", 4.0, None, request))
    with pytest.raises(RequestIdReused):
        await store.write(rating(*other, request))
    assert await values(store) == {"item": 4.0}


async def test_two_users_may_use_the_same_request_id(store: RatingStore) -> None:
    request = uuid4()
    await store.write(rating("item", 4.0, None, request))
    bob = UserId("bob")
    outcome = await store.write(RatingWrite(bob, ItemId("item"), 2.0, request_id=request))
    assert not outcome.replayed


async def test_an_event_far_ahead_of_the_store_is_refused(store: RatingStore) -> None:
    now = time.time_ns() // 1_000
    await store.write(rating("near", 4.0, now + 4 * 60_000_000))
    request = uuid4()
    with pytest.raises(InvalidField) as caught:
        await store.write(rating("far", 4.0, now + 6 * 60_000_000, request))
    assert [violation.field for violation in caught.value.violations] == ["event_time"]
    assert await values(store) == {"near": 4.0}
    assert not (await store.write(rating("far", 4.0, now, request))).replayed


async def test_an_event_before_1970_is_refused(store: RatingStore) -> None:
    with pytest.raises(InvalidField):
        await store.write(rating("item", 4.0, -1))
    with pytest.raises(InvalidField):
        await store.import_ratings(ANN, [ImportedRating(ItemId("item"), 4.0, -1)])


async def test_a_full_history_takes_changes_and_deletions_but_nothing_new(
    store: RatingStore,
) -> None:
    for item in "abcde":
        await store.write(rating(item, 3.0))
    revision = (await store.read(ANN, V1)).revision
    with pytest.raises(HistoryFull, match="5 ratings"):
        await store.write(rating("f", 3.0))
    assert (await store.read(ANN, V1)).revision == revision
    await store.write(rating("a", 5.0))
    await store.write(rating("x", None))
    await store.write(rating("b", None))
    await store.write(rating("f", 3.0))
    with pytest.raises(HistoryFull):
        await store.write(rating("b", 3.0))
    assert await values(store) == {"a": 5.0, "c": 3.0, "d": 3.0, "e": 3.0, "f": 3.0}


async def test_an_import_stores_what_is_new_and_leaves_the_rest(store: RatingStore) -> None:
    past = [ImportedRating(ItemId(item), 3.0, PAST_US) for item in "abc"]
    assert await store.import_ratings(ANN, past) == ImportOutcome(3, 0)
    revision = (await store.read(ANN, V1)).revision
    assert await store.import_ratings(ANN, past) == ImportOutcome(0, 3)
    assert (await store.read(ANN, V1)).revision == revision
    await store.write(rating("a", 5.0))
    again = [*past, ImportedRating(ItemId("d"), 1.0, PAST_US)]
    assert await store.import_ratings(ANN, again) == ImportOutcome(1, 3)
    assert await values(store) == {"a": 5.0, "b": 3.0, "c": 3.0, "d": 1.0}


async def test_an_import_gives_its_ratings_one_revision(store: RatingStore) -> None:
    past = [ImportedRating(ItemId(item), 3.0, PAST_US) for item in "abc"]
    await store.import_ratings(ANN, past)
    state = await store.read(ANN, V1)
    assert state.history is not None
    assert set(state.history.revisions.tolist()) == {state.revision}


async def test_an_import_keeps_the_latest_of_repeated_items(store: RatingStore) -> None:
    past = [ImportedRating(ItemId("a"), float(i), PAST_US + (i * 7) % 5) for i in range(1, 5)]
    assert await store.import_ratings(ANN, past) == ImportOutcome(1, 3)
    assert await values(store) == {"a": 2.0}


async def test_an_import_beyond_the_limit_stores_nothing(store: RatingStore) -> None:
    await store.write(rating("a", 3.0))
    past = [ImportedRating(ItemId(item), 3.0, PAST_US) for item in "bcdef"]
    with pytest.raises(HistoryFull):
        await store.import_ratings(ANN, past)
    assert await values(store) == {"a": 3.0}


async def test_an_empty_import_changes_nothing(store: RatingStore) -> None:
    assert await store.import_ratings(ANN, []) == ImportOutcome(0, 0)
    assert (await store.read(ANN, V1)).revision == 0


async def test_a_kept_fold_is_read_only_for_its_version_and_revision(store: RatingStore) -> None:
    revision = (await store.write(rating("item", 4.0))).revision
    assert await store.keep_folded([(ANN, PackedUser(V1, revision, folded("v1", revision)))]) == [
        True
    ]
    state = await store.read(ANN, V1)
    assert (state.revision, state.folded) == (revision, folded("v1", revision))
    assert state.history is None
    other = await store.read(ANN, Version("v2"))
    assert other.folded is None
    assert other.history is not None
    asked = await store.read(ANN, V1, history=True)
    assert asked.folded is None
    assert asked.history is not None


async def test_a_write_drops_the_fold(store: RatingStore) -> None:
    revision = (await store.write(rating("item", 4.0))).revision
    await store.keep_folded([(ANN, PackedUser(V1, revision, folded("v1", revision)))])
    await store.write(rating("item", 3.0))
    state = await store.read(ANN, V1)
    assert state.folded is None
    assert state.revision > revision
    assert state.history is not None


async def test_a_fold_of_an_old_revision_is_not_kept(store: RatingStore) -> None:
    old = (await store.write(rating("item", 4.0))).revision
    await store.write(rating("item", 3.0))
    assert await store.keep_folded([(ANN, PackedUser(V1, old, folded("v1", old)))]) == [False]
    assert (await store.read(ANN, V1)).folded is None


async def test_a_user_without_ratings_can_be_kept_folded(store: RatingStore) -> None:
    assert await store.keep_folded([(ANN, PackedUser(V1, 0, folded("v1", 0)))]) == [True]
    assert (await store.read(ANN, V1)).folded == folded("v1", 0)


async def test_a_trained_user_is_read_with_the_history(
    store: RatingStore, models: ModelStore
) -> None:
    models.put_users(V1, [(ANN, b"trained")])
    assert (await store.read(ANN, V1)).trained == b"trained"
    assert (await store.read(ANN, Version("v2"))).trained is None


async def test_ids_may_hold_anything_printable(store: RatingStore) -> None:
    user = UserId("{7}:ü *?[x]")
    await store.write(RatingWrite(user, ItemId("{é}:1"), 2.5))
    history = (await store.read(user, V1)).history
    assert history is not None
    assert history.item_ids == ("{é}:1",)


async def test_the_store_answers_a_ping(store: RatingStore) -> None:
    await store.ping()
