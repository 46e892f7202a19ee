"""Plain Recommends that arrive together are answered together: one read, one fold-in, one search.

Calls that arrive while a batch is read form the next batch, with those that come soon after
(`foldin_server.fast_path.batch_start`). The next read begins before the responses of this batch are
computed, so that the store works while this process does.
"""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Sequence

from foldin_model.errors import UserNotFound
from foldin_model.ids import Version
from foldin_model.personal.user_vectors import fold_users
from foldin_model.records.folded_users import FoldedUsers, PackedUser
from foldin_model.records.personalization import Personalization
from foldin_model.trained.snapshot import Snapshot

from foldin_server.fast_path.answer_cache import AnswerCache, CachedAnswer
from foldin_server.fast_path.batch_start import BatchStart
from foldin_server.fast_path.pending_recommend import PendingRecommend
from foldin_server.fast_path.plain_pages import plain_pages
from foldin_server.fast_path.prepared_replies import PreparedReplies
from foldin_server.fast_path.time_slices import even_shares, folding_shares
from foldin_server.recommend.page import Recommendation, recommend
from foldin_server.recommend.users import Users, UserView, check_known
from foldin_server.recommend.work_estimate import page_multiplications
from foldin_server.runtime.executor import offload
from foldin_server.settings import ChosenTransport
from foldin_server.versions.snapshots import Snapshots


