"""Users that are read together take few round trips, and each has a result of their own."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import pytest
from foldin_model.errors import ArtifactCorrupt, FoldinError
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.records.folded_users import FoldedUser, PackedUser
from foldin_model.records.personalization import Personalization
from foldin_model.store.keys import Keys
from foldin_model.store.protocols import RatingWrite, StoredUser
from foldin_model.store.redis.ratings import USERS_A_TRANSACTION, RedisRatingStore
from redis import Redis

USERS = [UserId(name) for name in ("ann", "bob", "cleo", "dan")]
V1, V2 = Version("v1"), Version("v2")


@pytest.fixture
async def store(valkey_url: str, namespace: str) -> AsyncIterator[RedisRatingStore]:
    """Each of USERS has rated one item."""
    made = RedisRatingStore(valkey_url, namespace)
    for user_id in USERS:
        await made.write(RatingWrite(user_id, ItemId("item"), 3.0))
    yield made
    await made.close()


@pytest.fixture
def client(valkey_url: str) -> Iterator[Any]:
    with Redis.from_url(valkey_url, protocol=2) as connected:
        yield connected


def folded(version: Version, revision: int) -> bytes:
    nothing = np.zeros(0)
    kind, seen = Personalization.FOLDED_IN, np.zeros(0, np.int32)
    return FoldedUser(version, revision, 1, kind, nothing, nothing, seen).pack()


async def fold(store: RedisRatingStore, version: Version) -> None:
    states = [state_of(each) for each in await store.read_all([(u, 0) for u in USERS], version)]
    await store.keep_folded(
        [
            (user_id, PackedUser(version, state.revision, folded(version, state.revision)))
            for user_id, state in zip(USERS, states, strict=True)
        ]
    )


def state_of(answer: StoredUser | FoldinError) -> StoredUser:
    assert isinstance(answer, StoredUser)
    return answer


def questions(client: Any) -> int:
    """Returns how often the server has been asked for a folded user so far."""
    return int(client.info("commandstats")["cmdstat_mget"]["calls"])


async def test_folded_users_are_read_without_their_histories(store: RedisRatingStore) -> None:
    await fold(store, V1)
    for answer in await store.read_all([(user_id, 0) for user_id in USERS], V1):
        state = state_of(answer)
        assert state.folded is not None
        assert state.history is None


async def test_after_a_new_version_all_users_are_read_once_and_together(
    store: RedisRatingStore, client: Any
) -> None:
    await fold(store, V1)
    await store.read_all(
        [(user_id, 0) for user_id in USERS[:2]], V2
    )  # it notes that most are not folded
    before = questions(client)
    answers = await store.read_all([(user_id, 0) for user_id in USERS[2:]], V2)
    assert questions(client) - before == 1
    for answer in answers:
        history = state_of(answer).history
        assert history is not None
        assert history.item_ids == ("item",)


async def test_many_users_are_read_in_parts_and_each_has_their_own_history(
    store: RedisRatingStore, client: Any
) -> None:
    users = [UserId(f"user-{number}") for number in range(2 * USERS_A_TRANSACTION + 1)]
    for user_id in users:
        await store.write(RatingWrite(user_id, ItemId(f"item of {user_id}"), 3.0))
    await store.read_all([(users[0], 0)], V1)  # it notes that most are not folded
    before = questions(client)
    answers = await store.read_all([(user_id, 0) for user_id in users], V1)
    assert questions(client) - before == 3
    for user_id, answer in zip(users, answers, strict=True):
        history = state_of(answer).history
        assert history is not None
        assert history.item_ids == (f"item of {user_id}",)


async def test_when_most_are_folded_again_no_history_is_read(
    store: RedisRatingStore, client: Any
) -> None:
    await fold(store, V2)
    await store.read_all([(USERS[0], 0)], V2)
    before = int(client.info("commandstats")["cmdstat_hgetall"]["calls"])
    await store.read_all([(user_id, 0) for user_id in USERS], V2)
    assert int(client.info("commandstats")["cmdstat_hgetall"]["calls"]) == before


@pytest.mark.parametrize("revision", [0, 1])
async def test_a_user_with_another_revision_than_the_known_one_is_read_again(
    store: RedisRatingStore, revision: int
) -> None:
    ann = state_of((await store.read_all([(USERS[0], 0)], V1))[0])
    known, other = await store.read_all([(USERS[0], ann.revision), (USERS[1], revision)], V1)
    assert state_of(known).is_unchanged
    assert state_of(other).history is not None


@pytest.mark.parametrize("known", [False, True], ids=["first", "once most were not folded"])
async def test_a_damaged_history_fails_for_its_own_user(
    store: RedisRatingStore, client: Any, namespace: str, *, known: bool
) -> None:
    if known:
        await store.read_all([(user_id, 0) for user_id in USERS], V1)
    keys = Keys(namespace)
    client.hset(keys.ratings(USERS[1]), "item", b"short")
    client.delete(keys.ratings(USERS[2]))
    client.set(keys.ratings(USERS[2]), "no hash")
    answers = await store.read_all([(user_id, 0) for user_id in USERS], V1)
    assert [type(answer) for answer in answers] == [
        StoredUser,
        ArtifactCorrupt,
        ArtifactCorrupt,
        StoredUser,
    ]
