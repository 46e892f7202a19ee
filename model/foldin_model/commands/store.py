"""The commands `foldin store`: size, gc of old models, and purge of a user."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from foldin_model.errors import FoldinError
from foldin_model.ids import UserId, Version
from foldin_model.lifecycle import retention
from foldin_model.lifecycle.retention import ListedVersion, VersionState
from foldin_model.store.location import default_data_dir, running_store_url
from foldin_model.store.opening import OpenStore, open_store
from foldin_model.store.operation_protocol import StoreOperations


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the store and the data directory are, as the options say."""

    redis_url: str | None
    namespace: str
    data_dir: Path


@click.group()
@click.option(
    "--redis-url",
    envvar="FOLDIN_REDIS_URL",
    help="URL of the store. Without it, the embedded store.",
)
@click.option(
    "--namespace",
    envvar="FOLDIN_NAMESPACE",
    default="default",
    show_default=True,
    help="Namespace in the store.",
)
@click.option(
    "--data-dir",
    envvar="FOLDIN_DATA_DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the embedded store and the installed models.",
)
@click.pass_context
def store(
    context: click.Context, redis_url: str | None, namespace: str, data_dir: Path | None
) -> None:
    """Maintain the feature store."""
    context.obj = _Place(redis_url, namespace, data_dir or default_data_dir())


@store.command()
@click.pass_obj
def size(place: _Place) -> None:
    """Print the number of keys and bytes of each kind."""
    with _opened(place) as opened:
        sizes = opened.operations.sizes()
    sizes["all"] = (sum(n for n, _ in sizes.values()), sum(b for _, b in sizes.values()))
    click.echo(f"{'kind':<16}{'keys':>12}{'bytes':>16}")
    for kind, (keys, size_bytes) in sizes.items():
        click.echo(f"{kind:<16}{keys:>12,}{size_bytes:>16,}")


@store.command()
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    help="How many of the newest versions to keep, besides the current and the previous one.",
)
@click.option(
    "--unfinished",
    is_flag=True,
    help="Also remove what interrupted publishing left behind. Not while a model is published.",
)
@click.option(
    "--damaged",
    is_flag=True,
    help="Also remove versions whose manifest cannot be read, except the current one.",
)
@click.pass_obj
def gc(place: _Place, *, keep: int, unfinished: bool, damaged: bool) -> None:
    """Remove old model versions from the store and from the data directory.

    Versions that are no longer in the store are removed from the data directory too.
    """
    directory = place.data_dir / "models"
    with _opened(place) as opened:
        models, operations = opened.models, opened.operations
        # The folders are read first, so that none of them is newer than the list.
        found = retention.installed(directory)
        listed = retention.versions(models)
        removable = _removable(listed, keep, damaged=damaged)
        for one in listed:
            if one.manifest is None and one not in removable:
                click.echo(f"{one.version} is damaged: {one.damage}; {_remedy(one)}", err=True)
        for one in removable:
            retention.remove(models, one.version, directory)
            click.echo(f"removed {one.version}")
        click.echo(f"{len(listed) - len(removable)} of {len(listed)} versions stay")
        pointer = models.pointer()
        in_use = {pointer.current, pointer.previous, *(one.version for one in listed)}
        for version in _unlisted([one for one in found if one not in in_use], operations):
            retention.uninstall(version, directory)
            click.echo(f"removed {version} from {directory}")
        if unfinished:
            known = [version for version, _ in models.versions()]
            for version in operations.unfinished_versions(known):
                removed = operations.remove_unfinished(version)
                click.echo(f"removed {removed} keys that were left of {version}")


@store.command()
@click.argument("user")
@click.pass_obj
def purge(place: _Place, user: str) -> None:
    """Remove all data of USER: ratings, vectors, entries in the log.

    Outcomes kept for repeated requests hold no rating and expire within an hour. A server that has
    USER in its cache drops them when it next reads the store.
    """
    with _opened(place) as opened:
        versions = [version for version, _ in opened.models.versions()]
        removed = opened.operations.purge(UserId(user), versions)
    click.echo(f"removed {removed} keys and log entries of user {user}")


def _removable(listed: Sequence[ListedVersion], keep: int, *, damaged: bool) -> list[ListedVersion]:
    """Returns the versions to remove; damaged ones do not count among those to keep."""
    whole = [one for one in listed if one.manifest is not None]
    broken = [one for one in listed if one.manifest is None]
    old = [one for one in whole[keep:] if one.state is VersionState.AVAILABLE]
    return old + [one for one in broken if damaged and one.state is not VersionState.CURRENT]


def _remedy(broken: ListedVersion) -> str:
    if broken.state is VersionState.CURRENT:
        return "activate another one, then gc --damaged removes it"
    return "gc --damaged removes it"


def _unlisted(unknown: Sequence[Version], operations: StoreOperations) -> list[Version]:
    """Returns those in no other namespace either, since namespaces may share a data directory."""
    if not unknown:
        return []  # without a scan of all keys
    known = operations.all_versions()
    return [version for version in unknown if version not in known]


@contextmanager
def _opened(place: _Place) -> Iterator[OpenStore]:
    try:
        with (
            running_store_url(place.redis_url, place.data_dir) as url,
            closing(open_store(url, place.namespace)) as opened,
        ):
            yield opened
    except FoldinError as error:
        raise click.ClickException(str(error)) from error
