"""One of several worker processes: `python -m foldin_server.process.worker`.

Only its parent starts it. Its standard input carries its assignment, and stays open as long as the
parent lives.
"""

import logging
import pickle
import sys

from foldin_server.process.workers import REFUSED, Assignment
from foldin_server.runtime import json_log, threads
from foldin_server.settings import SettingsError

log = logging.getLogger(__name__)


def main() -> None:
    """Serves until SIGTERM, SIGINT, or the end of the parent."""
    threads.limit_before_import()
    assignment: Assignment = pickle.load(sys.stdin.buffer)  # noqa: S301 (of our own parent)
    from foldin_model.errors import FoldinError  # noqa: PLC0415 (numpy comes with it)

    from foldin_server.process import lifetime  # noqa: PLC0415

    json_log.log_to(worker=assignment.number)
    try:
        lifetime.serve(assignment.settings, lifeline=sys.stdin.fileno())
    except (SettingsError, FoldinError) as error:
        log.error("refused", extra={"error": str(error)})  # noqa: TRY400 (no traceback is needed)
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()
