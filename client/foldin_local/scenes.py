"""How the demo's scenes look: a heading, a short table, a line. Nothing is asked here."""

from collections.abc import Sequence
from typing import Protocol

from foldin_client.values import RatedItem, ScoredItem, UserState
from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from foldin_local.cast import Film

FEW = 3


class Move(Protocol):
    """One rating and how long it took."""

    @property
    def film(self) -> Film: ...
    @property
    def value(self) -> float: ...
    @property
    def stored_ms(self) -> float: ...
    @property
    def changed_ms(self) -> float: ...


def known_user(user: UserState, items: Sequence[ScoredItem]) -> RenderableType:
    favourites = sorted(
        (rated for rated in user.ratings if rated.title), key=lambda rated: -rated.value
    )
    return _scene(
        f"What user {user.user_id} would like",
        _line(f"{len(user.ratings)} ratings so far; favourites: {_rated(favourites[:FEW])}."),
        _films(items),
    )


def similar(film: Film, items: Sequence[ScoredItem]) -> RenderableType:
    return _scene(f"Films like {titled(film)}", _films(items))


def ratings(who: str, moves: Sequence[Move]) -> RenderableType:
    made = _table()
    made.add_column("rates")
    made.add_column("", justify="right")
    made.add_column("stored", justify="right", style="dim")
    made.add_column("next answer changed", justify="right", style="bold green")
    for move in moves:
        stars = f"[yellow]{move.value:g}[/yellow]"
        made.add_row(
            Text(titled(move.film)),
            stars,
            f"{move.stored_ms:.1f} ms",
            f"{move.changed_ms:.1f} ms",
        )
    return _scene(f"{who} rates {len(moves)} films", made)


def moved(
    before: Sequence[ScoredItem], after: Sequence[ScoredItem], shown: int, rated: Sequence[Film]
) -> RenderableType:
    """The new list, each film with where it came from, and what left the top."""
    old = {item.item_id: at for at, item in enumerate(before, 1)}
    new = {item.item_id: at for at, item in enumerate(after, 1)}
    made = _table()
    made.add_column("#", justify="right", style="dim")
    made.add_column("title")
    made.add_column("genres", style="dim")
    made.add_column("moved", justify="right")
    for at, item in enumerate(after[:shown], 1):
        came_from = old.get(item.item_id)
        made.add_row(str(at), _title(item), _genres(item), _movement(came_from, at, len(before)))
    names = {film.item_id for film in rated}
    gone = [
        f"{item.title} ({new.get(item.item_id, f'beyond {len(after)}')})"
        for item in before[:shown]
        if new.get(item.item_id, len(after) + 1) > shown and item.item_id not in names
    ]
    left = _line(f"Left the top {shown} (now at): {', '.join(gone) or 'none'}.")
    return _scene("The next recommendations", made, left)


def newcomer(
    who: str,
    before: Sequence[ScoredItem],
    moves: Sequence[Move],
    after: Sequence[ScoredItem],
) -> RenderableType:
    rated = " and ".join(f"{titled(move.film)} {move.value:g}" for move in moves)
    popular = ", ".join(item.title for item in before[:FEW])
    return _scene(
        "A user nobody knew a moment ago",
        _line(f"{who} is shown what everybody likes: {popular}, ..."),
        _line(f"Then rates {rated},"),
        _line(f"and {moves[0].changed_ms:.1f} ms after the first rating the answer is personal:"),
        _films(after, because=True),
    )


def titled(film: Film) -> str:
    return film.title if film.year is None else f"{film.title} ({film.year})"


def _films(items: Sequence[ScoredItem], *, because: bool = False) -> Table:
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
    for at, item in enumerate(items, 1):
        made.add_row(
            str(at),
            Text(item.title or item.item_id),
            "" if item.year is None else str(item.year),
            _genres(item),
            *((f"{item.predicted_rating or 0:.1f}",) if predicted else ()),
            *((Text(item.reasons[0].title if item.reasons else ""),) if because else ()),
        )
    return made


def _movement(came_from: int | None, at: int, known: int) -> str:
    if came_from is None:
        return f"[green]▲ from beyond {known}[/green]"
    if came_from > at:
        return f"[green]▲ from {came_from}[/green]"
    if came_from < at:
        return f"[red]▼ from {came_from}[/red]"
    return "[dim]stays[/dim]"


def _title(item: ScoredItem) -> Text:
    return Text(item.title if item.year is None else f"{item.title} ({item.year})")


def _genres(item: ScoredItem) -> Text:
    return Text(", ".join(item.genres[:FEW]))


def _rated(items: Sequence[RatedItem]) -> str:
    return ", ".join(f"{item.title} {item.value:g}" for item in items)


def _line(text: str) -> RenderableType:
    return Padding(Text(text), (0, 0, 0, 1), expand=False)


def _scene(heading: str, *parts: RenderableType) -> RenderableType:
    return Group("", Rule(Text(heading, "bold"), align="left", style="cyan"), *parts)


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=True)
