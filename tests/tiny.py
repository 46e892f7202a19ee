"""A small data set with planted tastes: four genres, users who like them, popular films."""

from pathlib import Path

import numpy as np
from foldin_model.scale import Scale
from foldin_trainer.data import Dataset, ItemTable, LoadReport, Ratings

GENRES = ("Comedy", "Drama", "Horror", "Western")
SCALE = Scale(0.5, 5.0)
FIRST_SECOND = 946_684_800


def tiny_dataset(*, users: int = 300, items: int = 200, seed: int = 0) -> Dataset:
    """Returns a data set in which users rate 12 to 80 films in half stars, in no order.

    Users are "1", "2", ..., films "1001", "1002", ... A user likes the genre of their number modulo
    4, and mildly the next one; the genre of a film is its number modulo 4, and one in five films
    has a second.
    """
    rng = np.random.default_rng(seed)
    liking = np.array([1.2, 0.4, -0.4, -0.8])
    popularity = 1.0 / (1.0 + rng.permutation(items)) ** 0.7
    quality = 0.4 * rng.normal(size=items)
    pairs = []
    for user in range(users):
        taste = liking[(np.arange(items) - user) % len(GENRES)]
        chance = popularity * np.exp(taste)
        count = int(rng.integers(12, 81))
        seen = rng.choice(items, count, replace=False, p=chance / chance.sum())
        wish = 3.4 + 0.3 * rng.normal() + quality[seen] + taste[seen]
        values = np.clip(np.round(2 * (wish + 0.5 * rng.normal(size=count))) / 2, 0.5, 5.0)
        pairs += [(user, int(item), float(v)) for item, v in zip(seen, values, strict=True)]
    order = rng.permutation(len(pairs))
    return _dataset([pairs[i] for i in order.tolist()], items, rng)


def _dataset(pairs: list[tuple[int, int, float]], items: int, rng: np.random.Generator) -> Dataset:
    users = list(dict.fromkeys(str(user + 1) for user, _, _ in pairs))
    rated = list(dict.fromkeys(item for _, item, _ in pairs))
    films = [*rated, *(item for item in range(items) if item not in set(rated))]
    user_rows = {user: row for row, user in enumerate(users)}
    item_rows = {item: row for row, item in enumerate(films)}
    ratings = Ratings(
        user_ids=tuple(users),
        item_ids=tuple(str(1001 + film) for film in films),
        users=np.array([user_rows[str(user + 1)] for user, _, _ in pairs], np.int32),
        items=np.array([item_rows[item] for _, item, _ in pairs], np.int32),
        values=np.array([value for _, _, value in pairs]),
        timestamps=FIRST_SECOND + rng.integers(0, 10**8, len(pairs)),
        scale=SCALE,
    )
    table = ItemTable(
        tuple(f"{GENRES[film % 4]} Film {film + 1}" for film in films),
        tuple(
            (GENRES[film % 4], *((GENRES[(film + 1) % 4],) if film % 5 == 0 else ()))
            for film in films
        ),
        tuple(1950 + film % 70 for film in films),
    )
    times = ratings.timestamps
    report = LoadReport(
        name="tiny",
        path=Path("tiny"),
        rows=len(ratings),
        duplicates=0,
        ratings=len(ratings),
        users=len(users),
        rated_items=len(rated),
        items=len(films),
        untitled=0,
        mean=float(ratings.values.mean()),
        scale=SCALE,
        scale_origin="given",
        first=None if times is None else int(times.min()),
        last=None if times is None else int(times.max()),
    )
    return Dataset(ratings, table, report)


def write_movielens(dataset: Dataset, folder: Path) -> Path:
    """Writes the data set into the folder as ratings.csv and movies.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    ratings = dataset.ratings
    times = ratings.timestamps if ratings.timestamps is not None else np.zeros(len(ratings), int)
    columns = (ratings.users, ratings.items, ratings.values, times)
    lines = ["userId,movieId,rating,timestamp"]
    for user, item, value, time in zip(*(c.tolist() for c in columns), strict=True):
        lines.append(f"{ratings.user_ids[user]},{ratings.item_ids[item]},{value},{time}")
    (folder / "ratings.csv").write_text("\n".join(lines) + "\n", "utf-8")
    table = dataset.items
    movies = ["movieId,title,genres"]
    for id_, title, genres, year in zip(
        ratings.item_ids, table.titles, table.genres, table.years, strict=True
    ):
        movies.append(f'{id_},"{title} ({year})",{"|".join(genres) or "(no genres listed)"}')
    (folder / "movies.csv").write_text("\n".join(movies) + "\n", "utf-8")
    return folder
