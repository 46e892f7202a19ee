"""The commands that change the catalog beside the model: items add, hide, show."""

import csv
import re
import reprlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from foldin_client.cli.output.command_results import AddedItems, ChangedAvailability
from foldin_client.cli.session.item_argument import find_item
from foldin_client.cli.session.list_options import LAST_YEAR
from foldin_client.cli.session.session import Session, server_command
from foldin_client.values.new_items import NewItem

BATCH_SIZE: Final = 1_000
COLUMNS: Final = ("item_id", "title", "genres", "year", "tags")
SEPARATOR: Final = "|"
_YEAR: Final = re.compile(r"[0-9]{1,4}")


@click.group()
def items() -> None:
    """Add new items, hide items, show them again; no training is needed."""


@items.command()
@click.argument("item_id", metavar="ID", required=False)
@click.option("--title", help="Title of the item.")
@click.option("--genre", "genres", multiple=True, help="Genre of the item; may be repeated.")
@click.option("--year", type=click.IntRange(1, LAST_YEAR), help="Year of the item.")
@click.option("--tag", "tags", multiple=True, help="Tag of the item; may be repeated.")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Many items: CSV with the columns item_id and title, optionally year, genres and tags; "
    "several genres or tags have | between them.",
)
@server_command
def add(
    session: Session,
    *,
    item_id: str | None,
    title: str | None,
    genres: tuple[str, ...],
    year: int | None,
    tags: tuple[str, ...],
    file: Path | None,
) -> None:
    """Add or change the item ID; lists show it within a second.

    Until it has ratings, title, genres, year and tags decide who gets it recommended.
    """
    if file is not None:
        if item_id or title or genres or year is not None or tags:
            raise click.UsageError("Give one item by its options or many by --file, not both.")
        new = list(_read(file))
        if not new:
            raise click.UsageError(f"{file} has no items, only the line that names its columns.")
    elif not (item_id and title):
        raise click.UsageError("Name an ID and a --title, or give many items with --file.")
    else:
        new = [NewItem(item_id, title, genres, year, tags)]
    session.show(_added(session, new))


@items.command()
@click.argument("names", metavar="ITEM...", nargs=-1, required=True)
@server_command
def hide(session: Session, *, names: tuple[str, ...]) -> None:
    """Hide ITEMs, ids or titles, from every list."""
    session.show(_changed(session, names, available=False))


@items.command()
@click.argument("names", metavar="ID...", nargs=-1, required=True)
@server_command
def show(session: Session, *, names: tuple[str, ...]) -> None:
    """Show the items with these IDs in lists again."""
    session.show(_changed(session, names, available=True))


def _added(session: Session, new: Sequence[NewItem]) -> AddedItems:
    trained: tuple[str, ...] = ()
    revision = 0
    for start in range(0, len(new), BATCH_SIZE):
        answer = session.client.upsert_items(new[start : start + BATCH_SIZE])
        trained, revision = (*trained, *answer.trained_item_ids), answer.overlay_revision
    return AddedItems(tuple(item.item_id for item in new), trained, revision)


def _changed(session: Session, names: Sequence[str], *, available: bool) -> ChangedAvailability:
    found = (find_item(session.client, text).item_id for text in names)
    item_ids = tuple(dict.fromkeys(found))  # an id and a title may name one item
    answer = session.client.set_item_availability(item_ids, available=available)
    return ChangedAvailability(item_ids, available, answer.overlay_revision)


def _read(file: Path) -> Iterator[NewItem]:
    """Yields the items of a CSV file. Raises UsageError for a file that is no such table."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            columns = reader.fieldnames or ()
            missing = [name for name in COLUMNS[:2] if name not in columns]
            unknown = [name for name in columns if name not in COLUMNS]
            if missing or unknown:
                what = f"lacks {missing[0]}" if missing else f"has {unknown[0]!r}"
                raise click.UsageError(f"{file} {what}; its columns are {', '.join(COLUMNS)}.")
            for row in reader:
                yield _item(row, f"{file}:{reader.line_num}")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{file} is not text in UTF-8: {error}") from error
    except csv.Error as error:
        place = f"{file}:{reader.reader.line_num}"
        raise click.UsageError(f"{place} can't be read: {error}.") from error


def _item(row: dict[str | None, str | None], place: str) -> NewItem:
    if None in row:
        raise click.UsageError(f"{place} has more fields than the first line; quote commas.")
    year = (row.get("year") or "").strip()
    if year and not (_YEAR.fullmatch(year) and int(year)):
        raise click.UsageError(f"{place}: {reprlib.repr(year)} is no year from 1 to {LAST_YEAR}.")
    return NewItem(
        item_id=(row.get("item_id") or "").strip(),
        title=(row.get("title") or "").strip(),
        genres=_labels(row.get("genres")),
        year=int(year) if year else None,
        tags=_labels(row.get("tags")),
    )


def _labels(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(SEPARATOR) if part.strip())
