"""Who and what the demo's story is about, found in the data itself through the API."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from foldin_client.client import Client
from foldin_client.errors import FoldinError
from foldin_client.values import Item, ScoredItem, UserState

FIRST_IDS = 200  # MovieLens numbers its users from 1
GOOD_HISTORY = range(20, 61)  # large enough to have a taste, small enough to change it
LARGEST_HISTORY = 10_000
LONGEST_LIST = 200


class StoryBroken(FoldinError):
    """Something that the demo shows does not hold."""

    reason = "STORY_BROKEN"


@dataclass(frozen=True, slots=True)
class Film:
    """What the story says of an item."""

    item_id: str
    title: str
    year: int | None
    cluster_id: int


def film(item: Item | ScoredItem) -> Film:
    return Film(item.item_id, item.title or item.item_id, item.year, item.cluster_id)


def known_user(client: Client) -> UserState:
    """The first trained user with a history of middling size, else the one with the largest."""
    largest: UserState | None = None
    for number in range(1, FIRST_IDS + 1):
        state = client.get_user_state(str(number), max_ratings=LARGEST_HISTORY)
        if state.trained and len(state.ratings) in GOOD_HISTORY:
            return state
        if state.trained and (largest is None or len(state.ratings) > len(largest.ratings)):
            largest = state
    if largest is None:
        raise StoryBroken(f"none of the users 1 to {FIRST_IDS} is in the model; use MovieLens data")
    return largest


def new_taste(client: Client, user: UserState, ranked: Sequence[ScoredItem]) -> Film:
    """The most popular film that the user has not rated and that stands far down her list."""
    rated = {entry.item_id for entry in user.ratings}
    places = {item.item_id: place for place, item in enumerate(ranked)}
    popular = client.list_popular_items(page_size=LONGEST_LIST).items
    free = [item for item in popular if item.item_id not in rated]
    if not free:
        raise StoryBroken(f"user {user.user_id} has rated every popular film")
    return film(max(free, key=lambda item: places.get(item.item_id, len(places))))


def unrated(items: Iterable[ScoredItem], user: UserState, count: int) -> tuple[Film, ...]:
    """The first `count` items that the user has not rated."""
    rated = {entry.item_id for entry in user.ratings}
    free = [film(item) for item in items if item.item_id not in rated]
    if len(free) < count:
        raise StoryBroken(f"user {user.user_id} has rated nearly all of the similar films")
    return tuple(free[:count])


def newcomers_taste(client: Client, avoided: Collection[int]) -> tuple[Film, ...]:
    """Two well-known films of one kind, none of the avoided kinds where there are others."""
    groups = [group for group in client.list_item_clusters().clusters if len(group.items) >= 2]
    if not groups:
        raise StoryBroken("no cluster of the model has two films")
    others = [group for group in groups if group.cluster_id not in avoided] or groups
    best_known = max(others, key=lambda group: group.items[0].rating_count)
    return tuple(map(film, best_known.items[:2]))
