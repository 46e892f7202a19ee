"""Plain Recommends that arrive together are answered together: one read, one fold-in, one search.

What arrives while a batch is read is the next batch, with what comes soon after
(`foldin_server.fast_path.batch_start`); its read begins before the answers to the first are computed, so that
the store works while this process does.
"""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from foldin_model.errors import UserNotFound
from foldin_model.ids import Version
from foldin_model.personal.user_vectors import fold_users
from foldin_model.records.folded_users import FoldedUsers, PackedUser
from foldin_model.records.personalization import Personalization
from foldin_model.trained.snapshot import Snapshot

from foldin_server.admission.calls import Call
from foldin_server.fast_path.answer_cache import Answer, Answers
from foldin_server.fast_path.batch_start import Gathering
from foldin_server.fast_path.plain_pages import plain_pages
from foldin_server.fast_path.prepared_replies import PreparedAnswers
from foldin_server.fast_path.time_slices import even_shares, folding_shares
from foldin_server.recommend.page import Recommendation, operations, recommend
from foldin_server.recommend.users import Users, UserView, check_known
from foldin_server.requests.arguments import RecommendArguments
from foldin_server.runtime.executor import offload
from foldin_server.settings import ChosenTransport
from foldin_server.versions.snapshots import Snapshots


class Reply(Protocol):
    """Who waits for an answer. An `asyncio.Future` is one."""

    def done(self) -> bool:
        """Whether nobody waits any more."""
        ...

    def set_result(self, result: bytes, /) -> object: ...

    def set_exception(self, exception: Exception, /) -> object: ...


