"""Users as an answer needs them: read from the store, and kept once they are folded.

Every answer asks the store, unless the user is tracked: then the store is not asked until it
reports a change. While the store is unreachable, a user is answered as last known here, or as an
unknown user, and the answer says so (`Freshness.UNKNOWN`).
"""

import asyncio
from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from foldin_model.errors import FoldinError, RevisionNotVisible, StoreUnavailable, UserNotFound
from foldin_model.ids import UserId, Version
from foldin_model.records.folded_users import FoldedUser, PackedUser
from foldin_model.records.personalization import is_known
from foldin_model.records.rating_history import History
from foldin_model.store.protocols import RatingStore, StoredUser

from foldin_server.recommend.tracked_users import TrackedUsers
from foldin_server.recommend.user_cache import UserCache
from foldin_server.requests.arguments import UserArguments
from foldin_server.runtime.background import BackgroundTasks
from foldin_server.runtime.deadline import Deadline

REREAD_S: Final = (0.005, 0.01, 0.02, 0.05)
NOBODY: Final = StoredUser(0, history=History.empty())


class Freshness(IntEnum):
    """How fresh the user of an answer is; the numbers are those of the RPC contract."""

    UNKNOWN = 0  # the store could not be asked
    STRICT = 1
    BOUNDED = 2


class UserView(NamedTuple):
    """The user that an answer is made from, as stored or as remembered, and how fresh they are.

    `mark` is the one that `TrackedUsers.put` takes.
    """

    state: StoredUser
    freshness: Freshness = Freshness.STRICT
    mark: int | None = None

    @property
    def degraded(self) -> bool:
        """Returns whether the store could not be asked."""
        return self.freshness is Freshness.UNKNOWN

    @property
    def rated(self) -> StoredUser:
        """Returns the stored user with their ratings; a remembered one has none."""
        return NOBODY if self.state.history is None else self.state


