"""The models that this process serves: the current one, and replaced ones for page tokens.

A new version is fetched, built and warmed in a thread; then one reference is swapped. If a version
cannot be served, the error is kept for callers and the old version serves on. Files that were found
installed are checked against their hashes while they serve, and fetched again if they are damaged.
The item overlay (`foldin_server.versions.overlay_follower`) is applied to every version, again in a
thread whenever it has changed.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from foldin_model.errors import (
    FoldinError,
    ModelNotReady,
    PageTokenExpired,
    StoreUnavailable,
)
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.personal.user_vectors import popular_user
from foldin_model.retrieval.page_token import PageToken
from foldin_model.retrieval.search import popular_items
from foldin_model.retrieval.similar_items import similar_items
from foldin_model.store.protocols import ModelStore, Pointer
from foldin_model.trained.snapshot import Snapshot

from foldin_server.requests.arguments import PageArguments
from foldin_server.runtime.metrics import Metrics
from foldin_server.versions.installed_versions import InstalledVersions
from foldin_server.versions.overlay_follower import OverlayFollower

RETRY_LOAD_S: Final = 30.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RefusedVersion:
    """A version that could not be served, and when it is tried again under the same pointer."""

    pointer: Pointer
    error: str
    retry_at: float

    def holds(self, pointer: Pointer) -> bool:
        """Returns whether the version is still refused without another try."""
        return pointer == self.pointer and time.monotonic() < self.retry_at


class Snapshots:
    """The snapshots of one server. `changed` is awaited after every refresh."""

    def __init__(
        self,
        store: ModelStore,
        directory: Path,
        metrics: Metrics,
        *,
        retire_after_s: float,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._installed = InstalledVersions(store, directory)
        self._metrics = metrics
        self._retire_after_s = retire_after_s
        self._changed = changed
        self._overlay_follower = OverlayFollower(store.overlay, metrics)
        self._refreshing = asyncio.Lock()
        self._current: Snapshot | None = None
        self._replaced: dict[Version, tuple[Snapshot, float]] = {}
        self._refused: RefusedVersion | None = None
        self._reachable = True
        self.page_key = b""
        self.pointer = Pointer(None, None, 0)

    def serving(self) -> Snapshot:
        """Returns the snapshot that new calls are answered from. Raises ModelNotReady."""
        if self._current is None:
            raise ModelNotReady(f"no model is served yet{self._why_none()}")
        return self._current

    @property
    def ready(self) -> bool:
        """Returns whether a model serves."""
        return self._current is not None

    @property
    def is_current(self) -> bool:
        """Returns whether the serving version is the store's current one, as last read."""
        return self.ready and self.pointer.current == self._version()

    @property
    def load_error(self) -> str:
        """Returns why the store's current version is not served; empty if it is."""
        return "" if self._refused is None else self._refused.error

    def absorbed(self) -> list[ItemId]:
        """Returns the new items that the serving version was trained with."""
        return self._overlay_follower.absorbed(self.serving().version)

    def outdated_ratings(self) -> list[tuple[ItemId, UserId]]:
        """Returns ratings of new items whose users were folded under another version."""
        return self._overlay_follower.outdated(self.serving().version)

    def of_page(self, page: PageArguments) -> tuple[Snapshot, PageToken | None]:
        """Returns the snapshot that a page is answered from, and the page's token.

        It is the serving one, or the one of the token. Raises ModelNotReady, PageTokenInvalid,
        PageTokenMismatch and PageTokenExpired.
        """
        current = self.serving()
        if not page.token:
            return current, None
        token = PageToken.decode(page.token, self.page_key)
        token.check(page.digest)
        if token.version == current.version:
            return current, token
        if token.version not in self._replaced:
            raise PageTokenExpired(
                f"the page token is of model {token.version}, which no longer serves; "
                "leave the token out to start again"
            )
        return self._replaced[token.version][0], token

    async def follow(self, interval_s: float) -> None:
        """Refreshes every `interval_s` and verifies what serves, until it is cancelled."""
        while True:
            await asyncio.sleep(interval_s)
            try:
                await self.refresh()
                await self._verify()
            except Exception:
                log.exception("refresh_failed")  # whatever it was, the next refresh may succeed

    async def refresh(self, *, again: bool = False) -> None:
        """Reads the pointer and serves the current version and overlay, if they can be loaded.

        A version that was refused within RETRY_LOAD_S is tried only with `again`.
        """
        async with self._refreshing:
            if again:
                self._refused = None
            try:
                await self._read_pointer()
                await self._serve_overlay()  # first, so that no version serves without it
                await self._serve_current()
            except StoreUnavailable as error:
                self._note_reachable(error)
            self._retire()
            self._metrics.model_current.set(self.is_current)
            await self._changed()

    async def _verify(self) -> None:
        """Checks the files of the serving version against their hashes, once.

        Damaged files are fetched again; if they cannot be, the version stops serving.
        """
        version = self._version()
        if version is None or self._installed.is_verified(version):
            return
        damage = await asyncio.to_thread(self._installed.damage, version)
        if not damage:
            return
        log.error("model_damaged", extra={"error": damage})
        async with self._refreshing:
            try:
                snapshot = await asyncio.to_thread(self._load, version)
            except Exception as error:  # noqa: BLE001 (whatever it is, a damaged model must not serve)
                self._withdraw(version, error)
            else:
                if version == self._version():
                    self._current = snapshot
            self._metrics.model_current.set(self.is_current)
            await self._changed()

    async def _read_pointer(self) -> None:
        if not self.page_key:
            self.page_key = await asyncio.to_thread(self._store.page_key)
        self.pointer = await asyncio.to_thread(self._store.pointer)
        self._note_reachable(None)

    async def _serve_current(self) -> None:
        version = self.pointer.current
        if version is None or version == self._version():
            self._refused = None
            return
        refused = self._refused
        if refused is not None and refused.holds(self.pointer):
            return
        if version in self._replaced:
            self._swap(self._replaced.pop(version)[0])
            return
        started = time.monotonic()
        try:
            snapshot = await asyncio.to_thread(self._load, version)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 (whatever it is, the old model serves on)
            self._refuse(version, error)
        else:
            self._metrics.load_seconds.set(time.monotonic() - started)
            self._swap(snapshot)

    async def _serve_overlay(self) -> None:
        revision = self.pointer.overlay_revision
        if not self._overlay_follower.is_behind(revision):
            return
        held = [snapshot for snapshot, _ in self._replaced.values()]
        if self._current is not None:
            held.append(self._current)
        updated = await asyncio.to_thread(self._overlay_follower.update, revision, held)
        by_version = {snapshot.version: snapshot for snapshot in updated}
        if self._current is not None:
            self._current = by_version[self._current.version]
        self._replaced = {
            version: (by_version[version], since) for version, (_, since) in self._replaced.items()
        }

    def _load(self, version: Version) -> Snapshot:
        snapshot = self._overlay_follower.apply(Snapshot.build(*self._installed.load(version)))
        _warm(snapshot)
        return snapshot

    def _swap(self, snapshot: Snapshot) -> None:
        old, self._current = self._current, snapshot
        self._refused = None
        if old is not None:
            self._replaced[old.version] = (old, time.monotonic())
        self._metrics.model_created.set(snapshot.created_at)
        log.info("model", extra={"model_version": snapshot.version, "items": len(snapshot)})

    def _withdraw(self, version: Version, error: Exception) -> None:
        """Stops serving a version; the one before serves again, if it is still held."""
        if version == self._version():
            since = {held: at for held, (_, at) in self._replaced.items()}
            last = max(since, key=since.__getitem__, default=None)
            self._current = None if last is None else self._replaced.pop(last)[0]
        self._refuse(version, error)

    def _refuse(self, version: Version, error: Exception) -> None:
        retry_at = time.monotonic() + RETRY_LOAD_S
        reason = f"model {version} cannot be served: {error}"
        self._refused = RefusedVersion(self.pointer, reason, retry_at)
        self._metrics.load_failures.inc()
        expected = isinstance(error, FoldinError)
        log.error("model_refused", extra={"error": reason}, exc_info=None if expected else error)

    def _retire(self) -> None:
        oldest = time.monotonic() - self._retire_after_s
        self._replaced = {
            version: held for version, held in self._replaced.items() if held[1] > oldest
        }
        if self._current is not None:
            self._overlay_follower.keep_only((self._current.version, *self._replaced))

    def _note_reachable(self, error: StoreUnavailable | None) -> None:
        if self._reachable and error is not None:
            log.error("model_store_lost", extra={"error": str(error)})
        self._reachable = error is None

    def _why_none(self) -> str:
        if self.load_error:
            return f": {self.load_error}"
        return "; publish and activate one" if self._reachable else ": the store is out of reach"

    def _version(self) -> Version | None:
        return None if self._current is None else self._current.version


def _warm(snapshot: Snapshot) -> None:
    """Loads what the first calls need: memory-mapped rows, indexes and parts built on first use."""
    popular_user(snapshot)
    hits = popular_items(snapshot, None, 10)
    if len(hits):
        similar_items(snapshot, int(hits.rows[0]), None, 10)
    snapshot.titles.find("a")
