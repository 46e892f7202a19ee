"""Reads what is known of a user, strictly fresh, and keeps what was folded from it.

While the store is gone the answer comes from this process' memory or is that of an unknown user,
and says so.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from foldin_model.errors import RevisionNotVisible, StoreUnavailable, UserNotFound
from foldin_model.ids import UserId, Version
from foldin_model.ratings import History
from foldin_model.store.protocols import RatingStore, UserState
from foldin_model.users import FoldedUser, Personalization

from foldin_server.arguments import UserArguments
from foldin_server.background import Background
from foldin_server.deadlines import Deadline
from foldin_server.user_cache import UserCache

REREAD_S: Final = (0.005, 0.01, 0.02, 0.05)
NOBODY: Final = UserState(0, history=History.empty())


@dataclass(frozen=True, slots=True, eq=False)
class UserView:
    """What an answer starts from: the store's word, or where it is gone what is remembered."""

    state: UserState
    degraded: bool = False
    remembered: FoldedUser | None = None


class Users:
    """The users of one server."""

    def __init__(
        self,
        store: RatingStore,
        cache: UserCache,
        background: Background,
        *,
        revision_wait_s: float,
    ) -> None:
        self._store = store
        self._cache = cache
        self._background = background
        self._revision_wait_s = revision_wait_s

    async def view(
        self,
        arguments: UserArguments,
        version: Version,
        deadline: Deadline,
        *,
        history: bool = False,
    ) -> UserView:
        """The user under `version`, at `min_revision` or later.

        Raises RevisionNotVisible, and StoreUnavailable where only the store could tell.
        """
        user_id = arguments.user_id
        if user_id is None:
            return UserView(NOBODY)
        history = history or bool(arguments.profile)
        try:
            state = await self._store.read(user_id, version, history=history)
            if state.revision < arguments.min_revision:
                state = await self._later(user_id, arguments, version, deadline, history=history)
        except StoreUnavailable:
            return self._from_memory(user_id, arguments, version)
        self._cache.touch(user_id)  # her answer may be one that was given before
        return UserView(state)

    async def views(
        self, asked: Sequence[UserArguments], version: Version
    ) -> list[UserView | BaseException]:
        """Users as they are now, read together, each as `view` has her or what it raises."""
        patient = Deadline(None)
        views = (self.view(user, version, patient) for user in asked)
        return await asyncio.gather(*views, return_exceptions=True)

    async def stored(self, user_id: UserId, version: Version) -> UserView:
        """The user as the store has her, with her history. Raises StoreUnavailable."""
        return UserView(await self._store.read(user_id, version, history=True))

    def keep(self, user_id: UserId | None, view: UserView, user: FoldedUser) -> None:
        """Remembers a state folded from `view` alone, here and behind the answer in the store."""
        if user_id is None or view.degraded or not user.lasting:
            return
        self._cache.put(user_id, user)
        if view.state.history:
            self._background.start("keep_folded", self._keep_folded(user_id, user))

    async def _keep_folded(self, user_id: UserId, user: FoldedUser) -> None:
        packed = user.pack()
        await self._store.keep_folded(user_id, Version(user.version), user.revision, packed)

    async def _later(
        self,
        user_id: UserId,
        arguments: UserArguments,
        version: Version,
        deadline: Deadline,
        *,
        history: bool,
    ) -> UserState:
        wait = Deadline.after(deadline.capped(self._revision_wait_s))
        steps = iter(REREAD_S)
        pause = next(steps)
        while (left := wait.capped(pause)) > 0:
            await asyncio.sleep(left)
            state = await self._store.read(user_id, version, history=history)
            if state.revision >= arguments.min_revision:
                return state
            pause = next(steps, pause)
        raise RevisionNotVisible(
            f"revision {arguments.min_revision} of the user is not visible yet; read again"
        )

    def _from_memory(self, user_id: UserId, arguments: UserArguments, version: Version) -> UserView:
        remembered = self._cache.get(user_id, version)
        revision = 0 if remembered is None else remembered.revision
        if revision < arguments.min_revision:
            raise StoreUnavailable(
                f"the store is out of reach and revision {arguments.min_revision} is not known here"
            )
        if arguments.must_be_known and not (remembered is not None and known(remembered)):
            raise StoreUnavailable("the store is out of reach and cannot say if the user is known")
        return UserView(NOBODY, degraded=True, remembered=remembered)


def known(user: FoldedUser) -> bool:
    """Whether a user has a live rating or a trained vector."""
    return user.rating_count > 0 or user.personalization is not Personalization.POPULAR


def check_known(user_id: UserId | None, view: UserView, user: FoldedUser) -> None:
    """Raises UserNotFound where the store knows nothing of the user."""
    state = view.state
    stored = known(user) if state.history is None else bool(state.history) or state.trained
    if not stored and not view.degraded:
        raise UserNotFound(
            user_id or "", "nothing is known of the user; leave require_known_user off"
        )