@dataclass(slots=True, eq=False)
class Asked:
    """A Recommend to be answered from a snapshot; `known` is the last answer to its bytes.

    `view` is there once its user was read.
    """

    raw: bytes
    arguments: RecommendArguments
    snapshot: Snapshot
    known: Answer | None
    call: Call
    reply: Reply
    view: UserView = field(init=False)

    def again(self) -> bytes | None:
        """The last answer, where that would be made again for the user as she is now."""
        if self.known is None or not self.known.holds(self.view):
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
        self.known = answers.get
        """The last answer to a request, by edition and bytes."""
        self._prepared = PreparedAnswers()
        self._waiting: list[Asked] = []
        self._gathering = Gathering(self._begin, transport)
        self._viewed: list[Asked] = []
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

    def gives_again(self, asked: Asked, known: Answer) -> bool:
        """Whether the reply was the known answer, for its user is known to be unchanged."""
        user = self._users.tracked(asked.arguments.user, asked.snapshot.version)
        if user is None or user.revision != known.revision:
            return False
        asked.call.answered(asked.snapshot.version, known.personalization)
        asked.reply.set_result(known.encoded)
        return True

    def rendered(self, asked: Asked, answer: Recommendation) -> bytes:
        """An answer as it travels; it is kept where it may be given again."""
        response = self._prepared.response(answer, self._snapshots.page_key)
        explained = answer.explanations is not None
        personalization = answer.user.personalization
        degraded = asked.view.degraded
        asked.call.answered(asked.snapshot.version, personalization, degraded=degraded)
        if not explained:
            self._keep_answer(asked, personalization, response)
        return response

    def _keep_answer(self, asked: Asked, kind: Personalization, response: bytes) -> None:
        """It may be given again."""
        if self._answers.keeps and not asked.view.degraded:
            kept = Answer(asked.arguments, asked.view.state.revision, kind, response)
            self._answers.put(asked.snapshot.edition, asked.raw, kept)

    async def _view_first(self, asked: Asked) -> bytes:
        """The answer to one whose user is read by herself."""
        view = asked.view = await self._users.view(
            asked.arguments.user, asked.snapshot.version, asked.call.deadline
        )
        if view.state.folded is not None and asked.arguments.user.profile:  # the store is gone
            cost = operations(asked.snapshot, view, asked.arguments)
            answer = await offload(cost, recommend, asked.snapshot, view, asked.arguments, None)
            return self.rendered(asked, answer)
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        asked.reply = reply
        self._viewed.append(asked)
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
        """Reads the users of some who wait, lets the next read begin and answers these."""
        taken = self._next()
        snapshot = taken[0].snapshot
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
                    one.view = view
                    viewed.append(one)
                else:
                    _fail(one, view)
            await self._make(viewed)

    def _next(self) -> list[Asked]:
        """Takes the first share of those who wait, all of whom get answers of one snapshot."""
        snapshot, share = self._waiting[0].snapshot, self._gathering.share
        taken: list[Asked] = []
        others: list[Asked] = []  # also where the snapshot was swapped a moment ago
        for one in self._waiting:
            chosen = one.snapshot is snapshot and len(taken) < share
            (taken if chosen else others).append(one)
        self._waiting = others
        return taken

    async def _views(self, asked: list[Asked], version: Version) -> Sequence[UserView | Exception]:
        try:
            users = [one.arguments.user for one in asked]
            return await self._users.views(users, version)
        except Exception as error:  # noqa: BLE001 (it is raised to every caller)
            return [error] * len(asked)

    async def _make(self, viewed: Sequence[Asked]) -> None:
        lists: defaultdict[tuple[Snapshot, int], list[Asked]] = defaultdict(list)
        for asked in viewed:
            if (again := asked.again()) is None:
                lists[asked.snapshot, asked.arguments.page.size].append(asked)
            elif not asked.reply.done():
                asked.reply.set_result(again)
        for (snapshot, size), members in lists.items():
            for number, share in enumerate(even_shares(snapshot, members)):
                if number:
                    await asyncio.sleep(0)  # a turn for all others
                await self._list(snapshot, size, share)

    async def _list(self, snapshot: Snapshot, size: int, members: Sequence[Asked]) -> None:
        """Answers those who ask for lists of one size by one search."""
        try:
            folded, users = await self._folded(snapshot, members)
            if users is None:
                return
            responses = self._responses(snapshot, size, folded, users)
        except Exception as error:  # noqa: BLE001 (it is raised to every caller)
            for asked in members:
                _fail(asked, error)
            return
        for asked, kind, response in zip(folded, users.kinds, responses, strict=True):
            if not asked.reply.done():
                asked.call.answered(snapshot.version, kind, degraded=asked.view.degraded)
                asked.reply.set_result(response)
                if self._answers.keeps:
                    self._keep_answer(asked, kind, response)

    def _responses(
        self,
        snapshot: Snapshot,
        size: int,
        members: Sequence[Asked],
        users: FoldedUsers,
    ) -> list[bytes]:
        digests = [asked.arguments.page.digest for asked in members]
        pages = plain_pages(snapshot, users, digests, size, self._snapshots.page_key)
        freshness = [asked.view.freshness for asked in members]
        return self._prepared.items(snapshot).responses(pages, freshness)

    async def _folded(
        self, snapshot: Snapshot, members: Sequence[Asked]
    ) -> tuple[list[Asked], FoldedUsers | None]:
        """Those who can be answered, and their users as of now; the others have failed.

        All others have turns in between.
        """
        folded: list[Asked] = []
        parts: list[FoldedUsers] = []
        for number, (cost, share) in enumerate(folding_shares(snapshot, members)):
            if number:
                await asyncio.sleep(0)
            states = [asked.view.state for asked in share]
            extras = [asked.arguments.user.profile for asked in share]
            folding = await offload(cost, fold_users, snapshot, states, extras)
            for place, error in folding.failures.items():
                _fail(share[place], error)
            if folding.users is not None:
                these = [share[place] for place in folding.places]
                self._keep(these, folding.users)
                folded += these
                parts.append(folding.users)
        return folded, FoldedUsers.joined(parts) if parts else None

    def _keep(self, members: Sequence[Asked], users: FoldedUsers) -> None:
        """Keeps what was folded of (m,) users; who is not known and has to be has failed."""
        version, lasting = users.version, users.lasting.tolist()
        for place, (asked, packed) in enumerate(zip(members, users.packed, strict=True)):
            user, view = asked.arguments.user, asked.view
            if user.must_be_known:
                try:
                    check_known(user.user_id, view, users.user(place))
                except UserNotFound as error:
                    _fail(asked, error)
                    continue
            if lasting[place] and not user.profile:
                kept = PackedUser(version, view.state.revision, packed)
                self._users.keep(user.user_id, view, kept)


def _fail(asked: Asked, error: Exception) -> None:
    if not asked.reply.done():
        asked.reply.set_exception(error)
