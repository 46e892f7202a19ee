"""The demo's walkthrough: what it asks, in which order, and what must hold.

Everything goes through the public client; how it looks is in `demo_output`.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import uuid4

from foldin_client.client import Client
from foldin_client.values import Personalization, ScoredPage, UserState
from rich.console import Console

from foldin_local import demo_items, demo_output
from foldin_local.demo_items import DemoFailed, DemoItem
from foldin_local.demo_output import TimedRating
from foldin_local.interrupts import Interrupts

SHOWN = 10
COMPARED = 200  # how far down the lists the places of items are compared


@dataclass(frozen=True, slots=True)
class Walkthrough:
    """One run of the demo's steps, shown on one console."""

    client: Client
    console: Console
    interrupts: Interrupts
    highest_rating: float

    def run(self) -> None:
        """Runs and shows every step. Raises DemoFailed, or Interrupted between two steps.

        The ratings are taken back at the end, so that the demo can run again.
        """
        user = demo_items.trained_user(self.client)
        before = self._recommend(user.user_id, COMPARED)
        self.console.print(demo_output.trained_user(user, before.items[:SHOWN]))
        self.interrupts.check()
        liked = self._show_similar(user, before)
        self.interrupts.check()
        with ExitStack() as undo:
            self._show_ratings(user, liked, before, undo)
        if _order(self._recommend(user.user_id, COMPARED)) != _order(before):
            raise DemoFailed("taking the three ratings back did not bring the list back")
        self.interrupts.check()
        with ExitStack() as undo:
            clusters = {liked[0].cluster_id, *(item.cluster_id for item in before.items[:3])}
            self._show_new_user(clusters, undo)

    def _show_similar(self, user: UserState, before: ScoredPage) -> tuple[DemoItem, ...]:
        """Returns an item that is new to the user, and two like it."""
        chosen = demo_items.unlikely_item(self.client, user, before.items)
        page = self.client.similar_items(chosen.item_id, page_size=COMPARED)
        if not page.items or chosen.item_id in _order(page):
            raise DemoFailed(f"the films like {chosen.title} are wrong: {_order(page)[:SHOWN]}")
        self.console.print(demo_output.similar_items(chosen, page.items[:5]))
        return (chosen, *demo_items.unrated_items(page.items, user, 2))

    def _show_ratings(
        self, user: UserState, items: tuple[DemoItem, ...], before: ScoredPage, undo: ExitStack
    ) -> None:
        """Rates the items as the user, and checks that each next list reflects it."""
        ratings = []
        last = self._recommend(user.user_id, SHOWN)
        for item in items:
            rating, page = self._rate(user.user_id, item, undo)
            if _scores(page) == _scores(last):
                raise DemoFailed(f"the list did not change when {item.title} was rated")
            ratings.append(rating)
            last = page
        after = self._recommend(user.user_id, COMPARED)
        if after.serving_info.personalization is not Personalization.FOLDED_IN:
            raise DemoFailed(f"the answer was made {after.serving_info.personalization.value}")
        if shown_again := set(_order(after)) & {item.item_id for item in items}:
            raise DemoFailed(f"rated films are recommended still: {sorted(shown_again)}")
        self.console.print(demo_output.timed_ratings(f"User {user.user_id}", ratings))
        self.console.print(demo_output.moves(before.items, after.items, SHOWN, items))

    def _show_new_user(self, avoided: set[int], undo: ExitStack) -> None:
        """Rates two items as an unknown user, and checks that the next list is personal."""
        user_id = f"newcomer-{uuid4().hex[:6]}"
        unknown = self._recommend(user_id, SHOWN)
        if unknown.serving_info.personalization is not Personalization.POPULAR:
            raise DemoFailed(f"{user_id} is new, but was known to the server")
        items = demo_items.new_user_items(self.client, avoided)
        ratings = [self._rate(user_id, item, undo)[0] for item in items]
        page = self._recommend(user_id, SHOWN)
        info = page.serving_info
        if info.personalization is not Personalization.FOLDED_IN or info.rating_count != 2:
            raise DemoFailed(f"two ratings did not make {user_id} known: {info}")
        if set(_order(page)) & {item.item_id for item in items}:
            raise DemoFailed(f"a film that {user_id} rated is recommended still")
        if _order(page) == _order(unknown):
            raise DemoFailed(f"{user_id} is shown the same list as unknown users")
        self.console.print(demo_output.new_user(user_id, unknown.items, ratings, page.items))

    def _rate(
        self, user_id: str, item: DemoItem, undo: ExitStack
    ) -> tuple[TimedRating, ScoredPage]:
        """Returns the stored rating with its times, and the next list, which lacks the item."""
        self.interrupts.check()
        undo.callback(self.client.delete_rating, user_id, item.item_id)
        began = time.perf_counter()
        written = self.client.submit_rating(user_id, item.item_id, self.highest_rating)
        stored = time.perf_counter()
        page = self.client.recommend(
            user_id, page_size=SHOWN, min_user_revision=written.user_revision
        )
        answered = time.perf_counter()
        if item.item_id in _order(page):
            raise DemoFailed(f"{item.title} was rated and is recommended still")
        value = self.highest_rating
        return TimedRating(item, value, 1e3 * (stored - began), 1e3 * (answered - began)), page

    def _recommend(self, user_id: str, count: int) -> ScoredPage:
        page = self.client.recommend(user_id, page_size=count, explain=count <= SHOWN)
        if not page.items:
            raise DemoFailed(f"nothing is recommended for {user_id}")
        return page


def _order(page: ScoredPage) -> list[str]:
    return [item.item_id for item in page.items]


def _scores(page: ScoredPage) -> list[tuple[str, float]]:
    return [(item.item_id, item.score) for item in page.items]
