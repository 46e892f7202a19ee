"""The demo's story: what is asked, what must hold, and in which order it is told.

Everything goes through the public client; how it looks is in `telling`.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from uuid import uuid4

from foldin_client.client import Client
from foldin_client.values import Personalization, ScoredPage, UserState
from rich.console import Console

from foldin_local import cast, scenes
from foldin_local.cast import Film, StoryBroken
from foldin_local.interrupts import Interrupts

SHOWN = 10
SEARCHED = 200  # how far down the lists places are looked up


@dataclass(frozen=True, slots=True)
class Moved:
    """One rating and how long it took: to be stored, and to be seen in the next answer."""

    film: Film
    value: float
    stored_ms: float
    changed_ms: float


@dataclass(frozen=True, slots=True)
class Story:
    """One telling, to one console."""

    client: Client
    console: Console
    interrupts: Interrupts
    best: float

    def tell(self) -> None:
        """Everything was shown and held. Raises StoryBroken, or Interrupted between two scenes.

        The ratings are taken back at the end, so that the story can be told again.
        """
        user = cast.known_user(self.client)
        before = self._ask(user.user_id, SEARCHED)
        self.console.print(scenes.known_user(user, before.items[:SHOWN]))
        self.interrupts.check()
        liked = self._similar(user, before)
        self.interrupts.check()
        with ExitStack() as taken_back:
            self._rate(user, liked, before, taken_back)
        if _order(self._ask(user.user_id, SEARCHED)) != _order(before):
            raise StoryBroken("taking the three ratings back did not bring the list back")
        self.interrupts.check()
        with ExitStack() as taken_back:
            kinds = {liked[0].cluster_id, *(item.cluster_id for item in before.items[:3])}
            self._welcome(kinds, taken_back)

    def _similar(self, user: UserState, before: ScoredPage) -> tuple[Film, ...]:
        """The film that the user gets to know, and two like it."""
        chosen = cast.new_taste(self.client, user, before.items)
        page = self.client.similar_items(chosen.item_id, page_size=SEARCHED)
        if not page.items or chosen.item_id in _order(page):
            raise StoryBroken(f"the films like {chosen.title} are wrong: {_order(page)[:SHOWN]}")
        self.console.print(scenes.similar(chosen, page.items[:5]))
        return (chosen, *cast.unrated(page.items, user, 2))

    def _rate(
        self, user: UserState, films: tuple[Film, ...], before: ScoredPage, undo: ExitStack
    ) -> None:
        """The user rates the films, and every next answer knows it."""
        moves = []
        last = self._ask(user.user_id, SHOWN)
        for film in films:
            move, page = self._rate_one(user.user_id, film, undo)
            if _scores(page) == _scores(last):
                raise StoryBroken(f"the list did not change when {film.title} was rated")
            moves.append(move)
            last = page
        after = self._ask(user.user_id, SEARCHED)
        if after.serving_info.personalization is not Personalization.FOLDED_IN:
            raise StoryBroken(f"the answer was made {after.serving_info.personalization.value}")
        if shown_again := set(_order(after)) & {film.item_id for film in films}:
            raise StoryBroken(f"rated films are recommended still: {sorted(shown_again)}")
        self.console.print(scenes.ratings(f"User {user.user_id}", moves))
        self.console.print(scenes.moved(before.items, after.items, SHOWN, films))

    def _welcome(self, avoided: set[int], undo: ExitStack) -> None:
        """A user nobody knows rates two films and is recommended for at once."""
        newcomer = f"newcomer-{uuid4().hex[:6]}"
        unknown = self._ask(newcomer, SHOWN)
        if unknown.serving_info.personalization is not Personalization.POPULAR:
            raise StoryBroken(f"{newcomer} is new, but was known to the server")
        films = cast.newcomers_taste(self.client, avoided)
        moves = [self._rate_one(newcomer, film, undo)[0] for film in films]
        page = self._ask(newcomer, SHOWN)
        info = page.serving_info
        if info.personalization is not Personalization.FOLDED_IN or info.rating_count != 2:
            raise StoryBroken(f"two ratings did not make {newcomer} known: {info}")
        if set(_order(page)) & {film.item_id for film in films}:
            raise StoryBroken(f"a film that {newcomer} rated is recommended still")
        if _order(page) == _order(unknown):
            raise StoryBroken(f"{newcomer} is shown what everybody is shown")
        self.console.print(scenes.newcomer(newcomer, unknown.items, moves, page.items))

    def _rate_one(self, user_id: str, film: Film, undo: ExitStack) -> tuple[Moved, ScoredPage]:
        """The rating is stored, and the next answer, which is timed, does not show the film."""
        self.interrupts.check()
        undo.callback(self.client.delete_rating, user_id, film.item_id)
        began = time.perf_counter()
        written = self.client.submit_rating(user_id, film.item_id, self.best)
        stored = time.perf_counter()
        page = self.client.recommend(
            user_id, page_size=SHOWN, min_user_revision=written.user_revision
        )
        answered = time.perf_counter()
        if film.item_id in _order(page):
            raise StoryBroken(f"{film.title} was rated and is recommended still")
        move = Moved(film, self.best, 1e3 * (stored - began), 1e3 * (answered - began))
        return move, page

    def _ask(self, user_id: str, count: int) -> ScoredPage:
        page = self.client.recommend(user_id, page_size=count, explain=count <= SHOWN)
        if not page.items:
            raise StoryBroken(f"nothing is recommended for {user_id}")
        return page


def _order(page: ScoredPage) -> list[str]:
    return [item.item_id for item in page.items]


def _scores(page: ScoredPage) -> list[tuple[str, float]]:
    return [(item.item_id, item.score) for item in page.items]
