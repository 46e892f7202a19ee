"""The files of the MovieLens editions, recognized by their names in a folder.

It chooses the reader of each file; the readers are in `rating_tables`, `item_tables`, `tags` and
`user_tables`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from foldin_model.scale import Scale

from foldin_trainer.data.errors import DataError
from foldin_trainer.data.files import item_tables, tags, user_tables
from foldin_trainer.data.files.columns import read_header
from foldin_trainer.data.files.item_tables import ItemsById
from foldin_trainer.data.files.rating_tables import RatingFile
from foldin_trainer.data.users import Attributes

HALF_STARS: Final = Scale(0.5, 5.0)
WHOLE_STARS: Final = Scale(1.0, 5.0)


@dataclass(frozen=True, slots=True)
class Layout:
    """The rating file of an edition, its scale, and the readers of items and users.

    Tags and users are read if their files exist; many editions have none.
    """

    ratings: RatingFile
    read_items: Callable[[], ItemsById]
    scale: Scale
    read_users: Callable[[], Attributes] = dict


def find_layout(folder: Path) -> Layout:
    """Returns the layout of the edition in that folder. Raises DataError if it holds none."""
    if (folder / "ratings.csv").is_file():
        return _csv(folder)
    if (folder / "ratings.dat").is_file():
        return _dat(folder)
    if (folder / "u.data").is_file():
        return _original_100k(folder)
    if (folder / "ml-100k.inter").is_file():
        return _recbole_100k(folder)
    remedy = "give one with ratings.csv, ratings.dat, u.data or ml-100k.inter, or a single file"
    raise DataError(folder, None, "the folder holds no MovieLens ratings", remedy)


def _csv(folder: Path) -> Layout:
    path = folder / "ratings.csv"
    names = ("userId", "movieId", "rating", "timestamp")
    _expect_header(path, names)
    movies = _present(folder / "movies.csv")
    return Layout(
        RatingFile(path, names, *names),
        partial(
            _items, movies, item_tables.read_movies_csv, folder / "tags.csv", tags.read_tags_csv
        ),
        HALF_STARS,
        _users(folder / "users.csv", user_tables.read_user_table),
    )


def _dat(folder: Path) -> Layout:
    # A reader that splits at single colons finds an empty field inside each double colon.
    names = ("user", "_1", "item", "_2", "rating", "_3", "timestamp")
    ratings = RatingFile(folder / "ratings.dat", names, *names[::2], delimiter=":", header=False)
    users = folder / "users.dat"
    one_million = users.is_file()
    read = partial(item_tables.read_movies_dat, encoding="latin-1" if one_million else "utf-8")
    movies = _present(folder / "movies.dat")
    return Layout(
        ratings,
        partial(_items, movies, read, folder / "tags.dat", tags.read_tags_dat),
        WHOLE_STARS if one_million else HALF_STARS,
        _users(users, user_tables.read_users_dat),
    )


def _original_100k(folder: Path) -> Layout:
    names = ("user", "item", "rating", "timestamp")
    ratings = RatingFile(folder / "u.data", names, *names, delimiter="\t", header=False)
    items = partial(item_tables.read_u_item, _present(folder / "u.item"))
    return Layout(ratings, items, WHOLE_STARS, _users(folder / "u.user", user_tables.read_u_user))


def _recbole_100k(folder: Path) -> Layout:
    path = folder / "ml-100k.inter"
    names = ("user_id:token", "item_id:token", "rating:float", "timestamp:float")
    _expect_header(path, names)
    items = partial(item_tables.read_recbole_items, _present(folder / "ml-100k.item"))
    users = _users(folder / "ml-100k.user", user_tables.read_recbole_users)
    return Layout(RatingFile(path, names, *names, delimiter="\t"), items, WHOLE_STARS, users)


def _items(
    path: Path,
    read: Callable[[Path], ItemsById],
    tags_path: Path,
    read_tags: Callable[[Path], tags.Tags],
) -> ItemsById:
    """Returns the items, with tags if there is a file of them."""
    catalog = read(path)
    return tags.with_tags(catalog, read_tags(tags_path)) if tags_path.is_file() else catalog


def _users(path: Path, read: Callable[[Path], Attributes]) -> Callable[[], Attributes]:
    return partial(read, path) if path.is_file() else dict


def _expect_header(path: Path, names: tuple[str, ...]) -> None:
    found = read_header(path).names
    if found != names:
        remedy = f"it should be {','.join(names)}; fetch the data set again"
        raise DataError(path, 1, f"the header is {','.join(found)}", remedy)


def _present(path: Path) -> Path:
    if not path.is_file():
        raise DataError(path, None, "the file is missing", "restore it from the data set")
    return path
