"""The overlay that this process lays over the versions it holds: fetched, laid, and watched.

It blocks on the store and computes; whoever calls it does so in a thread.
"""

import logging
import time
from collections.abc import Iterable
from threading import Lock
from typing import Final

from foldin_model.errors import StoreUnavailable
from foldin_model.ids import ItemId, UserId, Version
from foldin_model.overlay.overlaid_snapshot import Overlayer
from foldin_model.records.item_overlay import Overlay
from foldin_model.store.overlay_protocol import OverlayStore
from foldin_model.trained.snapshot import Snapshot

from foldin_server.runtime.metrics import Metrics

RETRY_S: Final = 30.0
log = logging.getLogger(__name__)


class OverlayFollower:
    """One overlay over each of some versions."""

    def __init__(self, store: OverlayStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._overlay = Overlay()
        self._layers: dict[Version, Overlayer] = {}
        self._working = Lock()
        self._refused: tuple[int, float] | None = None

    def is_behind(self, revision: int) -> bool:
        """Whether the store's overlay, of that revision, is another one than was last fetched.

        One that could not be laid is tried again after a while.
        """
        if self._refused is not None and self._refused[0] == revision:
            return time.monotonic() > self._refused[1]
        return revision != self._overlay.revision

    def lay_again(self, revision: int, snapshots: Iterable[Snapshot]) -> list[Snapshot]:
        """The snapshots with the store's overlay as it is now, fetched after `revision` was seen.

        Where it cannot be laid they are as they were. Raises StoreUnavailable.
        """
        given = list(snapshots)
        started = time.monotonic()
        before = self._overlay
        try:
            self._overlay = before.updated(self._store.changes(before.revision))
            laid = [self.lay(snapshot.without_overlay) for snapshot in given]
        except StoreUnavailable:
            raise
        except Exception:
            self._overlay = before
            self._refused = (revision, time.monotonic() + RETRY_S)
            self._metrics.overlay_failures.inc()
            log.exception("overlay_refused", extra={"overlay_revision": revision})
            return given
        self._refused = None
        self._tell(before, time.monotonic() - started)
        return laid

    def lay(self, version: Snapshot) -> Snapshot:
        """A version's own snapshot with the overlay over it."""
        with self._working:
            layer = self._layers.get(version.version)
            if layer is None or layer.base is not version:
                layer = self._layers[version.version] = Overlayer(version)
            return layer.apply(self._overlay)

    def absorbed(self, version: Version) -> list[ItemId]:
        """New items that a version was trained with, so that it needs no content of them."""
        with self._working:
            layer = self._layers.get(version)
            return [] if layer is None else layer.absorbed(self._overlay)

    def outdated(self, version: Version) -> list[tuple[ItemId, UserId]]:
        """Ratings of new items that count again once their users are folded under a version."""
        with self._working:
            layer = self._layers.get(version)
            return [] if layer is None else layer.outdated(self._overlay)

    def keep_only(self, versions: Iterable[Version]) -> None:
        """Forgets what was laid over any other version."""
        kept = set(versions)
        with self._working:
            self._layers = {v: layer for v, layer in self._layers.items() if v in kept}

    def _tell(self, before: Overlay, seconds: float) -> None:
        overlay = self._overlay
        for item_id, error in overlay.damaged.items():
            if before.damaged.get(item_id) != error:
                log.error("overlay_entry_damaged", extra={"item": item_id, "error": error})
        new = sum(entry.content is not None for entry in overlay.entries.values())
        hidden = sum(not entry.available for entry in overlay.entries.values())
        self._metrics.overlay_new_items.set(new)
        self._metrics.overlay_hidden_items.set(hidden)
        self._metrics.overlay_damaged_entries.set(len(overlay.damaged))
        self._metrics.overlay_seconds.set(seconds)
        told = {"new_items": new, "hidden_items": hidden, "ms": round(1_000 * seconds, 1)}
        log.info("overlay", extra={"overlay_revision": overlay.revision, **told})
