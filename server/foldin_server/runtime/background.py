"""Work that outlives the call that started it: failures are logged, and a stop waits for it.

It is not a queue; whoever starts work bounds it.
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
    """The tasks of one server that no call waits for."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._tasks: set[asyncio.Task[object]] = set()

    def start(self, name: str, work: Coroutine[object, object, object]) -> None:
        """Runs `work` behind the call; a failure is logged and counted under `name`."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def run_to_end(self, work: Coroutine[object, object, Result]) -> Result:
        """The result of work that runs to its end even where the caller goes away."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(self._ended)  # nobody else will hear of a failure
            raise

    async def drain(self) -> None:
        """Returns when nothing runs any more."""
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
