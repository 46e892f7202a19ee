"""The parent of several worker processes on one port: it starts them, restarts them, stops them.

It serves nothing itself and never imports gRPC; it alone opens the embedded store.
"""

import asyncio
import logging
import pickle
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass, replace
from typing import Final

from foldin_model.store.location import default_data_dir, running_store_url

from foldin_server.settings import Settings, SettingsError, split_address
from foldin_server.transport.listener import choose_transport, read_tls, reserved

COMMAND: Final = (sys.executable, "-P", "-m", "foldin_server.process.worker")
REFUSED: Final = 78  # EX_CONFIG: another start would end like this one
FIRST_RESTART_S: Final = 0.1
LAST_RESTART_S: Final = 30.0
STEADY_S: Final = 60.0  # a worker that lived that long is restarted like the first time
KILL_AFTER_S: Final = 10.0  # beyond what a stop may take by its settings
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a parent sends one worker: its number, from 0, and settings with the real places."""

    number: int
    settings: Settings


def serve(settings: Settings) -> None:
    """Serves with `settings.workers` processes until SIGTERM or SIGINT. Raises SettingsError."""
    choose_transport(settings)
    read_tls(settings)
    data_dir = settings.data_dir or default_data_dir()
    with (
        reserved(settings.address) as address,
        running_store_url(settings.redis_url, data_dir) as url,
    ):
        log.info("workers", extra={"count": settings.workers, "address": address})
        placed = replace(settings, address=address, redis_url=url, data_dir=data_dir)
        try:
            asyncio.run(_supervise(placed))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None


async def _supervise(settings: Settings) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with asyncio.TaskGroup() as group:
        workers = [
            group.create_task(_keep_running(Assignment(number, settings_of(number, settings))))
            for number in range(settings.workers)
        ]
        await stopped.wait()
        log.info("stopping_workers")
        for worker in workers:
            worker.cancel()
    log.info("workers_stopped")


def settings_of(number: int, settings: Settings) -> Settings:
    """Returns the settings of one worker, whose metrics have a port of their own."""
    if settings.metrics_address is None:
        return settings
    host = settings.metrics_address.rpartition(":")[0]
    _, port = split_address(settings.metrics_address)
    return replace(settings, metrics_address=f"{host}:{port + number if port else 0}")


async def _keep_running(assignment: Assignment) -> None:
    """Restarts the worker whenever it ends, and stops it when cancelled. Raises SettingsError."""
    delay_s = FIRST_RESTART_S
    while True:
        started = time.monotonic()
        process = await _start(assignment)
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await _stop(process, assignment)
            raise
        if code == REFUSED:
            raise SettingsError(f"worker {assignment.number} can't start; its log line says why")
        if time.monotonic() - started > STEADY_S:
            delay_s = FIRST_RESTART_S
        shown = {"worker": assignment.number, "code": code, "restart_s": delay_s}
        log.error("worker_ended", extra=shown)
        await asyncio.sleep(delay_s)
        delay_s = min(2 * delay_s, LAST_RESTART_S)


async def _start(assignment: Assignment) -> Process:
    process = await asyncio.create_subprocess_exec(*COMMAND, stdin=PIPE)
    if process.stdin is None:
        raise RuntimeError("a worker was started without its standard input")
    process.stdin.write(pickle.dumps(assignment))
    log.info("worker_started", extra={"worker": assignment.number, "pid": process.pid})
    return process


async def _stop(process: Process, assignment: Assignment) -> None:
    if process.returncode is None:
        process.terminate()
    settings = assignment.settings
    patience_s = settings.stop_delay_s + settings.stop_grace_s + KILL_AFTER_S
    try:
        await asyncio.wait_for(process.wait(), patience_s)
    except TimeoutError:
        log.error("worker_killed", extra={"worker": assignment.number})  # noqa: TRY400
        process.kill()
        await process.wait()
