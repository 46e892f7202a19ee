"""The item overlay over the versions that this process holds: fetched, applied and measured.

It blocks on the store and computes, so it is called in a thread.
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
    """The overlay of the store as last fetched, and its layer over each version."""

    def __init__(self, store: OverlayStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._overlay = Overlay()
        self._layers: dict[Version, Overlayer] = {}
        self._working = Lock()
        self._refused: tuple[int, float] | None = None

    def is_behind(self, revision: int) -> bool:
        """Returns whether the store's overlay, now at `revision`, must be fetched.

        A revision that could not be applied is tried again after RETRY_S.
        """
        if self._refused is not None and self._refused[0] == revision:
            return time.monotonic() > self._refused[1]
        return revision != self._overlay.revision

    def update(self, revision: int, snapshots: Iterable[Snapshot]) -> list[Snapshot]:
        """Fetches the overlay of `revision` or later. Returns the snapshots with it applied.

        Returns them unchanged if it cannot be applied. Raises StoreUnavailable.
        """
        before = list(snapshots)
        started = time.monotonic()
        old = self._overlay
        try:
            self._overlay = old.updated(self._store.changes(old.revision))
            after = [self.apply(snapshot.without_overlay) for snapshot in before]
        except StoreUnavailable:
            raise
        except Exception:
            self._overlay = old
            self._refused = (revision, time.monotonic() + RETRY_S)
            self._metrics.overlay_failures.inc()
            log.exception("overlay_refused", extra={"overlay_revision": revision})
            return before
        self._refused = None
        self._report(old, time.monotonic() - started)
        return after

    def apply(self, version: Snapshot) -> Snapshot:
        """Returns a version's snapshot with the overlay applied to it."""
        with self._working:
            layer = self._layers.get(version.version)
            if layer is None or layer.base is not version:
                layer = self._layers[version.version] = Overlayer(version)
            return layer.apply(self._overlay)

    def absorbed(self, version: Version) -> list[ItemId]:
        """Returns the new items that a version was trained with; they need no content now."""
        with self._working:
            layer = self._layers.get(version)
            return [] if layer is None else layer.absorbed(self._overlay)

    def outdated(self, version: Version) -> list[tuple[ItemId, UserId]]:
        """Returns ratings of new items that await the fold-in of their users under a version."""
        with self._working:
            layer = self._layers.get(version)
            return [] if layer is None else layer.outdated(self._overlay)

    def keep_only(self, versions: Iterable[Version]) -> None:
        """Drops the layers over all other versions."""
        kept = set(versions)
        with self._working:
            self._layers = {v: layer for v, layer in self._layers.items() if v in kept}

    def _report(self, old: Overlay, seconds: float) -> None:
        overlay = self._overlay
        for item_id, error in overlay.damaged.items():
            if old.damaged.get(item_id) != error:
                log.error("overlay_entry_damaged", extra={"item": item_id, "error": error})
        new = sum(entry.content is not None for entry in overlay.entries.values())
        hidden = sum(not entry.available for entry in overlay.entries.values())
        self._metrics.overlay_new_items.set(new)
        self._metrics.overlay_hidden_items.set(hidden)
        self._metrics.overlay_damaged_entries.set(len(overlay.damaged))
        self._metrics.overlay_seconds.set(seconds)
        counts = {"new_items": new, "hidden_items": hidden, "ms": round(1_000 * seconds, 1)}
        log.info("overlay", extra={"overlay_revision": overlay.revision, **counts})