class Users:
    """The users of one server, read and kept."""

    def __init__(
        self,
        store: RatingStore,
        cache: UserCache,
        tracked: TrackedUsers,
        background: BackgroundTasks,
        *,
        revision_wait_s: float,
        freshness: Freshness = Freshness.STRICT,
    ) -> None:
        self._store = store
        self._cache = cache
        self._tracked = tracked
        self._freshness = freshness
        self._background = background
        self._revision_wait_s = revision_wait_s
        self._unkept: list[tuple[UserId, PackedUser]] = []

    async def view(
        self,
        arguments: UserArguments,
        version: Version,
        deadline: Deadline,
        *,
        history: bool = False,
    ) -> UserView:
        """Returns the user under `version`, at the least revision of the arguments or later.

        Raises RevisionNotVisible, and StoreUnavailable if only the store could answer.
        """
        user_id = arguments.user_id
        if user_id is None:
            return UserView(NOBODY, self._freshness)
        exact = history or bool(arguments.profile)
        held = None if exact else self.tracked(arguments, version)
        if held is not None:
            return self._remembered(held)
        mark = self._tracked.mark(user_id)
        try:
            held = None if exact else await self._unchanged(user_id, version)
            if held is not None and held.revision >= arguments.min_revision:
                self._tracked.put(user_id, held, mark)
                return self._remembered(held)
            state = await self._store.read(user_id, version, history=exact)
            if state.revision < arguments.min_revision:
                state = await self._later(user_id, arguments, version, deadline, history=exact)
        except StoreUnavailable:
            return self._from_memory(user_id, arguments, version)
        return UserView(state, self._freshness, mark)

    def tracked(self, arguments: UserArguments, version: Version) -> PackedUser | None:
        """Returns the user if they are known to be unchanged without asking the store."""
        user_id = arguments.user_id
        if user_id is None:
            return None
        return self._tracked.get(user_id, version, arguments.min_revision)

    async def views(
        self, users: Sequence[UserArguments], version: Version
    ) -> list[UserView | FoldinError]:
        """Returns users as of now, read together, or the error for each that cannot be read.

        Each is as `view` returns it without profile, history and least revision.
        """
        views: list[UserView | FoldinError | None] = [None] * len(users)
        asked: list[tuple[int, UserId, PackedUser | None, int | None]] = []
        tracking, mark = self._tracked.alive, None
        for place, arguments in enumerate(users):
            user_id = arguments.user_id
            if user_id is None:
                views[place] = UserView(NOBODY, self._freshness)
                continue
            if tracking:
                if (held := self._tracked.get(user_id, version)) is not None:
                    views[place] = self._remembered(held)
                    continue
                mark = self._tracked.mark(user_id)
            asked.append((place, user_id, self._cache.get(user_id, version), mark))
        questions = [(user_id, held.revision if held else 0) for _, user_id, held, _ in asked]
        states = await self._states(questions, version)
        for (place, user_id, held, mark), state in zip(asked, states, strict=True):
            if isinstance(state, StoredUser):
                if held is None or not state.is_unchanged:
                    views[place] = UserView(state, self._freshness, mark)
                    continue
                self._cache.touch(user_id)
                self._tracked.put(user_id, held, mark)
                views[place] = self._remembered(held)
            elif isinstance(state, StoreUnavailable):
                views[place] = self._without_store(user_id, users[place], version)
            else:
                views[place] = state
        return [view for view in views if view is not None]

    async def stored(self, user_id: UserId, version: Version) -> UserView:
        """Returns the user as stored, with their ratings. Raises StoreUnavailable."""
        return UserView(await self._store.read(user_id, version, history=True))

    def keep(self, user_id: UserId | None, view: UserView, user: PackedUser) -> None:
        """Keeps a lasting state folded from `view` alone: here and, if it is new, in the store.

        The store is written to in the background.
        """
        if user_id is None or view.degraded:
            return
        self._cache.put(user_id, user)
        if view.mark is not None:
            self._tracked.put(user_id, user, view.mark)
        if view.state.history:
            if not self._unkept:
                self._background.start("keep_folded", self._keep_folded())
            self._unkept.append((user_id, user))

    async def _unchanged(self, user_id: UserId, version: Version) -> PackedUser | None:
        """Returns the user as remembered, if the store still has that revision of them."""
        held = self._cache.get(user_id, version)
        if held is None or held.revision == 0:
            return None
        self._cache.touch(user_id)
        return held if await self._store.revision(user_id) == held.revision else None

    def _remembered(self, user: PackedUser) -> UserView:
        return UserView(StoredUser(user.revision, folded=user.packed), self._freshness)

    async def _states(
        self, questions: Sequence[tuple[UserId, int]], version: Version
    ) -> Sequence[StoredUser | FoldinError]:
        if not questions:
            return []
        try:
            return await self._store.read_all(questions, version)
        except StoreUnavailable as error:
            return [error] * len(questions)

    def _without_store(
        self, user_id: UserId, arguments: UserArguments, version: Version
    ) -> UserView | FoldinError:
        try:
            return self._from_memory(user_id, arguments, version)
        except FoldinError as error:
            return error

    async def _keep_folded(self) -> None:
        """Stores together all users that were folded in this turn of the event loop."""
        unkept, self._unkept = self._unkept, []
        await self._store.keep_folded(unkept)

    async def _later(
        self,
        user_id: UserId,
        arguments: UserArguments,
        version: Version,
        deadline: Deadline,
        *,
        history: bool,
    ) -> StoredUser:
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
        if arguments.must_be_known and not (remembered is not None and remembered.is_known):
            raise StoreUnavailable("the store is out of reach and cannot say if the user is known")
        state = NOBODY if remembered is None else StoredUser(revision, folded=remembered.packed)
        return UserView(state, Freshness.UNKNOWN)


def check_known(user_id: UserId | None, view: UserView, user: FoldedUser) -> None:
    """Raises UserNotFound if the store has neither ratings nor a trained vector of the user."""
    state = view.state
    if state.history is None:
        stored = is_known(user.personalization, user.rating_count)
    else:
        stored = bool(state.history or state.trained)
    if not stored and not view.degraded:
        raise UserNotFound(
            user_id or "", "nothing is known of the user; leave require_known_user off"
        )
