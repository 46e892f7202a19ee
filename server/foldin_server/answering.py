"""Plain Recommends that arrive together are answered together: one read, one fold-in, one search.

What arrives while a batch is read is the next batch, with what comes soon after
(`foldin_server.gathering`); its read begins before the answers to the first are computed, so that
the store works while this process does.
"""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from foldin_model.errors import FoldinError
from foldin_model.folding_users import fold_users
from foldin_model.ids import Version
from foldin_model.snapshot import Snapshot
from foldin_model.users import FoldedUser

from foldin_server.answers import Answer, Answers
from foldin_server.arguments import RecommendArguments
from foldin_server.calls import Call
from foldin_server.gathering import Gathering
from foldin_server.offloading import offload
from foldin_server.plain import plain_pages
from foldin_server.prepared import PreparedAnswers
from foldin_server.ranking import Recommendation, current_user
from foldin_server.settings import ChosenTransport
from foldin_server.snapshots import Snapshots
from foldin_server.turns import even_shares, folding_shares
from foldin_server.users import Users, UserView, check_known


class Reply(Protocol):
    """Who waits for an answer. An `asyncio.Future` is one."""

    def done(self) -> bool:
        """Whether nobody waits any more."""
        ...

    def set_result(self, result: bytes, /) -> object: ...

    def set_exception(self, exception: Exception, /) -> object: ...


@dataclass(slots=True, eq=False)
class Asked:
    """A Recommend to be answered from a snapshot; `known` is the last answer to its bytes."""

    raw: bytes
    arguments: RecommendArguments
    snapshot: Snapshot
    known: Answer | None
    call: Call
    reply: Reply

    def again(self, view: UserView) -> bytes | None:
        """The last answer, where that would be made again for this view of the user."""
        if self.known is None or not self.known.holds(view):
            return None
        self.call.answered(self.snapshot.version, self.known.personalization)
        return self.known.encoded