class BatchAnswers:
    """The plain Recommends of one server that have no response yet; they come by `transport`."""

    def __init__(
        self,
        snapshots: Snapshots,
        users: Users,
        cache: AnswerCache,
        transport: ChosenTransport,
    ) -> None:
        self._snapshots = snapshots
        self._users = users
        self._cache = cache
        self._prepared = PreparedReplies()
        self._waiting: list[PendingRecommend] = []
        self._batch_start = BatchStart(self._begin, transport)
        self._viewed: list[PendingRecommend] = []
        self._reading = False
        self._batches: set[asyncio.Task[None]] = set()

    def add(self, pending: PendingRecommend) -> Coroutine[object, object, bytes] | None:
        """Adds a plain Recommend, whose reply is set later.

        Returns work that results in the response where the call asks for more of its user than
        the stored state as of now.
        """
        user = pending.arguments.user
        if user.min_revision or user.profile:
            return self._view_first(pending)
        self._waiting.append(pending)
        self._batch_start.arrived()
        if not self._reading:
            self._reading = True
            self._batch_start.gather()
        return None

    def sent_again(self, pending: PendingRecommend, cached: CachedAnswer) -> bool:
        """Sends the cached response if the user is known to be unchanged. Returns whether it did.

        That is known without asking the store only where the user is tracked.
        """
        user = self._users.tracked(pending.arguments.user, pending.snapshot.version)
        if user is None or user.revision != cached.revision:
            return False
        pending.call.note_answer(pending.snapshot.version, cached.personalization)
        pending.reply.set_result(cached.response)
        return True

    def packed(self, pending: PendingRecommend, answer: Recommendation) -> bytes:
        """Returns an answer without explanations as bytes, and caches it where it can be reused."""
        response = self._prepared.response(answer, self._snapshots.page_key)
        personalization = answer.user.personalization
        degraded = pending.view.degraded
        pending.call.note_answer(answer.snapshot.version, personalization, degraded=degraded)
        self._put(pending, personalization, response)
        return response

    def _put(self, pending: PendingRecommend, kind: Personalization, response: bytes) -> None:
        if self._cache.is_on and not pending.view.degraded:
            revision = pending.view.state.revision
            cached = CachedAnswer(pending.arguments, revision, kind, response)
            self._cache.put(pending.snapshot.edition, pending.request, cached)

    async def _view_first(self, pending: PendingRecommend) -> bytes:
        """Returns the response to a call whose user is read alone."""
        view = pending.view = await self._users.view(
            pending.arguments.user, pending.snapshot.version, pending.call.deadline
        )
        if view.state.folded is not None and pending.arguments.user.profile:  # the store is gone
            cost = page_multiplications(pending.snapshot, view, pending.arguments)
            answer = await offload(cost, recommend, pending.snapshot, view, pending.arguments, None)
            return self.packed(pending, answer)
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        pending.reply = reply
        self._viewed.append(pending)
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
        """Reads the users of one batch, lets the next read begin and answers this batch."""
        taken = self._next()
        snapshot = taken[0].snapshot
        with self._batch_start.batch(len(taken)):
            batch = [pending for pending in taken if not pending.reply.done()]
            views = await self._views(batch, snapshot.version)
            self._reading = bool(self._waiting)
            if self._reading:
                self._batch_start.gather()
                await asyncio.sleep(0)  # the next batch is on its way while this one is computed
            viewed = []
            for pending, view in zip(batch, views, strict=True):
                if isinstance(view, UserView):
                    pending.view = view
                    viewed.append(pending)
                else:
                    pending.fail(view)
            await self._make(viewed)

    def _next(self) -> list[PendingRecommend]:
        """Takes the first share of the waiting calls; all of it is answered from one snapshot."""
        snapshot, share = self._waiting[0].snapshot, self._batch_start.share
        taken: list[PendingRecommend] = []
        others: list[PendingRecommend] = []  # also where the snapshot was swapped a moment ago
        for pending in self._waiting:
            chosen = pending.snapshot is snapshot and len(taken) < share
            (taken if chosen else others).append(pending)
        self._waiting = others
        return taken

    async def _views(
        self, batch: list[PendingRecommend], version: Version
    ) -> Sequence[UserView | Exception]:
        try:
            users = [pending.arguments.user for pending in batch]
            return await self._users.views(users, version)
        except Exception as error:  # noqa: BLE001 (it is raised to every caller)
            return [error] * len(batch)

    async def _make(self, viewed: Sequence[PendingRecommend]) -> None:
        lists: defaultdict[tuple[Snapshot, int], list[PendingRecommend]] = defaultdict(list)
        for pending in viewed:
            if (again := pending.cached_response()) is None:
                lists[pending.snapshot, pending.arguments.page.size].append(pending)
            elif not pending.reply.done():
                pending.reply.set_result(again)
        for (snapshot, size), members in lists.items():
            for number, share in enumerate(even_shares(snapshot, members)):
                if number:
                    await asyncio.sleep(0)  # a turn for all others
                await self._list(snapshot, size, share)

    async def _list(
        self, snapshot: Snapshot, size: int, members: Sequence[PendingRecommend]
    ) -> None:
        """Answers calls for lists of one size by one search."""
        try:
            folded, users = await self._folded(snapshot, members)
            if users is None:
                return
            responses = self._responses(snapshot, size, folded, users)
        except Exception as error:  # noqa: BLE001 (it is raised to every caller)
            for pending in members:
                pending.fail(error)
            return
        for pending, kind, response in zip(folded, users.kinds, responses, strict=True):
            if not pending.reply.done():
                pending.call.note_answer(snapshot.version, kind, degraded=pending.view.degraded)
                pending.reply.set_result(response)
                self._put(pending, kind, response)

    def _responses(
        self,
        snapshot: Snapshot,
        size: int,
        members: Sequence[PendingRecommend],
        users: FoldedUsers,
    ) -> list[bytes]:
        digests = [pending.arguments.page.digest for pending in members]
        pages = plain_pages(snapshot, users, digests, size, self._snapshots.page_key)
        freshness = [pending.view.freshness for pending in members]
        return self._prepared.items(snapshot).responses(pages, freshness)

    async def _folded(
        self, snapshot: Snapshot, members: Sequence[PendingRecommend]
    ) -> tuple[list[PendingRecommend], FoldedUsers | None]:
        """Returns the calls that can be answered, and their users as of now.

        The other calls have failed. The loop has turns for all else in between.
        """
        folded: list[PendingRecommend] = []
        parts: list[FoldedUsers] = []
        for number, (cost, share) in enumerate(folding_shares(snapshot, members)):
            if number:
                await asyncio.sleep(0)
            states = [pending.view.state for pending in share]
            extras = [pending.arguments.user.profile for pending in share]
            folding = await offload(cost, fold_users, snapshot, states, extras)
            for place, error in folding.failures.items():
                share[place].fail(error)
            if folding.users is not None:
                these = [share[place] for place in folding.places]
                self._keep(these, folding.users)
                folded += these
                parts.append(folding.users)
        return folded, FoldedUsers.joined(parts) if parts else None

    def _keep(self, members: Sequence[PendingRecommend], users: FoldedUsers) -> None:
        """Keeps the folded (m,) users; calls for unknown users that must be known have failed."""
        version, lasting = users.version, users.lasting.tolist()
        for place, (pending, packed) in enumerate(zip(members, users.packed, strict=True)):
            user, view = pending.arguments.user, pending.view
            if user.must_be_known:
                try:
                    check_known(user.user_id, view, users.user(place))
                except UserNotFound as error:
                    pending.fail(error)
                    continue
            if lasting[place] and not user.profile:
                self._users.keep(
                    user.user_id, view, PackedUser(version, view.state.revision, packed)
                )
