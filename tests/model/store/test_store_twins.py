"""The rating store in memory gives exactly the results of the real one, for any calls."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from foldin_model.errors import FoldinError
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.store.memory.ratings import MemoryRatingStore
from foldin_model.store.protocols import ImportedRating, RatingStore, RatingWrite
from foldin_model.store.redis.ratings import RedisRatingStore
from foldin_model.store.write_rule import Limits
from hypothesis import given, settings
from hypothesis import strategies as st

V1 = Version("v1")
LIMITS = Limits(max_ratings=3)
PAST_US = 1_500_000_000_000_000
AHEAD_US = 10_000_000_000_000_000

ITEMS = st.sampled_from([ItemId(name) for name in ("a", "b", "c", "d", "é")])
VALUES = st.sampled_from([0.5, 3.1, 5.0])
TIMES = st.sampled_from([PAST_US, PAST_US + 1, PAST_US + 2, AHEAD_US])
REQUESTS = st.sampled_from([UUID(int=number << 64) for number in (1, 2, 255)])


@dataclass(frozen=True, slots=True)
class Write:
    """A call of `write`."""

    item_id: ItemId
    value: float | None
    event_time_us: int | None
    request_id: UUID | None

    async def __call__(self, store: RatingStore, user: UserId) -> tuple[object, ...]:
        outcome = await store.write(
            RatingWrite(user, self.item_id, self.value, self.event_time_us, self.request_id)
        )
        return outcome.replayed, outcome.superseded, outcome.revision


@dataclass(frozen=True, slots=True)
class Import:
    """A call of `import_ratings`."""

    ratings: tuple[ImportedRating, ...]

    async def __call__(self, store: RatingStore, user: UserId) -> tuple[object, ...]:
        outcome = await store.import_ratings(user, self.ratings)
        return outcome.stored, outcome.unchanged


WRITES = st.builds(Write, ITEMS, st.none() | VALUES, st.none() | TIMES, st.none() | REQUESTS)
IMPORTS = st.builds(
    Import, st.lists(st.builds(ImportedRating, ITEMS, VALUES, TIMES), max_size=5).map(tuple)
)


async def trace(store: RatingStore, calls: Sequence[Write | Import]) -> list[object]:
    """Returns the result of each call and the state after it, with revisions numbered."""
    user = UserId(f"user {uuid4()}")
    numbers = itertools.count()
    revisions: dict[object, int] = {}
    results: list[object] = []
    for call in calls:
        try:
            *answer, last = await call(store, user)
            if isinstance(call, Write):
                last = revisions.setdefault(last, next(numbers))
            results.append((*answer, last))
        except FoldinError as error:
            results.append(str(error).replace(str(user), "user"))
        state = await store.read(user, V1)
        history = state.history
        assert history is not None
        results.append(
            sorted(
                (item, value, revisions.get(revision), time_us if time_us < PAST_US + 9 else None)
                for item, value, revision, time_us in zip(
                    history.item_ids,
                    history.values.tolist(),
                    history.revisions.tolist(),
                    history.event_times_us.tolist(),
                    strict=True,
                )
            )
        )
        results.append(state.revision in {0, *revisions} or isinstance(call, Import))
    return results


@settings(max_examples=60, deadline=None)
@given(calls=st.lists(WRITES | IMPORTS, max_size=12))
def test_both_stores_give_the_same_results(calls: list[Write | Import], valkey_url: str) -> None:
    async def both() -> tuple[list[object], list[object]]:
        real = RedisRatingStore(valkey_url, "twins", limits=LIMITS)
        try:
            return await trace(MemoryRatingStore(limits=LIMITS), calls), await trace(real, calls)
        finally:
            await real.close()

    in_memory, real = asyncio.run(both())
    assert in_memory == real


TIMED = st.builds(
    Write,
    ITEMS,
    st.none() | VALUES,
    st.sampled_from([PAST_US, PAST_US + 1, PAST_US + 2]),
    st.none() | REQUESTS,
)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), calls=st.lists(TIMED, max_size=8))
def test_the_order_of_arrival_does_not_matter(data: st.DataObject, calls: list[Write]) -> None:
    shuffled = data.draw(st.permutations(calls))

    async def outcome(ordered: Sequence[Write]) -> list[tuple[object, ...]]:
        store = MemoryRatingStore()
        user = UserId("user")
        for call in ordered:
            store._requests.clear()  # outcomes of requests expire, ratings stay
            await call(store, user)
        history = (await store.read(user, V1)).history
        assert history is not None
        return sorted(
            zip(history.item_ids, history.values.tolist(), history.event_times_us, strict=True)
        )

    assert asyncio.run(outcome(calls)) == asyncio.run(outcome(shuffled))