class Answering:
    """The plain Recommends of one server that have no answer yet; they come by `transport`."""

    def __init__(
        self,
        snapshots: Snapshots,
        users: Users,
        answers: Answers,
        transport: ChosenTransport,
    ) -> None:
        self._snapshots = snapshots
        self._users = users
        self._answers = answers
        self._prepared = PreparedAnswers()
        self._waiting: list[Asked] = []
        self._gathering = Gathering(self._begin, transport)
        self._viewed: list[tuple[Asked, UserView]] = []
        self._reading = False
        self._batches: set[asyncio.Task[None]] = set()

    def ask(self, asked: Asked) -> Coroutine[object, object, bytes] | None:
        """The reply comes by itself, unless work is given that results in it.

        That is where a call asks for more of its user than her state as of now.
        """
        user = asked.arguments.user
        if user.min_revision or user.profile:
            return self._view_first(asked)
        self._waiting.append(asked)
        self._gathering.arrived()
        if not self._reading:
            self._reading = True
            self._gathering.gather()
        return None

    def known(self, snapshot: Snapshot, request: bytes) -> Answer | None:
        """The last answer to a request with these bytes."""
        return self._answers.get(snapshot.edition, request)

    def gives_again(self, asked: Asked) -> bool:
        """Whether the reply was the known answer, for its user is known to be unchanged."""
        known = asked.known
        if known is None:
            return False
        user = self._users.tracked(asked.arguments.user, asked.snapshot.version)
        if user is None or user.revision != known.revision:
            return False
        asked.call.answered(asked.snapshot.version, known.personalization)
        asked.reply.set_result(known.encoded)
        return True

    def rendered(self, asked: Asked, view: UserView, answer: Recommendation) -> bytes:
        """An answer as it travels; it is kept where it may be given again."""
        response = self._prepared.response(answer, self._snapshots.page_key)
        explained = answer.explanations is not None
        self._note(asked, view, answer.user, response, lasting=not explained)
        return response

    def _note(
        self,
        asked: Asked,
        view: UserView,
        user: FoldedUser,
        response: bytes,
        *,
        lasting: bool = True,
    ) -> None:
        """The record knows how the answer was made; a `lasting` one may be given again."""
        personalization = user.personalization
        asked.call.answered(asked.snapshot.version, personalization, degraded=view.degraded)
        if lasting and not view.degraded and self._answers.keeps:
            kept = Answer(asked.arguments, view.state.revision, personalization, response)
            self._answers.put(asked.snapshot.edition, asked.raw, kept)

    async def _view_first(self, asked: Asked) -> bytes:
        """The answer to one whose user is read by herself."""
        view = await self._users.view(
            asked.arguments.user, asked.snapshot.version, asked.call.deadline
        )
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._viewed.append((replace(asked, reply=reply), view))
        if len(self._viewed) == 1:
            asyncio.get_running_loop().call_soon(self._make_next)
        return await reply

    def _begin(self) -> None:
        self._start(self._read())

    def _make_next(self) -> None:
        viewed, self._viewed = self._viewed, []
        self._start(self._make(viewed))

    def _start(self, batch: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(batch)
        self._batches.add(task)
        task.add_done_callback(self._batches.discard)

    async def _read(self) -> None:
        """Reads the users of all who wait, lets the next read begin and answers these."""
        snapshot = self._waiting[0].snapshot
        taken = [one for one in self._waiting if one.snapshot is snapshot]
        # others wait where the snapshot was swapped a moment ago
        self._waiting = [one for one in self._waiting if one.snapshot is not snapshot]
        with self._gathering.batch(len(taken)):
            asked = [one for one in taken if not one.reply.done()]
            views = await self._views(asked, snapshot.version)
            self._reading = bool(self._waiting)
            if self._reading:
                self._gathering.gather()
                await asyncio.sleep(0)  # the next batch is on its way while this one is computed
            viewed = []
            for one, view in zip(asked, views, strict=True):
                if isinstance(view, UserView):
                    viewed.append((one, view))
                elif not one.reply.done():
                    one.reply.set_exception(view)
            await self._make(viewed)

    async def _views(self, asked: list[Asked], version: Version) -> Sequence[UserView | Exception]:
        try:
            users = [one.arguments.user for one in asked]
            return await self._users.views(users, version)
        except Exception as error:  # noqa: BLE001 (it is raised to every caller)
            return [error] * len(asked)

    async def _make(self, viewed: Sequence[tuple[Asked, UserView]]) -> None:
        lists: defaultdict[tuple[Snapshot, int], list[tuple[Asked, UserView]]] = defaultdict(list)
        for asked, view in viewed:
            if asked.reply.done():
                continue
            if (again := asked.again(view)) is not None:
                asked.reply.set_result(again)
            else:
                lists[asked.snapshot, asked.arguments.page.size].append((asked, view))
        for (snapshot, size), members in lists.items():
            for number, share in enumerate(even_shares(snapshot, members)):
                if number:
                    await asyncio.sleep(0)  # a turn for all others
                await self._list(snapshot, size, share)

    async def _list(
        self, snapshot: Snapshot, size: int, members: Sequence[tuple[Asked, UserView]]
    ) -> None:
        """Answers those who ask for lists of one size by one search."""
        try:
            folded = await self._folded(snapshot, members)
            responses = self._responses(snapshot, size, folded) if folded else []
        except Exception as error:  # noqa: BLE001 (it is raised to every caller)
            for asked, _ in members:
                if not asked.reply.done():
                    asked.reply.set_exception(error)
            return
        for (asked, view, user), response in zip(folded, responses, strict=True):
            if not asked.reply.done():
                self._note(asked, view, user, response)
                asked.reply.set_result(response)

    def _responses(
        self, snapshot: Snapshot, size: int, folded: Sequence[tuple[Asked, UserView, FoldedUser]]
    ) -> list[bytes]:
        users = [user for _, _, user in folded]
        digests = [asked.arguments.page.digest for asked, _, _ in folded]
        pages = plain_pages(snapshot, users, digests, size, self._snapshots.page_key)
        return self._prepared.items(snapshot).responses(pages, [view for _, view, _ in folded])

    async def _current_users(
        self, snapshot: Snapshot, members: Sequence[tuple[Asked, UserView]]
    ) -> list[FoldedUser | FoldinError]:
        """The users of (m,) views, or why there is none; the others have turns in between."""
        views = [view for _, view in members]
        users: list[FoldedUser | FoldinError | None] = [view.remembered for view in views]
        for number, (operations, places) in enumerate(folding_shares(snapshot, views)):
            if number:
                await asyncio.sleep(0)
            states = [views[place].state for place in places]
            extras = [members[place][0].arguments.user.profile for place in places]
            folded = await offload(operations, fold_users, snapshot, states, extras)
            for place, user in zip(places, folded, strict=True):
                users[place] = user
        for place, (asked, view) in enumerate(members):
            if view.remembered is not None and asked.arguments.user.profile:
                users[place] = current_user(snapshot, view, asked.arguments.user.profile)
        return [user for user in users if user is not None]

    async def _folded(
        self, snapshot: Snapshot, members: Sequence[tuple[Asked, UserView]]
    ) -> list[tuple[Asked, UserView, FoldedUser]]:
        """Those who can be answered, with their users; the others have failed."""
        users = await self._current_users(snapshot, members)
        folded = []
        for (asked, view), user in zip(members, users, strict=True):
            try:
                if isinstance(user, FoldinError):
                    raise user
                if asked.arguments.user.must_be_known:
                    check_known(asked.arguments.user.user_id, view, user)
            except FoldinError as error:
                if not asked.reply.done():
                    asked.reply.set_exception(error)
                continue
            if not asked.arguments.user.profile:
                self._users.keep(asked.arguments.user.user_id, view, user)
            folded.append((asked, view, user))
        return folded
