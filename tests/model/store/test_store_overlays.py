"""The conformance tests of overlay stores, in memory and on a real server."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

import numpy as np
import pytest
from foldin_model.errors import OverlayFull, StoreUnavailable
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.records.item_overlay import (
    ENTRY_HEADER,
    ItemRating,
    Overlay,
    pack_content,
    pack_deleted,
)
from foldin_model.store.memory.overlays import MemoryOverlayStore
from foldin_model.store.overlay_protocol import OverlayLimits, OverlayStore
from foldin_model.store.redis.models import RedisModelStore
from foldin_model.store.redis.operations import RedisOperations
from foldin_model.store.redis.overlays import RedisOverlayStore
from foldin_model.trained.content_map import Content
from hypothesis import given, settings
from hypothesis import strategies as st
from redis import Redis

ANN, BOB, EVE = UserId("ann"), UserId("bob"), UserId("eve")
LIMITS = OverlayLimits(max_new_items=3, max_entries=5, max_raters=2)
Make = Callable[[], OverlayStore]


@contextmanager
def redis_overlay(url: str, namespace: str) -> Iterator[RedisOverlayStore]:
    with closing(RedisModelStore(url, namespace)) as models:
        yield RedisOverlayStore(models._keys, models._run_commands, LIMITS)


@pytest.fixture(params=["memory", "redis"])
def store(
    request: pytest.FixtureRequest, valkey_url: str, namespace: str
) -> Iterator[OverlayStore]:
    if request.param == "memory":
        yield MemoryOverlayStore(LIMITS)
    else:
        with redis_overlay(valkey_url, namespace) as made:
            yield made


def named(*items: str) -> list[ItemId]:
    return [ItemId(item) for item in items]


def new_items(*items: str, title: str = "Title") -> list[tuple[ItemId, bytes]]:
    return [(item, pack_content(Content(title=f"{title} {item}"))) for item in named(*items)]


def rating(revision: int, value: float = 4.0) -> bytes:
    return ItemRating(revision, Version("v1"), value, np.ones(2), np.zeros(3)).pack()


def seen(store: OverlayStore) -> Overlay:
    return Overlay().updated(store.changes(0))


def in_order(overlay: Overlay) -> list[str]:
    new = [(entry.order, item) for item, entry in overlay.entries.items() if entry.content]
    return [item for _, item in sorted(new)]


def test_an_empty_overlay_has_revision_zero(store: OverlayStore) -> None:
    changes = store.changes(0)
    assert (changes.revision, list(changes.entries)) == (0, [])


def test_new_items_are_read_back_in_the_order_of_arrival(store: OverlayStore) -> None:
    before = time.time_ns() // 1_000
    revision = store.upsert(new_items("b", "é"))
    later = store.upsert(new_items("a"))
    assert before <= revision < later
    overlay = seen(store)
    assert overlay.revision == later
    assert in_order(overlay) == ["b", "é", "a"]
    content = overlay.entries[ItemId("é")].content
    assert content is not None
    assert content.title == "Title é"
    assert overlay.entries[ItemId("a")].available


def test_the_same_content_again_changes_nothing(store: OverlayStore) -> None:
    revision = store.upsert(new_items("a", "b"))
    assert store.upsert(new_items("b", "a")) == revision
    assert list(store.changes(revision).entries) == []


def test_other_content_keeps_the_item_in_its_place(store: OverlayStore) -> None:
    store.upsert(new_items("a", "b"))
    revision = store.upsert(new_items("a", title="Other"))
    overlay = seen(store)
    assert in_order(overlay) == ["a", "b"]
    content = overlay.entries[ItemId("a")].content
    assert content is not None
    assert content.title == "Other a"
    assert overlay.revision == revision


def test_too_many_new_items_are_refused_as_a_whole(store: OverlayStore) -> None:
    revision = store.upsert(new_items("a", "b"))
    with pytest.raises(OverlayFull, match="2 new items and may be 3"):
        store.upsert(new_items("c", "d"))
    assert seen(store).revision == revision
    store.upsert(new_items("a", "b", "c", title="Other"))


def test_hidden_items_may_be_old_or_new_and_are_shown_again(store: OverlayStore) -> None:
    store.upsert(new_items("a"))
    store.set_availability(named("a", "old"), available=False)
    hidden = seen(store)
    assert not hidden.entries[ItemId("a")].available
    assert not hidden.entries[ItemId("old")].available
    assert hidden.entries[ItemId("old")].content is None
    assert store.set_availability(named("a"), available=False) == hidden.revision
    store.upsert(new_items("a", title="Other"))
    assert not seen(store).entries[ItemId("a")].available
    revision = store.set_availability(named("a", "old", "never hidden"), available=True)
    shown = seen(store)
    assert shown.revision == revision
    assert all(entry.available for entry in shown.entries.values())
    assert in_order(shown) == ["a"]


def test_too_many_hidden_items_are_refused_as_a_whole(store: OverlayStore) -> None:
    revision = store.set_availability(named("a", "b", "c", "d"), available=False)
    with pytest.raises(OverlayFull, match="4 items and may be of 5"):
        store.set_availability(named("d", "e", "f"), available=False)
    assert seen(store).revision == revision
    store.set_availability(named("a", "b", "c", "d"), available=True)
    assert store.set_availability(named("e"), available=False) > revision


def test_a_user_rates_a_new_item_once_and_the_later_rating_wins(store: OverlayStore) -> None:
    store.upsert(new_items("a"))
    assert store.rate(ItemId("a"), ANN, rating(5))
    assert not store.rate(ItemId("a"), ANN, rating(5))
    assert not store.rate(ItemId("a"), ANN, rating(4, 1.0))
    assert store.rate(ItemId("a"), ANN, rating(6, 2.0))
    assert store.rate(ItemId("a"), BOB, rating(3))
    ratings = seen(store).entries[ItemId("a")].ratings
    assert {user: one.value for user, one in ratings.items()} == {"ann": 2.0, "bob": 4.0}


def test_a_rating_taken_back_stays_away(store: OverlayStore) -> None:
    store.upsert(new_items("a"))
    assert not store.rate(ItemId("a"), ANN, pack_deleted(4))
    store.rate(ItemId("a"), ANN, rating(5))
    assert store.rate(ItemId("a"), ANN, pack_deleted(6))
    assert not store.rate(ItemId("a"), ANN, rating(5))
    assert seen(store).entries[ItemId("a")].ratings == {}


def test_the_ratings_of_the_latest_users_are_kept(store: OverlayStore) -> None:
    store.upsert(new_items("a"))
    for user, revision in ((ANN, 7), (BOB, 6), (EVE, 8)):
        store.rate(ItemId("a"), user, rating(revision))
    assert set(seen(store).entries[ItemId("a")].ratings) == {"ann", "eve"}


def test_only_new_items_take_ratings(store: OverlayStore) -> None:
    store.set_availability(named("old"), available=False)
    assert not store.rate(ItemId("old"), ANN, rating(5))
    assert not store.rate(ItemId("unknown"), ANN, rating(5))


def test_absorbed_items_make_room_and_stay_hidden(store: OverlayStore) -> None:
    store.upsert(new_items("a", "b", "c"))
    store.set_availability(named("a"), available=False)
    store.rate(ItemId("a"), ANN, rating(5))
    before = seen(store)
    assert store.absorb(named("a", "b", "unknown")) == 2
    overlay = before.updated(store.changes(before.revision))
    assert in_order(overlay) == ["c"]
    assert not overlay.entries[ItemId("a")].available
    assert overlay.entries[ItemId("a")].ratings == {}
    assert store.absorb(named("a")) == 0
    store.upsert(new_items("d", "a"))
    assert in_order(seen(store)) == ["c", "d", "a"]
    assert not seen(store).entries[ItemId("a")].available


def test_changes_are_those_after_a_revision_and_all_for_an_unknown_one(
    store: OverlayStore,
) -> None:
    first = store.upsert(new_items("a", "b"))
    store.rate(ItemId("b"), ANN, rating(5))
    changes = store.changes(first)
    assert [entry.item_id for entry in changes.entries] == ["b"]
    assert not changes.whole
    of_another_store = store.changes(changes.revision + 10**6)
    assert of_another_store.whole
    assert len(of_another_store.entries) == 2
    assert of_another_store.revision == changes.revision


@dataclass(frozen=True, slots=True)
class Step:
    """One call: the name of a method and its arguments."""

    name: str
    items: tuple[str, ...]
    number: int

    def __call__(self, store: OverlayStore) -> object:
        items = named(*self.items)
        if self.name == "upsert":
            return bool(store.upsert(new_items(*self.items, title=str(self.number % 2))))
        if self.name == "show":
            return bool(store.set_availability(items, available=self.number % 2 == 0))
        if self.name == "absorb":
            return store.absorb(items)
        packed = rating(self.number) if self.number % 3 else pack_deleted(self.number)
        return [store.rate(item, user, packed) for item in items for user in (ANN, BOB, EVE)[:2]]


STEPS = st.builds(
    Step,
    st.sampled_from(["upsert", "upsert", "show", "rate", "rate", "absorb"]),
    st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4, unique=True).map(tuple),
    st.integers(1, 9),
)


def state(overlay: Overlay) -> object:
    return {
        item: (entry.available, entry.order, entry.packed, sorted(entry.ratings))
        for item, entry in sorted(overlay.entries.items())
    }


def trace(store: OverlayStore, steps: Sequence[Step]) -> list[object]:
    """Returns for each call its result, the changes since the last call, and all changes."""
    overlay = Overlay()
    left: list[object] = []
    for step in steps:
        try:
            left.append(step(store))
        except OverlayFull as error:
            left.append(str(error))
        overlay = overlay.updated(store.changes(overlay.revision))
        assert state(overlay) == state(seen(store))
        left.append(state(overlay))
    return left


@given(steps=st.lists(STEPS, max_size=12))
@settings(max_examples=40)
def test_the_store_in_memory_gives_the_results_of_the_real_one(
    valkey_url: str, steps: list[Step]
) -> None:
    namespace = f"twins-{time.time_ns()}"
    with redis_overlay(valkey_url, namespace) as real:
        assert trace(MemoryOverlayStore(LIMITS), steps) == trace(real, steps)


@pytest.fixture
def client(valkey_url: str) -> Iterator[Redis]:
    with Redis.from_url(valkey_url, protocol=2) as made:
        yield made


@pytest.fixture
def real(valkey_url: str, namespace: str) -> Iterator[RedisOverlayStore]:
    with redis_overlay(valkey_url, namespace) as made:
        yield made


def test_a_damaged_entry_is_named_and_the_others_are_read(
    real: RedisOverlayStore, client: Redis
) -> None:
    real.upsert(new_items("a", "b", "c"))
    key = real._keys.overlay
    client.hset(key, "a", b"\x07rubbish")
    client.hset(key, "b", ENTRY_HEADER.pack(1, 2, 2) + b"\xff\xff")
    overlay = seen(real)
    assert set(overlay.damaged) == {"a", "b"}
    assert "format" in overlay.damaged[ItemId("a")]
    assert in_order(overlay) == ["c"]
    real.upsert(new_items("a"))
    assert in_order(seen(real)) == ["c", "a"]
    assert set(seen(real).damaged) == {"b"}


def test_a_purged_user_leaves_no_rating_of_a_new_item(
    real: RedisOverlayStore, valkey_url: str, namespace: str
) -> None:
    real.upsert(new_items("a", "b"))
    for user in (ANN, BOB):
        real.rate(ItemId("a"), user, rating(5))
    before = seen(real)
    operator = RedisOperations(valkey_url, namespace)
    keys, size_bytes = operator.sizes()["overlay"]
    assert (keys, size_bytes > 0) == (3, True)
    assert operator.purge(ANN, []) == 1
    operator.close()
    after = before.updated(real.changes(before.revision))
    assert set(after.entries[ItemId("a")].ratings) == {"bob"}


def test_a_store_out_of_reach_is_unavailable() -> None:
    store = RedisModelStore("redis://127.0.0.1:1", "nobody").overlay
    with pytest.raises(StoreUnavailable):
        store.upsert(new_items("a"))
