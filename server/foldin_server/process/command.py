"""The command `foldin serve`: settings from options and environment, then the server.

Nothing numeric is imported before the threads of the numeric libraries are limited.
"""

import dataclasses
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click

from foldin_server.runtime import threads
from foldin_server.settings import PREFIX, Settings, SettingsError, check_names

log = logging.getLogger(__name__)


def _setting_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives the command an option for every setting."""
    hints = get_type_hints(Settings, include_extras=True)
    for entry in reversed(dataclasses.fields(Settings)):
        hint, text = get_args(hints[entry.name])
        kind = next(iter(get_args(hint)), hint)  # of a setting that may be None: the other type
        name = entry.name.replace("_", "-")
        command = click.option(
            f"--{name}/--no-{name}" if kind is bool else f"--{name}",
            entry.name,
            type=_click_type(hint, kind),
            default=entry.default,
            show_default=entry.default is not None,
            envvar=PREFIX + entry.name.upper(),
            show_envvar=True,
            help=text,
        )(command)
    return command


def _server_of(settings: Settings) -> Callable[[Settings], None]:
    """Returns what serves: this process, or workers, which start before gRPC is imported."""
    if settings.workers > 1:
        from foldin_server.process import workers  # noqa: PLC0415

        return workers.serve
    from foldin_server.process import lifetime  # noqa: PLC0415

    return lifetime.serve


def _click_type(hint: Any, kind: Any) -> Any:
    if get_origin(hint) is Literal:
        return click.Choice(get_args(hint))
    return click.Path(path_type=Path) if kind is Path else kind


def _end(*_: object) -> None:
    sys.exit()


@click.command()
@_setting_options
def serve(**values: Any) -> None:
    """Serve recommendations over gRPC until SIGTERM or Ctrl-C."""
    threads.limit_before_import()
    from foldin_model.errors import FoldinError  # noqa: PLC0415 (numpy comes with it)

    from foldin_server.runtime import json_log  # noqa: PLC0415

    try:
        check_names()
        settings = Settings(**values)
        run = _server_of(settings)
        json_log.log_to()
        log.info("settings", extra={"settings": settings.shown()})
        signal.signal(signal.SIGTERM, _end)  # what is opened is closed again, from the start on
        run(settings)
    except (SettingsError, FoldinError) as error:
        raise click.ClickException(str(error)) from error
