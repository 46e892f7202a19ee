"""One server process, from its settings to the signal that ends it."""

import asyncio
import gc
import logging
import signal
from pathlib import Path

import uvloop
from foldin_model.store.location import default_data_dir, running_store_url

from foldin_server.process.server import running
from foldin_server.process.stores import opened
from foldin_server.runtime import threads
from foldin_server.settings import Settings

log = logging.getLogger(__name__)


def serve(settings: Settings, *, lifeline: int | None = None) -> None:
    """Serves until SIGTERM, SIGINT, or the end of the file `lifeline`, a parent's pipe.

    Raises SettingsError and StoreMismatch.
    """
    threads.limit_now()
    data_dir = settings.data_dir or default_data_dir()
    with running_store_url(settings.redis_url, data_dir) as url:
        uvloop.run(_serve(settings, url, data_dir / "models", lifeline))


async def _serve(settings: Settings, url: str, directory: Path, lifeline: int | None) -> None:
    stopped = _stop_asked(lifeline)
    async with opened(settings, url, directory) as stores, running(settings, stores):
        gc.collect()
        gc.freeze()  # the loaded model stays; looking through it again holds up every call
        await stopped.wait()


def _stop_asked(lifeline: int | None) -> asyncio.Event:
    """Returns an event that is set by a signal, or by the end of the parent."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if lifeline is not None:

        def orphaned() -> None:
            loop.remove_reader(lifeline)
            log.error("parent_gone")
            stopped.set()

        loop.add_reader(lifeline, orphaned)
    return stopped
