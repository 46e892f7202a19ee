"""The user and the items that the demo shows, chosen from the data itself through the API."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from foldin_client.client import Client
from foldin_client.errors import FoldinError
from foldin_client.values import Item, ScoredItem, UserState

TRIED_USERS = 200  # MovieLens numbers its users from 1
MIDDLING_HISTORY = range(20, 61)  # large enough to show a taste, small enough to change it
LARGEST_HISTORY = 10_000
LONGEST_LIST = 200


class DemoFailed(FoldinError):
    """Something that the demo shows does not hold."""

    reason = "DEMO_FAILED"


@dataclass(frozen=True, slots=True)
class DemoItem:
    """What the demo shows of an item."""

    item_id: str
    title: str
    year: int | None
    cluster_id: int


def demo_item(item: Item | ScoredItem) -> DemoItem:
    return DemoItem(item.item_id, item.title or item.item_id, item.year, item.cluster_id)


def trained_user(client: Client) -> UserState:
    """Returns the first trained user with a middling history, else the one with the largest.

    Raises DemoFailed if none of the tried users is in the model.
    """
    largest: UserState | None = None
    for number in range(1, TRIED_USERS + 1):
        state = client.get_user_state(str(number), max_ratings=LARGEST_HISTORY)
        if state.trained and len(state.ratings) in MIDDLING_HISTORY:
            return state
        if state.trained and (largest is None or len(state.ratings) > len(largest.ratings)):
            largest = state
    if largest is None:
        raise DemoFailed(
            f"none of the users 1 to {TRIED_USERS} is in the model; use MovieLens data"
        )
    return largest


def unlikely_item(client: Client, user: UserState, ranked: Sequence[ScoredItem]) -> DemoItem:
    """Returns the popular unrated item that is lowest in the user's list `ranked`.

    Of those that are not in the list it is the most popular. Raises DemoFailed if there is none.
    """
    rated = {entry.item_id for entry in user.ratings}
    places = {item.item_id: place for place, item in enumerate(ranked)}
    popular = client.list_popular_items(page_size=LONGEST_LIST).items
    unrated = [item for item in popular if item.item_id not in rated]
    if not unrated:
        raise DemoFailed(f"user {user.user_id} has rated every popular film")
    return demo_item(max(unrated, key=lambda item: places.get(item.item_id, len(places))))


def unrated_items(items: Iterable[ScoredItem], user: UserState, count: int) -> tuple[DemoItem, ...]:
    """Returns the first `count` items that the user has not rated. Raises DemoFailed for fewer."""
    rated = {entry.item_id for entry in user.ratings}
    unrated = [demo_item(item) for item in items if item.item_id not in rated]
    if len(unrated) < count:
        raise DemoFailed(f"user {user.user_id} has rated nearly all of the similar films")
    return tuple(unrated[:count])


def new_user_items(client: Client, avoided: Collection[int]) -> tuple[DemoItem, ...]:
    """Returns two well-known items of one cluster, outside the avoided ones where that is possible.

    Raises DemoFailed if no cluster has two items.
    """
    clusters = [one for one in client.list_item_clusters().clusters if len(one.items) >= 2]
    if not clusters:
        raise DemoFailed("no cluster of the model has two films")
    others = [one for one in clusters if one.cluster_id not in avoided] or clusters
    best_known = max(others, key=lambda one: one.items[0].rating_count)
    return tuple(map(demo_item, best_known.items[:2]))
