"""The record of each call: one log line and the metrics. A user appears only as a keyed hash."""

import logging
import time
from hashlib import blake2b

from foldin_model.ids import UserId

from foldin_server.admission.call import Call
from foldin_server.admission.request_ids import request_id
from foldin_server.admission.step import Step
from foldin_server.runtime.metrics import Metrics

log = logging.getLogger(__name__)


class CallLog(Step):
    """Counts every call when it ends, and writes its line if `write_lines`.

    `hash_key` is the namespace's, so that all its servers give a user the same hash.
    """

    def __init__(self, metrics: Metrics, *, write_lines: bool) -> None:
        self._write_lines = write_lines
        self._calls = metrics.calls
        self.hash_key = b""

    def leave(self, call: Call) -> None:
        if call.arrival_only:
            return
        seconds = time.monotonic() - call.started
        self._calls.count(
            call.method, call.code, seconds, call.personalization, degraded=call.degraded
        )
        if self._write_lines:
            log.info("rpc", extra=self._line(call, seconds))

    def _line(self, call: Call, seconds: float) -> dict[str, object]:
        line: dict[str, object] = {
            "method": call.method,
            "code": call.code,
            "ms": round(1000 * seconds, 3),
            "request_id": request_id(call),
            "cost": call.cost or 0,
            "model_version": call.model_version,
            "personalization": call.personalization,
            "degraded": call.degraded,
        }
        if call.reason:
            line["reason"] = call.reason
        if call.user_id is not None:
            line["user"] = self.user_hash(call.user_id)
        return line

    def user_hash(self, user_id: UserId) -> str:
        """Returns a name for a user that only a holder of the key can trace back."""
        return blake2b(user_id.encode(), key=self.hash_key, digest_size=8).hexdigest()
