"""Other `foldin` commands as child processes: started, watched, and always stopped.

Their output is kept in files, to be shown if they fail.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from foldin_local.interrupts import Interrupts

POLL_INTERVAL_S = 0.05
STOP_GRACE_S = 20.0  # a server's own grace for calls in flight is 10 s
TAIL_LINES = 20


class ChildFailed(click.ClickException):
    """A child process ended when it should not have."""


class Child:
    """One `foldin` command that runs as a child process."""

    def __init__(self, name: str, arguments: tuple[str, ...], folder: Path) -> None:
        self.name = name
        self._out = folder / f"{name}.out"
        self._err = folder / f"{name}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            # In a session of its own: Ctrl-C comes to this process, which stops the child in order.
            self._process = subprocess.Popen(  # noqa: S603  our own command
                (sys.executable, "-m", "foldin_client", *arguments),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """What the child has written to stdout so far."""
        return self._out.read_text(encoding="utf-8", errors="replace")

    @property
    def last_line(self) -> str:
        """The last line that is not blank on the child's stderr, or ""."""
        lines = self._err.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def wait(self, timeout_s: float) -> int | None:
        """Returns the exit code, or None if the child still runs after that time."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def failure(self, code: int) -> ChildFailed:
        """Returns the error that names the exit code and shows the last output."""
        both = self._err.read_text(encoding="utf-8", errors="replace") + self.output
        tail = "\n".join(f"  {line}" for line in both.splitlines()[-TAIL_LINES:])
        return ChildFailed(
            f"`foldin {self.name}` ended with exit code {code}. Its last output:\n{tail}"
        )

    def stop(self) -> None:
        """Stops the child: SIGTERM, then SIGKILL after the grace period."""
        if self._process.poll() is not None:
            return
        self._process.terminate()
        if self.wait(STOP_GRACE_S) is None:
            self._process.kill()
            self._process.wait()


@contextmanager
def running_child(name: str, arguments: tuple[str, ...], folder: Path) -> Iterator[Child]:
    """Runs a command while the block runs; it has ended after the block."""
    started = Child(name, arguments, folder)
    try:
        yield started
    finally:
        started.stop()


def run_to_end(
    name: str,
    arguments: tuple[str, ...],
    folder: Path,
    interrupts: Interrupts,
    progress: Callable[[str], None],
) -> str:
    """Returns what the command printed, once it has succeeded.

    While it runs, `progress` gets the last line of its stderr. Raises ChildFailed, or Interrupted
    when a signal asked to stop.
    """
    with running_child(name, arguments, folder) as running:
        while (code := running.wait(POLL_INTERVAL_S)) is None:
            interrupts.check()
            progress(running.last_line)
        if code:
            raise running.failure(code)
        return running.output
