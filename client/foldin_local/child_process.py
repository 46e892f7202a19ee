"""The other commands as processes of ours: started, watched, and never left behind.

What they do is theirs; their output is kept to be shown if they fail.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from foldin_local.interrupts import Interrupts

TICK_S = 0.05
GRACE_S = 20.0  # a server's own grace for calls in flight is 10 s
TAIL_LINES = 20


class ChildFailed(click.ClickException):
    """A command ended when it should not have."""


class Child:
    """One `foldin` command running beside us."""

    def __init__(self, name: str, arguments: tuple[str, ...], folder: Path) -> None:
        self.name = name
        self._out = folder / f"{name}.out"
        self._err = folder / f"{name}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            # In a session of its own: Ctrl-C comes to us, and we stop it in order.
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
        """What it wrote to stdout so far."""
        return self._out.read_text(encoding="utf-8", errors="replace")

    @property
    def last_line(self) -> str:
        """What it said last, on stderr."""
        lines = self._err.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code, or None if it still runs after that time."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def failure(self, code: int) -> ChildFailed:
        """The error that says how it ended, with its last output."""
        both = self._err.read_text(encoding="utf-8", errors="replace") + self.output
        tail = "\n".join(f"  {line}" for line in both.splitlines()[-TAIL_LINES:])
        return ChildFailed(
            f"`foldin {self.name}` ended with exit code {code}. Its last output:\n{tail}"
        )

    def stop(self) -> None:
        """It has ended: asked to, or killed when it took too long."""
        if self._process.poll() is not None:
            return
        self._process.terminate()
        if self.wait(GRACE_S) is None:
            self._process.kill()
            self._process.wait()


@contextmanager
def child(name: str, arguments: tuple[str, ...], folder: Path) -> Iterator[Child]:
    """A command that runs inside the block and has ended after it."""
    started = Child(name, arguments, folder)
    try:
        yield started
    finally:
        started.stop()


def finished(
    name: str,
    arguments: tuple[str, ...],
    folder: Path,
    interrupts: Interrupts,
    progress: Callable[[str], None],
) -> str:
    """What the command printed, once it has succeeded; its last line is told as it goes on.

    Raises ChildFailed, or Interrupted when somebody asked us to stop.
    """
    with child(name, arguments, folder) as running:
        while (code := running.wait(TICK_S)) is None:
            interrupts.check()
            progress(running.last_line)
        if code:
            raise running.failure(code)
        return running.output
