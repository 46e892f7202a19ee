"""The servers under load as processes, and the processor time that they take.

Everything is started with the interpreter that runs the benchmark.
"""

import os
import re
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO, Final

from benchmarks.serving.catalog import NAMESPACE

ROOT: Final = Path(__file__).parents[2]
STORE_TIMEOUT_MS: Final = 10_000  # long, so that no answer is degraded
NICENESS: Final = 5  # the generator, at 0, never waits for a server
GIVING_WAY: Final = ("/usr/bin/env", "nice", "-n", str(NICENESS))
CLOCK_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Running:
    """A server that takes calls."""

    name: str
    address: str
    processes: "tuple[subprocess.Popen[str], ...]"

    def cpu_seconds(self) -> float:
        """Returns the processor time so far of the processes and their children."""
        return sum(_cpu_seconds(process.pid) for process in self.processes)


@contextmanager
def foldin(
    name: str, url: str, data_dir: Path, *options: str, workers: int = 1
) -> Iterator[Running]:
    """Runs `foldin serve`, without a log line a call."""
    address = f"127.0.0.1:{free_port()}"
    more = ("--workers", str(workers)) if workers > 1 else ()
    command = (
        *(sys.executable, "-m", "foldin_server", "--address", address, "--redis-url", url),
        *("--namespace", NAMESPACE, "--data-dir", str(data_dir)),
        *("--store-timeout-ms", str(STORE_TIMEOUT_MS)),
        *("--no-log-calls", *more, *options),
    )
    with _started(name, address, [command], '"event": "serving"', workers) as running:
        yield running


@contextmanager
def echo(transport: str, reply_bytes: int, *, processes: int = 1) -> Iterator[Running]:
    """Runs the floor on `transport`, its processes on one port."""
    address = f"127.0.0.1:{free_port()}"
    command = (*module("serving.echo"), transport, address, str(reply_bytes))
    with _started(f"echo {transport}", address, [command] * processes, "ready") as running:
        yield running


@contextmanager
def peer(name: str, data: Path, *options: str) -> Iterator[Running]:
    """Runs a server of benchmarks/peers/."""
    address = f"127.0.0.1:{free_port()}"
    command = (*module(f"peers.{name}"), address, str(data), *options)
    workers = int(options[0]) if options else 1
    with _started(name, address, [command], "ready", workers) as running:
        yield running


def module(name: str) -> tuple[str, ...]:
    """Returns the command that runs a module of the benchmarks."""
    return sys.executable, "-m", f"benchmarks.{name}"


def options_of_serve() -> frozenset[str]:
    """Returns the options that `foldin serve` has."""
    command = (sys.executable, "-m", "foldin_server", "--help")
    help_text = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return frozenset(re.findall(r"--[a-z][a-z-]*", help_text))


def free_port() -> int:
    """Returns a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _started(
    name: str, address: str, commands: Sequence[Sequence[str]], ready: str, times: int = 1
) -> Iterator[Running]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FOLDIN_")}
    environment = {**kept, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(
            (*GIVING_WAY, *command),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        for command in commands
    ]
    try:
        for process in processes:
            _wait(name, process, ready, times)
        yield Running(name, address, tuple(processes))
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def _wait(name: str, process: "subprocess.Popen[str]", ready: str, times: int) -> None:
    """Returns when `ready` was printed `times` times; later output is read and dropped.

    Workers that become ready at the same time may print it in one line.
    """
    output: IO[str] = process.stdout  # type: ignore[assignment]  # it is a pipe
    lines: deque[str] = deque(maxlen=20)
    while times > 0:
        line = output.readline()
        if not line:
            raise RuntimeError(f"{name} ended before it served:\n" + "".join(lines))
        lines.append(line)
        times -= line.count(ready)
    Thread(target=_drain, args=(output,)).start()


def _drain(output: IO[str]) -> None:
    """Reads the output of a server until its end."""
    with output:
        deque(output, 0)


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:  # it ended meanwhile
        return 0.0
    own = (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
    return own + sum(_cpu_seconds(int(child)) for child in children)


def be_nice(pid_file: Path) -> None:
    """Gives the process with the id in the file the niceness of every measured server."""
    os.setpriority(os.PRIO_PROCESS, int(pid_file.read_text()), NICENESS)


def cpu_seconds_of(pid_file: Path) -> float:
    """Returns the processor time so far of the process with the id in the file."""
    return _cpu_seconds(int(pid_file.read_text()))
