"""How the demo's steps look: a heading, a short table, a line. No server is asked here."""

from collections.abc import Sequence
from dataclasses import dataclass

from foldin_client.values import RatedItem, ScoredItem, UserState
from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from foldin_local.demo_items import DemoItem

FEW = 3


@dataclass(frozen=True, slots=True)
class TimedRating:
    """One rating and how long it took: to be stored, and to be seen in the next answer."""

    item: DemoItem
    value: float
    stored_ms: float
    changed_ms: float


def trained_user(user: UserState, items: Sequence[ScoredItem]) -> RenderableType:
    favorites = sorted(
        (rated for rated in user.ratings if rated.title), key=lambda rated: -rated.value
    )
    return _section(
        f"What user {user.user_id} would like",
        _line(f"{len(user.ratings)} ratings so far; favorites: {_rated(favorites[:FEW])}."),
        _items_table(items),
    )


def similar_items(item: DemoItem, items: Sequence[ScoredItem]) -> RenderableType:
    return _section(f"Films like {_title(item)}", _items_table(items))


def timed_ratings(who: str, ratings: Sequence[TimedRating]) -> RenderableType:
    made = _table()
    made.add_column("rates")
    made.add_column("", justify="right")
    made.add_column("stored", justify="right", style="dim")
    made.add_column("next answer changed", justify="right", style="bold green")
    for rating in ratings:
        made.add_row(
            Text(_title(rating.item)),
            f"[yellow]{rating.value:g}[/yellow]",
            f"{rating.stored_ms:.1f} ms",
            f"{rating.changed_ms:.1f} ms",
        )
    return _section(f"{who} rates {len(ratings)} films", made)


def moves(
    before: Sequence[ScoredItem], after: Sequence[ScoredItem], shown: int, rated: Sequence[DemoItem]
) -> RenderableType:
    """The new list, each item with its place before, and the items that left the top."""
    old = {item.item_id: place for place, item in enumerate(before, 1)}
    new = {item.item_id: place for place, item in enumerate(after, 1)}
    made = _table()
    made.add_column("#", justify="right", style="dim")
    made.add_column("title")
    made.add_column("genres", style="dim")
    made.add_column("moved", justify="right")
    for place, item in enumerate(after[:shown], 1):
        move = _move(old.get(item.item_id), place, len(before))
        made.add_row(str(place), Text(_title(item)), _genres(item), move)
    rated_ids = {item.item_id for item in rated}
    gone = [
        f"{item.title} ({new.get(item.item_id, f'beyond {len(after)}')})"
        for item in before[:shown]
        if new.get(item.item_id, len(after) + 1) > shown and item.item_id not in rated_ids
    ]
    left = _line(f"Left the top {shown} (now at): {', '.join(gone) or 'none'}.")
    return _section("The next recommendations", made, left)


def new_user(
    user_id: str,
    before: Sequence[ScoredItem],
    ratings: Sequence[TimedRating],
    after: Sequence[ScoredItem],
) -> RenderableType:
    rated = " and ".join(f"{_title(rating.item)} {rating.value:g}" for rating in ratings)
    popular = ", ".join(item.title for item in before[:FEW])
    return _section(
        "A user nobody knew a moment ago",
        _line(f"{user_id} is shown what everybody likes: {popular}, ..."),
        _line(f"Then rates {rated},"),
        _line(f"and {ratings[0].changed_ms:.1f} ms after the first rating the answer is personal:"),
        _items_table(after, because=True),
    )


def _items_table(items: Sequence[ScoredItem], *, because: bool = False) -> Table:
    predicted = any(item.predicted_rating is not None for item in items)
    made = _table()
    made.add_column("#", justify="right", style="dim")
    made.add_column("title")
    made.add_column("year", justify="right")
    made.add_column("genres", style="dim")
    if predicted:
        made.add_column("rating", justify="right", style="yellow")
    if because:
        made.add_column("because of", style="dim")
    for place, item in enumerate(items, 1):
        made.add_row(
            str(place),
            Text(item.title or item.item_id),
            "" if item.year is None else str(item.year),
            _genres(item),
            *((f"{item.predicted_rating or 0:.1f}",) if predicted else ()),
            *((Text(item.reasons[0].title if item.reasons else ""),) if because else ()),
        )
    return made


def _move(before: int | None, now: int, known: int) -> str:
    """Where an item stood before, of the `known` first places."""
    if before is None:
        return f"[green]▲ from beyond {known}[/green]"
    if before > now:
        return f"[green]▲ from {before}[/green]"
    if before < now:
        return f"[red]▼ from {before}[/red]"
    return "[dim]stays[/dim]"


def _title(item: DemoItem | ScoredItem) -> str:
    return item.title if item.year is None else f"{item.title} ({item.year})"


def _genres(item: ScoredItem) -> Text:
    return Text(", ".join(item.genres[:FEW]))


def _rated(items: Sequence[RatedItem]) -> str:
    return ", ".join(f"{item.title} {item.value:g}" for item in items)


def _line(text: str) -> RenderableType:
    return Padding(Text(text), (0, 0, 0, 1), expand=False)


def _section(heading: str, *parts: RenderableType) -> RenderableType:
    return Group("", Rule(Text(heading, "bold"), align="left", style="cyan"), *parts)


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=True)
