"""Background tasks, which may outlive the call that started them.

Their failures are logged, and a stopping server waits for them. This is no queue: the code that
starts tasks limits how many there are.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import TypeVar

from foldin_model.errors import FoldinError

from foldin_server.runtime.metrics import Metrics

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class BackgroundTasks:
    """The background tasks of one server."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._tasks: set[asyncio.Task[object]] = set()

    def start(self, name: str, work: Coroutine[object, object, object]) -> None:
        """Starts `work` and returns at once; a failure is logged and counted under `name`."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def run_to_end(self, work: Coroutine[object, object, Result]) -> Result:
        """Returns the result of `work`, which runs to its end even if the call is cancelled."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(self._ended)  # nothing else would report a failure
            raise

    async def drain(self) -> None:
        """Waits until no task is left."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            return
        self._metrics.background_failures.labels(task.get_name()).inc()
        unexpected = not isinstance(error, FoldinError)
        log.warning(
            "background",
            extra={"task": task.get_name(), "error": str(error)},
            exc_info=error if unexpected else None,
        )
