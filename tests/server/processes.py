"""`foldin serve` as a process of its own, and its log lines."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

from foldin_model.store.embedded_server import embedded_store

COMMAND = (sys.executable, "-m", "foldin_server")


@dataclass(frozen=True)
class Process:
    """A serving process. A thread reads its log into `lines`, so that the pipe is never full."""

    running: "subprocess.Popen[str]"
    lines: list[dict[str, Any]]
    reader: Thread

    @property
    def address(self) -> str:
        return str(self.line("serving")["address"])

    def line(self, event: str) -> dict[str, Any]:
        """Returns the first line of an event."""
        return self.lines_of(event)[0]

    def lines_of(self, event: str) -> list[dict[str, Any]]:
        """Returns every line of an event so far."""
        return [line for line in self.lines if line["event"] == event]

    def stop(self) -> int:
        """Sends SIGTERM. Returns the exit code once `lines` has the whole log."""
        self.running.send_signal(signal.SIGTERM)
        self.reader.join(30)
        return self.running.wait(30)


@contextmanager
def serving(data_dir: Path, *options: str) -> Iterator[Process]:
    """Runs a server process that serves; after the block neither it nor its store is left."""
    command = (*COMMAND, "--address", "127.0.0.1:0", "--data-dir", str(data_dir), *options)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FOLDIN_")}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as running:
        lines: list[dict[str, Any]] = []
        ready = Event()
        reader = Thread(target=_read, args=(running, lines, ready))
        reader.start()
        try:
            process = Process(running, lines, reader)
            assert ready.wait(60), lines
            assert process.lines_of("serving"), lines
            yield process
        finally:
            running.kill()
            reader.join()
            if (data_dir / "store" / "valkey.pid").exists():
                with embedded_store(
                    data_dir
                ):  # opening it and leaving stops the store of the killed process
                    pass


def _read(running: "subprocess.Popen[str]", lines: list[dict[str, Any]], ready: Event) -> None:
    assert running.stderr is not None
    for line in running.stderr:
        is_object = line.startswith("{")
        lines.append(json.loads(line) if is_object else {"event": "not logged", "text": line})
        if lines[-1]["event"] == "serving":
            ready.set()
    ready.set()  # it has ended
