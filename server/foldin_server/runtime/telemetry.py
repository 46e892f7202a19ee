"""Structured log lines, one JSON object each, and the record of one call.

A user appears only as a keyed hash; the key is the namespace's, so replicas agree on it.
"""

import json
import logging
import sys
import time
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, TextIO

from foldin_model.ids import UserId

from foldin_server.runtime.metrics import Metrics

ORDINARY: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
log = logging.getLogger(__name__)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, event, then what the event carries."""

    def __init__(self, **constant: object) -> None:
        super().__init__()
        self._constant = constant

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": round(record.created, 6),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **self._constant,
        }
        line.update((k, v) for k, v in vars(record).items() if k not in ORDINARY)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_to(stream: TextIO = sys.stderr, **constant: object) -> None:
    """From now on every log record of this program is a JSON line on `stream`.

    `constant` stands in every line: which worker it is that writes.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(**constant))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("faiss").setLevel(logging.WARNING)  # it tells how it was loaded


@dataclass(slots=True)
class CallRecord:
    """A call since `started`, of `time.monotonic()`, and what it turned out to be.

    Handlers fill it in while they work.
    """

    method: str
    started: float = field(init=False, default_factory=time.monotonic)
    code: str = "OK"
    reason: str = ""
    model_version: str = ""
    personalization: str = ""
    degraded: bool = False
    user_id: UserId | None = None


class Telemetry:
    """Writes the log line and the metrics of every call."""

    def __init__(self, metrics: Metrics, *, log_calls: bool) -> None:
        self._log_calls = log_calls
        self._calls = metrics.calls
        self.hash_key = b""

    def ended(self, call: CallRecord) -> None:
        """Counts a call and writes its line."""
        seconds = time.monotonic() - call.started
        self._calls.count(
            call.method, call.code, seconds, call.personalization, degraded=call.degraded
        )
        if self._log_calls:
            log.info("rpc", extra=self._line(call, seconds))

    def _line(self, call: CallRecord, seconds: float) -> dict[str, object]:
        line: dict[str, object] = {
            "method": call.method,
            "code": call.code,
            "ms": round(1000 * seconds, 3),
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
        """A name for a user that only the holder of the namespace's key can trace back."""
        return blake2b(user_id.encode(), key=self.hash_key, digest_size=8).hexdigest()
