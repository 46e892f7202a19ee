"""Structured log lines: one JSON object each."""

import json
import logging
import sys
from typing import Final, TextIO

ORDINARY: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


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
    logging.getLogger("faiss").setLevel(logging.WARNING)  # it logs how it was loaded
