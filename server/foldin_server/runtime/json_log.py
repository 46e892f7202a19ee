"""Structured log lines: one JSON object each."""

import json
import logging
import sys
from typing import Final, TextIO

ORDINARY: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object: time, level, event, then the fields of the event."""

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
    """Writes every log record of this program as a JSON line to `stream` from now on.

    Every line has the fields in `constant`, such as the number of the worker.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(**constant))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("faiss").setLevel(logging.WARNING)  # its info lines tell how it was loaded
