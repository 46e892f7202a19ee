"""The group `foldin`: finds a command by its name and imports it only when it is needed.

The client's commands are listed here; those of the other packages are entry points of the group
`foldin.commands`.
"""

import errno
import importlib
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

import click
from click.shell_completion import CompletionItem

ENTRY_POINTS = "foldin.commands"

CLIENT_COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "recommend": (
            "foldin_client.cli.commands.recommendations",
            "List what a user would like best.",
        ),
        "similar": (
            "foldin_client.cli.commands.recommendations",
            "List the items most like another.",
        ),
        "predict": (
            "foldin_client.cli.commands.recommendations",
            "Predict how a user would rate items.",
        ),
        "user": ("foldin_client.cli.commands.recommendations", "List the ratings of a user."),
        "rate": ("foldin_client.cli.commands.ratings", "Store a rating."),
        "unrate": ("foldin_client.cli.commands.ratings", "Delete a rating."),
        "search": ("foldin_client.cli.commands.catalog_lists", "Find items by title."),
        "item": ("foldin_client.cli.commands.catalog_lists", "Show one item."),
        "items": (
            "foldin_client.cli.commands.catalog",
            "Add new items, hide items, show them again.",
        ),
        "popular": ("foldin_client.cli.commands.catalog_lists", "List the most popular items."),
        "clusters": (
            "foldin_client.cli.commands.catalog_lists",
            "List groups of items that the same users like.",
        ),
        "models": ("foldin_client.cli.commands.models", "List the published models."),
        "activate": ("foldin_client.cli.commands.models", "Serve another model."),
        "rollback": ("foldin_client.cli.commands.models", "Serve the previous model again."),
    }
)

# The summaries are here because `foldin --help` must not import what the commands need.
OTHER_COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "demo": "See a recommender learn from a rating, in a minute.",
        "up": "Run everything on this machine until Ctrl-C.",
        "data": "Fetch, check and list data sets.",
        "train": "Train a model and publish it.",
        "evaluate": "Measure models on held-out ratings.",
        "tune": "Search for the best settings of a method.",
        "ratings": "Load ratings into the store.",
        "serve": "Serve recommendations over gRPC.",
        "store": "Maintain the feature store.",
        "bench": "Measure parts of the model on this machine.",
    }
)

EXTRAS: Mapping[str, str] = MappingProxyType(
    {"foldin_trainer": "trainer", "foldin_server": "server", "foldin_model": "model"}
)

EPILOG = """\b
Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 not found or ambiguous,
4 no server, or one that is not ready.

\b
Completion: eval "$(_FOLDIN_COMPLETE=bash_source foldin)", or zsh_source, fish_source.
"""


class CommandGroup(click.Group):
    """Commands by name, each imported when it is run or its own help is shown."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        others = sorted(_entry_points(), key=_position)
        return [*CLIENT_COMMANDS, *others]

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name in CLIENT_COMMANDS:
            module, _ = CLIENT_COMMANDS[cmd_name]
            found = getattr(importlib.import_module(module), cmd_name)
        elif cmd_name in (known := _entry_points()):
            found = _load(known[cmd_name])
        else:
            return None
        if not isinstance(found, click.Command):
            raise TypeError(f"{cmd_name} is {found!r}, which is no click command")
        return found

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command; errors of the operating system end it with one line, no traceback.

        A library that is missing only now gets the same remedy as one missing at the import.
        """
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as missing:
            point = _entry_points().get(ctx.invoked_subcommand or "")
            raise (_remedy(point, missing) if point else missing) from missing
        except UnicodeEncodeError as failure:
            raise click.UsageError("The arguments are not valid text in UTF-8.") from failure
        except OSError as failure:
            if failure.errno == errno.EPIPE or not failure.strerror:  # click knows a closed pipe
                raise
            where = f"{failure.filename}: " if failure.filename is not None else ""
            raise click.ClickException(f"{where}{failure.strerror}") from failure

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        others = [name for name in self.list_commands(ctx) if name not in CLIENT_COMMANDS]
        with formatter.section("Call a server"):
            formatter.write_dl([(name, summary) for name, (_, summary) in CLIENT_COMMANDS.items()])
        with formatter.section("Run on this machine"):
            formatter.write_dl([(name, OTHER_COMMANDS.get(name, "")) for name in others])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        return [*click.Command.shell_complete(self, ctx, incomplete), *map(CompletionItem, names)]


def _entry_points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def _position(name: str) -> tuple[int, str]:
    known = list(OTHER_COMMANDS)
    return (known.index(name) if name in OTHER_COMMANDS else len(known), name)


def _load(point: EntryPoint) -> object:
    """Returns the command. Raises ClickException with the remedy for a missing library."""
    try:
        return point.load()
    except ModuleNotFoundError as missing:
        raise _remedy(point, missing) from missing


def _remedy(point: EntryPoint, missing: ModuleNotFoundError) -> Exception:
    """Returns the error that says how to install the missing library.

    It is `missing` itself where no extra of foldin would install it.
    """
    name = (missing.name or "").partition(".")[0]
    extra = EXTRAS.get(point.module.partition(".")[0])
    if extra is None or name in EXTRAS:
        return missing
    return click.ClickException(
        f"`foldin {point.name}` needs {name}, which is not installed. Install it with\n"
        f"  pip install 'foldin[{extra}]'"
    )


@click.command(cls=CommandGroup, epilog=EPILOG)
@click.version_option(package_name="foldin")
def main() -> None:
    """A recommendation service that learns from every rating at once.

    Commands take an item by its id or, where it is unambiguous, by its title. Tables are for
    people, --json is for programs. FOLDIN_ADDRESS is the address of the servers; FOLDIN_CA turns
    TLS on.
    """
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a title in any alphabet, on any terminal
