"""The text of table cells and lines: ratings, years, times, counts, and how an answer was made."""

from collections.abc import Iterable
from datetime import datetime

from rich.text import Text

from foldin_client import values


def serving_line(info: values.ServingInfo) -> Text:
    """Returns one line about how the answer was made."""
    ways = {
        values.Personalization.TRAINED: f"as trained, from {rating_count(info.rating_count)}",
        values.Personalization.FOLDED_IN: f"folded in from {rating_count(info.rating_count)}",
        values.Personalization.CONTENT: "from content alone",
        values.Personalization.POPULAR: "popular items: no rating to go by",
    }
    way = ways.get(info.personalization)
    parts = [*([way] if way else []), f"model {info.model_version}"]
    if info.degraded:
        parts.append("degraded: the store is out of reach, recent ratings may be missing")
    return dim(" · ".join(parts))


def dim(text: str) -> Text:
    return Text(text, "dim")


def year(number: int | None) -> str:
    return "" if number is None else str(number)


def genres(names: Iterable[str]) -> str:
    return ", ".join(names)


def rating(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def own_rating(value: float | None) -> str:
    """Returns a rating as the user gave it, with every digit."""
    return "" if value is None else max(f"{value:.1f}", f"{value:g}", key=len)


def time(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M")


def rating_count(count: int) -> str:
    return f"{count:,} rating{'' if count == 1 else 's'}"


def item_count(count: int) -> str:
    return "1 item" if count == 1 else f"{count:,} items"
